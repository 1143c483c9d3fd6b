"""Brings one session to a status, lets one event happen to it, and reads what came of it: for `test_states`.

Every function of `EVENTS` is an event of the session's table in docs/states.md, under the event's heading.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.error import HTTPError

from flask.testing import FlaskClient

from calendar_service.domain.clock import DAY, HOUR, SECOND, rfc3339
from calendar_service.domain.errors import NotConnected, ServiceError
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Content, Record, Status
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.slots import Slot, TimedSlot
from tests.journeys.cells import (
    access,
    call_log,
    change_detector,
    dedicated_calendar,
    disconnect,
    erasure,
    organizations,
    pauses,
    reconcile,
    session_reader,
    sessions,
    settings_page,
    slot_of,
    unsettled,
    webhooks,
)
from tests.support.service import BACKEND_KEY, PUBLIC_URL, TestService
from tests.support.waiting import all_waiting_for_google

AHEAD = 100
"""Days from now to the session."""
DAYS = DAY // SECOND
EVENTS_PATH = "/calendar/v3/calendars/*/events*"
CALENDAR_PATH = "/calendar/v3/calendars/*"
WRITES = ("POST", "PATCH", "DELETE")
TROUBLE = {"status": 503, "reason": "backendError"}
GONE = {"status": 404, "reason": "notFound"}


# --- what a record and a slot say: where it stands in them is known here alone ---


def is_leased(record: Record) -> bool:
    return record.leased


def attempts(record: Record) -> int:
    return record.tries


def waiting_since(record: Record) -> int:
    return record.waiting_since


def is_open(record: Record) -> bool:
    """Tell whether the session has to be written to Google, and is not yet."""
    return record.status in {Status.PENDING, Status.WAITING} and record.must_exist


def without_bookkeeping(record: Record | None) -> Record | None:
    """Return what counts as the session's state, without what an attempt, a repetition or a new key moves."""
    return record and replace(
        record,
        version=None,
        fencing_token=0,
        holder="",
        leased=False,
        tries=0,
        waiting_since=0,
        pending_since=0,
        digest="",
        copy=replace(record.copy, in_doubt=False),
    )


def calendar_id(slot: Slot) -> str:
    return slot.facts.calendar.id


