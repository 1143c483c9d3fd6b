"""One event a session, whatever Google refuses or loses: cases that the fault campaign found, made small."""

from dataclasses import replace

import pytest

from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from tests.support.service import FIRST, SECOND, TestService

EVENT = "/calendar/v3/calendars/*/events/*"


def test_a_refused_change_of_a_standing_event_makes_no_second_one(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    refusal = {"status": 403, "reason": "forbiddenForNonOrganizer"}
    service.google.fault({"method": "PATCH", "path": EVENT}, refusal, times=1)
    refused = service.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Second"), By.AGENT, None
    )
    service.google.clear_faults()
    assert [event["summary"] for event in service.events()] == ["First"]
    assert refused.status is Status.FAILED
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Third"), By.AGENT, None)
    assert [event["summary"] for event in service.events()] == ["Third"]


def _a_worker_dies_after_its_insert(service: TestService) -> None:
    service.connect()
    rate = {"status": 429, "reason": "rateLimitExceeded"}
    service.google.fault({"method": "POST", "path": EVENT.removesuffix("/*")}, rate, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.clock.advance(15)  # a refused account waits ten seconds
    configure({"schedule.after_google_before_settle": "raise"})
    service.work()
    configure({})
    assert [event["summary"] for event in service.events()] == ["First"]


def test_what_a_dead_worker_wrote_is_removed_by_a_cancel(service: TestService) -> None:
    """The event reached Google and the record does not say so; a cancel must look there before it reports success."""
    _a_worker_dies_after_its_insert(service)
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    service.clock.advance(6 * 60)
    service.work(2)
    assert service.events() == []
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert view.status is Status.CANCELLED


def test_what_a_dead_worker_wrote_has_no_twin(service: TestService) -> None:
    """The retry repeats the insert, and here Google does not refuse the id that is taken."""
    service.google.switch(undetected_collisions=True)
    _a_worker_dies_after_its_insert(service)
    service.clock.advance(6 * 60)
    service.work(2)
    assert [event["summary"] for event in service.events()] == ["First"]


# --- an insert whose answer was lost ---

INSERT = {"method": "POST", "path": "/calendar/v3/calendars/*/events"}
LIST = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}


def _status(service: TestService) -> Status:
    return service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status


def _shown(service: TestService) -> list[str]:
    return [event["summary"] for event in service.events()]


def _later(service: TestService) -> None:
    service.clock.advance(6 * 60)
    service.work(2)


def _a_second_event_is_inserted_and_its_answer_lost(service: TestService) -> None:
    """The first event was deleted and cannot be revived; the record knows only its id."""
    service.connect()
    first = service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.as_person("DELETE", first)
    service.google.switch(revive_forbidden=True)
    service.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    second = service.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Second"), By.AGENT, None
    )
    assert (second.status, _shown(service)) == (Status.PENDING, ["Second"])


def test_a_cancel_finds_the_second_event_of_a_session(service: TestService) -> None:
    _a_second_event_is_inserted_and_its_answer_lost(service)
    cancelled = service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (cancelled.status, _shown(service)) == (Status.CANCELLED, [])


def test_a_second_event_has_no_twin(service: TestService) -> None:
    service.google.switch(undetected_collisions=True)
    _a_second_event_is_inserted_and_its_answer_lost(service)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.SCHEDULED, ["Second"])


def test_a_cancel_removes_an_event_that_came_back_beside_the_second(service: TestService) -> None:
    """Google refused to revive the deleted event, so a second one was written and its answer lost.

    Then a person restored the first. A cancel must remove both.
    """
    _a_second_event_is_inserted_and_its_answer_lost(service)
    service.google.switch(revive_forbidden=False)
    deleted = next(event for event in service.all_events() if event["status"] == "cancelled")
    back = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert deleted["id"] == back.event_id
    service.as_person("PATCH", back, {"status": "confirmed"})
    assert sorted(_shown(service)) == ["First", "Second"]
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


@pytest.mark.parametrize("refused", [403, 400])
def test_a_session_that_failed_in_doubt_is_removed_by_a_cancel(service: TestService, refused: int) -> None:
    service.connect()
    service.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.google.fault(LIST, {"status": refused, "reason": "forbidden"}, times=1)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.FAILED, ["First"])
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


