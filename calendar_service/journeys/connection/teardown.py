"""The teardown: undoes at Google what is left after a connection's end (RV-2, SC-4, law 6).

Knows the store and Google. Must not know the web.
"""

from dataclasses import dataclass, replace

from calendar_service.domain.clock import HOUR, SECOND, Clock, Millis
from calendar_service.domain.connection import Facts, Revocation
from calendar_service.domain.errors import AccessForbidden, AccessRevoked, GoogleError, RecordUnreadable
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.google.calendar import CalendarApi, CalendarMissing
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.shared_accounts import SharedAccounts
from calendar_service.journeys.throttle.backoff import jittered
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.grants import Grant
from calendar_service.store.slots import Slot, Slots, Teardown

_FIRST: Millis = 2 * SECOND
_LONGEST: Millis = 6 * HOUR
"""The first and the longest pause between two tries."""
_LIMITS: tuple[Millis, ...] = (keys.CHANNEL_STOP_MAX, keys.CALENDAR_DELETION_MAX, keys.TEARDOWN_MAX)
"""Ages of a teardown at which its next part begins, whether the one before succeeded or not."""


@dataclass(frozen=True)
class Teardowns:
    """Stops channels, deletes the calendar if the agent asked for it, revokes: each until its own limit of time.

    A connection whose account was never learned asks for it before the revocation (law 6).
    """

    slots: Slots
    connections: Connections
    access: Access
    shared_accounts: SharedAccounts
    calendar: CalendarApi
    files: FileRewriteStore
    clock: Clock

    def run(self, agent: Agent, connection_id: str | None = None) -> None:
        """Run this agent's teardowns, or one connection's, as far as Google allows; the rest is tried again later."""
        slot = self.slots.read(agent)
        for teardown in slot.teardowns:
            if connection_id in {None, teardown.connection_id}:
                self._run(slot, teardown)

    def run_one(self, agent: Agent, connection_id: str) -> Revocation:
        """Run one connection's teardown; return how it ended, `PENDING` if it has not or another process has it."""
        slot = self.slots.read(agent)
        teardowns = [one for one in slot.teardowns if one.connection_id == connection_id]
        return self._run(slot, teardowns[0]) if teardowns else Revocation.PENDING

    def _run(self, slot: Slot, teardown: Teardown) -> Revocation:
        # A crash at any step leaves the teardown stored, with its sealed token and its timer. The next try begins at
        # step 1, so each step may be repeated: Google answers 404 for a stopped channel or a deleted calendar and
        # `invalid_token` for a revoked token, and leaving a set twice is leaving it once.
        # 1. Without a token there is nothing to undo: Google ended the grant itself.
        if not teardown.grant:
            return self._end_unrevoked(slot.agent, teardown, Revocation.BY_GOOGLE)
        # 2. After 7 days the token is destroyed, whatever Google answers.
        age = slot.now - teardown.started
        if age > keys.TEARDOWN_MAX:
            return self._end_in_any_case(slot.agent, teardown)
        # 3. Open the token; wait while the account of the agent's later connection is unknown: revoking could end that
        #    one. A record that does not open can be neither used nor revoked here; step 2 ends it.
        grant = None if _is_account_unknown(slot.facts) else self._open(slot.agent, teardown)
        if grant is None:
            return self._try_later(slot.agent, teardown)
        # 4. Stop the channels, which only this token can. A crash after some are stopped: all are stopped again.
        teardown = self._stop_channels(teardown, grant, late=age > keys.CHANNEL_STOP_MAX)
        if teardown.channels:
            return self._try_later(slot.agent, teardown)
        # 5. Delete the calendar, if the agent asked for it. A crash after Google deleted it: the next try finds it gone
        #    and says `deleted` all the same.
        teardown = self._delete_calendar(slot.agent, teardown, grant, late=age > keys.CALENDAR_DELETION_MAX)
        if teardown.delete_calendar:
            return self._try_later(slot.agent, teardown)
        return self._revoke(slot, teardown, grant)

    def _open(self, agent: Agent, teardown: Teardown) -> Grant | None:
        try:
            return self.access.open_released(agent, teardown)
        except RecordUnreadable:
            return None

    # --- channels ---

    def _stop_channels(self, teardown: Teardown, grant: Grant, *, late: bool) -> Teardown:
        """Stop the channels at Google; return the teardown with those that have to be tried again."""
        left = dict(teardown.channels)
        for channel_id in teardown.channels:
            try:
                self._stop_channel(grant, channel_id, left[channel_id])
                failpoint("teardown.after_channel_stopped")
            except GoogleError as trouble:
                if trouble.retryable and not late:
                    break
                # Ended already, or out of reach: Google ends it at its expiry. Its notifications name no agent, because
                # the end of the connection took the channel from the index.
            del left[channel_id]
        return replace(teardown, channels=left)

    def _stop_channel(self, grant: Grant, channel_id: str, resource_id: str) -> None:
        self.access.with_released_token(
            grant, lambda token: self.calendar.stop_channel(token, channel_id, resource_id)
        )

    # --- the calendar ---

    def _delete_calendar(self, agent: Agent, teardown: Teardown, grant: Grant, *, late: bool) -> Teardown:
        """Try the deletion that the agent asked for; return the teardown without it once it is decided."""
        if not teardown.delete_calendar:
            return teardown
        # Read again: while channels were stopped, a new connection may have taken the calendar up, which cancelled the
        # deletion. Deleting then would remove a calendar in use.
        if not self._is_deletion_wanted(agent, teardown):
            return replace(teardown, delete_calendar=False, calendar_id="")
        decided = replace(teardown, delete_calendar=False, calendar_id="", calendar_deletion="deleted")
        try:
            self.access.with_released_token(
                grant, lambda token: self.calendar.delete_calendar(token, teardown.calendar_id)
            )
            failpoint("teardown.after_calendar_deleted")
        except CalendarMissing:
            pass  # gone already: deleted by the agent, or by a try whose answer was lost
        except (AccessRevoked, AccessForbidden):
            decided = replace(decided, calendar_deletion="refused")
        except GoogleError:
            if not late:
                return teardown
            # An hour is over: the teardown revokes all the same, and the page tells the agent that the calendar stays.
            decided = replace(decided, calendar_deletion="refused")
        return decided

    def _is_deletion_wanted(self, agent: Agent, teardown: Teardown) -> bool:
        standing = self.slots.read(agent).teardowns
        return any(one.connection_id == teardown.connection_id and one.delete_calendar for one in standing)

    # --- the permission ---

    def _revoke(self, slot: Slot, teardown: Teardown, grant: Grant) -> Revocation:
        """Revoke, unless another live connection uses the account: Google would end that one too (law 6)."""
        # 6. Ask whose account it is, if that was never learned. A crash after the answer: the next try asks again. Once
        #    learned, a later try finds it in the teardown.
        agent = slot.agent
        if not teardown.account_ref:
            try:
                teardown = replace(teardown, account_ref=self._ask_account(grant))
            except AccessRevoked:
                return self._end(agent, teardown, Revocation.CONFIRMED)
            except GoogleError:
                # Also if Calendar is switched off for the person: the 7 days end that.
                return self._try_later(agent, teardown)
        # 7. Leave the account's set; the same script announces the revocation if this was the last, and a connection
        #    that joins later waits for it. A crash leaves the announcement until its deadline of ten seconds. The next
        #    try skips the revocation if somebody has joined meanwhile. The agent's own connection counts even if the
        #    set lost it.
        is_last = self.shared_accounts.leave_to_revoke(teardown.account_ref, teardown.connection_id)
        if not is_last or (slot.facts.is_live and slot.facts.account.ref == teardown.account_ref):
            return self._end(agent, teardown, Revocation.SHARED)
        failpoint("teardown.before_revoke")
        # 8. Revoke; take the announcement back whatever Google answers. A crash after Google revoked: the next try is
        #    answered `invalid_token`, which confirms it, or finds a new member and reports the account as shared.
        try:
            self.shared_accounts.revoke(teardown.account_ref, grant.refresh_token)
        except GoogleError:
            return self._try_later(agent, teardown)
        failpoint("teardown.after_revoke")
        # 9. One script destroys the token and stores the outcome. A crash before it leaves it to the next try.
        return self._end(agent, teardown, Revocation.CONFIRMED)

    def _ask_account(self, grant: Grant) -> str:
        return self.access.with_released_token(grant, self.shared_accounts.ask)

    def _revoke_unknown(self, agent: Agent, teardown: Teardown) -> Revocation:
        """Try once to revoke a permission whose account was not learned in 7 days; return how the teardown ends."""
        # A connection whose account is unknown too may be of this account.
        if self.shared_accounts.others_are_unknown():
            return Revocation.SHARED
        grant = self._open(agent, teardown)
        if grant is None:
            return Revocation.GIVEN_UP
        try:
            self.shared_accounts.revoke_unknown(grant.refresh_token)
        except GoogleError:
            return Revocation.GIVEN_UP
        return Revocation.CONFIRMED

    # --- another try, or the end ---

    def _end_in_any_case(self, agent: Agent, teardown: Teardown) -> Revocation:
        if teardown.account_ref:
            return self._end_unrevoked(agent, teardown, Revocation.GIVEN_UP)
        return self._end(agent, teardown, self._revoke_unknown(agent, teardown))

    def _end_unrevoked(self, agent: Agent, teardown: Teardown, outcome: Revocation) -> Revocation:
        # Off the set first: after a crash the other way round, a member without a teardown would keep the account's
        # other teardowns from revoking until the daily repair.
        self.shared_accounts.leave(teardown.account_ref, teardown.connection_id)
        return self._end(agent, teardown, outcome)

    def _try_later(self, agent: Agent, teardown: Teardown) -> Revocation:
        age = self.clock.now() - teardown.started
        # Whatever the pause, the next try comes no later than the next limit: from then on another part is due.
        left = next((limit - age for limit in _LIMITS if limit > age), _LONGEST)
        pause = min(jittered(_FIRST, _LONGEST, teardown.tries), left + SECOND)
        # The script keeps the token as it is stored, and a deletion that was cancelled: a key rotation or a new
        # connection may have changed the teardown since it was read.
        self.connections.teardown_step(agent, teardown.retried(), pause)
        return Revocation.PENDING

    def _end(self, agent: Agent, teardown: Teardown, outcome: Revocation) -> Revocation:
        if teardown.delete_calendar:
            teardown = replace(teardown, calendar_deletion="refused")
        self.connections.teardown_done(agent, teardown, outcome.value)
        if teardown.grant:
            # The append-only files still hold the sealed token, which may be alive at Google. A crash before this line:
            # every worker asks at its start and every half day.
            self.files.request()
        return outcome


def _is_account_unknown(facts: Facts) -> bool:
    """Tell whether a later connection is live whose account may be the former connection's."""
    return facts.is_live and not facts.account.ref
