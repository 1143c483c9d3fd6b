"""Google refuses an account, a domain or the project: that is not about any one session, so none is given up."""

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.session import By, Status
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
        (SUSPENDED, "operator"),
        (UNKNOWN, "operator"),
        (NAMELESS, "operator"),
        ({"status": 403, "reason": "variableTermLimitExceeded"}, "quota_exceeded"),
        ({"status": 403, "reason": "concurrentLimitExceeded"}, "google_trouble"),
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


def test_a_cancel_is_not_given_up_before_the_event_is_over(service: TestService) -> None:
    service.connect()
    put(service, "s1", days=2)
    service.google.fault("/calendar/v3/*", CALENDAR_OFF)
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    for _ in range(8):
        service.clock.advance(DAY / SECOND)
        service.work()
    assert seen(service, "s1") == (Status.PENDING, "administrator")
