"""Disconnect, the closing errand, the erasure and its receipt (RV-2, RV-3, ST-5, laws 6, 7).

Knows the store and Google. Must not know the web.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from calendar_service.domain.clock import HOUR, SECOND, Clock, Millis, rfc3339
from calendar_service.domain.connection import Facts, Revocation, State
from calendar_service.domain.connection import Grant as GrantFact
from calendar_service.domain.errors import (
    AccessForbidden,
    AccessRevoked,
    AccessTokenExpired,
    Busy,
    GoogleError,
    NotConnected,
    NotFound,
    RetentionRequiredByLaw,
    ServiceError,
    StoreUnavailable,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import Calendar, CalendarMissing
from calendar_service.google.oauth import OAuth
from calendar_service.google.transport import Transport
from calendar_service.journeys.overview import Overview
from calendar_service.journeys.pauses import jittered
from calendar_service.journeys.receipts import Receipts, kept
from calendar_service.journeys.views import ConnectionView
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.files import Files
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.journal import Actor
from calendar_service.store.marks import Marks
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.slots import Errand, Slot, Slots

REVOKE_DEADLINE: Millis = 10 * SECOND
"""A revocation's own deadline plus margin."""
_INLINE = 5.0
"""Seconds that a person waits for Google after a disconnect; the worker goes on."""
_SLOWEST: Millis = 6 * HOUR
_LIMITS: tuple[Millis, ...] = (keys.CHANNEL_STOP_MAX, keys.CALENDAR_DELETION_MAX, keys.ERRAND_MAX)


