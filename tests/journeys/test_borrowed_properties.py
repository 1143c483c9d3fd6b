"""Events with the private properties of another event of ours, written by a program of the account's owner (law 3)."""

from typing import Any

from calendar_service.domain.session import By, Status
from tests.support.service import FIRST, TestService


def put(service: TestService, session: str, days: int) -> Any:
    content = service.content(session, days=days)
    return service.parts.sessions.schedule.put(service.agent, session, content, By.AGENT, None)


def test_an_event_with_another_sessions_properties_stays_its_own_sessions(service: TestService) -> None:
    service.connect()
    first, second = put(service, "first", 1), put(service, "second", 2)
    borrowed = next(event for event in service.events() if event["id"] == first.event_id)
    service.as_person("PATCH", second, {"extendedProperties": borrowed["extendedProperties"]})
    assert put(service, "first", 3).status == put(service, "second", 4).status == Status.SCHEDULED
    assert [event["summary"] for event in service.events()] == ["first", "second"]
    schedule = service.parts.sessions.schedule
    assert schedule.cancel(service.agent, "second", By.AGENT, None).status == Status.CANCELLED
    assert [event["id"] for event in service.events()] == [first.event_id]


def test_a_copy_under_our_id_in_the_main_calendar_is_never_touched(service: TestService) -> None:
    service.connect()
    view = put(service, "first", 1)
    (ours,) = service.events()
    copy = {name: ours[name] for name in ("id", "summary", "start", "end", "extendedProperties")}
    before = service.as_person("POST", None, copy, calendar=FIRST)
    put(service, "first", 3)
    service.parts.sessions.schedule.cancel(service.agent, "first", By.AGENT, None)
    main = next(book for book in service.google.state()["calendars"] if book["id"] == FIRST)
    assert [(event["id"], event["etag"]) for event in main["events"]] == [(view.event_id, before["etag"])]
