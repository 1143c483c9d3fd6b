"""The reason of a session: told by every answer about it, one word each, and listed in description and documents."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calendar_service.domain.session import Reason
from calendar_service.web.app import create_app
from tests.support.local_google import LocalGoogle
from tests.support.service import SECOND, TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import AGENT

ONE = f"{AGENT}/sessions/s-1"
WEBHOOKS = Path(__file__).parents[3] / "docs" / "webhooks.md"
TROUBLE = {"status": 503, "reason": "backendError"}


def test_description_and_documents_list_every_reason(api: Api) -> None:
    rows = re.findall(
        r"^\| `(?:pending|waiting|failed|lost|scheduled)` \| ([^|]+) \|", WEBHOOKS.read_text("utf-8"), re.M
    )
    documented = {word for row in rows for word in re.findall(r"`([a-z_]+)`", row)}
    schema = api.call("GET", "/openapi.json").json["components"]["schemas"]["Reason"]
    assert documented == set(schema["enum"]) == set(Reason)


@pytest.fixture
def paced(connected: TestService) -> Api:
    """The API of a process that may send nothing to Google by itself for now."""
    return Api(create_app(connected.limited(own=0, account=0).parts))


def test_what_is_paced_by_googles_limits_says_so_in_every_answer(
    api: Api, paced: Api, session: dict[str, Any]
) -> None:
    created = paced.put(ONE, session)
    assert (created.status_code, created.json["status"], created.json["reason"]) == (202, "pending", "paced")
    assert api.get(ONE).json["reason"] == "paced"
    assert [one["reason"] for one in api.get(f"{AGENT}/sessions").json["sessions"]] == ["paced"]
    assert paced.put(ONE, session).json["reason"] == "paced"  # a repetition


def test_a_cancel_that_is_paced_says_so(api: Api, paced: Api, session: dict[str, Any]) -> None:
    assert api.put(ONE, session).status_code == 201
    cancelled = paced.delete(f"{ONE}?by=agent")
    assert (cancelled.status_code, cancelled.json["reason"]) == (202, "paced")
    assert (api.get(ONE).json["status"], api.get(ONE).json["reason"]) == ("pending", "paced")


def test_what_google_refuses_for_its_rate_is_paced(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    google_process.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 429, "reason": "rateLimitExceeded"}
    )
    assert api.put(ONE, session).json["reason"] == "paced"


def test_while_google_answers_nobody_a_session_says_so_at_once(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    google_process.fault("/calendar/v3/*", TROUBLE)
    for number in range(5):
        api.put(f"{AGENT}/sessions/first-{number}", session)
    before = len(connected.calls())
    answer = api.put(ONE, session)
    assert (answer.status_code, answer.json["reason"]) == (202, "google_trouble")
    assert len(connected.calls()) == before  # the breaker is open


def _moved_away(service: TestService) -> None:
    service.connect(account=SECOND)


def _calendar_deleted(service: TestService) -> None:
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    service.parts.connection.settings_page.settings(service.agent)


def _calendar_replaced(service: TestService) -> None:
    _calendar_deleted(service)
    service.parts.connection.dedicated_calendar.ensure(service.agent, create=True)


@pytest.mark.parametrize("lose", [_moved_away, _calendar_deleted, _calendar_replaced])
def test_a_cancel_of_a_lost_session_removes_nothing_and_says_so(
    api: Api, connected: TestService, session: dict[str, Any], lose: Callable[[TestService], None]
) -> None:
    api.put(ONE, session)
    lose(connected)
    assert api.get(ONE).json["status"] == "lost"
    before = len(connected.calls())
    gone = api.delete(f"{ONE}?by=agent")
    assert (gone.status_code, gone.json["status"], gone.json["applied"]) == (200, "cancelled", False)
    assert len(connected.calls()) == before
    assert api.get(ONE).json["status"] == "cancelled"
