"""What the cells of docs/states.md share: the store put back as it was, the queue of webhooks, the tables as rows."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import redis

from calendar_service.domain.names import Agent
from calendar_service.store import keys
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


def webhooks(test: TestService, agent: Agent) -> list[tuple[str, str]]:
    """Return what the backend is to be told: each event with its session, which is empty for the connection's own."""
    queued = test.service.database.client.zrange(keys.part(agent, "outbox"), 0, -1)
    told = [json.loads(text) for text in queued]
    erased = test.service.database.client.zcard(keys.erased(agent.shard))
    return [(one["type"], one.get("session", "")) for one in told] + [("connection.erased", "")] * erased


def forget_webhooks(test: TestService, agent: Agent) -> None:
    """Let nothing be left to tell."""
    for key in (keys.part(agent, "outbox"), keys.erased(agent.shard)):
        test.service.database.client.delete(key)


# --- the store as it was ---


@dataclass(frozen=True)
class Snapshot:
    """All that the database held at one moment."""

    at: float
    """Seconds since 1970, by the clock of the tests."""
    values: dict[bytes, bytes]


def keep(url: str, clock: MovableClock) -> Snapshot:
    """Return the database as it is now."""
    with redis.Redis(unix_socket_path=url.removeprefix("unix://")) as client:
        return Snapshot(time.time() + clock.offset, {key: client.dump(key) for key in client.keys("*")})


def put_back(url: str, clock: MovableClock, snapshot: Snapshot) -> None:
    """Let the database hold this and nothing else, at the moment at which it was kept; scripts stay loaded."""
    with (
        redis.Redis(unix_socket_path=url.removeprefix("unix://")) as client,
        client.pipeline(transaction=False) as send,
    ):
        send.flushall()
        for key, value in snapshot.values.items():
            send.restore(key, 0, value)
        send.execute()
    clock.advance(snapshot.at - time.time() - clock.offset)


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
    found = [line for line in text.splitlines() if line.startswith("|") and "|---" not in line]
    return [[_plain(cell) for cell in line.removeprefix("|").removesuffix("|").split("|")] for line in found]


def _rows(event: str, table: list[list[str]], states: tuple[str, ...]) -> Iterator[Row]:
    (_, *names), *found = table
    named = {state for line in found for state in line[0].split("; ")}
    for first, *cells in found:
        rest = [state for state in states if state not in named]
        for before in rest if first == EVERY_OTHER else first.split("; "):
            yield Row(event, before, dict(zip(names, cells, strict=True)))


def _plain(cell: str) -> str:
    return cell.replace("`", "").strip()
