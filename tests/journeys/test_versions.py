"""The version of a desired state: the newest wins, in whatever order requests come (law 4)."""

import pytest

from calendar_service.domain.errors import StaleVersion
from calendar_service.domain.session import By, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from tests.support.service import SECOND, TestService


def put(service: TestService, version: int, title: str = "A talk", session: str = "s1") -> SessionView:
    return service.parts.sessions.schedule.put(
        service.agent, session, service.content(title), By.SYSTEM, version
    )


def cancel(service: TestService, version: int) -> SessionView:
    return service.parts.sessions.schedule.cancel(service.agent, "s1", By.SYSTEM, version)


def titles(service: TestService) -> list[str]:
    return [event["summary"] for event in service.events()]


def test_a_repeated_cancel_notes_its_newer_version(service: TestService) -> None:
    service.connect()
    put(service, 1)
    cancel(service, 3)
    assert cancel(service, 5).outcome == "nothing"
    with pytest.raises(StaleVersion):
        put(service, 4, "Delayed")
    assert service.events() == []
    assert put(service, 6, "Newer").outcome == "created"


def test_a_repeated_cancel_notes_it_also_while_the_first_waits(service: TestService) -> None:
    service.connect()
    put(service, 1)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    cancel(service, 3)
    assert cancel(service, 5).status is Status.WAITING
    with pytest.raises(StaleVersion):
        put(service, 4, "Delayed")
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=False)
    service.work()
    assert service.events() == []


def test_a_session_that_failed_is_tried_again_by_the_same_request(service: TestService) -> None:
    service.connect()
    service.google.fault(
        {"method": "POST", "path": "*/events"}, {"status": 400, "reason": "invalid"}, times=1
    )
    assert put(service, 1).status is Status.FAILED
    with pytest.raises(StaleVersion):
        put(service, 0)
    assert put(service, 1).status is Status.SCHEDULED
    assert titles(service) == ["A talk"]


def test_a_lost_session_is_made_whole_by_the_same_request(service: TestService) -> None:
    service.connect()
    put(service, 1)
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    service.parts.connection.dedicated_calendar.ensure(service.agent, create=True)
    assert titles(service) == []
    assert put(service, 1).status is Status.SCHEDULED
    assert titles(service) == ["A talk"]


def test_a_lost_session_that_a_person_had_changed_is_made_whole_by_the_same_request(
    service: TestService,
) -> None:
    """The agent's change was to an event that is gone with its calendar.

    There is nothing left to preserve, so the backend's version is written.
    """
    service.connect()
    view = put(service, 1)
    service.as_person("PATCH", view, {"summary": "Changed"})
    service.clock.advance(86400)
    service.work(2)
    assert (
        service.parts.sessions.reader.get(service.agent, "s1", read_google=False).reason
        == "changed_in_google"
    )
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    service.parts.connection.dedicated_calendar.ensure(service.agent, create=True)
    assert put(service, 1).status is Status.SCHEDULED
    assert titles(service) == ["A talk"]


@pytest.mark.parametrize("again", [None, SECOND])
def test_the_same_request_is_taken_after_a_reconnect_though_nothing_can_be_compared(
    service: TestService, again: str | None
) -> None:
    """The digest of the content died with the former data key.

    The same version is accepted once, and another content under it is refused from then on.
    """
    service.connect()
    put(service, 1)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.work()
    service.connect(**({"account": again} if again else {}))
    assert put(service, 1).status is Status.SCHEDULED
    with pytest.raises(StaleVersion):
        put(service, 1, "Other")
    assert [event["summary"] for event in service.events(again or "agent-one@example.com")] == ["A talk"]


def test_a_deletion_by_a_person_stands_against_the_same_version_also_after_a_reconnect(
    service: TestService,
) -> None:
    """A backend that repeats a version asks for nothing new.

    The event that the agent deleted must not come back for that.
    """
    service.connect()
    view = put(service, 1)
    service.as_person("DELETE", view)
    service.clock.advance(86400)
    service.work()
    assert service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.LOST
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.work()
    service.connect()
    assert put(service, 1).outcome == "unchanged"
    assert titles(service) == []
    assert put(service, 2).status is Status.SCHEDULED
    assert titles(service) == ["A talk"]
