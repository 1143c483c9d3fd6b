"""docs/states.md against the service: every cell of its tables is driven, and has to come out as the document says."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from flask.testing import FlaskClient

from calendar_service.domain.failpoints import configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.web.app import create_app
from tests.conftest import MovableClock, empty
from tests.journeys import connection_cells, session_cells
from tests.journeys.cells import (
    PatientService,
    Row,
    Snapshot,
    columns,
    forget_webhooks,
    keep,
    lines,
    put_back,
    rows,
)
from tests.support.backend import SECRET
from tests.support.local_google import LocalGoogle
from tests.support.service import FIRST, TestService

SESSIONS, CONNECTIONS = "The session's table", "The connection's table"
SESSION_ROWS = rows(SESSIONS, {name: one.statuses for name, one in session_cells.EVENTS.items()})
CONNECTION_ROWS = rows(CONNECTIONS, {name: one.states for name, one in connection_cells.EVENTS.items()})
NOBODY = "http://localhost:9/hooks"
"""Where the backend listens: what it is to be told stays queued, and is read there."""
NEWER_POLICY = 'extends = "videsk"\n[policy]\nversion = "2"\nchanges = { en = "More.", es = "Más." }\n'


@dataclass
class World:
    """One service for all cells, and the database as it was at moments to which it is put back."""

    url: str
    service: TestService
    other: TestService
    newer: TestService
    """The same service under a newer version of the policy."""
    api: FlaskClient
    numbers: Iterator[int] = field(default_factory=count)
    snapshots: dict[object, tuple[object, Snapshot]] = field(default_factory=dict)

    def begin(self, snapshot: Snapshot) -> None:
        """Put the database and the time back, and let Google have no faults."""
        configure({})
        self.service.google.clear_faults()
        put_back(self.url, self.service.clock, snapshot)

    def keep(self) -> Snapshot:
        return keep(self.url, self.service.clock)


@pytest.fixture(scope="module")
def world(
    valkey_url: str, google_process: LocalGoogle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    google_process.reset()
    empty(valkey_url)
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    policy = tmp_path_factory.mktemp("policy") / "newer.toml"
    policy.write_text(NEWER_POLICY, "utf-8")
    hooks = {"CALENDAR_WEBHOOK_URL": NOBODY, "CALENDAR_WEBHOOK_SECRET": SECRET}
    service = PatientService.of(valkey_url, google_process, clock, **hooks)
    newer = TestService.of(
        valkey_url, google_process, clock, **service.variables | {"CALENDAR_OPERATOR": str(policy)}
    )
    made = World(valkey_url, service, service.replica(), newer, create_app(service.parts).test_client())
    made.snapshots["empty"] = None, made.keep()
    service.connect()
    forget_webhooks(service, service.agent)
    made.snapshots["connected"] = None, made.keep()
    yield made
    made.begin(made.snapshots["empty"][1])
    clock.path.write_text("0", "ascii")
    for one in (made.service, made.other, made.newer):
        one.close()


# --- the session's table ---


def session_case(world: World, happens: session_cells.Event, status: str) -> session_cells.Case:
    """Return a session of this status: brought to it now where the event comes to Google, else as it was kept."""
    key = status, happens.versions
    if happens.at_google or happens.own_account:
        return _session(world, happens, status)
    if key not in world.snapshots:
        world.snapshots[key] = _session(world, happens, status), world.keep()
    case, snapshot = world.snapshots[key]
    world.begin(snapshot)
    assert isinstance(case, session_cells.Case)
    return replace(case, contents=dict(case.contents))


def _session(world: World, happens: session_cells.Event, status: str) -> session_cells.Case:
    world.begin(world.snapshots["connected"][1])
    number = next(world.numbers)
    agent, account = world.service.agent, FIRST
    if happens.own_account:
        agent, account = Agent("acme", f"agent-{number}"), f"person-{number}@example.com"
    case = session_cells.Case(
        world.service, world.other, world.api, agent, f"s{number}",
        account, 4 if happens.versions else None,
    )  # fmt: skip
    if happens.own_account:
        case.connect()
    session_cells.STATUSES[status](case)
    forget_webhooks(world.service, agent)
    return case


def status_of(record: Record | None) -> str:
    return record.status.value if record else "unknown"


@pytest.mark.parametrize("row", SESSION_ROWS, ids=str)
def test_a_session_goes_where_its_table_says(world: World, row: Row) -> None:
    happens = session_cells.EVENTS[row.event]
    case = session_case(world, happens, row.before)
    assert status_of(case.record()) == row.before.partition(",")[0]
    happens.first(case)
    forget_webhooks(case.test, case.agent)
    before, due, case.answer = case.record(), case.due(), ""
    if row.cells["after"] == "cannot be":
        assert status_of(before) != row.before.partition(",")[0]
        return
    assert status_of(before) == row.before.partition(",")[0]
    happens.act(case)
    after = case.record()
    if row.cells["after"] == "unchanged":
        assert session_cells.without_bookkeeping(after) == session_cells.without_bookkeeping(before)
    else:
        assert (status_of(after), after.reason if after else "") == (row.cells["after"], row.cells["reason"])
    assert case.answer == row.cells["answer"]
    assert ", ".join(case.webhooks()) == row.cells["webhook"]
    if row.cells["timer"] == "unchanged":
        assert case.due() == due > 0
    else:
        assert case.timer(before) == row.cells["timer"]
    # Sealed content is stored exactly as long as it has to be written.
    assert bool(case.loaded().content) == (after is not None and session_cells.is_open(after))


# --- the connection's table ---


def connection_case(world: World, happens: connection_cells.Event, state: str) -> connection_cells.Case:
    """Return a connection in this state: brought to it now where Google ends its permission, else as it was kept."""
    if happens.own_account:
        return _connection(world, state)
    key = "connection", state
    if key not in world.snapshots:
        world.snapshots[key] = _connection(world, state), world.keep()
    case, snapshot = world.snapshots[key]
    world.begin(snapshot)
    assert isinstance(case, connection_cells.Case)
    return replace(case, answer="ok", kept={})


def _connection(world: World, state: str) -> connection_cells.Case:
    world.begin(world.snapshots["empty"][1])
    number = next(world.numbers)
    agent, account = Agent("acme", f"agent-{number}"), f"person-{number}@example.com"
    case = connection_cells.Case(world.service, world.newer, agent, account)
    connection_cells.STATES[state](case)
    world.service.google.clear_faults()
    forget_webhooks(world.service, agent)
    return case


@pytest.mark.parametrize("row", CONNECTION_ROWS, ids=str)
def test_a_connection_goes_where_its_table_says(world: World, row: Row) -> None:
    happens = connection_cells.EVENTS[row.event]
    case = connection_case(world, happens, row.before)
    connection_cells.happen(case, happens.first)
    forget_webhooks(case.test, case.agent)
    case.answer = "ok"
    state, facts, timers = case.state(), case.facts(), case.timers()
    assert state == row.before.partition(",")[0]
    connection_cells.happen(case, happens.act)
    changed = [f"{name}: {value}" for name, value in case.facts().items() if facts[name] != value]
    added, ended = case.timers() - timers, timers - case.timers()
    assert case.state() == (state if row.cells["after"] == "unchanged" else row.cells["after"])
    assert "; ".join(changed) == row.cells["facts"]
    assert case.answer == row.cells["answer"]
    assert ", ".join(case.webhooks()) == row.cells["webhook"]
    assert (
        " ".join([f"+{one}" for one in sorted(added)] + [f"-{one}" for one in sorted(ended)])
        == (row.cells["timers"])
    )


def test_a_newer_policy_counts_at_once_also_where_nobody_was_told(world: World) -> None:
    case = connection_case(world, connection_cells.EVENTS["The agent pauses"], "connected")
    assert (case.state(), case.state(world.newer)) == ("connected", "reconsent_required")


# --- the document is whole ---


def cells_of(table: list[Row]) -> list[tuple[str, str]]:
    return [(row.event, row.before) for row in table]


def test_every_event_has_one_cell_for_every_status_and_every_state() -> None:
    sessions = [(name, one) for name, event in session_cells.EVENTS.items() for one in event.statuses]
    connections = [(name, one) for name, event in connection_cells.EVENTS.items() for one in event.states]
    assert sorted(cells_of(SESSION_ROWS)) == sorted(sessions)
    assert sorted(cells_of(CONNECTION_ROWS)) == sorted(connections)


@pytest.mark.parametrize(
    ("chapter", "detailed"),
    [("The session at a glance", SESSION_ROWS), ("The connection at a glance", CONNECTION_ROWS)],
)
def test_the_glance_says_the_same_as_the_tables(chapter: str, detailed: list[Row]) -> None:
    shown = columns(chapter)
    details = {(row.event, row.before): row.cells["after"] for row in detailed}
    for event, *cells in lines(chapter):
        expected = [details.get((event, state), "") for state in shown]
        assert [cell.replace("=", "unchanged") for cell in cells] == expected, event
    assert {event for event, *_ in lines(chapter)} == {row.event for row in detailed}
