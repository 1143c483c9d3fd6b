"""Google refuses an account, a domain or the project: that is not about any one session, so none is given up."""

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.connection import BlockCause, State
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from tests.journeys.test_throttle import alarms
from tests.support.service import TestService

CALENDAR_OFF = {"status": 403, "reason": "notACalendarUser"}
UNKNOWN = {"status": 403, "reason": "aReasonOfTomorrow"}
NAMELESS = {"answer": {"status": 403, "body": {"error": {"code": 403, "message": "No."}}}}
SUSPENDED = {
    "answer": {
        "status": 403,
        "body": {
            "error": {
                "code": 403,
                "status": "PERMISSION_DENIED",
                "errors": [{"domain": "global", "reason": "forbidden"}],
                "details": [{"reason": "CONSUMER_SUSPENDED", "domain": "googleapis.com"}],
            }
        },
    }
}


def put(service: TestService, session: str, days: int = 3, title: str = "") -> tuple[Status, str]:
    content = service.content(title or session, days=days)
    view = service.parts.sessions.schedule.put(service.agent, session, content, By.AGENT, None)
    return view.status, view.reason


def seen(service: TestService, session: str) -> tuple[Status, str]:
    view = service.parts.sessions.reader.get(service.agent, session, read_google=False)
    return view.status, view.reason


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (CALENDAR_OFF, "administrator"),
        ({"status": 400, "reason": "domainPolicy"}, "administrator"),
        ({"status": 400, "reason": "failedPrecondition"}, "operator"),
        (SUSPENDED, "operator"),
        (UNKNOWN, "operator"),
        (NAMELESS, "operator"),
        ({"status": 403, "reason": "variableTermLimitExceeded"}, "quota_exceeded"),
        ({"status": 403, "reason": "concurrentLimitExceeded"}, "paced"),
    ],
)
def test_what_is_not_about_the_session_is_tried_until_google_takes_it(
    service: TestService, refusal: dict[str, object], reason: str
) -> None:
    service.connect()
    put(service, "moved", title="before")
    put(service, "cancelled")
    service.google.fault("/calendar/v3/*", refusal)
    assert put(service, "new") == (Status.PENDING, reason)
    assert put(service, "moved", days=4, title="after") == (Status.PENDING, reason)
    service.parts.sessions.schedule.cancel(service.agent, "cancelled", By.AGENT, None)
    for _ in range(3):
        service.clock.advance(12 * 3600)
        service.work()
    assert {seen(service, session)[0] for session in ("new", "moved", "cancelled")} == {Status.PENDING}
    service.google.clear_faults()
    for _ in range(4):
        service.clock.advance(9 * 3600)
        service.work()
    assert sorted(event["summary"] for event in service.events()) == ["after", "new"]
    assert seen(service, "cancelled")[0] is Status.CANCELLED


@pytest.mark.parametrize(
    ("refusal", "action", "needs"),
    [
        (CALENDAR_OFF, "allow_calendar", "administrator"),
        (UNKNOWN, "mend_service", "operator"),
        ({"status": 403, "reason": "quotaExceeded"}, "wait_for_quota", "agent"),
    ],
)
def test_the_connection_says_who_has_to_act_until_google_serves_it_again(
    service: TestService, refusal: dict[str, object], action: str, needs: str
) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", refusal)
    put(service, "s1")
    view = service.parts.connection.status.of(service.agent)
    assert (view.state, view.action, view.needs) == (State.CONNECTED, action, needs)
    assert service.facts.block.since > 0
    service.google.clear_faults()
    put(service, "s2")
    view = service.parts.connection.status.of(service.agent)
    assert (view.action, view.needs, service.facts.block.since) == ("", "", 0)


def test_a_block_at_the_token_endpoint_is_told_too(service: TestService) -> None:
    service.connect()
    service.clock.advance(3600)
    service.google.switch(admin_block=True)
    assert put(service, "s1") == (Status.PENDING, "administrator")
    assert service.parts.connection.status.of(service.agent).needs == "administrator"
    service.google.switch(admin_block=False)
    service.clock.advance(4 * 3600)
    service.work(2)
    assert service.parts.connection.status.of(service.agent).action == ""


@pytest.mark.parametrize(
    ("refusal", "needs"),
    [
        (CALENDAR_OFF, "administrator"),
        (UNKNOWN, "operator"),
        ({"status": 403, "reason": "forbidden"}, "operator"),
        ({"status": 400, "reason": "invalid"}, "operator"),
        ({"status": 403, "reason": "quotaExceeded"}, "agent"),
    ],
)
def test_who_keeps_the_first_calendar_from_being_made_is_told(
    service: TestService, refusal: dict[str, object], needs: str
) -> None:
    service.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, refusal)
    assert not service.connect().calendar_ready
    assert service.parts.connection.status.of(service.agent).needs == needs
    assert service.facts.block.cause
    service.google.clear_faults()
    assert service.parts.connection.dedicated_calendar.ensure_for_page(service.agent, create=True) == "ready"
    assert service.parts.connection.status.of(service.agent).needs == ""


def test_a_new_consent_forgets_what_google_refused_to_the_one_before(service: TestService) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", CALENDAR_OFF)
    put(service, "s1")
    service.google.clear_faults()
    service.connect()
    assert service.facts.block.cause == ""


def test_an_unknown_refusal_alarms_the_operator_once_a_connection(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", UNKNOWN)
    for number in range(3):
        put(service, f"s{number}")
    assert alarms(capsys) == ["google.unknown_refusal"]
    assert not service.parts.google.throttle.breaker.state().is_breaker_open


def test_an_answer_about_an_ended_connection_is_not_recorded(service: TestService) -> None:
    service.connect()
    former = service.facts.connection_id
    service.parts.connection.disconnect.end(service.agent, Actor.AGENT)
    assert not service.parts.store.connections.set_block(service.agent, former, BlockCause.OPERATOR)
    assert service.facts.block.cause == ""


def test_the_end_of_a_block_wakes_all_that_waited(service: TestService) -> None:
    service.connect()
    put(service, "cancelled", days=9)
    service.google.fault("/calendar/v3/*", CALENDAR_OFF)
    service.parts.sessions.schedule.cancel(service.agent, "cancelled", By.AGENT, None)
    put(service, "new", days=9)
    for _ in range(4):
        service.clock.advance(12 * 3600)
        service.work()
    service.google.clear_faults()
    assert put(service, "later", days=9) == (Status.SCHEDULED, "")
    service.work()
    assert seen(service, "cancelled") == (Status.CANCELLED, "")
    assert sorted(event["summary"] for event in service.events()) == ["later", "new"]


def test_a_cancel_is_not_given_up_before_the_event_is_over(service: TestService) -> None:
    service.connect()
    put(service, "s1", days=2)
    service.google.fault("/calendar/v3/*", CALENDAR_OFF)
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    for _ in range(8):
        service.clock.advance(DAY / SECOND)
        service.work()
    assert seen(service, "s1") == (Status.PENDING, "administrator")
