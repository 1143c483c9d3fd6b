"""Create, reschedule, cancel: accepted first, then brought to Google, here or by the worker (laws 2-4).

Knows the store and the writer of events. Must not know the web.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND, Clock, Millis
from calendar_service.domain.connection import REFUSING_STATES, WAITING_STATES, Facts, State
from calendar_service.domain.errors import (
    AccessForbidden,
    AccessRevoked,
    AccountRateLimited,
    AdminBlocked,
    Busy,
    ClientRejected,
    EventMissing,
    GoogleError,
    GoogleUnavailable,
    InsufficientScope,
    InvalidRequest,
    NotConnected,
    NotFound,
    QuotaExceeded,
    RefreshRefused,
    RequestRefused,
    ServiceError,
    SessionOver,
    StaleVersion,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.paging import PAGE, read_cursor, write_cursor
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import By, Content, Record, Status
from calendar_service.google.calendar import CalendarMissing
from calendar_service.journeys.access import Access
from calendar_service.journeys.flow import Flow
from calendar_service.journeys.order import UNSETTLED, cost_of, is_over
from calendar_service.journeys.views import SessionView
from calendar_service.journeys.writing import LeaseLost, Work, Writer
from calendar_service.store import keys
from calendar_service.store.connections import Connections, closed
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.journal import Actor
from calendar_service.store.sessions import Loaded, Sessions
from calendar_service.vault import Identity

_AGAIN = 5
"""How often an acceptance that met another one is decided anew."""
_SLOWEST: Millis = 5 * MINUTE
"""The longest pause between two tries after passing trouble."""


@dataclass(frozen=True)
class Schedule:
    """The story of a session, from the backend's wish to the event and its end."""

    sessions: Sessions
    connections: Connections
    grants: Grants
    access: Access
    writer: Writer
    identity: Identity
    operator: Operator
    flow: Flow
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
            state = _accepting_state(loaded)
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            record, digest = loaded.record, grant.digest(session, content)
            same = record is not None and record.wanted and record.digest == digest
            _refuse_stale(record, version, same=same)
            if record and same and record.status in _STANDING and not rewrite:
                if version == record.version:
                    return _view(loaded.facts, record, "unchanged")
                answer = self._note(loaded, replace(record, version=version), by, only="keep")
                if answer == "noted":
                    return _view(loaded.facts, record, "unchanged")
                continue
            wanted = _wanted(loaded, grant, session, digest, content, version, state)
            sealed = grant.seal_content(session, content)
            done = self._accepted(loaded, grant, wanted, sealed, content, by)
            if done is not None:
                record_now, link = done
                created = record is None or not record.wanted
                return _view(loaded.facts, record_now, "created" if created else "changed", link)
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
                return _nothing(session, record)
            if rewrite:
                version = record.version
            else:
                _refuse_stale(record, version, same=not record.wanted)
            if not record.wanted and record.status is Status.CANCELLED:
                return _nothing(session, record)
            if not record.wanted and record.status in _STANDING:
                return _view(loaded.facts, record, "accepted")
            wanted = replace(
                record,
                status=Status.PENDING,
                revision=record.revision + 1,
                wanted=False,
                digest="",
                version=version,
                tries=0,
                reason="",
            )
            if _out_of_reach(loaded, record):
                wanted = replace(wanted, status=Status.CANCELLED, settled=wanted.revision)
                if self._note(loaded, wanted, by, only="drop") == "noted":
                    return _view(loaded.facts, wanted, "cancelled")
                continue
            if loaded.facts.state(SCOPE) in WAITING_STATES:
                wanted = replace(wanted, status=Status.WAITING, reason=loaded.facts.state(SCOPE).value)
            grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
            done = self._accepted(loaded, grant, wanted, "", None, by)
            if done is not None:
                return _view(loaded.facts, done[0], "cancelled")
        raise Busy(
            "This session is being changed by many callers at once; nothing was accepted.", retry_after=1
        )

    def get(self, agent: Agent, session: str, *, read_google: bool) -> SessionView:
        """Return the session's status and ids; with `read_google` also its times as they are there now."""
        loaded = self.sessions.load(agent, session)
        if loaded.record is None:
            raise NotFound("No such session.")
        view = _view(loaded.facts, loaded.record, "read")
        if not read_google or not loaded.record.placed or not loaded.grant or not loaded.facts.calendar_since:
            return view
        grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
        calendar_id, event_id = loaded.facts.calendar_id, loaded.record.event_id
        try:
            event = self.access.with_token(
                agent, grant, lambda token: self.writer.read(token, calendar_id, event_id)
            )
        except CalendarMissing:
            self.connections.calendar_missing(agent, loaded.facts.connection_id)
            return replace(_view(loaded.facts, loaded.record, "read"), in_google="missing")
        except EventMissing:
            return replace(view, in_google="missing")
        return replace(view, start=instant(event.start), end=instant(event.end), in_google=event.status)

    def listed(self, agent: Agent, status: Status | None, cursor: str) -> tuple[tuple[SessionView, ...], str]:
        """Return up to a hundred sessions after `cursor`, by name, and the next cursor (empty at the end)."""
        after = read_cursor(cursor)
        facts = self.connections.slot(agent).facts
        found = [
            _view(facts, record, "read")
            for record in self.sessions.all(agent)
            if record.session > after and (status is None or record.status is status)
        ]
        more = write_cursor(found[PAGE - 1].session) if len(found) > PAGE else ""
        return tuple(found[:PAGE]), more

    def resume(self, agent: Agent, session: str) -> None:
        """Go on with a session whose time has come (the worker)."""
        record = self.sessions.take(agent, session)
        if record is None:
            return
        loaded = self.sessions.load(agent, session)
        self.flow.seen(loaded.weather)
        state = loaded.facts.state(SCOPE)
        if state in REFUSING_STATES or record.status not in UNSETTLED:
            self._settle(agent, loaded.facts, record, due=None, destroy=state in REFUSING_STATES)
            return
        grant = self.grants.open(agent, loaded.facts.connection_id, loaded.grant)
        content = grant.open_content(session, loaded.content) if loaded.content else None
        end = content.end if content else None
        if (record.wanted and content is None) or is_over(record, end, self.clock.now()):
            over = replace(record, status=Status.FAILED, reason="session_over", digest="")
            self._settle(agent, loaded.facts, over, due=None, destroy=True)
        elif state in WAITING_STATES:
            waiting = replace(record, status=Status.WAITING, reason=state.value)
            until = self._waits_until(content)
            if until <= self.clock.now():
                waiting, until = (
                    replace(waiting, status=Status.FAILED, reason="waited_too_long", digest=""),
                    0,
                )
            self._settle(agent, loaded.facts, waiting, due=until or None, destroy=not until)
        else:
            with self.flow.unhurried():
                self._attempt(agent, loaded.facts, grant, record, content, doubt=record.sent)

    # --- one acceptance ---

    def _accepted(
        self, loaded: Loaded, grant: Grant, wanted: Record, sealed: str, content: Content | None, by: By
    ) -> tuple[Record, str] | None:
        """Accept, and go to Google if there is room; None when the record changed meanwhile."""
        cost = cost_of(wanted) if wanted.status is Status.PENDING else 0
        organization, account = loaded.agent.organization, loaded.facts.account_mark
        with self.flow.room(loaded.weather, organization, account, cost) as room:
            before_sent = loaded.record is not None and loaded.record.sent
            if wanted.status is Status.PENDING:
                # From the acceptance on this process may die after Google's answer and before ours.
                wanted = replace(wanted, sent=room or before_sent)
            failpoint("schedule.before_accept")
            answer, fence = self.sessions.accept(
                loaded, wanted, sealed, _ACTORS[by],
                lease=keys.LEASE if room else 0, waits_until=self._waits_until(content),
            )  # fmt: skip
            failpoint("schedule.after_accept")
            if answer == "again":
                return None
            if answer == "gone":
                raise NotConnected("The connection ended while the session was being accepted.")
            if answer != "leased":
                return wanted, ""
            return self._attempt(
                loaded.agent, loaded.facts, grant, replace(wanted, fence=fence), content, doubt=before_sent
            )

    def _note(self, loaded: Loaded, record: Record, by: By, *, only: str) -> str:
        answer, _ = self.sessions.accept(loaded, record, "", _ACTORS[by], lease=0, waits_until=0, only=only)
        return answer

    def _waits_until(self, content: Content | None) -> Millis:
        limit = self.clock.now() + keys.WAITING_MAX
        return min(limit, content.end) if content else limit

    # --- one attempt at Google ---

    def _attempt(
        self,
        agent: Agent,
        facts: Facts,
        grant: Grant,
        record: Record,
        content: Content | None,
        *,
        doubt: bool,
    ) -> tuple[Record, str]:
        """Bring it to Google and note how that ended; whatever proves nothing is tried again later.

        `doubt`: an earlier write of this session may have been carried out.
        """
        unknown = facts.adopted and not record.settled
        work = Work(
            calendar_id=facts.calendar_id,
            record=record,
            content=content if record.wanted else None,
            marker=self.identity.session_marker(agent.organization, agent.agent, record.session),
            look_first=not record.placed and (doubt or unknown),
            event_id=lambda generation: grant.event_id(record.session, generation),
            neutral_title=self.operator.session_title[self.operator.language(facts.locale)],
            still_ours=lambda: self._still_ours(agent, record),
        )
        try:
            done, link = self.access.with_token(agent, grant, lambda token: self.writer.bring(token, work))
            failpoint("schedule.after_google_before_settle")
        except LeaseLost:
            return record, ""
        except (AccessRevoked, NotConnected):
            raise NotConnected(
                "Google says that the permission is gone; the session was not written."
            ) from None
        except GoogleError as trouble:
            return self._trouble(agent, facts, record, content, trouble, doubt=doubt), ""
        status = Status.SCHEDULED if record.wanted else Status.CANCELLED
        done = replace(done, status=status, tries=0, reason="", calendar_number=facts.calendar_number)
        self._settle(agent, facts, done, due=None, destroy=True)
        return done, link

    def _trouble(
        self,
        agent: Agent,
        facts: Facts,
        record: Record,
        content: Content | None,
        trouble: GoogleError,
        *,
        doubt: bool,
    ) -> Record:
        if isinstance(trouble, CalendarMissing):
            self.connections.calendar_missing(agent, facts.connection_id)
            gone = replace(record, status=Status.WAITING, reason=State.CALENDAR_MISSING.value, sent=False)
            if not record.wanted:
                gone = replace(gone, status=Status.CANCELLED, reason="", settled=record.revision)
            return self._parked(agent, facts, gone, content)
        if isinstance(trouble, InsufficientScope):
            waiting = replace(record, status=Status.WAITING, reason=State.RECONSENT_REQUIRED.value)
            return self._parked(agent, facts, waiting, content)
        if isinstance(trouble, RequestRefused | AccessForbidden) and not trouble.retryable:
            failed = replace(record, status=Status.FAILED, reason=trouble.code, digest="", sent=False)
            self._settle(agent, facts, failed, due=None, destroy=True)
            return failed
        if isinstance(trouble, AccountRateLimited):
            self.flow.account_limited(facts.account_mark)
        ambiguous = isinstance(trouble, GoogleUnavailable) and trouble.ambiguous
        later = replace(record, tries=record.tries + 1, reason=_reason(trouble), sent=doubt or ambiguous)
        due = self.clock.now() + _pause(later.tries, trouble)
        # Not later than its end: that it was not written in time is told then.
        due = min(due, content.end) if record.wanted and content else due
        self._settle(agent, facts, later, due=due, destroy=False)
        return later

    def _parked(self, agent: Agent, facts: Facts, record: Record, content: Content | None) -> Record:
        waits = record.status is Status.WAITING
        self._settle(
            agent, facts, record, due=self._waits_until(content) if waits else None, destroy=not waits
        )
        return record

    def _settle(
        self, agent: Agent, facts: Facts, record: Record, *, due: Millis | None, destroy: bool
    ) -> None:
        self.sessions.settle(agent, facts.connection_id, record, due=due, destroy_content=destroy)

    def _still_ours(self, agent: Agent, record: Record) -> bool:
        now = self.sessions.load(agent, record.session).record
        return now is not None and now.fence == record.fence


