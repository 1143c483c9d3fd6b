"""No command and no API call shows an event's content (LU-3)."""

import re
from collections.abc import Iterator
from typing import Final

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient

from calendar_service.cli import main
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.e2e.test_main_job_over_http import spellings
from tests.journeys.test_commands import invoke
from tests.support.evidence import shows
from tests.support.service import ADMIN_KEY, BACKEND_KEY, FIRST, PUBLIC_URL, SECOND, TestService

PLANTED: Final = ("planted-title-5b1f", "planted-text-7c2e", "planted-place-9d3a", "planted-link-1e4b")
PROCESSES: Final = {"run", "serve", "work", "google"}
"""Commands that print no data; what they answer is asked below, and what they log is searched in tests/e2e."""
ANA: Final = ("acme", "agent-1")
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "doctor": (),
    "report": (),
    "keys new": (),
    "keys status": (),
    "keys rotate": (),
    "api-keys new": ("console", "--organization", "acme", "--role", "backend"),
    "connections list": (),
    "connections show": ANA,
    "hold place": (
        *ANA, "--placed-by", "A. Reyes", "--approved-by", "B. Soto", "--authority", "court", "--reason", "case 1",
        "--until", "2027-03-01",
    ),
    "hold list": (),
    "hold release": ANA,
    "audit export": (),
    "audit verify": (),
    "reviewer link": (),
    "reviewer list": (),
    "reviewer extend": ("review-none",),
    "reviewer end": ("review-none",),
    "webhooks list": ("--waiting",),
    "webhooks replay": ("--all",),
    "webhooks new-secret": (),
    "connections reconcile": (*ANA, "--json"),
    "connections revoke": (*ANA, "--yes"),
    "connections erase": (*ANA, "--yes"),
    "receipt verify": ("/dev/null",),
}  # fmt: skip
"""Every other command, in an order in which each has something to tell."""


@pytest.fixture
def service(service: TestService) -> TestService:
    """Two agents with scheduled, waiting and failed sessions; each text holds a planted word."""
    title, text, place, link = PLANTED
    content = service.content(title, description=text, location=place, join_url=f"https://{link}.example/")
    for name, account in (("agent-1", FIRST), ("agent-2", SECOND)):
        agent = Agent("acme", name)
        service.connect(agent, account)
        service.parts.sessions.schedule.put(agent, "s1", content, By.AGENT, None)
    agent = Agent("acme", "agent-2")
    service.parts.connection.pauses.set(agent, Actor.AGENT, paused=True)
    view = service.parts.sessions.schedule.put(agent, "s2", content, By.AGENT, None)
    assert view.status is Status.WAITING
    assert service.events()[0]["summary"] == title
    return service


def leaves(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from leaves(subcommand, *path, name)
    else:
        yield " ".join(path), command


def planted_texts_in(text: str) -> list[str]:
    """Return the planted words that this text contains, in any spelling."""
    return [
        planted for planted in PLANTED if any(spelling in text.encode() for spelling in spellings(planted))
    ]


@shows("PR-1", "LU-3", "LU-5")
def test_no_command_tells_what_is_in_an_event(service: TestService) -> None:
    known = dict(leaves(main))
    assert set(known) == COMMANDS.keys() | PROCESSES, "a new command has to be asked here too"
    for name, words in COMMANDS.items():
        has_json = any(parameter.name == "as_json" for parameter in known[name].params)
        for more in [("--json",), ()] if has_json else [()]:
            answer = invoke(service, *name.split(), *words, *more)
            wrongly = "No such option" in answer.output or "Missing" in answer.output
            assert not wrongly, f"{name} was asked wrongly: {answer.output}"
            assert planted_texts_in(answer.output) == [], name
    assert planted_texts_in("x" + PLANTED[0] + "x") == [PLANTED[0]]  # the search can find what it looks for


def paths(app: Flask) -> Iterator[tuple[str, str]]:
    """Every call that a key opens, those that change nothing first."""
    values = {"organization": "acme", "agent": "agent-2", "session": "s2"}
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/")]
    for rule in rules:
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda variable: values[variable[1]], rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, path


@shows("PR-1", "LU-3", "LU-5", "administrators")
@pytest.mark.parametrize("key", [ADMIN_KEY, BACKEND_KEY], ids=["administrator", "backend"])
def test_no_call_of_a_key_tells_what_is_in_an_event(service: TestService, key: str) -> None:
    app = create_app(service.parts)
    client: FlaskClient = app.test_client()
    calls = sorted(paths(app), key=lambda call: call[0] != "GET")
    assert len(calls) > 10
    for method, path in calls:
        answer = client.open(
            path, method=method, base_url=PUBLIC_URL, headers={"Authorization": f"Bearer {key}"},
            query_string={"read": "google"} if method == "GET" and path.endswith("/s2") else {},
            json={} if method in {"POST", "PUT"} else None,
        )  # fmt: skip
        assert answer.status_code < 500, (method, path, answer.text)
        assert planted_texts_in(answer.text + str(answer.headers)) == [], (method, path)


@shows("LU-3")
def test_no_page_without_the_agents_own_session_and_no_number_tells_it(service: TestService) -> None:
    app = create_app(service.parts)
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.rule.startswith("/v1/"):
            path = (
                rule.rule.replace("<path:filename>", "app.css")
                .replace("<ticket>", "t")
                .replace("<number>", "1")
            )
            answer = client.get(path, base_url=PUBLIC_URL)
            assert planted_texts_in(answer.text) == [], path


@shows("LU-3")
def test_no_log_line_tells_it(service: TestService, capfd: pytest.CaptureFixture[str]) -> None:
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    service.parts.sessions.schedule.put(service.agent, "s9", service.content(PLANTED[0]), By.AGENT, None)
    service.work(2)
    written = capfd.readouterr()
    assert "google.called" in written.err
    assert planted_texts_in(written.err + written.out) == []
