"""Gives out a usable access token, or raises why there is none (law 5). Must not know what the token is used for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis
from calendar_service.domain.connection import BlockCause, Facts
from calendar_service.domain.errors import (
    AccessRevoked,
    AccessTokenExpired,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    InsufficientScope,
    NotConnected,
    QuotaExceeded,
    RefreshRefused,
    RequestRefused,
    UnknownRefusal,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import spread
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarMissing
from calendar_service.google.oauth import OAuth
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.leases import Lease, Leases
from calendar_service.store.sessions import Loaded
from calendar_service.store.slots import Slot, Slots, Teardown

T = TypeVar("T")

EARLY: Millis = 4 * MINUTE
"""An access token is renewed this long before it expires, so that none expires during a call."""
_MAX_WAIT = 5.0
"""Seconds to wait for another thread or process that is refreshing."""
_POLL = 0.05
"""Seconds between two tries to take the lease."""


@dataclass(frozen=True)
class Access:
    """Refreshes access tokens: once per expiry, across threads and processes."""

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
        """Do one call at Google for a live connection; after a 401 refresh once and call once more (F14).

        A refusal that is not about this call alone is recorded for the connection.
        """

        # Recorded with the number of the token that was used: after a refresh or a new consent, the refusal of an older
        # token proves nothing about the grant that stands.
        def call_noting_scope(usable: Grant) -> T:
            try:
                return call(usable.access_token)
            except InsufficientScope:
                self.connections.consent_needed(agent, usable.connection_id, usable.number)
                raise

        try:
            return self._call(grant, partial(self.refreshed, agent), call_noting_scope)
        except GoogleError as refusal:
            cause = block_cause(refusal)
            if cause:
                begun = self.connections.set_block(agent, grant.connection_id, cause)
                if begun and isinstance(refusal, UnknownRefusal):
                    self.throttle.refused_for_unknown_reason()
            raise

    def in_calendar(self, agent: Agent, facts: Facts, grant: Grant, call: Callable[[Secret], T]) -> T:
        """Do one call in a live connection's calendar; if Google says that it is gone, record that and raise it.

        A call that Google carried out ends a block that stood in `facts`.
        """
        try:
            answer = self.with_token(agent, grant, call)
        except CalendarMissing:
            self.connections.calendar_missing(agent, facts)
            raise
        if facts.block.cause:
            self.connections.set_block(agent, grant.connection_id, None)
        return answer

    def with_released_token(self, grant: Grant, call: Callable[[Secret], T]) -> T:
        """Do one call at Google for an ended connection, whose token its teardown alone still holds (law 6).

        A refresh takes no lease and is not stored: it serves this call. `AccessRevoked` is raised and recorded nowhere,
        because the connection has ended already.
        """
        return self._call(grant, self._refresh, lambda usable: call(usable.access_token))

    def _call(self, grant: Grant, refresh: Callable[[Grant], Grant], call: Callable[[Grant], T]) -> T:
        usable = self._usable(grant, refresh)
        try:
            with self.throttle.calling(grant.connection_id):
                return call(usable)
        except AccessTokenExpired:
            # A 401 before its time: Google ended the access token early, or this process's clock is behind.
            refreshed = refresh(usable)
        with self.throttle.calling(grant.connection_id):
            return call(refreshed)

    # --- a usable token ---

    def usable(self, agent: Agent, grant: Grant) -> Grant:
        """Return a live connection's grant, with an access token that is valid for minutes."""
        return self._usable(grant, partial(self.refreshed, agent))

    def _usable(self, grant: Grant, refresh: Callable[[Grant], Grant]) -> Grant:
        """Return this grant, or the one that `refresh` returns if its access token expires soon (the process's clock).

        Raises what the token endpoint answers: `AccessRevoked` is the one proof that the grant is dead (law 5);
        `ClientRejected`, `RefreshRefused`, `AdminBlocked` and `GoogleUnavailable` leave it alive.
        """
        return grant if grant.expires_at - EARLY > self.clock.now() else refresh(grant)

    def refreshed(self, agent: Agent, grant: Grant) -> Grant:
        """Return a newer grant than this one: refreshed here, or by the process that holds the lease.

        Raises `GoogleUnavailable` if that process does not finish within seconds, `NotConnected` if the connection
        ended.
        """
        give_up = time.monotonic() + min(_MAX_WAIT, self.throttle.time_left())
        while True:
            # One refresh at a time: the others use its token, instead of spending the token endpoint's budget as well.
            lease = self.leases.take(agent, "refresh", keys.LEASE)
            newest = self._newest(agent, grant.connection_id)
            if newest.number > grant.number:
                if lease:
                    self.leases.release(agent, lease)
                return newest
            if lease:
                return self._refresh_under_lease(agent, newest, lease)
            if time.monotonic() > give_up:
                raise GoogleUnavailable("another refresh of this token is under way", ambiguous=False)
            time.sleep(_POLL)

    def open(self, slot: Slot | Loaded) -> Grant:
        """Open the grant of this slot's live connection; raise `RecordUnreadable` if no key at hand opens it."""
        return self.grants.open(slot.agent, slot.facts.connection_id, slot.grant)

    def open_released(self, agent: Agent, teardown: Teardown) -> Grant:
        """Open the grant that a teardown holds; raise `RecordUnreadable` if no key at hand opens it."""
        return self.grants.open(agent, teardown.connection_id, teardown.grant)

    def _newest(self, agent: Agent, connection_id: str) -> Grant:
        # Read again under the lease: its former holder may have stored a newer token. An `invalid_grant` for the older
        # one would look like proof against a grant that lives.
        slot = self.slots.read(agent)
        if slot.facts.connection_id != connection_id or not slot.grant:
            raise NotConnected("The connection ended meanwhile.")
        return self.open(slot)

    def _refresh_under_lease(self, agent: Agent, grant: Grant, lease: Lease) -> Grant:
        try:
            # 1. Ask Google. A crash after its answer loses an access token of an hour: the refresh token stays valid,
            #    and the lease keeps others away for 30 seconds at most.
            newer = self._refresh(grant)
            failpoint("access.after_refresh_before_store")
            # 2. Store it, if the stored token still has the number from which this one was made. A holder that was
            #    paused past its lease would otherwise overwrite a newer token, or a new consent's.
            due = probe_due(self.clock.now())
            if self.connections.save_refreshed(agent, grant.connection_id, grant.number, newer.sealed, due):
                return newer
            return self._newest(agent, grant.connection_id)  # a newer one stands, or the connection ended
        except AccessRevoked:
            self.note_revocation(agent, grant)
            raise
        finally:
            # 3. End the lease: after the write, so that its next holder finds the newer token.
            self.leases.release(agent, lease)

    def _refresh(self, grant: Grant) -> Grant:
        """Ask the token endpoint once, and return the newer grant; stores nothing but what the throttle learns."""
        try:
            with self.throttle.asking_for_token():
                tokens = self.oauth.refresh(grant.refresh_token)
        except RequestRefused:
            # A refused refresh is not a refused event: the event's write is tried again later.
            raise RefreshRefused("the token endpoint refused a refresh and proved nothing by it") from None
        refresh_token = tokens.refresh_token or grant.refresh_token
        expires = self.clock.now() + tokens.expires_in * SECOND
        return self.grants.next(grant, refresh_token, tokens.access_token, expires)

    # --- proof of life ---

    def probe(self, agent: Agent) -> None:
        """Ask Google to prove that the grant is alive, at the token endpoint only (RV-1)."""
        slot = self.slots.read(agent)
        if slot.grant:
            self.refreshed(agent, self.open(slot))

    def note_revocation(self, agent: Agent, grant: Grant) -> None:
        """Record Google's proof that this grant is dead, unless a newer token is stored (RV-1)."""
        facts = self.slots.read(agent).facts
        if self.connection_end.mark_revoked(agent, grant):
            self.throttle.revocation_ages.count(facts)


def block_cause(refusal: GoogleError) -> BlockCause | None:
    """Return who has to act, or which limit holds, before Google serves the connection; None: neither."""
    if isinstance(refusal, AdminBlocked):
        return BlockCause.ADMINISTRATOR
    if isinstance(refusal, ClientRejected | RefreshRefused | UnknownRefusal):
        return BlockCause.OPERATOR
    return BlockCause.QUOTA if isinstance(refusal, QuotaExceeded) else None


def probe_due(now: Millis) -> Millis:
    """Return when the next proof of life is due (the process's clock), spread by a quarter."""
    return now + spread(keys.PROBE_EVERY)
