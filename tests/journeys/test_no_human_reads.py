"""No command, call, page, number, log line or webhook shows an event's content or an identifier of Google's (LU-3).

One exception is promised: a key of the role backend is told an event's id, and on request its times and link.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient

from calendar_service.cli import main
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.e2e.test_main_job_over_http import spellings
from tests.journeys.test_commands import invoke
from tests.support.backend import SECRET, Backend, backend
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import ADMIN_KEY, BACKEND_KEY, FIRST, PUBLIC_URL, SECOND, TestService

A_DAY: Final = 24 * 60 * 60
"""In seconds."""
TEXTS: Final = ("planted-title-5b1f", "planted-text-7c2e", "planted-place-9d3a", "planted-link-1e4b")
MOVED: Final = ("2031-07-19T04:43:00Z", "2031-07-19T05:38:00Z")
"""Start and end of the session that a person moved."""
TIMES: Final = (
    *MOVED, "2031-07-19", "20310719", "July 2031", "julio de 2031",
    *(str(int(datetime.fromisoformat(moment).timestamp())) for moment in MOVED),
)  # fmt: skip
"""How the changed times could be written: with a day that nothing else has, and as seconds or milliseconds."""
MOVED_ONE, WAITING_ONE = (Agent("acme", "agent-1"), "s1"), (Agent("acme", "agent-2"), "s2")
PROCESSES: Final = {"run", "serve", "work", "google", "webhooks listen"}
"""Commands that print nothing of the store. What they answer is asked below; tests/e2e searches their logs."""
ANA: Final = ("acme", "agent-1")
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "doctor": (),
    "report": (),
    "sizing": ("--agents", "100"),
    "keys new": (),
    "keys status": (),
    "keys rotate": (),
    "keys adopt": ("--yes",),
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
    "audit watch": ("http://localhost:9/transparency",),
    "reviewer link": (),
    "reviewer list": (),
    "reviewer extend": ("review-none",),
    "reviewer end": ("review-none",),
    "webhooks list": ("--waiting",),
    "webhooks replay": ("--all",),
    "webhooks new-secret": (),
    "webhooks test": (),
    "connections reconcile": (*ANA, "--json"),
    "connections revoke": (*ANA, "--yes"),
    "connections erase": (*ANA, "--yes"),
    "receipt verify": ("/dev/null",),
    "google-client adopt": ("--yes",),
}  # fmt: skip
"""Every other command, in an order in which each has something to tell."""


@dataclass(frozen=True)
class PlantedValues:
    """What may not be seen: planted texts, changed times, and Google's identifiers."""

    calendars: tuple[str, ...]
    events: tuple[str, ...]

    @classmethod
    def of(cls, service: TestService) -> "PlantedValues":
        """Return the values of everything that stands at Google."""
        calendars = [book for account in (FIRST, SECOND) for book in service.calendars(account)]
        return cls(
            tuple(book["id"] for book in calendars),
            tuple(event["id"] for book in calendars for event in book["events"]),
        )

    def kinds_in(self, text: str) -> set[str]:
        """Return which kinds of planted values this text contains, in any spelling."""
        kinds = {"text": TEXTS, "account": (FIRST, SECOND), "calendar": self.calendars, "event": self.events}
        needles = {kind: set().union(*map(spellings, values)) for kind, values in kinds.items()}
        needles["time"] = {value.encode() for value in TIMES}
        searched = text.encode()
        return {kind for kind, values in needles.items() if any(value in searched for value in values)}


@pytest.fixture
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        yield listening


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, receiver: Backend) -> Iterator[TestService]:
    """Two agents with sessions whose texts are planted; one waits, and a person moved one to planted times."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    hooks = {"CALENDAR_WEBHOOK_URL": receiver.url, "CALENDAR_WEBHOOK_SECRET": SECRET}
    service = TestService.of(clean_store, google_process, clock, **hooks)
    title, text, place, link = TEXTS
    content = service.content(title, description=text, location=place, join_url=f"https://{link}.example/")
    for name, account in (("agent-1", FIRST), ("agent-2", SECOND)):
        agent = Agent("acme", name)
        service.connect(agent, account)
        service.parts.sessions.schedule.put(agent, "s1", content, By.AGENT, None)
    move_as_a_person(service)
    agent, session = WAITING_ONE
    service.parts.connection.pauses.set(agent, Actor.AGENT, paused=True)
    view = service.parts.sessions.schedule.put(agent, session, content, By.AGENT, None)
    assert view.status is Status.WAITING
    assert service.events()[0]["summary"] == title
    yield service
    service.close()


def move_as_a_person(service: TestService) -> None:
    """Move the session in Google, and let the service notice that."""
    agent, session = MOVED_ONE
    view = service.parts.sessions.reader.get(agent, session, read_google=False)
    start, end = ({"dateTime": moment} for moment in MOVED)
    service.as_person("PATCH", view, {"start": start, "end": end})
    service.clock.advance(A_DAY)
    service.work(3)
    seen = service.parts.sessions.reader.get(agent, session, read_google=False)
    assert seen.reason == "changed_in_google"


def leaves(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from leaves(subcommand, *path, name)
    else:
        yield " ".join(path), command


@shows("PR-1", "LU-3", "LU-5")
def test_no_command_tells_what_is_in_an_event_or_how_google_names_anything(service: TestService) -> None:
    known, planted = dict(leaves(main)), PlantedValues.of(service)
    assert set(known) == COMMANDS.keys() | PROCESSES, "a new command has to be asked here too"
    for name, words in COMMANDS.items():
        has_json = any(parameter.name == "as_json" for parameter in known[name].params)
        for more in [("--json",), ()] if has_json else [()]:
            answer = invoke(service, *name.split(), *words, *more)
            wrongly = "No such option" in answer.output or "Missing" in answer.output
            assert not wrongly, f"{name} was asked wrongly: {answer.output}"
            assert planted.kinds_in(answer.output) == set(), name
    everything = [TEXTS[0], MOVED[0], FIRST, planted.calendars[0], planted.events[0]]
    assert len(planted.kinds_in(" ".join(everything))) == 5  # the search can find what it looks for


def paths(app: Flask) -> Iterator[tuple[str, str]]:
    """Every call that a key opens, about both sessions."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/")]
    for agent, session in (MOVED_ONE, WAITING_ONE):
        values = {"organization": agent.organization, "agent": agent.agent, "session": session}
        for rule in rules:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part, values=values: values[part[1]], rule.rule)  # type: ignore[misc]
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, path


