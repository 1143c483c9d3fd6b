"""A usable access token, or a clear refusal (law 5). Must not know what the token is used for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
from calendar_service.domain.jitter import spread
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.google.oauth import OAuth
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.leases import Leases
from calendar_service.store.slots import Slot, Slots

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
    leases: Leases
    connections: Connections
    grants: Grants
    oauth: OAuth
    throttle: Throttle
    connection_end: ConnectionEnd
    clock: Clock

    # --- a call with a token ---

    def with_token(self, agent: Agent, grant: Grant, call: Callable[[Secret], T]) -> T:
        """Do one call at Google for a live connection; after a 401 refresh once and call once more (F14)."""

        # Noted with the number of the token that was used: after a refresh, or a consent meanwhile, an older token's
        # refusal proves nothing about the grant that stands.
        def noting_scope(usable: Grant) -> T:
            try:
                return call(usable.access_token)
            except InsufficientScope:
                self.connections.consent_needed(agent, usable.connection_id, usable.number)
                raise

        return self._call(grant, partial(self.refreshed, agent), noting_scope)

    def with_released_token(self, grant: Grant, call: Callable[[Secret], T]) -> T:
        """Do one call at Google for an ended connection, whose token its teardown alone still holds (law 6).

        A refresh takes no lease and is not stored: it serves this call. A dead grant is raised and noted nowhere,
        because the connection has ended already.
        """
        return self._call(grant, self._refresh, lambda usable: call(usable.access_token))

    def _call(self, grant: Grant, refresh: Callable[[Grant], Grant], call: Callable[[Grant], T]) -> T:
        usable = self._usable(grant, refresh)
        try:
            with self.throttle.calling():
                return call(usable)
        except AccessTokenExpired:
            refreshed = refresh(usable)
        with self.throttle.calling():
            return call(refreshed)

    # --- a usable token ---

    def usable(self, agent: Agent, grant: Grant) -> Grant:
        """Return a live connection's grant whose access token has minutes to live."""
        return self._usable(grant, partial(self.refreshed, agent))

    def _usable(self, grant: Grant, refresh: Callable[[Grant], Grant]) -> Grant:
        """Return this grant, or what `refresh` makes of it.

        The refusals of the token endpoint: `AccessRevoked` is the one proof that the grant is dead (law 5);
        `ClientRejected`, `RefreshRefused`, `AdminBlocked` and `GoogleUnavailable` leave it alive.
        """
        return grant if grant.expires_at - EARLY > self.clock.now() else refresh(grant)

    def refreshed(self, agent: Agent, grant: Grant) -> Grant:
        """Return a newer grant than this one: refreshed here, or by whoever holds the lease."""
        give_up = time.monotonic() + min(_PATIENCE, self.throttle.time_left())
        while True:
            fencing_token = self.leases.take(agent, "refresh", keys.LEASE)
            newest = self._newest(agent, grant.connection_id)
            if newest.number > grant.number:
                if fencing_token is not None:
                    self.leases.release(agent, "refresh", fencing_token)
                return newest
            if fencing_token is not None:
                return self._refresh_under_lease(agent, newest, fencing_token)
            if time.monotonic() > give_up:
                raise GoogleUnavailable("another refresh of this token is under way", ambiguous=False)
            time.sleep(_LOOK_AGAIN)

    def open(self, slot: Slot) -> Grant:
        """Open the grant of this slot's live connection; raise `StoreUnavailable` if no key at hand opens it."""
        return self.grants.open(slot.agent, slot.facts.connection_id, slot.grant)

    def _newest(self, agent: Agent, connection_id: str) -> Grant:
        # Read again under the lease: the holder before may have stored a newer token, and a refresh with the older
        # one would count as proof against a grant that lives.
        slot = self.slots.read(agent)
        if slot.facts.connection_id != connection_id or not slot.grant:
            raise NotConnected("The connection ended meanwhile.")
        return self.open(slot)

    def _refresh_under_lease(self, agent: Agent, grant: Grant, fencing_token: int) -> Grant:
        try:
            # A crash after Google's answer loses an access token of an hour: the refresh token stays valid, and the
            # lease keeps others away for its length at most.
            newer = self._refresh(grant)
            failpoint("access.after_refresh_before_store")
            due = probe_due(self.clock.now())
            if self.connections.refreshed(agent, grant.connection_id, grant.number, newer.sealed, due):
                return newer
            return self._newest(agent, grant.connection_id)  # a newer one stands, or the connection ended
        except AccessRevoked:
            self.revoked(agent, grant)
            raise
        finally:
            # After the write, so that whoever takes the lease next finds the newer token.
            self.leases.release(agent, "refresh", fencing_token)

    def _refresh(self, grant: Grant) -> Grant:
        """Ask the token endpoint once, and return the newer grant; breaker and budget learn, nothing is stored."""
        try:
            with self.throttle.asking_for_token():
                tokens = self.oauth.refresh(grant.refresh_token)
        except RequestRefused:
            # It refuses this request, not the event that is to be written: that one is tried again.
            raise RefreshRefused("the token endpoint refused a refresh and proved nothing by it") from None
        refresh_token = tokens.refresh_token or grant.refresh_token
        expires = self.clock.now() + tokens.expires_in * SECOND
        return self.grants.next(grant, refresh_token, tokens.access_token, expires)

    # --- proof of life ---

    def probe(self, agent: Agent) -> None:
        """Prove that the grant is alive, at the token endpoint only (RV-1)."""
        slot = self.slots.read(agent)
        if slot.grant:
            self.refreshed(agent, self.open(slot))

    def revoked(self, agent: Agent, grant: Grant) -> None:
        """Note Google's proof that this grant is dead, unless a newer token stands (RV-1)."""
        facts = self.slots.read(agent).facts
        if self.connection_end.mark_revoked(agent, grant):
            self.throttle.revocation_ages.count(facts)


def probe_due(now: Millis) -> Millis:
    """Return when the next proof of life is due, spread by a quarter."""
    return now + spread(keys.PROBE_EVERY)