@dataclass(frozen=True)
class Disconnect:
    """The story of an end: here first, at Google as soon as Google lets us."""

    slots: Slots
    connections: Connections
    receipt_store: ReceiptStore
    grants: Grants
    marks: Marks
    oauth: OAuth
    calendar: Calendar
    transport: Transport
    overview: Overview
    receipts: Receipts
    files: Files
    clock: Clock
    erase_after: Millis

    def disconnect(self, agent: Agent, actor: Actor, *, delete_calendar: bool = False) -> ConnectionView:
        """End the connection in one step; then try the errand at Google once, for seconds.

        `delete_calendar` is the agent's own to ask, in the browser (SC-4). Never fails
        because Google does not answer or a record does not open (RV-2).
        """
        if delete_calendar and actor is not Actor.AGENT:
            raise ValueError("only the agent may ask for the calendar's deletion")
        if self._end(agent, actor, delete_calendar=delete_calendar, errand_lease=keys.LEASE):
            with self.transport.within(_INLINE):
                self.run_errands(agent)
        return self.overview.connection(agent)

    def end(self, agent: Agent, actor: Actor) -> bool:
        """End the connection in one step, and leave Google to the worker; false if none stood."""
        return self._end(agent, actor, delete_calendar=False, errand_lease=0)

    def _end(self, agent: Agent, actor: Actor, *, delete_calendar: bool, errand_lease: Millis) -> bool:
        answer, _ = self.connections.disconnect(
            agent,
            actor,
            delete_calendar=delete_calendar,
            erase_after=self.erase_after,
            errand_lease=errand_lease,
        )
        failpoint("disconnect.after_store")
        return answer == "ok"

    # --- the closing errand ---

    def run_errands(self, agent: Agent, only: str | None = None) -> None:
        """Carry the errands of this agent one step further; what Google did not answer is tried again later."""
        slot = self.slots.read(agent)
        for errand in slot.errands:
            if only in {None, errand.connection_id}:
                self._errand(slot, errand)

    def _errand(self, slot: Slot, errand: Errand) -> None:
        if not errand.grant:
            self._leave_mark(errand)
            self._done(slot.agent, errand, Revocation.BY_GOOGLE)
            return
        age = slot.now - errand.started
        if age > keys.ERRAND_MAX:
            self._leave_mark(errand)
            self._done(slot.agent, errand, Revocation.GIVEN_UP)
            return
        facts = slot.facts
        if facts.grant is GrantFact.LIVE and facts.former_mark and not facts.account_mark:
            # A later connection, perhaps of the same account, is not known yet: revoking could end it.
            self._again(slot.agent, errand)
            return
        try:
            grant = self.grants.open(slot.agent, errand.connection_id, errand.grant)
        except StoreUnavailable:
            # It cannot be opened, so it can be neither used nor revoked by us; the record goes in the end all the same.
            self._again(slot.agent, errand)
            return
        if errand.channels:
            errand = self._stop_channels(slot.agent, errand, grant, late=age > keys.CHANNEL_STOP_MAX)
        if errand.channels:
            return
        if errand.delete_calendar:
            errand = self._delete_calendar(slot.agent, errand, grant, late=age > keys.CALENDAR_DELETION_MAX)
        if not errand.delete_calendar:
            self._revoke(slot.agent, errand, grant)

    def _stop_channels(self, agent: Agent, errand: Errand, grant: Grant, *, late: bool) -> Errand:
        """Stop Google's notifications, which only this token can; return the errand without those that are decided."""
        left = dict(errand.channels)
        for channel_id in errand.channels:
            try:
                self._stop_channel(grant, channel_id, left[channel_id])
                failpoint("errand.after_channel_stopped")
            except GoogleError as trouble:
                if trouble.retryable and not late:
                    errand = replace(errand, channels=left)
                    self._again(agent, errand)
                    return errand
                # Ended already, or out of reach: it ends by itself, and what it says is nobody's any more.
            del left[channel_id]
        return replace(errand, channels=left)

    def _stop_channel(self, grant: Grant, channel_id: str, resource_id: str) -> None:
        self._with_token(grant, lambda token: self.calendar.stop_channel(token, channel_id, resource_id))

    def _delete_calendar(self, agent: Agent, errand: Errand, grant: Grant, *, late: bool) -> Errand:
        """Try the deletion that the agent asked for; return the errand without it once it is decided."""
        if not self._still_to_be_deleted(agent, errand):
            return replace(errand, delete_calendar=False, calendar_id="")
        done = replace(errand, delete_calendar=False, calendar_id="", calendar_fate="deleted")
        try:
            self._with_token(grant, lambda token: self.calendar.delete_calendar(token, errand.calendar_id))
            failpoint("errand.after_calendar_deleted")
        except CalendarMissing:
            pass  # gone already
        except (AccessRevoked, AccessForbidden):
            done = replace(done, calendar_fate="refused")
        except GoogleError:
            if not late:
                self._again(agent, errand)
                return errand
            # An hour is over: revoked all the same, and the agent told.
            done = replace(done, calendar_fate="refused")
        return done

    def _still_to_be_deleted(self, agent: Agent, errand: Errand) -> bool:
        """Read again, for time has passed at Google: a later connection may have taken the calendar up."""
        standing = self.slots.read(agent).errands
        return any(one.connection_id == errand.connection_id and one.delete_calendar for one in standing)

    def _with_token(self, grant: Grant, call: Callable[[Secret], None]) -> None:
        token = grant.access_token
        if grant.expires_at <= self.clock.now():
            token = self.oauth.refresh(grant.refresh_token).access_token
        try:
            call(token)
        except AccessTokenExpired:
            call(self.oauth.refresh(grant.refresh_token).access_token)

    def _revoke(self, agent: Agent, errand: Errand, grant: Grant) -> None:
        """Revoke, unless another live connection uses the account: Google would end that one too (law 6)."""
        if not errand.mark or not self.marks.leave(errand.mark, errand.connection_id, REVOKE_DEADLINE):
            # Without a mark nobody can tell whether the account is shared: then nothing is revoked either.
            self._done(agent, errand, Revocation.SHARED)
            return
        failpoint("errand.before_revoke")
        try:
            self.oauth.revoke(grant.refresh_token)
        except GoogleError:
            self._again(agent, errand)
            return
        finally:
            self.marks.revoked(errand.mark)
        failpoint("errand.after_revoke")
        self._done(agent, errand, Revocation.CONFIRMED)

    def _leave_mark(self, errand: Errand) -> None:
        """Take the connection off its account's mark; nothing is sent, so nothing is announced."""
        if errand.mark:
            self.marks.leave(errand.mark, errand.connection_id)

    def _again(self, agent: Agent, errand: Errand) -> None:
        age = self.clock.now() - errand.started
        # Whatever the pause, it is looked at when a limit is reached: from then on something else is to be done.
        left = next((limit - age for limit in _LIMITS if limit > age), _SLOWEST)
        pause = min(jittered(2 * SECOND, _SLOWEST, errand.tries), left + SECOND)
        self.connections.errand_step(agent, errand.retried(), pause)

    def _done(self, agent: Agent, errand: Errand, outcome: Revocation) -> None:
        if errand.delete_calendar:
            errand = replace(errand, calendar_fate="refused")
        self.connections.errand_done(agent, errand, outcome.value)

    # --- the erasure ---

    def erase_now(self, agent: Agent, actor: Actor) -> dict[str, Any]:
        """Erase at once what is kept of an ended connection; return the signed receipt with its salt."""
        receipt = self._erase(agent, actor, timed=False)
        if receipt == "held":
            raise self._kept_back(agent, actor)
        if isinstance(receipt, str):
            raise NotConnected(
                "Nothing is kept of this agent, or the connection is not ended: disconnect first."
            )
        return receipt

    def erase_due(self, agent: Agent) -> str:
        """Erase what has reached its term (the worker). Answers `ok`, `early`, `not_ended`, `held` or `clock`."""
        receipt = self._erase(agent, Actor.SERVICE, timed=True)
        return receipt if isinstance(receipt, str) else "ok"

    def receipt(self, number: str) -> dict[str, Any]:
        """Return a receipt as it is kept, without salt."""
        text = self.receipt_store.find(number)
        if text is None:
            raise NotFound("No receipt of this number.")
        return dict(json.loads(text))

    def _kept_back(self, agent: Agent, actor: Actor) -> ServiceError:
        slot = self.slots.read(agent)
        telling_is_forbidden = slot.facts.hold_told_from > slot.now
        if actor is Actor.AGENT and telling_is_forbidden:
            return Busy("What is kept cannot be erased just now. Nothing was changed.")
        return RetentionRequiredByLaw(
            f"A law requires that identifiers are kept until {rfc3339(slot.facts.hold_until)} at most; they are "
            "erased when that ends. The connection is over, and its tokens are not kept."
        )

    def _erase(self, agent: Agent, actor: Actor, *, timed: bool) -> dict[str, Any] | str:
        slot = self.slots.read(agent)
        until = _errands_until(slot)
        revocation = Revocation.PENDING.value if until else slot.facts.revocation
        number = self.receipt_store.new_number(agent)
        receipt = self.receipts.write(agent, number, revocation, until)
        failpoint("erase.before_store")
        answer = self.connections.erase(agent, actor, receipt["number"], kept(receipt), timed=timed)
        if answer != "ok":
            return answer
        failpoint("erase.after_store")
        self.files.want()
        return receipt


def _errands_until(slot: Slot) -> Millis:
    """Return when the last errand that still holds a token ends at the latest; 0 = none does."""
    return max((errand.started + keys.ERRAND_MAX for errand in slot.errands if errand.grant), default=0)


def ended(facts: Facts) -> bool:
    """Tell whether the connection is over, so that it can be erased."""
    return facts.state(SCOPE) in {State.DISCONNECTED, State.REVOKED}
