"""The version of a wish: the newest wins, in whatever order they come (law 4)."""

import pytest

from calendar_service.domain.errors import StaleVersion
from calendar_service.domain.session import By, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store.journal import Actor
from tests.household import SECOND, Household


def put(house: Household, version: int, title: str = "A talk", session: str = "s1") -> SessionView:
    return house.service.schedule.put(house.agent, session, house.content(title), By.SYSTEM, version)


def cancel(house: Household, version: int) -> SessionView:
    return house.service.schedule.cancel(house.agent, "s1", By.SYSTEM, version)


def titles(house: Household) -> list[str]:
    return [event["summary"] for event in house.events()]


def test_a_repeated_cancel_notes_its_newer_version(house: Household) -> None:
    house.connect()
    put(house, 1)
    cancel(house, 3)
    assert cancel(house, 5).outcome == "nothing"
    with pytest.raises(StaleVersion):
        put(house, 4, "Delayed")
    assert house.events() == []
    assert put(house, 6, "Newer").outcome == "created"


def test_a_repeated_cancel_notes_it_also_while_the_first_waits(house: Household) -> None:
    house.connect()
    put(house, 1)
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    cancel(house, 3)
    assert cancel(house, 5).status is Status.WAITING
    with pytest.raises(StaleVersion):
        put(house, 4, "Delayed")
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=False)
    house.work()
    assert house.events() == []


def test_a_session_that_failed_is_tried_again_by_the_same_wish(house: Household) -> None:
    house.connect()
    house.google.fault({"method": "POST", "path": "*/events"}, {"status": 400, "reason": "invalid"}, times=1)
    assert put(house, 1).status is Status.FAILED
    with pytest.raises(StaleVersion):
        put(house, 0)
    assert put(house, 1).status is Status.SCHEDULED
    assert titles(house) == ["A talk"]


def test_a_lost_session_is_made_whole_by_the_same_wish(house: Household) -> None:
    house.connect()
    put(house, 1)
    house.as_person("DELETE", None, calendar=house.facts.calendar_id)
    house.service.connections.calendar_missing(house.agent, house.facts)
    house.service.dedicated_calendar.ensure(house.agent, create=True)
    assert titles(house) == []
    assert put(house, 1).status is Status.SCHEDULED
    assert titles(house) == ["A talk"]


def test_a_lost_session_that_a_person_had_changed_is_made_whole_by_the_same_wish(house: Household) -> None:
    house.connect()
    view = put(house, 1)
    house.as_person("PATCH", view, {"summary": "Changed"})
    house.clock.advance(86400)
    house.work(2)
    assert house.service.schedule.get(house.agent, "s1", read_google=False).reason == "changed_in_google"
    house.as_person("DELETE", None, calendar=view.calendar_id)
    house.service.connections.calendar_missing(house.agent, house.facts)
    house.service.dedicated_calendar.ensure(house.agent, create=True)
    assert put(house, 1).status is Status.SCHEDULED
    assert titles(house) == ["A talk"]


@pytest.mark.parametrize("again", [None, SECOND])
def test_the_same_wish_is_taken_after_a_reconnect_though_nothing_can_be_compared(
    house: Household, again: str | None
) -> None:
    house.connect()
    put(house, 1)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.work()
    house.connect(**({"account": again} if again else {}))
    assert put(house, 1).status is Status.SCHEDULED
    with pytest.raises(StaleVersion):
        put(house, 1, "Other")
    assert [event["summary"] for event in house.events(again or "agent-one@example.com")] == ["A talk"]


def test_a_deletion_by_a_person_stands_against_the_same_version_also_after_a_reconnect(
    house: Household,
) -> None:
    house.connect()
    view = put(house, 1)
    house.as_person("DELETE", view)
    house.clock.advance(86400)
    house.work()
    assert house.service.schedule.get(house.agent, "s1", read_google=False).status is Status.LOST
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.work()
    house.connect()
    assert put(house, 1).outcome == "unchanged"
    assert titles(house) == []
    assert put(house, 2).status is Status.SCHEDULED
    assert titles(house) == ["A talk"]
