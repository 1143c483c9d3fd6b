"""Create, reschedule, cancel: accepted first, then written at Google, by the request or by a worker (laws 2-4).

Knows the store and the event writer. Must not know the web.
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
"""How often a change is decided again because another one was accepted in between."""


@dataclass(frozen=True)
class Schedule:
    """Accepts sessions, writes them at Google if it may, and goes on with due ones for the worker."""

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
        """Create the session, or change it to this content.

        `rewrite`: write it even if it equals what was last written, because Google has something else.
        Raises `SessionOver`, `StaleVersion`, `NotConnected`, or `Busy` if other callers keep changing the session.
        """
        if content.end <= self.clock.now():
            raise SessionOver("The session's `end` lies in the past; nothing was written.", field="end")
        for _ in range(_AGAIN):
            answer = self._put(agent, session, content, by, version, rewrite=rewrite)
            if answer is not None:
                return answer
        raise _too_many_callers()

    def _put(
        self, agent: Agent, session: str, content: Content, by: By, version: int | None, *, rewrite: bool
    ) -> SessionView | None:
        """Decide on one reading and accept; None if the session changed in between."""
        loaded = self.sessions.load(agent, session)
        state = accepting_state(loaded)
        grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
        record, digest = loaded.record, grant.digest(session, content)
        same = is_same(record, digest, version)
        refuse_stale(record, version, same=same)
        if record and same and is_repeated(record, version) and not rewrite:
            repeated = self._accept_repetition(loaded, record, version, by)
            return view(loaded.facts, record, "unchanged") if repeated else None
        desired = next_revision(loaded, grant, session, digest, content, version, state)
        sealed = grant.seal_content(session, content)
        done = self._accept(loaded, grant, desired, sealed, content, by)
        if done is None:
            return None
        record_now, link = done
        created = record is None or not record.wanted
        return view(loaded.facts, record_now, "created" if created else "changed", link)

    def cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool = False
    ) -> SessionView:
        """Cancel the session; success without an effect if there is nothing to cancel.

        `rewrite`: whatever its version, because the backend stated that its list is complete.
        Raises `StaleVersion`, `NotConnected`, or `Busy` if other callers keep changing the session.
        """
        for _ in range(_AGAIN):
            answer = self._cancel(agent, session, by, version, rewrite=rewrite)
            if answer is not None:
                return answer
        raise _too_many_callers()

    def _cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool
    ) -> SessionView | None:
        """Decide on one reading and accept; None if the session changed in between."""
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
            if not self._accept_repetition(loaded, record, version, by):
                return None
            cancelled = record.status is Status.CANCELLED
            return nothing(session, record) if cancelled else view(loaded.facts, record, "accepted")
        desired = withdrawn(loaded, record, version)
        if desired.status is Status.CANCELLED:
            is_noted = self._note(loaded, desired, by, only="drop") == "noted"
            return view(loaded.facts, desired, "cancelled") if is_noted else None
        grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
        done = self._accept(loaded, grant, desired, "", None, by)
        return view(loaded.facts, done[0], "cancelled") if done else None

    def get(self, agent: Agent, session: str, *, read_google: bool) -> SessionView:
        """Return the session's status and ids; with `read_google` also its times as they are at Google now."""
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
        views = [
            view(facts, record, "read")
            for record in self.sessions.all(agent)
            if record.session > after and (status is None or record.status is status)
        ]
        next_cursor = write_cursor(views[PAGE - 1].session) if len(views) > PAGE else ""
        return tuple(views[:PAGE]), next_cursor

    def resume(self, agent: Agent, session: str) -> None:
        """Go on with a session that is due (the worker). Raises `StoreUnavailable` if no key at hand opens it."""
        leased = self.sessions.lease(agent, session)
        if leased is None:
            return
        record, database_now = leased
        # A session or a wait is over only if both the database's and our clock say so: a wrong one ends nothing early.
        now = min(database_now, self.clock.now())
        loaded = self.sessions.load(agent, session)
        self.throttle.seen(loaded.throttle_state)
        state = loaded.facts.state(SCOPE)
        if state in REFUSING_STATES or record.status not in UNSETTLED:
            self.attempts.settle(agent, loaded.facts, record)
            return
        try:
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            content = grant.open_content(session, loaded.content) if loaded.content else None
        except StoreUnavailable:
            # The operator may bring the keys back in time. Without them, only the day of the session's end is known.
            if self._fail_if_over(agent, loaded.facts, record, (record.end_day + 1) * DAY, now):
                return
            raise
        if self._fail_if_over(agent, loaded.facts, record, content.end if content else 0, now):
            return
        if state in WAITING_STATES:
            self._wait(agent, loaded.facts, state, record, content)
        else:
            self.attempts.make(agent, loaded.facts, grant, record, content)

    def _wait(
        self, agent: Agent, facts: Facts, state: State, record: Record, content: Content | None
    ) -> None:
        if state is State.RECONSENT_REQUIRED and not facts.consent_needed:
            # The consent was given through an older version of the service, after all others had been recorded.
            self.connections.consent_outdated_by_policy(agent, facts.connection_id, facts.consent_policy)
        waiting = replace(record, status=Status.WAITING, reason=state.value)
        self.attempts.wait(agent, facts, waiting, content)

    def _fail_if_over(self, agent: Agent, facts: Facts, record: Record, end: Millis, now: Millis) -> bool:
        """Fail the session if its end, or the end of its wait, has passed; tell whether it has."""
        if has_ended(record, end, now):
            self._fail(agent, facts, record, "session_over")
        elif facts.state(SCOPE) in WAITING_STATES and waited_too_long(record, now):
            self._fail(agent, facts, record, "waited_too_long")
        else:
            return False
        return True

    def _fail(self, agent: Agent, facts: Facts, record: Record, reason: str) -> None:
        failed = replace(record, status=Status.FAILED, reason=reason, digest="")
        self.attempts.settle(agent, facts, failed)

    # --- one acceptance ---

    def _accept(
        self, loaded: Loaded, grant: Grant, desired: Record, sealed: str, content: Content | None, by: By
    ) -> tuple[Record, str] | None:
        """Accept the desired record, and write it at Google if the throttle admits that; None if the session changed.

        Returns the record as it stands then, and the event's link, empty if unknown.
        """
        if loaded.record is not None:
            # A leased session may be written at this moment, and its holder may never settle: in doubt.
            desired = replace(desired, sent=loaded.record.sent or loaded.record.leased)
        cost = cost_of(loaded.facts, desired) if desired.status is Status.PENDING else 0
        organization, account = loaded.agent.organization, loaded.facts.account_ref
        with self.throttle.room(loaded.throttle_state, organization, account, cost) as room:
            failpoint("schedule.before_accept")
            answer, fencing_token = self.sessions.accept(
                loaded, desired, sealed, _ACTORS[by],
                inline=room, end=content.end if content else None,
            )  # fmt: skip
            failpoint("schedule.after_accept")
            if answer == "again":
                return None
            if answer == "gone":
                raise NotConnected("The connection ended while the session was being accepted.")
            if answer != "leased":
                return desired, ""
            return self.attempts.make(
                loaded.agent, loaded.facts, grant, replace(desired, fencing_token=fencing_token), content
            )

    def _accept_repetition(self, loaded: Loaded, record: Record, version: int | None, by: By) -> bool:
        """Accept what was accepted before, under this version; false if the session changed."""
        if version == record.version:
            self.sessions.confirm(loaded.agent)
            return True
        return self._note(loaded, replace(record, version=version), by, only="keep") == "noted"

    def _note(self, loaded: Loaded, record: Record, by: By, *, only: Literal["keep", "drop"]) -> str:
        """Accept a record that nobody has to write at Google; `only` as in `Sessions.accept`."""
        answer, _ = self.sessions.accept(loaded, record, "", _ACTORS[by], inline=False, end=None, only=only)
        return answer


_ACTORS = {By.AGENT: Actor.AGENT, By.SYSTEM: Actor.BACKEND}


def _too_many_callers() -> Busy:
    return Busy("This session is being changed by many callers at once; nothing was accepted.", retry_after=1)


def instant(at: datetime | date | None) -> Millis:
    """Return an event's time in milliseconds; the date of an all-day event counts as its first moment in UTC."""
    if at is None:
        return 0
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return int(moment.timestamp() * SECOND)