def test_a_calendar_that_was_missing_for_a_moment_ends_no_doubt(service: TestService) -> None:
    """A 404 of the whole calendar says nothing about the event, so the doubt about it must outlive the wait."""
    service.connect()
    service.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.google.fault(LIST, {"status": 404, "reason": "notFound"}, times=1)
    _later(service)
    assert _status(service) is Status.WAITING
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    service.parts.connection.dedicated_calendar.ensure(service.agent, create=False)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


def test_what_was_being_written_while_the_agent_disconnected_is_removed_by_a_cancel(
    service: TestService,
) -> None:
    """The write reached Google and its result was not recorded before the disconnect.

    The event stands there, though the session is reported failed.
    """
    service.connect()
    configure({"schedule.after_google_before_settle": "raise"})
    with pytest.raises(FailpointRaised):
        service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    configure({})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.connect()
    assert (_status(service), _shown(service)) == (Status.FAILED, ["First"])
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


def test_of_two_under_one_id_the_one_that_stays_is_the_newest(service: TestService) -> None:
    """Google accepted one id twice; the twin that is removed must be the one with the older revision."""
    service.connect()
    service.google.switch(undetected_collisions=True)
    service.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    nothing_yet = {"answer": {"status": 200, "body": '{"items": []}', "content_type": "application/json"}}
    service.google.fault(LIST, nothing_yet, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Second"), By.AGENT, None)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.SCHEDULED, ["Second"])


@pytest.mark.parametrize("must_exist", [True, False])
def test_whoever_lost_the_lease_before_reading_google_changes_nothing(
    service: TestService, *, must_exist: bool
) -> None:
    """A paused holder goes on after another process has written a newer version."""
    service.connect()
    schedule, content = service.parts.sessions.schedule, service.content("First")
    service.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    schedule.put(service.agent, "s1", content, By.AGENT, None)
    late = schedule.sessions.load(service.agent, "s1")
    assert late.record
    schedule.put(service.agent, "s1", service.content("Second"), By.AGENT, None)
    grant = schedule.access.open(late)
    of_old = replace(late.record, must_exist=must_exist)
    schedule.attempts.make(service.agent, late.facts, grant, of_old, content if must_exist else None)
    assert (_status(service), _shown(service)) == (Status.SCHEDULED, ["Second"])


# --- events from before an erasure ---


def _erased_and_back(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Old"), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)


def test_a_cancel_of_what_waited_finds_the_event_from_before_the_erasure(service: TestService) -> None:
    """After an erasure the old event is known only by its marker at Google.

    A cancel that is sent before the first write must look there too.
    """
    _erased_and_back(service)
    service.connect()
    rate = {"status": 429, "reason": "rateLimitExceeded"}
    service.google.fault(LIST, rate, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("New"), By.AGENT, None)
    assert (_status(service), _shown(service)) == (Status.PENDING, ["Old"])
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


def test_a_cancel_finds_the_event_also_before_the_calendar_is_found_again(service: TestService) -> None:
    """The first PUT waits for the calendar, so the cancel comes before anybody has looked for the old event."""
    _erased_and_back(service)
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    service.connect()
    service.google.clear_faults()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("New"), By.AGENT, None)
    assert _status(service) is Status.WAITING
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    _later(service)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


def test_a_cancel_finds_the_event_in_the_calendar_of_an_account_that_came_back(service: TestService) -> None:
    """The agent went to another account and back.

    The event lies in the first calendar, whose id was replaced here in between.
    """
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.connect(account=SECOND)
    service.connect(account=FIRST)
    assert (_status(service), _shown(service)) == (Status.LOST, ["First"])
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])


@pytest.mark.parametrize("written_there", [False, True])
def test_a_cancel_in_another_account_is_repeated_in_the_calendar_of_the_one_that_came_back(
    service: TestService, *, written_there: bool
) -> None:
    """The cancel reached the other account's calendar only; the event stands in the first."""
    schedule = service.parts.sessions.schedule
    service.connect()
    schedule.put(service.agent, "s1", service.content("First"), By.AGENT, None)
    service.connect(account=SECOND)
    if written_there:
        schedule.put(service.agent, "s1", service.content("Second"), By.AGENT, None)
    schedule.cancel(service.agent, "s1", By.AGENT, None)
    service.connect(account=FIRST)
    assert (_status(service), _shown(service)) == (Status.CANCELLED, ["First"])
    assert schedule.cancel(service.agent, "s1", By.AGENT, None).outcome == "cancelled"
    assert (_status(service), _shown(service)) == (Status.CANCELLED, [])
    assert schedule.cancel(service.agent, "s1", By.AGENT, None).outcome == "nothing"
