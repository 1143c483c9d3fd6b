"""`calendar-service webhooks`: the operator sees what was not delivered, and lets it be sent again."""

import json
from base64 import b64decode
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store.journal import Actor
from tests.backend import SECRET, Backend, backend
from tests.conftest import MovableClock
from tests.household import Household
from tests.local_google import LocalGoogle

OTHER = Agent("other", "agent-9")
GIVEN_UP = 3 * 24 + 7


@pytest.fixture
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        listening.status = 500
        yield listening


@pytest.fixture
def house(clean_store: str, google_process: LocalGoogle, receiver: Backend) -> Iterator[Household]:
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    made = Household.of(
        clean_store, google_process, clock, CALENDAR_WEBHOOK_URL=receiver.url, CALENDAR_WEBHOOK_SECRET=SECRET
    )
    yield made
    made.close()


def call(house: Household, *arguments: str, **changed: str | None) -> Result:
    return CliRunner().invoke(main, ["webhooks", *arguments], env={**house.variables, **changed})


def listed(house: Household, *arguments: str) -> list[dict[str, object]]:
    answer = call(house, "list", "--json", *arguments)
    assert answer.exit_code == 0, answer.output
    return list(json.loads(answer.stdout))


def given_up(house: Household) -> None:
    """Let three letters be given up: of two agents, and of an erasure."""
    erased = Agent("acme", "agent-3")
    for agent in (house.agent, OTHER, erased):
        house.connect(agent)
    house.service.disconnect.disconnect(erased, Actor.AGENT)
    house.service.erasure.erase_now(erased, Actor.AGENT)
    for _ in range(GIVEN_UP):
        house.clock.advance(3600)
        house.work()


def test_what_was_given_up_is_listed_by_states_and_ids(house: Household) -> None:
    given_up(house)
    found = {str(one["organization"]): one for one in listed(house)}
    assert found.keys() == {"acme", "other", ""}
    assert {one["state"] for one in found.values()} == {"given_up"}
    assert found["acme"]["type"] == "connection.connected"
    assert (found["acme"]["agent"], found["acme"]["sequence"]) == ("agent-1", 1)
    assert found[""]["type"] == "connection.erased"
    assert found[""]["agent"] == ""
    assert [one["agent"] for one in listed(house, "--organization", "other")] == ["agent-9"]
    assert listed(house, "--organization", "other", "--agent", "agent-1") == []
    text = call(house, "list")
    assert "given_up  connection.connected" in text.stdout
    assert "3 not delivered." in text.stderr


def test_what_is_still_tried_is_listed_when_asked(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    assert listed(house) == []
    found = listed(house, "--waiting")
    assert [(one["state"], one["session"]) for one in found] == [("waiting", ""), ("waiting", "s1")]


def test_what_was_given_up_is_sent_again_when_asked(house: Household, receiver: Backend) -> None:
    given_up(house)
    receiver.status = 204
    house.work()
    assert receiver.received == []
    answer = call(house, "replay", "--organization", "acme", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"replayed": 1})
    house.work()
    assert [one["data"]["organization"] for one in receiver.received] == ["acme"]
    assert call(house, "replay", "--all").stdout == "2 will be sent again.\n"
    house.work()
    assert receiver.types == ["connection.connected", "connection.connected", "connection.erased"]
    assert listed(house, "--waiting") == []
    assert call(house, "replay", "--all").stdout == "0 will be sent again.\n"


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
def test_an_unclear_request_is_bad_usage(house: Household, arguments: list[str]) -> None:
    assert call(house, *arguments).exit_code == 2


def test_without_an_address_nothing_can_be_replayed(house: Household) -> None:
    none = {"CALENDAR_WEBHOOK_URL": None, "CALENDAR_WEBHOOK_SECRET": None}
    answer = call(house, "replay", "--all", **none)
    assert (answer.exit_code, "CALENDAR_WEBHOOK_URL" in answer.output) == (2, True)


def test_a_database_that_is_away_is_said(house: Household) -> None:
    answer = call(house, "list", CALENDAR_REDIS_URL="redis://127.0.0.1:9/0")
    assert (answer.exit_code, answer.exception.__class__) == (1, SystemExit)
    assert "does not answer" in answer.output


def test_a_new_secret_is_one_that_the_configuration_takes() -> None:
    text = CliRunner().invoke(main, ["webhooks", "new-secret"]).stdout.strip()
    again = json.loads(CliRunner().invoke(main, ["webhooks", "new-secret", "--json"]).stdout)["secret"]
    assert text != again
    assert [len(b64decode(one.removeprefix("whsec_"))) for one in (text, again)] == [32, 32]
