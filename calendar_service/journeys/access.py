"""A usable access token, or a clear refusal (law 5). Must not know what the token is used for."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis
from calendar_service.domain.errors import (
    AccessRevoked,
    AccessTokenExpired,
    GoogleUnavailable,
    InsufficientScope,
    NotConnected,
    RefreshRefused,
    RequestRefused,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.google.oauth import OAuth
from calendar_service.journeys.flow import Flow
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.leases import Leases
from calendar_service.store.slots import Slots

T = TypeVar("T")

EARLY: Millis = 4 * MINUTE
"""An access token is renewed this long before its end, so that none expires under way."""
_PATIENCE = 5.0
"""Seconds to wait for another thread or process that is refreshing."""
_LOOK_AGAIN = 0.05


@dataclass(frozen=True)
class Access:
    """Keeps the access token fresh: one refresh per expiry across threads and processes."""

    slots: Slots
    connections: Connections
    leases: Leases
    grants: Grants
    oauth: OAuth
    flow: Flow
    clock: Clock
    erase_after: Millis

    def with_token(self, agent: Agent, grant: Grant, call: Callable[[Secret], T]) -> T:
        """Do one call at Google with a usable token; after a 401 refresh once and call once more (F14)."""
        usable = self.usable(agent, grant)
        try:
            return self._call(agent, usable, call)
        except AccessTokenExpired:
            return self._call(agent, self.refreshed(agent, usable), call)

    def _call(self, agent: Agent, grant: Grant, call: Callable[[Secret], T]) -> T:
        try:
            with self.flow.calling():
                return call(grant.access_token)
        except InsufficientScope:
            self.connections.consent_needed(agent, grant.connection_id, grant.number)
            raise

    def usable(self, agent: Agent, grant: Grant) -> Grant:
        """Return a grant whose access token has minutes to live."""
        if grant.expires_at - EARLY > self.clock.now():
            return grant
        return self.refreshed(agent, grant)

    def refreshed(self, agent: Agent, grant: Grant) -> Grant:
        """Return a newer grant than this one: refreshed here, or by whoever holds the lease."""
        give_up = time.monotonic() + min(_PATIENCE, self.flow.time_left())
        while True:
            fence = self.leases.take(agent, "refresh", keys.LEASE)
            newest = self._newest(agent, grant.connection_id)
            if newest.number > grant.number:
                if fence is not None:
                    self.leases.release(agent, "refresh", fence)
                return newest
            if fence is not None:
                return self._refresh(agent, newest, fence)
            if time.monotonic() > give_up:
                raise GoogleUnavailable("another refresh of this token is under way", ambiguous=False)
            time.sleep(_LOOK_AGAIN)

    def probe(self, agent: Agent) -> None:
        """Prove that the grant is alive, at the token endpoint only (RV-1)."""
        slot = self.slots.read(agent)
        if slot.grant:
            grant = self.grants.open(agent, slot.facts.connection_id, slot.grant)
            self.refreshed(agent, grant)

    def probe_due(self) -> Millis:
        """Return when the next proof of life is due (database time), spread by a quarter."""
        spread = keys.PROBE_EVERY // 4
        return self.clock.now() + keys.PROBE_EVERY - spread + secrets.randbelow(2 * spread)

    def _newest(self, agent: Agent, connection_id: str) -> Grant:
        slot = self.slots.read(agent)
        if slot.facts.connection_id != connection_id or not slot.grant:
            raise NotConnected("The connection ended meanwhile.")
        return self.grants.open(agent, connection_id, slot.grant)

    def _refresh(self, agent: Agent, grant: Grant, fence: int) -> Grant:
        try:
            with self.flow.asking_for_token():
                tokens = self.oauth.refresh(grant.refresh_token)
            failpoint("access.after_refresh_before_store")
            newer = self.grants.next(
                grant,
                tokens.refresh_token or grant.refresh_token,
                tokens.access_token,
                self.clock.now() + tokens.expires_in * SECOND,
            )
            due = self.probe_due()
            if self.connections.refreshed(agent, grant.connection_id, grant.number, newer.sealed, due):
                return newer
            return self._newest(agent, grant.connection_id)  # a newer one stands, or the connection ended
        except AccessRevoked:
            self.revoked(agent, grant)
            raise
        except RequestRefused:
            # It refuses this request, not the event that is to be written: that one is tried again.
            raise RefreshRefused("the token endpoint refused a refresh and proved nothing by it") from None
        finally:
            # After the write, so that whoever takes the lease next finds the newer token.
            self.leases.release(agent, "refresh", fence)

    def revoked(self, agent: Agent, grant: Grant) -> None:
        """Note Google's proof that this grant is dead, unless a newer token stands (RV-1)."""
        facts = self.slots.read(agent).facts
        ended = self.connections.dead(agent, grant.connection_id, grant.number, self.erase_after)
        if ended == "ok":
            self.flow.died(facts)
