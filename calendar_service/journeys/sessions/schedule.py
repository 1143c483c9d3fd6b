"""Create, reschedule, cancel: accepted first, then brought to Google, here or by the worker (laws 2-4).

Knows the store and the writer of events. Must not know the web.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

from calendar_service.domain.clock import DAY, SECOND, Clock, Millis
from calendar_service.domain.connection import REFUSING_STATES, WAITING_STATES, Facts, State
from calendar_service.domain.errors import (
    Busy,
    EventMissing,
    NotConnected,
    NotFound,
    SessionOver,
    StoreUnavailable,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.paging import PAGE, read_cursor, write_cursor
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import By, Content, Record, Status
from calendar_service.google.calendar import CalendarMissing
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.decide import (
    STANDING,
    accepting_state,
    is_repeated,
    is_same,
    next_revision,
    nothing,
    refuse_stale,
    view,
    withdrawn,
)
from calendar_service.journeys.sessions.queue import UNSETTLED, cost_of, has_ended, waited_too_long
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.sessions import Loaded, Sessions
from calendar_service.store.slots import Slots

_AGAIN = 5
"""How often an acceptance that met another one is decided anew."""


@dataclass(frozen=True)
class Schedule:
    """The story of a session, from the backend's wish to the event and its end."""

    sessions: Sessions
    slots: Slots
    connections: Connections
    grants: Grants
    access: Access
    attempts: Attempts
    throttle: Throttle
    clock: Clock

    def put(
        self,
        agent: Agent,
        session: str,
        content: Content,
        by: By,
        version: int | None,
        *,
        rewrite: bool = False,
    ) -> SessionView:
        """Let the session be as wanted: create it, or change it.

        `rewrite`: write it even if it is what was last written, because Google has it otherwise.
        """
        if content.end <= self.clock.now():
            raise SessionOver("The session's `end` lies in the past; nothing was written.", field="end")
        for _ in range(_AGAIN):
            loaded = self.sessions.load(agent, session)
            state = accepting_state(loaded)
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            record, digest = loaded.record, grant.digest(session, content)
            same = is_same(record, digest, version)
            refuse_stale(record, version, same=same)
            if record and same and is_repeated(record, version) and not rewrite:
                if version == record.version:
                    self.sessions.confirm(agent)
                    return view(loaded.facts, record, "unchanged")
                answer = self._note(loaded, replace(record, version=version), by, only="keep")
                if answer == "noted":
                    return view(loaded.facts, record, "unchanged")
                continue
            wanted = next_revision(loaded, grant, session, digest, content, version, state)
            sealed = grant.seal_content(session, content)
            done = self._accepted(loaded, grant, wanted, sealed, content, by)
            if done is not None:
                record_now, link = done
                created = record is None or not record.wanted
                return view(loaded.facts, record_now, "created" if created else "changed", link)
        raise Busy(
            "This session is being changed by many callers at once; nothing was accepted.", retry_after=1
        )

    def cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool = False
    ) -> SessionView:
        """Let the session be gone; success with nothing done where there is nothing to cancel.

        `rewrite`: whatever its version, because the backend listed all that it wants.
        """
        for _ in range(_AGAIN):
            loaded = self.sessions.load(agent, session)
            record = loaded.record
            if record is None or loaded.facts.state(SCOPE) in REFUSING_STATES:
                self.sessions.confirm(agent)
                return nothing(session, record)
            if rewrite:
                version = record.version
            else:
                refuse_stale(record, version, same=not record.wanted)
            if not record.wanted and record.status in {Status.CANCELLED, *STANDING}:
                if version == record.version:
                    self.sessions.confirm(agent)
                elif self._note(loaded, replace(record, version=version), by, only="keep") != "noted":
                    continue
                cancelled = record.status is Status.CANCELLED
                return nothing(session, record) if cancelled else view(loaded.facts, record, "accepted")
            wanted = withdrawn(loaded, record, version)
            if wanted.status is Status.CANCELLED:
                if self._note(loaded, wanted, by, only="drop") == "noted":
                    return view(loaded.facts, wanted, "cancelled")
                continue
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            done = self._accepted(loaded, grant, wanted, "", None, by)
            if done is not None:
                return view(loaded.facts, done[0], "cancelled")
        raise Busy(
            "This session is being changed by many callers at once; nothing was accepted.", retry_after=1
        )

    def get(self, agent: Agent, session: str, *, read_google: bool) -> SessionView:
        """Return the session's status and ids; with `read_google` also its times as they are there now."""
        loaded = self.sessions.load(agent, session)
        if loaded.record is None:
            raise NotFound("No such session.")
        known = view(loaded.facts, loaded.record, "read")
        facts = loaded.facts
        if not (read_google and loaded.record.placed and facts.usable(SCOPE) and facts.calendar_since):
            return known
        grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
        calendar_id, event_id = loaded.facts.calendar_id, loaded.record.event_id
        try:
            event = self.access.with_token(
                agent, grant, lambda token: self.attempts.event_writer.read(token, calendar_id, event_id)
            )
        except CalendarMissing:
            self.connections.calendar_missing(agent, loaded.facts)
            return replace(known, in_google="missing")
        except EventMissing:
            return replace(known, in_google="missing")
        return replace(known, start=instant(event.start), end=instant(event.end), in_google=event.status)

    def listed(self, agent: Agent, status: Status | None, cursor: str) -> tuple[tuple[SessionView, ...], str]:
        """Return up to a hundred sessions after `cursor`, by name, and the next cursor (empty at the end)."""
        after = read_cursor(cursor)
        facts = self.slots.read(agent).facts
        found = [
            view(facts, record, "read")
            for record in self.sessions.all(agent)
            if record.session > after and (status is None or record.status is status)
        ]
        more = write_cursor(found[PAGE - 1].session) if len(found) > PAGE else ""
        return tuple(found[:PAGE]), more

    def resume(self, agent: Agent, session: str) -> None:
        """Go on with a session whose time has come (the worker)."""
        taken = self.sessions.take(agent, session)
        if taken is None:
            return
        record, database_now = taken
        # A wait or a session is over when both clocks say so: one that is wrong ends nothing too early.
        now = min(database_now, self.clock.now())
        loaded = self.sessions.load(agent, session)
        self.throttle.breaker.observe(loaded.throttle_state)
        state = loaded.facts.state(SCOPE)
        if state in REFUSING_STATES or record.status not in UNSETTLED:
            self.attempts.settled(agent, loaded.facts, record)
            return
        try:
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            content = grant.open_content(session, loaded.content) if loaded.content else None
        except StoreUnavailable:
            # The keys may come back in time. Without them its end is known to the day.
            if self._ended(agent, loaded.facts, record, (record.end_day + 1) * DAY, now):
                return
            raise
        if self._ended(agent, loaded.facts, record, content.end if content else 0, now):
            return
        if state in WAITING_STATES:
            if state is State.RECONSENT_REQUIRED and not loaded.facts.consent_needed:
                # Given through an older version of the service, after all others had been told.
                facts = loaded.facts
                self.connections.consent_outdated_by_policy(agent, facts.connection_id, facts.consent_policy)
            waiting = replace(record, status=Status.WAITING, reason=state.value)
            self.attempts.waits(agent, loaded.facts, waiting, content)
        else:
            self.attempts.make(agent, loaded.facts, grant, record, content)

    def _ended(self, agent: Agent, facts: Facts, record: Record, end: Millis, now: Millis) -> bool:
        """Report it failed if its time, or that of its wait, is over; tell whether it is."""
        if has_ended(record, end, now):
            self._failed(agent, facts, record, "session_over")
        elif facts.state(SCOPE) in WAITING_STATES and waited_too_long(record, now):
            self._failed(agent, facts, record, "waited_too_long")
        else:
            return False
        return True

    def _failed(self, agent: Agent, facts: Facts, record: Record, reason: str) -> None:
        failed = replace(record, status=Status.FAILED, reason=reason, digest="")
        self.attempts.settled(agent, facts, failed)

    # --- one acceptance ---

    def _accepted(
        self, loaded: Loaded, grant: Grant, wanted: Record, sealed: str, content: Content | None, by: By
    ) -> tuple[Record, str] | None:
        """Accept, and go to Google if this call is admitted; None when the record changed meanwhile."""
        if loaded.record is not None:
            # Whoever took a lease and never gave it back may have been at Google; so may we, from here on.
            wanted = replace(wanted, sent=loaded.record.sent or loaded.record.leased)
        cost = cost_of(loaded.facts, wanted) if wanted.status is Status.PENDING else 0
        organization, account = loaded.agent.organization, loaded.facts.account_ref
        with self.throttle.inline_slot(loaded.throttle_state, organization, account, cost) as admitted:
            failpoint("schedule.before_accept")
            answer, fencing_token = self.sessions.accept(
                loaded, wanted, sealed, _ACTORS[by],
                here=admitted, end=content.end if content else None,
            )  # fmt: skip
            failpoint("schedule.after_accept")
            if answer == "again":
                return None
            if answer == "gone":
                raise NotConnected("The connection ended while the session was being accepted.")
            if answer != "leased":
                return wanted, ""
            return self.attempts.make(
                loaded.agent, loaded.facts, grant, replace(wanted, fencing_token=fencing_token), content
            )

    def _note(self, loaded: Loaded, record: Record, by: By, *, only: Literal["keep", "drop"]) -> str:
        answer, _ = self.sessions.accept(loaded, record, "", _ACTORS[by], here=False, end=None, only=only)
        return answer


_ACTORS = {By.AGENT: Actor.AGENT, By.SYSTEM: Actor.BACKEND}


def instant(at: datetime | date | None) -> Millis:
    """Return an event's time; an all-day event has a date, read as its first moment in UTC."""
    if at is None:
        return 0
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return int(moment.timestamp() * SECOND)
