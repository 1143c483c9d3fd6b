"""One event a session, whatever Google refuses or loses: what the campaign of faults found, reduced."""

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