@dataclass
class Case:
    """One session of one agent, and everybody who can do something to it."""

    test: TestService
    other: TestService
    """The same service in another process."""
    api: FlaskClient
    agent: Agent
    session: str
    account: str
    version: int | None = None
    answer: str = ""
    """What the last call of the API was answered: the status, and the code of a refusal."""
    contents: dict[str, Content] = field(default_factory=dict)

    # --- the backend ---

    def put(self, title: str = "A talk", version: int | None = None) -> None:
        """PUT the session with this title; under the next version where versions are given."""
        if self.version is not None and version is None:
            self.version += 1
        body = _body(self.content(title)) | {"by": "system"}
        version = self.version if version is None else version
        self._call("PUT", "", body | ({} if version is None else {"version": version}))

    def delete(self, version: int | None = None) -> None:
        """DELETE the session; under the next version where versions are given."""
        if self.version is not None and version is None:
            self.version += 1
        version = self.version if version is None else version
        self._call("DELETE", "?by=system" + ("" if version is None else f"&version={version}"), None)

    def reconcile(self, *, listed: bool) -> None:
        """Let the backend's list be carried out, with this session in it or not."""
        content = self.content("A talk")
        contents = {self.session: DesiredSession(content, self.version)} if listed else {}
        reconcile(self.test).reconcile(
            self.agent, content.start - HOUR, content.end + HOUR, contents, apply=True
        )

    def content(self, title: str) -> Content:
        """Return the content of this title, the same whenever it is asked for."""
        if title not in self.contents:
            content = self.test.content(title, days=AHEAD)
            first = next(iter(self.contents.values()), content)
            self.contents[title] = replace(content, start=first.start, end=first.end)
        return self.contents[title]

    def _call(self, method: str, query: str, body: Any) -> None:
        path = (
            f"/v1/organizations/{self.agent.organization}/agents/{self.agent.agent}/sessions/{self.session}"
        )
        answer = self.api.open(
            path + query, method=method, base_url=PUBLIC_URL, json=body,
            headers={"Authorization": f"Bearer {BACKEND_KEY}"},
        )  # fmt: skip
        code = (answer.json or {}).get("code", "")
        self.answer = f"{answer.status_code} {code}".strip()

    # --- the agent, the organization, Google ---

    def connect(self, account: str = "") -> None:
        """Consent at Google, and take the callback."""
        self.test.connect(self.agent, account or self.account)

    def pause(self, *, paused: bool = True) -> None:
        pauses(self.test).set(self.agent, Actor.AGENT, paused=paused)

    def fault(self, do: dict[str, Any], path: str = EVENTS_PATH, methods: tuple[str, ...] = WRITES) -> None:
        """Let Google do this to each call of these methods, once for each."""
        for method in methods:
            self.test.google.fault({"method": method, "path": path}, do, times=1)

    def clear(self) -> None:
        self.test.google.clear_faults()

    def miss_calendar(self) -> None:
        """Let the service learn that the calendar is no longer in the account."""
        self.fault(GONE, CALENDAR_PATH, ("GET",))
        settings_page(self.test).settings(self.agent)
        self.clear()

    def ask_consent(self) -> None:
        """Let Google say that the permission does not suffice."""
        self.fault({"status": 403, "reason": "insufficientPermissions"}, CALENDAR_PATH, ("GET",))
        settings_page(self.test).settings(self.agent)
        self.clear()

    def make_calendar(self) -> None:
        dedicated_calendar(self.test).ensure(self.agent, create=True)

    def end(self, test: TestService | None = None) -> None:
        """End the connection, and leave Google to the worker."""
        disconnect(test or self.test).end(self.agent, Actor.ADMINISTRATOR)

    def as_person(self, method: str, body: dict[str, Any] | None = None) -> None:
        """Do something to the session's event as the account's owner; nothing where there is no event."""
        if self.record() is None:
            return
        view = session_reader(self.test).get(self.agent, self.session, read_google=False)
        with suppress(HTTPError):  # it is deleted there already
            if view.event_id:
                self.test.as_person(method, view, body, account=self.account)

    # --- the worker ---

    def until_due(self) -> None:
        """Let the session's timer come due; one that has none is made due all the same."""
        slot = self.slot()
        at = slot.due.get(self.timer_name)
        if at is None:
            self.test.parts.store.database.client.zadd(self.test.key("due", self.agent), {self.timer_name: 1})
        elif at > slot.now:
            self.test.clock.advance((at - slot.now) / SECOND + 0.01)

    def attempt(self, test: TestService | None = None) -> None:
        """Let the worker do what the session's timer asks for."""
        self.until_due()
        with suppress(NotConnected):  # the permission is gone, which the attempt has noted
            unsettled(test or self.test).resume(self.agent, self.session)

    def detect(self) -> None:
        """Let the worker compare the calendar with the records."""
        change_detector(self.test).once(self.agent)

    # --- what came of it ---

    def slot(self) -> TimedSlot:
        return slot_of(self.test, self.agent)

    def reading(self) -> "Reading":
        """Return how the session stands now."""
        loaded = sessions(self.test).load(self.agent, self.session)
        due = self.test.parts.store.database.client.zscore(self.test.key("due", self.agent), self.timer_name)
        return Reading(loaded.record, bool(loaded.content), int(due or 0), self.test.parts.clock.now())

    def record(self) -> Record | None:
        return sessions(self.test).load(self.agent, self.session).record

    @property
    def timer_name(self) -> str:
        return TimerKind.SESSION.of(self.session)

    def webhooks(self) -> list[str]:
        """Return what the backend is to be told of this session, in its order."""
        return [name for name, session in webhooks(self.test, self.agent) if session == self.session]


