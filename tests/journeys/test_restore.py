"""An old back-up is put back: what was ended or erased since does not come back (F36, ST-5)."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store.journal import Actor
from tests import servers
from tests.conftest import MovableClock
from tests.household import FIRST, Household
from tests.household import SECOND as ANOTHER
from tests.journeys.test_audit_trail import invoke
from tests.local_google import LocalGoogle
from tests.servers import Server

STAYS, ENDED, ERASED = Agent("acme", "stays"), Agent("acme", "ended"), Agent("acme", "erased")
MOVED, HELD, LATER = Agent("acme", "moved"), Agent("acme", "held"), Agent("acme", "later")
AGENTS = (STAYS, ENDED, ERASED, MOVED, HELD)


@dataclass
class Disaster:
    """A database, its back-up of some days ago, and the audit export of just before it was lost."""

    house: Household
    backup: Path
    export: Path

    def restored(self, server: Server) -> Household:
        variables = self.house.variables | {"CALENDAR_REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}
        return Household.of("", self.house.google, self.house.clock, **variables)


def state(house: Household, agent: Agent) -> State:
    return house.service.overview.connection(agent).state


def hold(house: Household, agent: Agent) -> None:
    until = house.service.clock.now() + 200 * DAY
    house.service.holds.place(agent, Hold("A. One", "B. Two", "a court", "a matter", until))


@pytest.fixture(scope="module")
def disaster(tmp_path_factory: pytest.TempPathFactory, google_process: LocalGoogle) -> Iterator[Disaster]:
    folder = tmp_path_factory.mktemp("restore")
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with servers.server(folder / "lost", appendonly="yes", appendfsync="always") as server:
        house = Household.of(f"redis://127.0.0.1:{server.port}/0", google_process, clock)
        for agent in AGENTS:
            house.connect(agent, ANOTHER if agent == STAYS else FIRST)
            house.service.schedule.put(agent, "s1", house.content(), By.AGENT, None)
        house.service.sealer.checkpoint()
        shutil.copytree(folder / "lost", folder / "backup")
        clock.advance(2 * DAY / SECOND)
        end = house.service.disconnect
        for agent in (ENDED, ERASED, HELD):
            end.disconnect(agent, Actor.AGENT)
        hold(house, HELD)
        end.erase_now(ERASED, Actor.AGENT)
        house.connect(MOVED, ANOTHER)
        house.connect(LATER, ANOTHER)
        house.service.sealer.checkpoint()
        export = folder / "export.jsonl"
        export.write_bytes(b"".join(house.service.audit.export()))
        yield Disaster(house, folder / "backup", export)
        house.close()


@pytest.fixture
def restored(disaster: Disaster, tmp_path: Path) -> Iterator[Household]:
    """The old back-up, put back: a copy of the files, under a server of its own."""
    files = shutil.copytree(disaster.backup, tmp_path / "files")
    with servers.server(tmp_path / "home", appendonly="yes", appendfsync="always", dir=str(files)) as server:
        house = disaster.restored(server)
        yield house
        house.close()


def replay(house: Household, export: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    answer = invoke(house, "connections", "erase", "--replay", str(export), "--yes", "--json", *words)
    return answer.exit_code, json.loads(answer.stdout or "{}"), answer.stderr


def test_what_was_ended_or_erased_is_so_again(restored: Household, disaster: Disaster) -> None:
    assert {state(restored, agent) for agent in AGENTS} == {State.CONNECTED}  # the danger
    status, done, _ = replay(restored, disaster.export)
    assert done == {
        "ended": 3,
        "erased": 1,
        "holds_lifted": 0,
        "holds_missing": [
            {"organization": "acme", "agent": "held", "until": done["holds_missing"][0]["until"]}
        ],
    }
    assert status == 1  # a hold has to be placed again
    assert {agent.agent: state(restored, agent).value for agent in AGENTS} == {
        "stays": "connected",
        "ended": "disconnected",
        "erased": "not_connected",
        "moved": "disconnected",
        "held": "disconnected",
    }
    was, now = (house.service.overview.connection(ENDED).erase_due for house in (disaster.house, restored))
    assert now == pytest.approx(was, abs=SECOND)  # the day that the agent was told


def test_a_replay_shows_in_the_trail_and_does_nothing_twice(restored: Household, disaster: Disaster) -> None:
    replay(restored, disaster.export)
    hold(restored, HELD)
    before = restored.stored()
    assert replay(restored, disaster.export)[:2] == (
        0,
        {"ended": 0, "erased": 0, "holds_lifted": 0, "holds_missing": []},
    )
    assert restored.stored() == before
    assert "audit.replayed" in before
    restored.service.sealer.seal()
    assert restored.service.audit.verify().faults == []


def test_the_worker_then_ends_the_permissions_and_nobody_comes_back(
    restored: Household, disaster: Disaster
) -> None:
    replay(restored, disaster.export)
    hold(restored, HELD)
    restored.clock.advance(60)
    restored.work(3)
    restored.clock.advance(8 * DAY / SECOND)
    restored.work(3)
    assert {state(restored, agent) for agent in (ENDED, ERASED, MOVED)} == {State.NOT_CONNECTED}
    assert (state(restored, STAYS), state(restored, HELD)) == (State.CONNECTED, State.DISCONNECTED)
    assert restored.service.audit.ends().overdue == 0
    restored.clock.advance(-(8 * DAY / SECOND + 60))


def test_a_hold_that_was_lifted_does_not_keep_an_erasure_back(
    restored: Household, disaster: Disaster
) -> None:
    """The back-up was taken under a hold that has ended since."""
    hold(restored, ERASED)
    _, done, _ = replay(restored, disaster.export)
    assert (done["erased"], done["holds_lifted"]) == (1, 1)
    assert state(restored, ERASED) is State.NOT_CONNECTED


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace(b"connection.erased", b"connection.paused"), "does not verify"),
        (lambda text: text[: len(text) // 2], "does not verify"),
        (lambda _: b"", "does not verify"),
    ],
)
def test_an_export_that_does_not_verify_changes_nothing(
    restored: Household, disaster: Disaster, tmp_path: Path, spoil: Any, words: str
) -> None:
    export, before = tmp_path / "spoilt", restored.stored()
    export.write_bytes(spoil(disaster.export.read_bytes()))
    status, done, said = replay(restored, export)
    assert (status, done, words in said) == (1, {}, True)
    assert restored.stored() == before


def test_a_part_of_the_trail_is_not_enough(restored: Household, disaster: Disaster, tmp_path: Path) -> None:
    part, before = tmp_path / "part", restored.stored()
    invoke(disaster.house, "audit", "export", "--kind", "connection.erased", "--output", str(part))
    status, _, said = replay(restored, part)
    assert (status, "a replay needs the whole" in said) == (1, True)
    assert restored.stored() == before


def test_nothing_is_replayed_without_a_yes(restored: Household, disaster: Disaster) -> None:
    before = restored.stored()
    answer = invoke(restored, "connections", "erase", "--replay", str(disaster.export))
    assert (answer.exit_code, "Nothing was done" in answer.stderr) == (1, True)
    for words in ((), ("acme",), ("acme", "ended", "--replay", str(disaster.export))):
        assert invoke(restored, "connections", "erase", *words, "--yes").exit_code == 2
    assert restored.stored() == before
