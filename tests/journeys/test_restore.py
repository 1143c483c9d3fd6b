"""An old back-up is restored: what was ended or erased since stays so (F36, ST-5)."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock
from tests.journeys.test_audit_trail import invoke
from tests.support import servers
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.servers import Server
from tests.support.service import FIRST, TestService
from tests.support.service import SECOND as ANOTHER

STAYS, ENDED, ERASED = Agent("acme", "stays"), Agent("acme", "ended"), Agent("acme", "erased")
MOVED, HELD, LATER = Agent("acme", "moved"), Agent("acme", "held"), Agent("acme", "later")
SESSIONS = Agent("acme", "sessions")
"""Stays connected; its sessions changed after the back-up."""
AGENTS = (STAYS, ENDED, ERASED, MOVED, HELD)
PAUSED, RESUMED, CHOSEN = Agent("acme", "paused"), Agent("acme", "resumed"), Agent("acme", "chosen")
LONGER, SHORTER, LAPSED = Agent("acme", "longer"), Agent("acme", "shorter"), Agent("acme", "lapsed")
CHANGED = (PAUSED, RESUMED, CHOSEN, LONGER, SHORTER, LAPSED)
"""Those who stay connected, otherwise than in the back-up."""


@dataclass
class Disaster:
    """A database, its back-up of some days ago, and the audit export of just before it was lost."""

    service: TestService
    backup: Path
    export: Path

    def restored(self, server: Server) -> TestService:
        variables = self.service.variables | {"CALENDAR_REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}
        return TestService.of("", self.service.google, self.service.clock, **variables)


def state(service: TestService, agent: Agent) -> State:
    return service.parts.connection.status.of(agent).state


def hold(service: TestService, agent: Agent, length: int = 200 * DAY, *, replace: bool = False) -> None:
    until = service.parts.clock.now() + length
    service.parts.personal_data.holds.place(
        agent, Hold("A. One", "B. Two", "a court", "a matter", until), replace=replace
    )


def hold_what_is_missing(service: TestService, done: dict[str, Any]) -> None:
    """Place the holds that a replay named, as an operator does."""
    words = (
        "--placed-by",
        "A. One",
        "--approved-by",
        "B. Two",
        "--authority",
        "a court",
        "--reason",
        "a matter",
    )
    for one in done["holds_missing"]:
        whose = (one["organization"], one["agent"])
        assert (
            invoke(service, "hold", "place", *whose, *words, "--until", one["until"], "--replace").exit_code
            == 0
        )


@pytest.fixture(scope="module")
def disaster(tmp_path_factory: pytest.TempPathFactory, google_process: LocalGoogle) -> Iterator[Disaster]:
    folder = tmp_path_factory.mktemp("restore")
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with servers.server(folder / "lost", appendonly="yes", appendfsync="always") as server:
        service = TestService.of(f"redis://127.0.0.1:{server.port}/0", google_process, clock)
        for agent in (*AGENTS, *CHANGED):
            service.connect(agent, ANOTHER if agent == STAYS else FIRST)
            service.parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, None)
        pause, choose = (
            service.parts.store.connections.pause,
            service.parts.store.connections.choose_retention,
        )
        for actor in (Actor.AGENT, Actor.ADMINISTRATOR):
            pause(RESUMED, actor, paused=True)
        choose(ENDED, HOUR)
        for agent in (LONGER, SHORTER, LAPSED):
            hold(service, agent)
        service.connect(SESSIONS, ANOTHER)
        put = service.parts.sessions.schedule.put
        for session in ("moved", "kept", "again"):
            put(SESSIONS, session, service.content(f"{session} before"), By.AGENT, None)
        service.parts.sessions.schedule.cancel(SESSIONS, "again", By.AGENT, None)
        service.parts.audit.sealer.checkpoint()
        shutil.copytree(folder / "lost", folder / "backup")
        for session in ("moved", "again", "new"):
            put(SESSIONS, session, service.content(f"{session} since", days=9), By.AGENT, None)
        clock.advance(2 * DAY / SECOND)
        pause(PAUSED, Actor.AGENT, paused=True)
        pause(PAUSED, Actor.ADMINISTRATOR, paused=True)
        pause(RESUMED, Actor.ADMINISTRATOR, paused=False)
        choose(CHOSEN, DAY)
        choose(ENDED, 0)
        hold(service, LONGER, 300 * DAY, replace=True)
        hold(service, SHORTER, 30 * DAY, replace=True)
        hold(service, LAPSED, HOUR, replace=True)
        clock.advance(2 * HOUR / SECOND)
        for agent in (ENDED, ERASED, HELD):
            service.parts.connection.disconnect.disconnect(agent, Actor.AGENT)
        hold(service, HELD)
        service.parts.connection.erasure.erase_now(ERASED, Actor.AGENT)
        service.connect(MOVED, ANOTHER)
        service.connect(LATER, ANOTHER)
        service.parts.audit.sealer.checkpoint()
        export = folder / "export.jsonl"
        export.write_bytes(b"".join(service.parts.audit.audit_export.export()))
        yield Disaster(service, folder / "backup", export)
        service.close()


@pytest.fixture
def restored(disaster: Disaster, tmp_path: Path) -> Iterator[TestService]:
    """The old back-up, put back: a copy of the files, under a server of its own."""
    files = shutil.copytree(disaster.backup, tmp_path / "files")
    with servers.server(tmp_path / "home", appendonly="yes", appendfsync="always", dir=str(files)) as server:
        service = disaster.restored(server)
        yield service
        service.close()


def replay(service: TestService, export: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    answer = invoke(service, "connections", "erase", "--replay", str(export), "--yes", "--json", *words)
    return answer.exit_code, json.loads(answer.stdout or "{}"), answer.stderr


@shows("ST-5")
def test_what_was_ended_or_erased_is_so_again(restored: TestService, disaster: Disaster) -> None:
    assert {state(restored, agent) for agent in AGENTS} == {State.CONNECTED}  # the danger
    _, done, _ = replay(restored, disaster.export)
    assert (done["ended"], done["erased"]) == (3, 1)
    assert {agent.agent: state(restored, agent).value for agent in AGENTS} == {
        "stays": "connected",
        "ended": "disconnected",
        "erased": "not_connected",
        "moved": "disconnected",
        "held": "disconnected",
    }
    was, now = (
        service.parts.connection.status.of(ENDED).erase_due for service in (disaster.service, restored)
    )
    assert now == pytest.approx(was, abs=SECOND)  # the day that the agent was told


def test_a_replay_shows_in_the_audit_log_and_does_nothing_twice(
    restored: TestService, disaster: Disaster
) -> None:
    hold_what_is_missing(restored, replay(restored, disaster.export)[1])
    before = restored.stored()
    status, done, _ = replay(restored, disaster.export)
    assert (status, any(done.values())) == (0, False)
    assert restored.stored() == before
    assert "audit.replayed" in before
    restored.parts.audit.sealer.seal()
    assert restored.parts.audit.audit_export.verify().faults == []


def test_the_worker_then_ends_the_permissions_and_nobody_comes_back(
    restored: TestService, disaster: Disaster
) -> None:
    hold_what_is_missing(restored, replay(restored, disaster.export)[1])
    restored.clock.advance(60)
    restored.work(3)
    restored.clock.advance(8 * DAY / SECOND)
    restored.work(3)
    assert {state(restored, agent) for agent in (ENDED, ERASED, MOVED)} == {State.NOT_CONNECTED}
    assert (state(restored, STAYS), state(restored, HELD)) == (State.CONNECTED, State.DISCONNECTED)
    assert restored.parts.audit.audit_export.ends().overdue == 0
    restored.clock.advance(-(8 * DAY / SECOND + 60))


def test_a_hold_that_was_lifted_does_not_keep_an_erasure_back(
    restored: TestService, disaster: Disaster
) -> None:
    """The back-up was taken under a hold that has ended since."""
    hold(restored, ERASED)
    _, done, _ = replay(restored, disaster.export)
    assert (done["erased"], done["holds_lifted"]) == (1, 2)  # the other one is over
    assert state(restored, ERASED) is State.NOT_CONNECTED


def test_a_pause_or_its_end_is_as_the_audit_log_says_for_whom_it_is_of(
    restored: TestService, disaster: Disaster
) -> None:
    """Otherwise the service would write into a calendar that its owner had paused."""
    _, done, _ = replay(restored, disaster.export)
    assert done["paused_or_resumed"] == 2
    for agent, by_agent, by_organization in (
        (PAUSED, True, True),
        (RESUMED, True, False),
        (STAYS, False, False),
    ):
        facts = restored.parts.store.slots.read(agent).facts
        assert (facts.pause.by_agent > 0, facts.pause.by_organization > 0) == (by_agent, by_organization)
    assert (
        restored.parts.sessions.schedule.put(PAUSED, "s2", restored.content(), By.AGENT, None).status
        is Status.WAITING
    )


def test_a_term_that_an_agent_chose_counts_again(restored: TestService, disaster: Disaster) -> None:
    _, done, _ = replay(restored, disaster.export)
    assert done["terms_chosen"] == 2
    ended = restored.parts.connection.disconnect.disconnect(CHOSEN, Actor.AGENT)
    assert ended.erase_due - ended.since == pytest.approx(DAY, abs=SECOND)
    # Of one that was ended since, the end that was told stands, whatever was chosen before.
    was, now = (
        service.parts.connection.status.of(ENDED).erase_due for service in (disaster.service, restored)
    )
    assert now == pytest.approx(was, abs=SECOND)


@shows("ST-5")
def test_holds_that_were_placed_or_replaced_since_are_named_and_what_is_over_is_lifted(
    restored: TestService, disaster: Disaster
) -> None:
    """A back-up lacks the holds that were placed after it was made.

    Until those holds stand again, an erasure would destroy what has to be kept.
    """
    status, done, output = replay(restored, disaster.export)
    assert (status, done["holds_lifted"]) == (1, 1)
    assert [one["agent"] for one in done["holds_missing"]] == ["held", "longer", "shorter"]
    assert "acme/shorter: a hold until" in output
    assert restored.parts.store.slots.read(LAPSED).facts.hold.until == 0
    hold_what_is_missing(restored, done)
    for agent in (HELD, LONGER, SHORTER):
        was, now = (
            service.parts.store.slots.read(agent).facts.hold.until for service in (disaster.service, restored)
        )
        assert now == pytest.approx(was, abs=SECOND)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace(b"connection.erased", b"connection.paused"), "does not verify"),
        (lambda text: text[: len(text) // 2], "does not verify"),
        (lambda _: b"", "does not verify"),
    ],
)
def test_an_export_that_does_not_verify_changes_nothing(
    restored: TestService, disaster: Disaster, tmp_path: Path, spoil: Any, words: str
) -> None:
    export, before = tmp_path / "spoilt", restored.stored()
    export.write_bytes(spoil(disaster.export.read_bytes()))
    status, done, output = replay(restored, export)
    assert (status, done, words in output) == (1, {}, True)
    assert restored.stored() == before


def test_a_part_of_the_audit_log_is_not_enough(
    restored: TestService, disaster: Disaster, tmp_path: Path
) -> None:
    part, before = tmp_path / "part", restored.stored()
    invoke(disaster.service, "audit", "export", "--kind", "connection.erased", "--output", str(part))
    status, _, output = replay(restored, part)
    assert (status, "a replay needs the whole" in output) == (1, True)
    assert restored.stored() == before


def test_nothing_is_replayed_without_a_yes(restored: TestService, disaster: Disaster) -> None:
    before = restored.stored()
    answer = invoke(restored, "connections", "erase", "--replay", str(disaster.export))
    assert (answer.exit_code, "Nothing was done" in answer.stderr) == (1, True)
    for words in ((), ("acme",), ("acme", "ended", "--replay", str(disaster.export))):
        assert invoke(restored, "connections", "erase", *words, "--yes").exit_code == 2
    assert restored.stored() == before


def titles(service: TestService) -> list[str]:
    """Return what stands in the calendar of the agent whose sessions changed."""
    calendar = service.parts.store.slots.read(SESSIONS).facts.calendar.id
    books = {book["id"]: book for book in service.google.state()["calendars"]}
    return sorted(event["summary"] for event in books[calendar]["events"] if event["status"] != "cancelled")


@pytest.fixture
def with_sessions(restored: TestService, disaster: Disaster) -> Iterator[TestService]:
    """The restored service after the replay; afterwards the events in Google are as they were."""
    before = titles(restored)
    assert before == ["again since", "kept before", "moved since", "new since"]
    hold_what_is_missing(restored, replay(restored, disaster.export)[1])
    yield restored
    schedule = disaster.service.parts.sessions.schedule
    for session in ("moved", "again", "new"):
        content = disaster.service.content(f"{session} since", days=9)
        schedule.put(SESSIONS, session, content, By.AGENT, None, rewrite=True)
    assert titles(restored) == before


def test_the_first_change_of_each_session_after_a_restore_reaches_google(with_sessions: TestService) -> None:
    schedule = with_sessions.parts.sessions.schedule
    for session in ("moved", "again", "new"):
        view = schedule.put(SESSIONS, session, with_sessions.content(f"{session} now"), By.AGENT, None)
        assert view.status is Status.SCHEDULED
    assert titles(with_sessions) == ["again now", "kept before", "moved now", "new now"]


def test_a_cancel_after_a_restore_removes_what_the_back_up_does_not_know(with_sessions: TestService) -> None:
    schedule = with_sessions.parts.sessions.schedule
    for session in ("moved", "again", "new"):
        view = schedule.cancel(SESSIONS, session, By.AGENT, None)
        assert (view.status, view.outcome) == (Status.CANCELLED, "cancelled")
    assert titles(with_sessions) == ["kept before"]


def test_the_command_reports_what_differs_after_a_restore_once_and_changes_nothing(
    with_sessions: TestService,
) -> None:
    before = titles(with_sessions)
    words = ("connections", "reconcile", SESSIONS.organization, SESSIONS.agent, "--json")
    answer = invoke(with_sessions, *words)
    assert (answer.exit_code, json.loads(answer.stdout)) == (
        0,
        {
            "compared": 1, "reported": 1, "unknown_forgotten": 1, "unknown_cancelled": 1, "unknown_second": 0,
            "unknown_copy": 0, "not_connected": 0, "failed": 0,
        },
    )  # fmt: skip
    view = with_sessions.parts.sessions.reader.get(SESSIONS, "moved", read_google=False)
    assert view.reason == "changed_in_google"
    assert json.loads(invoke(with_sessions, *words).stdout)["reported"] == 0
    assert titles(with_sessions) == before


def test_the_command_takes_all_connections_in_order_and_goes_on_behind_one(
    with_sessions: TestService,
) -> None:
    answer = invoke(with_sessions, "connections", "reconcile", "--json")
    done = json.loads(answer.stdout)
    assert (answer.exit_code, done["compared"] > 1, done["not_connected"] > 1) == (0, True, True)
    behind = json.loads(
        invoke(with_sessions, "connections", "reconcile", "--json", "--after", "acme/zzz").stdout
    )
    assert not any(behind.values())
    assert invoke(with_sessions, "connections", "reconcile", "acme").exit_code == 2


def test_a_calendar_that_cannot_be_compared_is_named_and_the_others_are_compared(
    with_sessions: TestService,
) -> None:
    calendar = with_sessions.parts.store.slots.read(SESSIONS).facts.calendar.id
    path = f"/calendar/v3/calendars/{calendar.partition('@')[0]}*"
    with_sessions.google.fault({"method": "GET", "path": path}, {"status": 503, "reason": "backendError"})
    answer = invoke(with_sessions, "connections", "reconcile")
    with_sessions.google.clear_faults()
    assert answer.exit_code == 1
    assert "acme/sessions: " in answer.stderr
    assert "1 failed" in answer.stdout