@dataclass(frozen=True)
class Reading:
    """How a session stands at one moment."""

    record: Record | None
    has_content: bool
    """Its sealed content is stored."""
    due: int
    """When its timer is due, in milliseconds since 1970; 0 = it has none."""
    now: int

    @property
    def status(self) -> str:
        return self.record.status.value if self.record else "unknown"

    @property
    def reason(self) -> str:
        return self.record.reason if self.record else ""

    def timer(self, before: Record | None) -> str:
        """Return what the session's timer is, in the words of the table; `before`: the record before the event."""
        record = self.record
        if not self.due or record is None:
            return "none"
        if is_leased(record):
            return "lease" if self.now < self.due <= self.now + keys.LEASE else "lease over"
        if attempts(record) > (attempts(before) if before else 0):
            return "back-off" if self.due < self.now + 9 * HOUR else "far"
        if waiting_since(record) and abs(self.due - waiting_since(record) - keys.WAITING_MAX) < 2 * SECOND:
            return "30 days"
        if self.due <= self.now + SECOND:
            return "now"
        return "look" if self.due <= self.now + keys.LATE_WRITE else "far"


def _body(content: Content) -> dict[str, Any]:
    return {
        "start": rfc3339(content.start), "end": rfc3339(content.end), "time_zone": content.time_zone,
        "title": content.title,
    }  # fmt: skip


# --- how a session comes to each status ---


def unknown(_: Case) -> None:
    """The store has no record of it."""


def scheduled(case: Case) -> None:
    case.put()


def scheduled_changed(case: Case) -> None:
    case.put()
    case.as_person("PATCH", {"summary": "Moved by a person"})
    case.detect()


def pending(case: Case) -> None:
    case.fault(TROUBLE)
    case.put()
    case.clear()


def pending_leased(case: Case) -> None:
    """A process died at Google with it, and its lease has not ended."""
    configure({"schedule.after_accept": "raise"})
    with suppress(FailpointRaised):
        case.put()
    configure({})


def pending_cancel(case: Case) -> None:
    case.put()
    case.fault(TROUBLE)
    case.delete()
    case.clear()


def waiting(case: Case) -> None:
    case.pause()
    case.put()
    case.pause(paused=False)


def waiting_cancel(case: Case) -> None:
    case.put()
    case.pause()
    case.delete()
    case.pause(paused=False)


def cancelled(case: Case) -> None:
    case.put()
    case.delete()


def failed(case: Case) -> None:
    case.fault({"status": 400, "reason": "invalid"})
    case.put()
    case.clear()


def failed_cancel(case: Case) -> None:
    case.put()
    case.fault({"status": 400, "reason": "invalid"})
    case.delete()
    case.clear()


def lost(case: Case) -> None:
    case.put()
    case.miss_calendar()
    case.make_calendar()


def lost_deleted(case: Case) -> None:
    case.put()
    case.as_person("DELETE")
    case.detect()


STATUSES: dict[str, Callable[[Case], None]] = {
    "unknown": unknown,
    "scheduled": scheduled,
    "scheduled, changed": scheduled_changed,
    "pending": pending,
    "pending, leased": pending_leased,
    "pending, cancel": pending_cancel,
    "waiting": waiting,
    "waiting, cancel": waiting_cancel,
    "cancelled": cancelled,
    "failed": failed,
    "failed, cancel": failed_cancel,
    "lost": lost,
    "lost, deleted": lost_deleted,
}
"""Each status of the table, with how a session comes to it over a standing connection."""

OPEN = ("pending", "pending, leased", "pending, cancel", "waiting", "waiting, cancel")
"""Statuses with something left to do at Google: those that an attempt finds."""
WANTED, CANCELS = ("pending", "pending, leased", "waiting"), ("pending, cancel", "waiting, cancel")
SETTLED = tuple(status for status in STATUSES if status not in OPEN)