BODIES: Final[dict[str, dict[str, Any]]] = {
    "reconcile": {"from": "2031-07-01T00:00:00Z", "to": "2031-08-01T00:00:00Z", "sessions": []},
}
"""Bodies by which a call does its work, by the end of its path; the others are sent `{}`."""


@shows("PR-1", "LU-3", "LU-5", "administrators")
@pytest.mark.parametrize(
    ("key", "may_see"), [(ADMIN_KEY, set()), (BACKEND_KEY, {"event"})], ids=["administrator", "backend"]
)
def test_no_call_of_a_key_tells_what_is_in_an_event(
    service: TestService, key: str, may_see: set[str]
) -> None:
    app, planted = create_app(service.parts), PlantedValues.of(service)
    client: FlaskClient = app.test_client()
    calls = sorted(set(paths(app)), key=lambda call: (call[0] != "GET", call[0] != "POST"))
    assert len(calls) > 20
    for method, path in calls:
        answer = client.open(
            path, method=method, base_url=PUBLIC_URL, headers={"Authorization": f"Bearer {key}"},
            json=BODIES.get(path.rpartition("/")[2], {}) if method in {"POST", "PUT"} else None,
        )  # fmt: skip
        assert answer.status_code < 500, (method, path, answer.text)
        allowed = may_see if "/sessions" in path and method in {"GET", "DELETE"} else set()
        assert planted.kinds_in(answer.text + str(answer.headers)) <= allowed, (method, path)


@shows("PR-1", "LU-3", "administrators")
def test_times_that_a_person_changed_are_told_to_the_backend_alone_and_no_texts(service: TestService) -> None:
    planted, client = PlantedValues.of(service), create_app(service.parts).test_client()
    for agent, session in (MOVED_ONE, WAITING_ONE):
        path = f"/v1/organizations/acme/agents/{agent.agent}/sessions/{session}?read=google"
        backend_is_told, administrator_is_told = (
            client.get(path, base_url=PUBLIC_URL, headers={"Authorization": f"Bearer {key}"})
            for key in (BACKEND_KEY, ADMIN_KEY)
        )
        assert administrator_is_told.status_code == 403
        assert planted.kinds_in(administrator_is_told.text) == set()
        answer = dict(backend_is_told.json)
        # Google's link names event and calendar, by its own encoding.
        assert planted.kinds_in(answer.pop("html_link", "")) <= {"event", "calendar"}
        is_moved = session == MOVED_ONE[1]
        assert (answer.get("start"), answer.get("end")) == (MOVED if is_moved else (None, None))
        assert planted.kinds_in(str(answer)) == ({"event", "time"} if is_moved else set())


@shows("LU-3")
def test_no_page_without_the_agents_own_session_and_no_number_tells_it(service: TestService) -> None:
    app, planted = create_app(service.parts), PlantedValues.of(service)
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.rule.startswith("/v1/"):
            path = (
                rule.rule.replace("<path:filename>", "app.css")
                .replace("<ticket>", "t")
                .replace("<number>", "1")
            )
            answer = client.get(path, base_url=PUBLIC_URL)
            assert planted.kinds_in(answer.text) == set(), path


@shows("LU-3")
def test_no_log_line_tells_it(service: TestService, capfd: pytest.CaptureFixture[str]) -> None:
    planted = PlantedValues.of(service)
    test_times_that_a_person_changed_are_told_to_the_backend_alone_and_no_texts(service)
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    service.parts.sessions.schedule.put(service.agent, "s9", service.content(TEXTS[0]), By.AGENT, None)
    service.google.clear_faults()
    service.clock.advance(A_DAY)
    service.work(3)
    written = capfd.readouterr()
    assert '"call":"events.list","purpose":"external_changes"' in written.err
    assert planted.kinds_in(written.err + written.out) == set()


@shows("LU-2", "LU-3")
def test_no_webhook_tells_it(service: TestService, receiver: Backend) -> None:
    service.work(3)
    assert {"session.applied", "session.changed_in_google"} <= set(receiver.types)
    assert PlantedValues.of(service).kinds_in(str(receiver.received)) == set()
