"""docs/states.md against the service: every cell of its tables is driven, and has to come out as the document says."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from flask.testing import FlaskClient

from calendar_service.domain.failpoints import configure
from calendar_service.domain.names import Agent
from calendar_service.web.app import create_app
from tests.conftest import MovableClock, empty
from tests.journeys import connection_cells, session_cells
from tests.journeys.cells import (
    PatientService,
    Row,
    Snapshot,
    Snapshots,
    columns,
    forget_webhooks,
    lines,
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

    service: TestService
    other: TestService
    newer: TestService
    """The same service under a newer version of the policy."""
    api: FlaskClient
    snapshots: Snapshots
    empty: Snapshot
    connected: Snapshot
    numbers: Iterator[int] = field(default_factory=count)
    sessions: dict[object, tuple[session_cells.Case, session_cells.Reading, Snapshot]] = field(
        default_factory=dict
    )
    """Sessions that are ready for an event, by their status and what was done before."""
    connections: dict[object, tuple[connection_cells.Case, connection_cells.Reading, Snapshot]] = field(
        default_factory=dict
    )

    def begin(self, snapshot: Snapshot) -> None:
        """Put the database and the time back, and let Google have no faults."""
        configure({})
        self.service.google.clear_faults()
        self.snapshots.put_back(snapshot)


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
    other = service.replica()
    newer = TestService.of(
        valkey_url, google_process, clock, **service.variables | {"CALENDAR_OPERATOR": str(policy)}
    )
    snapshots = Snapshots(valkey_url, clock)
    nothing = snapshots.take()
    service.connect()
    forget_webhooks(service, service.agent)
    api = create_app(service.parts).test_client()
    world = World(service, other, newer, api, snapshots, nothing, snapshots.take())
    yield world
    world.begin(nothing)
    clock.path.write_text("0", "ascii")
    snapshots.close()
    for one in (service, other, newer):
        one.close()


# --- the session's table ---


def session_case(
    world: World, happens: session_cells.Event, status: str
) -> tuple[session_cells.Case, session_cells.Reading]:
    """Return a session of this status that is ready for the event, and how it stands.

    An event that comes to Google gets a new session, because a snapshot does not put Google back.
    """
    if happens.at_google or happens.own_account:
        return _new_session(world, happens, status)
    key = status, happens.versions, happens.first
    if key not in world.sessions:
        world.sessions[key] = *_new_session(world, happens, status), world.snapshots.take()
    case, before, snapshot = world.sessions[key]
    world.begin(snapshot)
    return replace(case, contents=dict(case.contents)), before


def _new_session(
    world: World, happens: session_cells.Event, status: str
) -> tuple[session_cells.Case, session_cells.Reading]:
    world.begin(world.connected)
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
    before = case.reading()
    assert before.status == status.partition(",")[0]
    if happens.first is not session_cells.unknown:
        happens.first(case)
        before = case.reading()
    forget_webhooks(world.service, agent)
    case.answer = ""
    return case, before


@pytest.mark.parametrize("row", SESSION_ROWS, ids=str)
def test_a_session_goes_where_its_table_says(world: World, row: Row) -> None:
    happens = session_cells.EVENTS[row.event]
    case, before = session_case(world, happens, row.before)
    status = row.before.partition(",")[0]
    if row.cells["after"] == "cannot be":
        assert before.status != status
        return
    assert before.status == status
    happens.act(case)
    after = case.reading()
    if row.cells["after"] == "unchanged":
        assert session_cells.without_bookkeeping(after.record) == session_cells.without_bookkeeping(
            before.record
        )
    else:
        assert (after.status, after.reason) == (row.cells["after"], row.cells["reason"])
    assert case.answer == row.cells["answer"]
    assert ", ".join(case.webhooks()) == row.cells["webhook"]
    if row.cells["timer"] == "unchanged":
        assert after.due == before.due > 0
    else:
        assert after.timer(before.record) == row.cells["timer"]
    # Sealed content is stored exactly as long as it has to be written.
    assert after.has_content == (after.record is not None and session_cells.is_open(after.record))


# --- the connection's table ---


def connection_case(
    world: World, happens: connection_cells.Event, state: str
) -> tuple[connection_cells.Case, connection_cells.Reading]:
    """Return a connection in this state that is ready for the event, and how it stands.

    An event that ends something at Google gets a new one, because a snapshot does not put Google back.
    """
    if happens.own_account:
        return _new_connection(world, happens, state)
    key = state, happens.first
    if key not in world.connections:
        world.connections[key] = *_new_connection(world, happens, state), world.snapshots.take()
    case, before, snapshot = world.connections[key]
    world.begin(snapshot)
    return replace(case, consent=dict(case.consent)), before


def _new_connection(
    world: World, happens: connection_cells.Event, state: str
) -> tuple[connection_cells.Case, connection_cells.Reading]:
    world.begin(world.empty)
    number = next(world.numbers)
    agent, account = Agent("acme", f"agent-{number}"), f"person-{number}@example.com"
    case = connection_cells.Case(world.service, world.newer, agent, account)
    connection_cells.STATES[state](case)
    world.service.google.clear_faults()
    connection_cells.happen(case, happens.first)
    forget_webhooks(world.service, agent)
    case.answer = "ok"
    return case, case.reading()


@pytest.mark.parametrize("row", CONNECTION_ROWS, ids=str)
def test_a_connection_goes_where_its_table_says(world: World, row: Row) -> None:
    happens = connection_cells.EVENTS[row.event]
    case, before = connection_case(world, happens, row.before)
    assert before.state == row.before.partition(",")[0]
    connection_cells.happen(case, happens.act)
    after = case.reading()
    changed = [f"{name}: {value}" for name, value in after.facts.items() if before.facts[name] != value]
    added, ended = sorted(after.timers - before.timers), sorted(before.timers - after.timers)
    assert after.state == (before.state if row.cells["after"] == "unchanged" else row.cells["after"])
    assert "; ".join(changed) == row.cells["facts"]
    assert case.answer == row.cells["answer"]
    assert ", ".join(case.webhooks()) == row.cells["webhook"]
    assert " ".join([f"+{kind}" for kind in added] + [f"-{kind}" for kind in ended]) == row.cells["timers"]


def test_a_newer_policy_counts_at_once_also_where_nobody_was_told(world: World) -> None:
    case, _ = connection_case(world, connection_cells.EVENTS["The agent pauses"], "connected")
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
