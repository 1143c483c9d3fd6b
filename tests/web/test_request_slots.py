"""Whose slot a request takes, and when it gives it back."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response
from werkzeug.test import Client, EnvironBuilder

from calendar_service import wiring
from calendar_service.domain.names import Agent
from calendar_service.journeys.caller_limits import known_visits
from calendar_service.journeys.caller_limits.known_visits import KnownVisits
from calendar_service.web.callers import Callers
from calendar_service.web.fair_slots import ANONYMOUS, FairSlots
from calendar_service.web.pages.visits import SESSION
from calendar_service.web.request_slots import RequestSlots
from tests.support.service import ACME_KEY, ADMIN_KEY, BACKEND_KEY, PUBLIC_URL, TestService
from tests.web.pages.visitor import Visitor

ACME = "/v1/organizations/acme/agents/agent-1/connection"
BETA = "/v1/organizations/beta/agents/agent-1/connection"


def caller_of(service: TestService, path: str, **headers: str) -> str:
    return Callers(service.parts).organization(EnvironBuilder(path, headers=headers).get_environ())


# --- whose ---


@pytest.mark.parametrize(
    ("path", "key", "organization"),
    [
        (ACME, BACKEND_KEY, "acme"),
        (BETA, BACKEND_KEY, "beta"),
        (BETA, ADMIN_KEY, "beta"),
        (ACME, ACME_KEY, "acme"),
        (BETA, ACME_KEY, "acme"),
        ("/v1", ACME_KEY, "acme"),
        (ACME, "invented", ANONYMOUS),
        ("/google-user-data", ACME_KEY, ANONYMOUS),
    ],
)
def test_a_call_takes_a_slot_of_its_organization(
    service: TestService, path: str, key: str, organization: str
) -> None:
    assert caller_of(service, path, Authorization=f"Bearer {key}") == organization


def test_invented_keys_and_cookies_are_one_anonymous_caller(service: TestService) -> None:
    for number in range(10):
        assert caller_of(service, ACME, Authorization=f"Bearer {number}") == ANONYMOUS
        assert caller_of(service, "/settings", Cookie=f"{SESSION}={number}") == ANONYMOUS
    assert caller_of(service, ACME) == ANONYMOUS


def test_a_page_takes_a_slot_of_its_agents_organization_once_its_visit_was_seen(
    app: Flask, service: TestService
) -> None:
    visitor = Visitor(app, service)
    visitor.get(visitor.ticket(Agent("beta", "agent-2")))
    cookie = visitor.client.get_cookie(SESSION)
    assert cookie is not None
    for seen in (False, True):
        assert caller_of(service, "/settings", Cookie=f"{SESSION}={cookie.value}") == (
            "beta" if seen else ANONYMOUS
        )
        visitor.get("/settings")


def test_the_visits_that_were_not_used_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_visits, "_REMEMBERED", 2)
    visits = KnownVisits()
    for cookie in ("first", "second", "first", "third"):
        visits.note(cookie, f"of {cookie}")
    assert [visits.organization(cookie) for cookie in ("first", "second", "third")] == [
        "of first",
        "",
        "of third",
    ]


# --- for how long ---


@pytest.fixture
def slots(service: TestService) -> FairSlots:
    return FairSlots(wiring.THREADS, 0, service.parts.caller_limits.slots)


@pytest.fixture
def client(app: Flask, slots: FairSlots, service: TestService) -> Client:
    """A client of the application behind its slots."""
    return Client(RequestSlots(app, Callers(service.parts).organization, slots))


def test_a_slot_is_free_again_after_the_answers_last_byte(
    app: Flask, client: Client, slots: FairSlots
) -> None:
    running: list[int] = []

    def parts() -> Iterator[bytes]:
        for part in (b"one", b"two"):
            running.append(slots.running(ANONYMOUS))
            yield part

    app.add_url_rule("/in-parts", "in_parts", lambda: Response(parts()))
    answer = client.get("/in-parts", base_url=PUBLIC_URL, buffered=True)
    assert (answer.data, running) == (b"onetwo", [1, 1])
    assert slots.running(ANONYMOUS) == 0


def test_a_slot_is_free_again_after_a_fault_of_the_application(
    service: TestService, slots: FairSlots
) -> None:
    def broken(*_: object) -> Iterator[bytes]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Client(RequestSlots(broken, Callers(service.parts).organization, slots)).get("/")
    assert slots.running(ANONYMOUS) == 0


def test_a_request_without_a_slot_is_busy_and_a_probe_needs_none(client: Client, slots: FairSlots) -> None:
    taken = 0
    for caller in ("one", "two", "three", "four", "five", "six"):
        while taken < wiring.THREADS and slots.running(caller) < 3:
            assert slots.enter(caller)
            taken += 1
    answer = client.get(ACME, base_url=PUBLIC_URL, headers={"Authorization": f"Bearer {BACKEND_KEY}"})
    assert (answer.status_code, answer.json and answer.json["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "1"
    assert client.get("/healthz").status_code == 200