_STANDING = frozenset({Status.SCHEDULED, Status.PENDING, Status.WAITING})
_ACTORS = {By.AGENT: Actor.AGENT, By.SYSTEM: Actor.BACKEND}


def _accepting_state(loaded: Loaded) -> State:
    if loaded.closed:
        raise closed()
    state = loaded.facts.state(SCOPE)
    if state in REFUSING_STATES:
        raise NotConnected(
            f"The agent's calendar is not connected (state `{state}`); the session was not accepted."
        )
    return state


def _refuse_stale(record: Record | None, version: int | None, *, same: bool) -> None:
    if record is None or record.version is None:
        return
    if version is None:
        raise InvalidRequest(
            "`version` was given for this session before, so it is required now.", field="version"
        )
    if version < record.version or (version == record.version and not same):
        raise StaleVersion(
            f"Version {version} is not newer than {record.version}, which was accepted before.",
            field="version",
        )


def _wanted(
    loaded: Loaded,
    grant: Grant,
    session: str,
    digest: str,
    content: Content,
    version: int | None,
    state: State,
) -> Record:
    """Return the record that is to be accepted: the next revision, in this connection's calendar."""
    waiting = state in WAITING_STATES
    before = loaded.record or Record(
        session=session,
        status=Status.PENDING,
        revision=0,
        settled=0,
        wanted=True,
        event_id=grant.event_id(session, 0),
        generation=0,
        etag="",
        digest="",
        calendar_number=loaded.facts.calendar_number,
        over_day=0,
    )
    if before.calendar_number != loaded.facts.calendar_number and not waiting:
        # Its calendar was replaced: in the new one there is no event yet. The id once given stays.
        before = replace(
            before, etag="", placed=False, sent=False, calendar_number=loaded.facts.calendar_number
        )
    return replace(
        before,
        status=Status.WAITING if waiting else Status.PENDING,
        revision=before.revision + 1,
        wanted=True,
        digest=digest,
        over_day=content.end // DAY,
        version=version,
        tries=0,
        reason=state.value if waiting else "",
    )