Act = Callable[[Case], None]


@dataclass(frozen=True)
class Event:
    """Something that can happen to a session."""

    act: Act
    first: Act
    """What is done to the connection before; the status is read again after it."""
    statuses: tuple[str, ...]
    """The statuses in which it is looked at."""
    versions: bool
    """The backend gives versions."""
    at_google: bool
    """It comes to Google: the session is an own one, so that nothing of an earlier case lies there."""
    own_account: bool
    """It changes the calendar at Google: the connection is an own one."""


EVENTS: dict[str, Event] = {}
"""By its heading in docs/states.md."""


def event(
    heading: str,
    first: Act = unknown,
    *,
    statuses: tuple[str, ...] = tuple(STATUSES),
    versions: bool = False,
    at_google: bool = False,
    own_account: bool = False,
) -> Callable[[Act], Act]:
    """Enter a function as the event of this heading."""

    def enter(act: Act) -> Act:
        EVENTS[heading] = Event(act, first, statuses, versions, at_google, own_account)
        return act

    return enter


# --- PUT and DELETE ---


@event("PUT with other content", at_google=True)
def put_other(case: Case) -> None:
    case.put("Another title")


@event("PUT with the same content", at_google=True)
def put_same(case: Case) -> None:
    case.put()


@event("PUT with the same content and a newer version", versions=True, at_google=True)
def put_newer_version(case: Case) -> None:
    case.put()


@event("PUT with the same content and the same version", versions=True, at_google=True)
def put_same_version(case: Case) -> None:
    case.put(version=case.version)


@event("PUT with other content and the same version", versions=True)
def put_conflicting(case: Case) -> None:
    case.put("Another title", version=case.version)


@event("PUT with an older version", versions=True)
def put_older(case: Case) -> None:
    assert case.version is not None
    case.put("Another title", version=case.version - 1)


@event("PUT without the version that was given before", versions=True)
def put_without_version(case: Case) -> None:
    case.version = None
    case.put("Another title")


@event("PUT that may not go to Google at once")
def put_queued(case: Case) -> None:
    with all_waiting_for_google(case.test):
        case.put("Another title")


@event("PUT of a session that is over")
def put_over(case: Case) -> None:
    ended = case.content("A talk")
    case.contents = {"Over": replace(ended, title="Over", start=HOUR, end=2 * HOUR)}
    case.put("Over")


@event("DELETE", at_google=True)
def delete(case: Case) -> None:
    case.delete()


@event("DELETE with an older version", versions=True, at_google=True)
def delete_older(case: Case) -> None:
    assert case.version is not None
    case.delete(version=case.version - 1)


@event("PUT while writing is paused", Case.pause)
def put_paused(case: Case) -> None:
    case.put("Another title")


@event("DELETE while writing is paused", Case.pause)
def delete_paused(case: Case) -> None:
    case.delete()


@event("PUT while the calendar is missing", Case.miss_calendar)
def put_missing(case: Case) -> None:
    case.put("Another title")


@event("DELETE while the calendar is missing", Case.miss_calendar)
def delete_missing(case: Case) -> None:
    case.delete()


@event("PUT while the consent is outdated", Case.ask_consent)
def put_outdated(case: Case) -> None:
    case.put("Another title")


@event("DELETE while the consent is outdated", Case.ask_consent)
def delete_outdated(case: Case) -> None:
    case.delete()


@event("PUT after the connection ended", Case.end)
def put_ended(case: Case) -> None:
    case.put("Another title")


@event("DELETE after the connection ended", Case.end)
def delete_ended(case: Case) -> None:
    case.delete()


def _off_board(case: Case) -> None:
    organizations(case.test).off_board(case.agent.organization)


@event("PUT after the organization was off-boarded", _off_board)
def put_closed(case: Case) -> None:
    case.put("Another title")


