"""Refused keys, forms, links, consents and calls for foreign organizations: a line in the log each, and a count."""

import json
from typing import Any, get_args

import pytest
from flask import Flask

from calendar_service.security_events import SecurityEvent
from tests.support.service import ACME_KEY, BACKEND_KEY, TestService
from tests.web.pages.visitor import OWN_PAGE, Visitor

NONE = dict.fromkeys(get_args(SecurityEvent), 0)


class Events:
    """The security events since the test began."""

    def __init__(self, service: TestService, capfd: pytest.CaptureFixture[str]) -> None:
        self._service, self._capfd = service, capfd
        capfd.readouterr()

    def logged(self) -> list[dict[str, Any]]:
        """Return their lines in the log, each without its time and request id."""
        written = [json.loads(line) for line in self._capfd.readouterr().err.splitlines()]
        served = {line["request_id"] for line in written if line["event"] == "request.served"}
        lines = [line for line in written if line["event"] in NONE]
        assert {line.pop("request_id") for line in lines} <= served
        for line in lines:
            assert (line.pop("level"), line.pop("process"), bool(line.pop("time"))) == (
                "info",
                "service",
                True,
            )
        return lines

    def counted(self) -> dict[str, float]:
        """Return their counts as /metrics has them."""
        return {
            event: self._service.metrics()[f'calendar_security_events_total{{event="{event}"}}']
            for event in NONE
        }


@pytest.fixture
def visitor(app: Flask, service: TestService) -> Visitor:
    """A new browser."""
    return Visitor(app, service)


@pytest.fixture
def events(visitor: Visitor, service: TestService, capfd: pytest.CaptureFixture[str]) -> Events:
    """The events of the test."""
    return Events(service, capfd)


def call(app: Flask, key: str, organization: str = "acme") -> int:
    """Ask for a connection with this key; return the answer's status."""
    path = f"/v1/organizations/{organization}/agents/person@example.com/connection"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return app.test_client().get(path, base_url="http://localhost:8080", headers=headers).status_code


@pytest.mark.parametrize("key", ["", "not-a-key"])
def test_a_refused_key_is_logged_and_counted(app: Flask, events: Events, key: str) -> None:
    assert call(app, key) == 401
    assert events.logged() == [{"event": "key.refused"}]
    assert events.counted() == NONE | {"key.refused": 1}


def test_a_call_for_a_foreign_organization_is_logged_and_counted(app: Flask, events: Events) -> None:
    assert call(app, ACME_KEY, "beta") == 404
    assert events.logged() == [{"event": "request.foreign", "caller": "acme"}]
    assert events.counted() == NONE | {"request.foreign": 1}


@pytest.mark.parametrize(
    ("headers", "token"), [({"Origin": "https://evil.example"}, ""), (OWN_PAGE, "of-another-visit")]
)
@pytest.mark.parametrize("path", ["/pause", "/console/agent"])
def test_a_refused_form_is_logged_and_counted(
    visitor: Visitor, events: Events, path: str, headers: dict[str, str], token: str
) -> None:
    visitor.connect()
    visitor.get("/console")
    assert events.logged() == []
    assert visitor.raw_post(path, {"csrf": token or visitor.token}, headers).status_code == 403
    assert events.logged() == [{"event": "form.refused"}]
    assert events.counted() == NONE | {"form.refused": 1}


def test_a_refused_link_is_logged_and_counted(visitor: Visitor, events: Events) -> None:
    link = visitor.ticket()
    assert visitor.get(link).status_code == 303
    assert events.logged() == []
    assert visitor.get(link).status_code == 410
    assert visitor.get("/portal/unknown").status_code == 410
    assert events.logged() == [{"event": "ticket.refused"}] * 2
    assert events.counted() == NONE | {"ticket.refused": 2}


def test_a_refused_answer_to_a_consent_is_logged_and_counted(
    app: Flask, service: TestService, visitor: Visitor, events: Events
) -> None:
    visitor.enter()
    cancelled = visitor.consent(allow=False)
    assert visitor.get(cancelled).status_code == 303
    assert events.logged() == []  # an agent may cancel
    answer = visitor.consent()
    Visitor(app, service).refused(answer)  # another browser, which uses the state up
    for refused in (answer, f"{cancelled}&iss=https://evil.example", "/oauth/callback?code=x&state=unknown"):
        visitor.refused(refused)
    assert events.logged() == [{"event": "state.refused"}] * 4
    assert events.counted() == NONE | {"state.refused": 4}


def test_an_answer_of_another_issuer_is_logged_and_counted(visitor: Visitor, events: Events) -> None:
    visitor.enter()
    answer = visitor.consent().replace("iss=http", "iss=https%3A%2F%2Fevil.example%2F")
    visitor.refused(answer)
    assert events.logged() == [{"event": "state.refused"}]
    assert events.counted() == NONE | {"state.refused": 1}


def test_a_refused_reviewers_link_is_logged_and_counted(
    visitor: Visitor, service: TestService, events: Events
) -> None:
    secret, _ = service.parts.operations.reviewers.make(60)
    assert visitor.get(f"/reviewer/{secret}").status_code == 303
    assert visitor.get("/console").status_code == 200
    assert events.logged() == []
    service.clock.advance(61 * 24 * 3600)
    for path in (f"/reviewer/{secret}", "/reviewer/unknown"):
        assert visitor.get(path).status_code == 410
    assert events.logged() == [{"event": "reviewer_link.refused"}] * 2
    assert events.counted() == NONE | {"reviewer_link.refused": 2}


def test_what_is_accepted_is_no_security_event(app: Flask, visitor: Visitor, events: Events) -> None:
    visitor.connect()
    assert visitor.post("/pause").status_code == 303
    assert (call(app, ACME_KEY), call(app, BACKEND_KEY, "beta")) == (200, 200)
    assert events.logged() == []
    assert events.counted() == NONE