def _out_of_reach(loaded: Loaded, record: Record) -> bool:
    """Tell whether there is certainly nothing at Google that this cancel could remove."""
    never_written = not record.placed and not record.sent
    elsewhere = record.calendar_number != loaded.facts.calendar_number
    return never_written or (record.status is Status.LOST and (elsewhere or not loaded.facts.calendar_since))


def _reason(trouble: ServiceError) -> str:
    names = {
        QuotaExceeded: "quota_exceeded",
        ClientRejected: "operator",
        RefreshRefused: "operator",
        AdminBlocked: "administrator",
    }
    return next((reason for kind, reason in names.items() if isinstance(trouble, kind)), "google_trouble")


def _pause(tries: int, trouble: GoogleError) -> Millis:
    """Return how long to wait before the next try: doubled each time, with jitter, by class of reason.

    Hours where only time or a person helps, minutes where the operator has to act, else seconds and
    growing; what Google itself says in Retry-After counts if it is longer (read with a limit of an hour).
    """
    if isinstance(trouble, QuotaExceeded | AdminBlocked):
        base = HOUR << min(tries, 3)
    elif isinstance(trouble, ClientRejected | RefreshRefused):
        base = MINUTE << min(tries, 3)
    else:
        base = min(_SLOWEST, SECOND << min(tries, 10))
    jittered = base // 2 + random.randrange(base // 2 + 1)  # noqa: S311 - spreads load, guards nothing
    return max(jittered, (trouble.retry_after or 0) * SECOND)


def _view(facts: Facts, record: Record, outcome: str, link: str = "") -> SessionView:
    done = record.status in {Status.SCHEDULED, Status.CANCELLED, Status.LOST}
    named = record.placed and record.calendar_number == facts.calendar_number
    return SessionView(
        session=record.session,
        status=record.status,
        revision=record.revision,
        event_id=record.event_id if named else "",
        calendar_id=facts.calendar_id if named else "",
        html_link=link,
        outcome=outcome if done or outcome == "read" else "accepted",  # type: ignore[arg-type]
        reason=record.reason,
    )


def _nothing(session: str, record: Record | None) -> SessionView:
    revision = record.revision if record else 0
    return SessionView(session, Status.CANCELLED, revision, "", "", "", "nothing")


def instant(at: datetime | date | None) -> Millis:
    """Return an event's time; an all-day event has a date, read as its first moment in UTC."""
    if at is None:
        return 0
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return int(moment.timestamp() * SECOND)
