"""What the cells of docs/states.md share: parts of the service, snapshots of the database, the tables as rows."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import redis

from calendar_service.domain.names import Agent
from calendar_service.google.call_log import CallLog
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.dedicated_calendar import DedicatedCalendar
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.journeys.connection.legal_holds import Holds
from calendar_service.journeys.connection.pause import Pauses
from calendar_service.journeys.connection.reconsent import Reconsent
from calendar_service.journeys.connection.settings_page import SettingsPage
from calendar_service.journeys.connection.status import ConnectionStatus
from calendar_service.journeys.connection.teardown import Teardowns
from calendar_service.journeys.operations.organizations import Organizations
from calendar_service.journeys.sessions.change_detection import ChangeDetector
from calendar_service.journeys.sessions.reconcile import Reconcile
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.sessions.session_reader import SessionReader
from calendar_service.journeys.sessions.unsettled import UnsettledSessions
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import TimedSlot
from tests.conftest import MovableClock
from tests.support.service import TestService

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "states.md"
EVERY_OTHER: Final = "every other"


class PatientService(TestService):
    """A service whose agents act in Google's own pages with one token each."""

    @cached_property
    def _tokens(self) -> dict[str, str]:
        return {}

    def _person(self, account: str) -> str:
        if account not in self._tokens:
            self._tokens[account] = super()._person(account)
        return self._tokens[account]


# --- the parts of the service that the cells use: where they lie is known here alone ---


def slot_of(test: TestService, agent: Agent) -> TimedSlot:
    """Return the agent's slot as it is now."""
    return test.parts.store.slots.timed(agent)


def connections(test: TestService) -> Connections:
    return test.parts.store.connections


def sessions(test: TestService) -> Sessions:
    return test.parts.store.sessions


def schedule(test: TestService) -> Schedule:
    return test.parts.sessions.schedule


def reconcile(test: TestService) -> Reconcile:
    return test.parts.sessions.reconcile


def change_detector(test: TestService) -> ChangeDetector:
    return test.parts.sessions.change_detector


def status(test: TestService) -> ConnectionStatus:
    return test.parts.connection.status


def settings_page(test: TestService) -> SettingsPage:
    return test.parts.connection.settings_page


def pauses(test: TestService) -> Pauses:
    return test.parts.connection.pauses


def session_reader(test: TestService) -> SessionReader:
    return test.parts.sessions.reader


def unsettled(test: TestService) -> UnsettledSessions:
    return test.parts.sessions.unsettled


def dedicated_calendar(test: TestService) -> DedicatedCalendar:
    return test.parts.connection.dedicated_calendar


def access(test: TestService) -> Access:
    return test.parts.connection.access


def reconsent(test: TestService) -> Reconsent:
    return test.parts.connection.reconsent


def disconnect(test: TestService) -> Disconnect:
    return test.parts.connection.disconnect


def teardowns(test: TestService) -> Teardowns:
    return test.parts.connection.teardowns


def erasure(test: TestService) -> Erasure:
    return test.parts.connection.erasure


def holds(test: TestService) -> Holds:
    return test.parts.personal_data.holds


def organizations(test: TestService) -> Organizations:
    return test.parts.operations.organizations


def throttle(test: TestService) -> Throttle:
    return test.parts.google.throttle


def call_log(test: TestService) -> CallLog:
    return test.parts.google.call_log


# --- webhooks ---


def webhooks(test: TestService, agent: Agent) -> list[tuple[str, str]]:
    """Return what the backend is to be told: each event with its session, which is empty for the connection's own."""
    client = test.parts.store.database.client
    events = [json.loads(text) for text in client.zrange(test.key("outbox", agent), 0, -1)]
    erasures = client.zcard(keys.erased(test.shard_of(agent)))
    return [(event["type"], event.get("session", "")) for event in events] + [
        ("connection.erased", "")
    ] * erasures


def forget_webhooks(test: TestService, agent: Agent) -> None:
    """Let nothing be left to tell."""
    test.parts.store.database.client.delete(test.key("outbox", agent), keys.erased(test.shard_of(agent)))


# --- the database as it was ---


@dataclass(frozen=True)
class Snapshot:
    """All that the database held at one moment."""

    at: float
    """Seconds since 1970, by the clock of the tests."""
    values: dict[bytes, bytes]


class Snapshots:
    """Keeps the whole database as it is, and puts it back byte by byte."""

    def __init__(self, url: str, clock: MovableClock) -> None:
        self._client = redis.Redis(unix_socket_path=url.removeprefix("unix://"))
        self._clock = clock

    def take(self) -> Snapshot:
        """Return the database as it is now."""
        values = {key: self._client.dump(key) for key in self._client.keys("*")}
        return Snapshot(time.time() + self._clock.offset, values)

    def put_back(self, snapshot: Snapshot) -> None:
        """Let the database hold this and nothing else, at the moment at which it was taken; scripts stay loaded."""
        with self._client.pipeline(transaction=False) as send:
            send.flushall()
            for key, value in snapshot.values.items():
                send.restore(key, 0, value)
            send.execute()
        self._clock.advance(snapshot.at - time.time() - self._clock.offset)

    def close(self) -> None:
        """Close the connection to the database."""
        self._client.close()


# --- the document ---


@dataclass(frozen=True)
class Row:
    """One cell of a table in the document: what comes of an event in one state."""

    event: str
    before: str
    cells: dict[str, str]
    """The other columns, by their heading."""

    def __str__(self) -> str:
        return f"{self.event} / {self.before}".replace(", ", " ")


def rows(chapter: str, states: dict[str, tuple[str, ...]]) -> list[Row]:
    """Return the cells of this chapter's tables; `states`: those of each event, for a row of every other."""
    return [
        row for heading, table in tables(chapter) for row in _rows(heading, table, states.get(heading, ()))
    ]


def tables(chapter: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each heading of the third level in this chapter with the lines of its table, headings first."""
    for part in _chapter(chapter).split("\n### ")[1:]:
        heading, _, body = part.partition("\n")
        yield heading, _table(body)


def columns(chapter: str) -> list[str]:
    """Return the headings of this chapter's one table, without the first."""
    return _table(_chapter(chapter))[0][1:]


def lines(chapter: str) -> list[list[str]]:
    """Return the lines of this chapter's one table."""
    return _table(_chapter(chapter))[1:]


def _chapter(name: str) -> str:
    return DOCUMENT.read_text("utf-8").partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def _table(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|") and "|---" not in line]
    return [[_plain(cell) for cell in line.removeprefix("|").removesuffix("|").split("|")] for line in lines]


def _rows(event: str, table: list[list[str]], states: tuple[str, ...]) -> Iterator[Row]:
    (_, *names), *lines = table
    named = {state for line in lines for state in line[0].split("; ")}
    for first, *cells in lines:
        rest = [state for state in states if state not in named]
        for before in rest if first == EVERY_OTHER else first.split("; "):
            yield Row(event, before, dict(zip(names, cells, strict=True)))


def _plain(cell: str) -> str:
    return cell.replace("`", "").strip()
