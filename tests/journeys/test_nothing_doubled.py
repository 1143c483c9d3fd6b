"""One event a session, whatever Google refuses or loses: what the campaign of faults found, reduced."""

from dataclasses import replace

import pytest

from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.session import By, Status
from calendar_service.store.journal import Actor
from tests.household import FIRST, SECOND, Household

EVENT = "/calendar/v3/calendars/*/events/*"


def test_a_refused_change_of_a_standing_event_makes_no_second_one(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    refusal = {"status": 403, "reason": "forbiddenForNonOrganizer"}
    house.google.fault({"method": "PATCH", "path": EVENT}, refusal, times=1)
    refused = house.service.schedule.put(house.agent, "s1", house.content("Second"), By.AGENT, None)
    house.google.clear_faults()
    assert [event["summary"] for event in house.events()] == ["First"]
    assert refused.status is Status.FAILED
    house.service.schedule.put(house.agent, "s1", house.content("Third"), By.AGENT, None)
    assert [event["summary"] for event in house.events()] == ["Third"]


def _a_worker_dies_after_its_insert(house: Household) -> None:
    house.connect()
    rate = {"status": 429, "reason": "rateLimitExceeded"}
    house.google.fault({"method": "POST", "path": EVENT.removesuffix("/*")}, rate, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    house.clock.advance(5)
    configure({"schedule.after_google_before_settle": "raise"})
    house.work()
    configure({})
    assert [event["summary"] for event in house.events()] == ["First"]


def test_what_a_dead_worker_wrote_is_removed_by_a_cancel(house: Household) -> None:
    _a_worker_dies_after_its_insert(house)
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    house.clock.advance(6 * 60)
    house.work(2)
    assert house.events() == []
    view = house.service.schedule.get(house.agent, "s1", read_google=False)
    assert view.status is Status.CANCELLED


def test_what_a_dead_worker_wrote_has_no_twin(house: Household) -> None:
    house.google.switch(undetected_collisions=True)
    _a_worker_dies_after_its_insert(house)
    house.clock.advance(6 * 60)
    house.work(2)
    assert [event["summary"] for event in house.events()] == ["First"]


# --- an insert whose answer was lost ---

INSERT = {"method": "POST", "path": "/calendar/v3/calendars/*/events"}
LIST = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}


def _status(house: Household) -> Status:
    return house.service.schedule.get(house.agent, "s1", read_google=False).status


def _shown(house: Household) -> list[str]:
    return [event["summary"] for event in house.events()]


def _later(house: Household) -> None:
    house.clock.advance(6 * 60)
    house.work(2)


def _a_second_event_is_inserted_and_its_answer_lost(house: Household) -> None:
    """Its first one was deleted and cannot be revived: the record knows that one's id alone."""
    house.connect()
    first = house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    house.as_person("DELETE", first)
    house.google.switch(revive_forbidden=True)
    house.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    second = house.service.schedule.put(house.agent, "s1", house.content("Second"), By.AGENT, None)
    assert (second.status, _shown(house)) == (Status.PENDING, ["Second"])


def test_a_cancel_finds_the_second_event_of_a_session(house: Household) -> None:
    _a_second_event_is_inserted_and_its_answer_lost(house)
    cancelled = house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (cancelled.status, _shown(house)) == (Status.CANCELLED, [])


def test_a_second_event_has_no_twin(house: Household) -> None:
    house.google.switch(undetected_collisions=True)
    _a_second_event_is_inserted_and_its_answer_lost(house)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.SCHEDULED, ["Second"])


def test_a_cancel_removes_an_event_that_came_back_beside_the_second(house: Household) -> None:
    _a_second_event_is_inserted_and_its_answer_lost(house)
    house.google.switch(revive_forbidden=False)
    deleted = next(event for event in house.all_events() if event["status"] == "cancelled")
    back = house.service.schedule.get(house.agent, "s1", read_google=False)
    assert deleted["id"] == back.event_id
    house.as_person("PATCH", back, {"status": "confirmed"})
    assert sorted(_shown(house)) == ["First", "Second"]
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


@pytest.mark.parametrize("refused", [403, 400])
def test_a_session_that_failed_in_doubt_is_removed_by_a_cancel(house: Household, refused: int) -> None:
    house.connect()
    house.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    house.google.fault(LIST, {"status": refused, "reason": "forbidden"}, times=1)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.FAILED, ["First"])
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


def test_a_calendar_that_was_missing_for_a_moment_ends_no_doubt(house: Household) -> None:
    house.connect()
    house.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    house.google.fault(LIST, {"status": 404, "reason": "notFound"}, times=1)
    _later(house)
    assert _status(house) is Status.WAITING
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    house.service.dedicated_calendar.ensure(house.agent, create=False)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


def test_what_was_being_written_while_the_agent_disconnected_is_removed_by_a_cancel(house: Household) -> None:
    house.connect()
    configure({"schedule.after_google_before_settle": "raise"})
    with pytest.raises(FailpointRaised):
        house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    configure({})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.connect()
    assert (_status(house), _shown(house)) == (Status.FAILED, ["First"])
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


def test_of_two_under_one_id_the_one_that_stays_is_the_newest(house: Household) -> None:
    house.connect()
    house.google.switch(undetected_collisions=True)
    house.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    nothing_yet = {"answer": {"status": 200, "body": '{"items": []}', "content_type": "application/json"}}
    house.google.fault(LIST, nothing_yet, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("Second"), By.AGENT, None)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.SCHEDULED, ["Second"])


@pytest.mark.parametrize("wanted", [True, False])
def test_whoever_lost_the_session_before_looking_touches_nothing(house: Household, *, wanted: bool) -> None:
    house.connect()
    schedule, content = house.service.schedule, house.content("First")
    house.google.fault(INSERT, {"cut": "after_commit"}, times=1)
    schedule.put(house.agent, "s1", content, By.AGENT, None)
    late = schedule.sessions.load(house.agent, "s1")
    assert late.record
    schedule.put(house.agent, "s1", house.content("Second"), By.AGENT, None)
    grant = schedule.grants.open(house.agent, late.facts.connection_id, late.grant)
    of_old = replace(late.record, wanted=wanted)
    schedule.attempts.make(house.agent, late.facts, grant, of_old, content if wanted else None)
    assert (_status(house), _shown(house)) == (Status.SCHEDULED, ["Second"])


# --- events from before an erasure ---


def _erased_and_back(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content("Old"), By.AGENT, None)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.erasure.erase_now(house.agent, Actor.AGENT)


def test_a_cancel_of_what_waited_finds_the_event_from_before_the_erasure(house: Household) -> None:
    _erased_and_back(house)
    house.connect()
    rate = {"status": 429, "reason": "rateLimitExceeded"}
    house.google.fault(LIST, rate, times=1)
    house.service.schedule.put(house.agent, "s1", house.content("New"), By.AGENT, None)
    assert (_status(house), _shown(house)) == (Status.PENDING, ["Old"])
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


def test_so_it_does_before_the_calendar_is_found_again(house: Household) -> None:
    _erased_and_back(house)
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    house.connect()
    house.google.clear_faults()
    house.service.schedule.put(house.agent, "s1", house.content("New"), By.AGENT, None)
    assert _status(house) is Status.WAITING
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    _later(house)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])


def test_a_cancel_finds_the_event_in_the_calendar_of_an_account_that_came_back(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content("First"), By.AGENT, None)
    house.connect(account=SECOND)
    house.connect(account=FIRST)
    assert (_status(house), _shown(house)) == (Status.LOST, ["First"])
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (_status(house), _shown(house)) == (Status.CANCELLED, [])
