"""Requests that read from Google: how many may wait there, what they cost, and what is answered where none may ask."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from calendar_service import wiring
from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.calendar_now import KEPT, CalendarAnswer, RecentAnswers
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import SECOND, TestService
from tests.support.waiting import all_waiting_for_google
from tests.web.api.callers import Api, configured
from tests.web.pages.visitor import Visitor, words

AGENT = "/v1/organizations/acme/agents/agent-1"
SESSION = f"{AGENT}/sessions/s1"
BODY = {"start": "2030-01-10T10:00:00Z", "end": "2030-01-10T11:00:00Z", "by": "system"}
RANGE = {"from": "2030-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z"}


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[TestService]:
    """A service with keys of the API, and one session in a connected calendar."""
    google_process.clear_faults()
    google_process.reset()
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_API_KEYS=configured())
    service.connect()
    yield service
    service.close()


@pytest.fixture
def api(app: Flask) -> Api:
    api = Api(app)
    assert api.put(SESSION, BODY).status_code == 201
    return api


def wanted(number: int) -> dict[str, Any]:
    return {"session": f"w{number}", "start": BODY["start"], "end": BODY["end"]}


# --- no place ---


def test_at_most_half_of_the_threads_wait_for_google_consents_included(service: TestService) -> None:
    with all_waiting_for_google(service) as ordinary:
        assert ordinary == wiring.THREADS // 2 - wiring.CONSENT_SLOTS
        with all_waiting_for_google(service, consents=True) as consents:
            assert ordinary + consents == wiring.THREADS // 2


def test_consents_that_take_all_places_leave_none_to_others(service: TestService) -> None:
    with all_waiting_for_google(service, consents=True) as consents:
        assert consents == wiring.THREADS // 2
        with all_waiting_for_google(service) as ordinary:
            assert ordinary == 0
    with all_waiting_for_google(service) as ordinary:
        assert ordinary > 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{SESSION}?read=google", None),
        ("POST", f"{AGENT}/sessions/reconcile", RANGE | {"sessions": []}),
        ("POST", f"{AGENT}/sessions/reconcile?apply=true", RANGE | {"sessions": []}),
    ],
)
def test_a_read_that_finds_no_place_is_busy_at_once(
    api: Api, service: TestService, method: str, path: str, body: Any
) -> None:
    calls, stored = len(service.calls()), service.stored()
    with all_waiting_for_google(service):
        answer = api.call(method, path, **({} if body is None else {"json": body}))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "busy", True)
    assert int(answer.headers["Retry-After"]) > 0
    assert len(service.calls()) == calls
    assert service.stored() == stored
    assert api.call(method, path, **({} if body is None else {"json": body})).status_code == 200


def test_a_write_that_finds_no_place_is_accepted(api: Api, service: TestService) -> None:
    with all_waiting_for_google(service):
        assert api.put(f"{AGENT}/sessions/s2", BODY).status_code == 202


def test_pages_that_find_no_place_come_without_googles_word(app: Flask, service: TestService) -> None:
    visitor = Visitor(app, service)
    visitor.get(visitor.ticket())
    calls = len(service.calls())
    with all_waiting_for_google(service):
        assert "Google was not asked just now" in words(visitor.get("/settings"))
        page = words(visitor.get("/disconnect"))
    assert "Google does not say just now whether it holds anything else" in page
    assert len(service.calls()) == calls


def test_a_disconnect_that_finds_no_place_is_done_here_and_left_to_the_worker(
    app: Flask, service: TestService
) -> None:
    visitor = Visitor(app, service)
    visitor.enter()
    calls = len(service.calls())
    with all_waiting_for_google(service):
        assert visitor.post("/disconnect").status_code == 303
    assert len(service.calls()) == calls
    assert not service.facts.is_live
    service.work()  # at once: nobody else has the teardown
    assert service.live_tokens() == []


def test_a_calendar_that_finds_no_place_is_asked_for_again(app: Flask, service: TestService) -> None:
    visitor = Visitor(app, service)
    visitor.enter()
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    visitor.reload()
    with all_waiting_for_google(service):
        assert visitor.post("/calendar", {"create": "yes"}).status_code == 303
        assert "Google has not answered that yet" in words(visitor.get("/settings"))


# --- consents have places of their own ---


def test_a_consent_is_completed_while_everything_else_waits_for_google(service: TestService) -> None:
    with all_waiting_for_google(service):
        assert service.connect().calendar_ready


def test_a_consent_that_finds_no_place_leads_to_a_clean_address_and_can_be_given_again(
    app: Flask, service: TestService
) -> None:
    visitor = Visitor(app, service)
    visitor.enter()
    visitor.get("/settings?account=another")
    callback = visitor.consent()
    with all_waiting_for_google(service, consents=True):
        busy = visitor.get(callback)
    assert (busy.status_code, busy.location) == (303, "/settings?answer=busy")
    assert busy.headers["Referrer-Policy"] == "no-referrer"
    assert "please connect it again in a moment" in words(visitor.get(busy.location))
    assert visitor.get(visitor.consent()).location == "/settings"
    assert "Connected" in words(visitor.get("/settings"))


# --- what a read costs ---


def test_an_answer_that_nobody_asks_for_again_is_dropped_by_itself() -> None:
    recent = RecentAnswers(seconds=0)
    recent.put(("account", "c1"), CalendarAnswer(address="a…@example.org"), 0)
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()
    assert len(recent) == 0


def test_reads_draw_on_the_budget_of_their_account(api: Api, service: TestService) -> None:
    small = service.limited(account=6, own=2)
    calls, reader = len(service.calls()), Api(create_app(small.parts))
    statuses = [reader.get(f"{SESSION}?read=google").status_code for _ in range(12)]
    assert statuses == [200] * 8 + [503] * 4
    assert len(service.calls()) - calls == 8
    small.close()


@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "rateLimitExceeded"])
def test_an_account_that_reads_too_much_holds_up_no_other(
    app: Flask, service: TestService, reason: str
) -> None:
    api = Api(app)
    other = "/v1/organizations/beta/agents/agent-2"
    service.connect(Agent("beta", "agent-2"), SECOND)
    for path in (SESSION, f"{other}/sessions/s1"):
        assert api.put(path, BODY).status_code == 201
    service.google.fault({"method": "GET", "path": "/calendar/*"}, {"status": 403, "reason": reason}, times=1)
    assert api.get(f"{SESSION}?read=google").status_code == 503
    calls = len(service.calls())
    assert api.get(f"{SESSION}?read=google").status_code == 503
    assert len(service.calls()) == calls
    assert api.get(f"{other}/sessions/s1?read=google").status_code == 200
    assert service.parts.google.throttle.budget.level() == 1


def test_a_page_that_is_reloaded_asks_google_once_in_seconds(
    app: Flask, service: TestService, test_clock: MovableClock
) -> None:
    visitor = Visitor(app, service)
    visitor.enter()
    calls = len(service.calls())
    assert "ag•••@example.com" in words(visitor.get("/settings"))
    for _ in range(2):
        visitor.get("/disconnect")
    assert service.calls(calls) == ["calendar.events.list"]
    test_clock.advance(KEPT / 1000)
    visitor.get("/settings")
    assert service.calls(calls) == ["calendar.events.list", "calendar.calendars.get"]


def test_while_google_does_not_answer_reads_are_left_to_the_trial_requests(
    api: Api, service: TestService
) -> None:
    service.google.fault("/calendar/*", {"status": 503, "reason": "backendError"})
    for _ in range(5):
        assert api.get(f"{SESSION}?read=google").status_code == 503
    calls = len(service.calls())
    answer = api.get(f"{SESSION}?read=google")
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert len(service.calls()) == calls


# --- reconcile ---


def test_a_reconcile_waits_for_google_for_seconds_and_leaves_the_rest_to_the_worker(
    service: TestService,
) -> None:
    quick = service.limited(inline_seconds=2.0)
    service.google.fault({"method": "POST", "path": "/calendar/*"}, {"delay": 0.3})
    content = service.content("A talk")
    desired = {f"w{number:02}": DesiredSession(content, None) for number in range(30)}
    plan = quick.parts.sessions.reconcile.reconcile(
        service.agent, content.start - DAY, content.end + DAY, desired, apply=True
    )
    statuses = [one.status for one in plan.differences]
    assert 1 <= statuses.count("scheduled") <= 6
    assert statuses.count("scheduled") + statuses.count("pending") == 30
    assert not quick.parts.google.throttle.breaker.state().failures
    service.google.clear_faults()
    while len(service.events()) < 30:
        service.clock.advance(20)
        service.work()
    quick.close()


def test_a_reconcile_has_one_place_for_its_whole_length(api: Api, service: TestService) -> None:
    """So all callers' reconciles together leave half of the threads to others, however long their lists are."""
    free: list[int] = []

    def count() -> None:
        with all_waiting_for_google(service) as others:
            free.append(others)

    for call in ("list", "insert", "patch"):
        service.at_call(f"calendar.events.{call}", count)
    body = RANGE | {"sessions": [wanted(1) | {"session": "s1", "title": "Another"}, wanted(2)]}
    assert api.post(f"{AGENT}/sessions/reconcile?apply=true", body).status_code == 200
    assert free == [wiring.THREADS // 2 - wiring.CONSENT_SLOTS - 1] * 3
