"""A write that Google carries out after its holder lost the lease, or died: whoever comes later looks for it (F43)."""

import pytest

from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.session import By, Content, Record, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.sessions import Loaded
from tests.support.service import TestService

PAST_THE_LEASE = 31
PAST_THE_LOOK = 5 * 60 + 1
EVENT = "/calendar/v3/calendars/*/events/*"
LIST = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}


def put(service: TestService, title: str = "First", session: str = "s1") -> SessionView:
    return service.parts.sessions.schedule.put(service.agent, session, service.content(title), By.AGENT, None)


def cancel(service: TestService) -> SessionView:
    return service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)


def status(service: TestService) -> Status:
    return service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status


def titles(service: TestService) -> list[str]:
    return sorted(event["summary"] for event in service.events())


class LateHolder:
    """A process that took the lease of a session and stopped before its write came to Google."""

    def __init__(self, service: TestService, title: str = "First") -> None:
        self._service, self._content = service, service.content(title)
        configure({"event_writer.before_insert": "raise"})
        with pytest.raises(FailpointRaised):
            service.parts.sessions.schedule.put(service.agent, "s1", self._content, By.AGENT, None)
        configure({})
        loaded = service.parts.sessions.schedule.sessions.load(service.agent, "s1")
        assert loaded.record
        self._loaded: Loaded = loaded
        self._record: Record = loaded.record
        service.clock.advance(PAST_THE_LEASE)

    def writes(self, *, settles: bool = True) -> None:
        """Let its write come to Google now; then it settles, or has died."""
        schedule, content = self._service.parts.sessions.schedule, self._content
        grant = schedule.access.open(self._loaded)
        if settles:
            self._make(grant, content)
            return
        configure({"schedule.after_google_before_settle": "raise"})
        with pytest.raises(FailpointRaised):
            self._make(grant, content)
        configure({})

    def _make(self, grant: object, content: Content) -> None:
        schedule = self._service.parts.sessions.schedule
        schedule.attempts.make(self._service.agent, self._loaded.facts, grant, self._record, content)  # type: ignore[arg-type]


def looked_again(service: TestService) -> None:
    service.clock.advance(PAST_THE_LOOK)
    service.work()


@pytest.mark.parametrize("settles", [True, False])
def test_what_was_inserted_after_the_cancel_is_removed(service: TestService, *, settles: bool) -> None:
    """The cancel was carried out by another holder, found nothing, and was answered done."""
    service.connect()
    late = LateHolder(service)
    assert cancel(service).status is Status.CANCELLED
    late.writes(settles=settles)
    assert titles(service) == ["First"]
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


@pytest.mark.parametrize("settles", [True, False])
def test_what_lost_its_marker_meanwhile_is_removed_by_its_id(service: TestService, *, settles: bool) -> None:
    service.connect()
    late = LateHolder(service)
    cancel(service)
    late.writes(settles=settles)
    (event,) = service.events()
    view = SessionView("s1", Status.SCHEDULED, 1, event["id"], "read", "")
    service.as_person("PUT", view, {name: event[name] for name in ("summary", "start", "end")})
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_what_was_inserted_while_the_cancel_was_under_way_is_removed(service: TestService) -> None:
    """The cancel has looked for the event, found none, and has not settled yet."""
    service.connect()
    late = LateHolder(service)
    service.at_call("calendar.events.get", late.writes)
    assert cancel(service).status is Status.CANCELLED
    assert titles(service) == ["First"]
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_twin_that_a_late_holder_wrote_is_removed(service: TestService) -> None:
    """Another holder has written the session, and Google did not notice that the late one's id exists."""
    service.connect()
    late = LateHolder(service)
    put(service, "Second")
    service.google.switch(undetected_collisions=True)
    late.writes()
    assert titles(service) == ["First", "Second"]
    looked_again(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Second"])


def test_a_cancel_that_found_the_event_in_doubt_needs_no_second_look(service: TestService) -> None:
    service.connect()
    service.google.fault(
        {"method": "POST", "path": EVENT.removesuffix("/*")}, {"cut": "after_commit"}, times=1
    )
    put(service)
    cancel(service)
    before = len(service.calls())
    looked_again(service)
    assert (service.calls(before), titles(service)) == ([], [])


def test_the_second_look_happens_once_and_tells_nobody_again(service: TestService) -> None:
    service.connect()
    LateHolder(service)
    cancel(service)
    before = len(service.calls())
    for _ in range(3):
        looked_again(service)
    assert service.calls(before) == ["calendar.events.list", "calendar.events.get"]
    assert cancel(service).outcome == "nothing"


def test_a_second_look_that_google_does_not_answer_is_repeated(service: TestService) -> None:
    service.connect()
    late = LateHolder(service)
    cancel(service)
    late.writes(settles=False)
    service.google.fault(LIST, {"status": 503, "reason": "backendError"}, times=1)
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, ["First"])
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_second_look_waits_for_the_end_of_a_pause(service: TestService) -> None:
    service.connect()
    late = LateHolder(service)
    cancel(service)
    late.writes(settles=False)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    looked_again(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, ["First"])
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=False)
    service.clock.advance(3600)
    service.work()
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_after_a_disconnect_nobody_looks_and_a_later_cancel_does(service: TestService) -> None:
    service.connect()
    late = LateHolder(service)
    cancel(service)
    late.writes(settles=False)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    looked_again(service)
    service.connect()
    assert titles(service) == ["First"]
    assert cancel(service).outcome == "cancelled"
    assert titles(service) == []


def test_a_late_removal_leaves_an_event_that_was_written_since(service: TestService) -> None:
    """Whoever removes an event of which only the id is known reads it first, and asks whether the lease is its own."""
    service.connect()
    LateHolder(service)

    def newer_put() -> None:
        service.clock.advance(PAST_THE_LEASE)
        put(service, "Second")

    service.at_call("calendar.events.list", newer_put)
    cancel(service)
    looked_again(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Second"])
