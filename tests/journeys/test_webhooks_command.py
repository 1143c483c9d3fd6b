"""`calendar-service webhooks`: the operator sees what was not delivered, and lets it be sent again."""

import json
from base64 import b64decode
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from msgspec import convert

from calendar_service.cli import main
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store.audit_log import Actor
from calendar_service.web.api.webhook_events import WebhookTest
from tests.conftest import MovableClock
from tests.support.backend import SECRET, Backend, backend
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService

OTHER = Agent("other", "agent-9")
GIVEN_UP = 3 * 24 + 7


@pytest.fixture
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        listening.status = 500
        yield listening


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, receiver: Backend) -> Iterator[TestService]:
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    service = TestService.of(
        clean_store, google_process, clock, CALENDAR_WEBHOOK_URL=receiver.url, CALENDAR_WEBHOOK_SECRET=SECRET
    )
    yield service
    service.close()


def call(service: TestService, *arguments: str, **changed: str | None) -> Result:
    return CliRunner().invoke(main, ["webhooks", *arguments], env={**service.variables, **changed})


def listed(service: TestService, *arguments: str) -> list[dict[str, object]]:
    answer = call(service, "list", "--json", *arguments)
    assert answer.exit_code == 0, answer.output
    return list(json.loads(answer.stdout))


def given_up(service: TestService) -> None:
    """Let three webhook events be abandoned: of two agents, and of an erasure."""
    erased = Agent("acme", "agent-3")
    for agent in (service.agent, OTHER, erased):
        service.connect(agent)
    service.parts.connection.disconnect.disconnect(erased, Actor.AGENT)
    service.parts.connection.erasure.erase_now(erased, Actor.AGENT)
    for _ in range(GIVEN_UP):
        service.clock.advance(3600)
        service.work()


def test_what_was_given_up_is_listed_by_states_and_ids(service: TestService) -> None:
    given_up(service)
    rows = {str(one["organization"]): one for one in listed(service)}
    assert rows.keys() == {"acme", "other", ""}
    assert {one["state"] for one in rows.values()} == {"given_up"}
    assert rows["acme"]["type"] == "connection.connected"
    assert (rows["acme"]["agent"], rows["acme"]["sequence"]) == ("agent-1", 1)
    assert rows[""]["type"] == "connection.erased"
    assert rows[""]["agent"] == ""
    assert [one["agent"] for one in listed(service, "--organization", "other")] == ["agent-9"]
    assert listed(service, "--organization", "other", "--agent", "agent-1") == []
    text = call(service, "list")
    assert "given_up  connection.connected" in text.stdout
    assert "3 not delivered." in text.stderr


def test_what_is_still_tried_is_listed_when_asked(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert listed(service) == []
    rows = listed(service, "--waiting")
    assert [(one["state"], one["session"]) for one in rows] == [("waiting", ""), ("waiting", "s1")]


def test_what_was_given_up_is_sent_again_when_asked(service: TestService, receiver: Backend) -> None:
    given_up(service)
    receiver.status = 204
    service.work()
    assert receiver.received == []
    answer = call(service, "replay", "--organization", "acme", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"replayed": 1})
    service.work()
    assert [one["data"]["organization"] for one in receiver.received] == ["acme"]
    assert call(service, "replay", "--all").stdout == "2 will be sent again.\n"
    service.work()
    assert receiver.types == ["connection.connected", "connection.connected", "connection.erased"]
    assert listed(service, "--waiting") == []
    assert call(service, "replay", "--all").stdout == "0 will be sent again.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "--agent", "agent-1"],
        ["replay", "--all", "--agent", "agent-1"],
        ["replay", "--all", "--organization", "acme"],
        ["list", "--agent", "agent-1"],
    ],
)
def test_an_unclear_request_is_bad_usage(service: TestService, arguments: list[str]) -> None:
    assert call(service, *arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["replay", "--all"], ["test"], ["listen"]])
def test_without_an_address_there_is_nobody_to_send_to(service: TestService, arguments: list[str]) -> None:
    none = {"CALENDAR_WEBHOOK_URL": None, "CALENDAR_WEBHOOK_SECRET": None}
    answer = call(service, *arguments, **none)
    assert (answer.exit_code, "CALENDAR_WEBHOOK_URL" in answer.output) == (2, True)


def test_a_test_event_is_signed_and_says_nothing_of_anybody(service: TestService, receiver: Backend) -> None:
    receiver.status = 204
    assert call(service, "test").stdout == "Delivered: the backend answered 204.\n"
    answer = call(service, "test", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"delivered": True, "status": 204})
    convert(receiver.received, list[WebhookTest])
    assert len(set(receiver.ids)) == 2, "two tests are no repetition"


@pytest.mark.parametrize(
    ("status", "remedy"), [(400, "its secret"), (302, "No redirect is followed"), (500, "Its log says more")]
)
def test_a_test_event_that_is_not_taken_says_why(
    service: TestService, receiver: Backend, status: int, remedy: str
) -> None:
    receiver.status = status
    answer = call(service, "test", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["delivered"]) == (1, False)
    assert f"answered {status}" in answer.stderr
    assert remedy in answer.stderr


def test_a_test_event_says_that_nothing_listens(service: TestService) -> None:
    answer = call(service, "test", CALENDAR_WEBHOOK_URL="http://localhost:9/")
    assert (answer.exit_code, "nothing listens at CALENDAR_WEBHOOK_URL" in answer.stderr) == (1, True)


def test_events_are_listened_to_on_this_machine_alone_and_on_a_free_port(service: TestService) -> None:
    elsewhere = call(service, "listen", CALENDAR_WEBHOOK_URL="https://backend.example.com/events")
    assert (elsewhere.exit_code, "http on this machine" in " ".join(elsewhere.output.split())) == (2, True)
    taken = call(service, "listen")
    assert (taken.exit_code, "Cannot listen" in taken.stderr) == (1, True)


def test_a_database_that_is_away_is_said(service: TestService) -> None:
    answer = call(service, "list", CALENDAR_REDIS_URL="redis://127.0.0.1:9/0")
    assert (answer.exit_code, answer.exception.__class__) == (1, SystemExit)
    assert "nobody listens at its address" in answer.output


def test_a_new_secret_is_one_that_the_configuration_takes() -> None:
    text = CliRunner().invoke(main, ["webhooks", "new-secret"]).stdout.strip()
    again = json.loads(CliRunner().invoke(main, ["webhooks", "new-secret", "--json"]).stdout)["secret"]
    assert text != again
    assert [len(b64decode(one.removeprefix("whsec_"))) for one in (text, again)] == [32, 32]
