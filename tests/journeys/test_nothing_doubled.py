"""One event a session, whatever Google refuses or loses: what the campaign of faults found, reduced."""

from calendar_service.domain.failpoints import configure
from calendar_service.domain.session import By, Status
from tests.household import Household

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