@event("PUT that Google refuses for good", at_google=True)
def put_refused(case: Case) -> None:
    case.fault({"status": 400, "reason": "invalid"})
    case.put("Another title")


@event("DELETE that Google refuses for good", at_google=True)
def delete_refused(case: Case) -> None:
    case.fault({"status": 400, "reason": "invalid"})
    case.delete()


# --- the attempt ---


@event("The timer is due, and nothing is left to do", statuses=SETTLED)
def nothing_to_do(case: Case) -> None:
    case.attempt()


@event("The attempt succeeds", statuses=OPEN, at_google=True)
def succeeds(case: Case) -> None:
    case.attempt()


@event("The answer is lost", statuses=OPEN, at_google=True)
def answer_lost(case: Case) -> None:
    case.until_due()
    case.fault({"cut": "after_commit"})
    case.attempt()


@event("Google has trouble", statuses=OPEN, at_google=True)
def trouble(case: Case) -> None:
    case.until_due()
    case.fault(TROUBLE)
    case.attempt()


@event("Google's quota is used up", statuses=OPEN, at_google=True)
def quota(case: Case) -> None:
    case.until_due()
    case.fault({"status": 403, "reason": "quotaExceeded"})
    case.attempt()


def _token_expires(case: Case) -> None:
    case.until_due()
    case.test.clock.advance(HOUR / SECOND)
    case.until_due()


@event("An administrator blocks the app", statuses=OPEN, at_google=True)
def blocked(case: Case) -> None:
    _token_expires(case)
    case.test.google.switch(admin_block=True)
    try:
        case.attempt()
    finally:
        case.test.google.switch(admin_block=False)


@event("Google refuses the account", statuses=OPEN, at_google=True)
def account(case: Case) -> None:
    case.until_due()
    case.fault({"status": 403, "reason": "notACalendarUser"})
    case.attempt()


@event("Google refuses for a reason that is not known", statuses=OPEN, at_google=True)
def unknown_refusal(case: Case) -> None:
    case.until_due()
    case.fault({"status": 403, "reason": "aReasonOfTomorrow"})
    case.attempt()


@event("Google refuses the operator's credentials", statuses=OPEN, at_google=True)
def operator(case: Case) -> None:
    _token_expires(case)
    case.fault({"invalid_client": True}, "/token", ("POST",))
    case.attempt()


@event("Google refuses for good", statuses=OPEN, at_google=True)
def refused(case: Case) -> None:
    case.until_due()
    case.fault({"status": 400, "reason": "invalid"})
    case.attempt()


@event("The attempt finds the calendar missing", statuses=OPEN, at_google=True)
def finds_missing(case: Case) -> None:
    case.until_due()
    for _ in range(2):
        case.fault(GONE, CALENDAR_PATH, (*WRITES, "GET"))
    case.attempt()


@event("The permission does not suffice", statuses=OPEN, at_google=True)
def insufficient(case: Case) -> None:
    case.until_due()
    case.fault({"status": 403, "reason": "insufficientPermissions"})
    case.attempt()


@event("The permission is gone", statuses=OPEN, at_google=True)
def attempt_revoked(case: Case) -> None:
    _token_expires(case)
    case.fault({"invalid_grant": True}, "/token", ("POST",))
    case.attempt()


@event("Somebody still has to act", Case.pause, statuses=OPEN)
def still_waits(case: Case) -> None:
    case.attempt()


@event("The session ends first", Case.pause, statuses=WANTED)
def ends_first(case: Case) -> None:
    case.test.clock.advance((AHEAD + 1) * DAYS)
    case.attempt()


@event("The week after its day passes first", Case.pause, statuses=CANCELS)
def week_ends_first(case: Case) -> None:
    case.test.clock.advance((AHEAD + 9) * DAYS)
    case.attempt()


@event("Thirty days have passed", Case.pause, statuses=OPEN)
def thirty_days(case: Case) -> None:
    case.test.clock.advance(30 * DAYS + 1)
    case.attempt()


def _at_write(case: Case, act: Callable[[], object]) -> None:
    """Do something once, when Google has carried the attempt's write out."""
    left = [act]

    def listener(call: Any) -> None:
        if call.method.name in {f"calendar.events.{one}" for one in ("insert", "patch", "delete")} and left:
            left.pop()()

    call_log(case.test).attach(listener)
    case.attempt()
    call_log(case.test).detach(listener)


@event("Another holder takes the lease over", statuses=OPEN, at_google=True)
def taken_over(case: Case) -> None:
    _at_write(case, lambda: case.attempt(case.other))


@event("A newer PUT is accepted during the attempt", statuses=OPEN, at_google=True)
def put_meanwhile(case: Case) -> None:
    _at_write(case, lambda: case.put("Another title"))


@event("A DELETE is accepted during the attempt", statuses=OPEN, at_google=True)
def delete_meanwhile(case: Case) -> None:
    _at_write(case, case.delete)


@event("The connection ends during the attempt", statuses=OPEN, at_google=True)
def end_meanwhile(case: Case) -> None:
    _at_write(case, lambda: case.end(case.other))


# --- change detection ---


@event("A person changes the event", at_google=True)
def person_changes(case: Case) -> None:
    case.as_person("PATCH", {"summary": "Changed by a person"})
    case.detect()


@event("A person deletes the event", at_google=True)
def person_deletes(case: Case) -> None:
    case.as_person("DELETE")
    case.detect()


@event("A person restores the event", at_google=True)
def person_restores(case: Case) -> None:
    case.as_person("PATCH", {"status": "confirmed"})
    case.detect()


# --- the connection ---


@event("Writing is paused")
def paused(case: Case) -> None:
    case.pause()


@event("The pause ends", Case.pause)
def resumed(case: Case) -> None:
    case.pause(paused=False)


@event("The consent becomes outdated")
def consent_outdated(case: Case) -> None:
    case.ask_consent()


@event("The agent consents again", Case.ask_consent)
def consents_again(case: Case) -> None:
    case.connect()


@event("The calendar is found missing")
def calendar_missing(case: Case) -> None:
    case.miss_calendar()


@event("The missing calendar is there again", Case.miss_calendar)
def calendar_again(case: Case) -> None:
    case.make_calendar()


@event("The calendar is replaced", own_account=True)
def calendar_replaced(case: Case) -> None:
    case.test.as_person("DELETE", None, calendar=calendar_id(case.slot()), account=case.account)
    case.make_calendar()


@event("The connection ends")
def disconnected(case: Case) -> None:
    case.end()


@event("Google proves that the permission is gone")
def revoked(case: Case) -> None:
    case.fault({"invalid_grant": True}, "/token", ("POST",))
    with suppress(ServiceError):
        access(case.test).probe(case.agent)


@event("The agent connects the same account again", Case.end)
def same_account(case: Case) -> None:
    case.connect()


@event("The agent connects another account", Case.end)
def other_account(case: Case) -> None:
    case.connect(f"other-{secrets.token_hex(8)}@example.com")


@event("The agent moves a live connection to another account")
def moves_account(case: Case) -> None:
    case.connect(f"other-{secrets.token_hex(8)}@example.com")


@event("The connection is erased", Case.end)
def erased(case: Case) -> None:
    erasure(case.test).erase_now(case.agent, Actor.AGENT)


@event("Thirty days after its day, the record is purged")
def purged(case: Case) -> None:
    case.test.clock.advance((AHEAD + 32) * DAYS)
    sessions(case.test).purge_old(case.agent, 30)


# --- reconcile ---


@event("Reconcile lists the session", at_google=True)
def reconcile_lists(case: Case) -> None:
    case.reconcile(listed=True)


@event("Reconcile does not list the session", at_google=True)
def reconcile_omits(case: Case) -> None:
    case.reconcile(listed=False)
