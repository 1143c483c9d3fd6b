"""The rewrites of the database's files, step by step, over a real Valkey with an append-only file."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from calendar_service.config.database import database
from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND, Clock
from calendar_service.journeys.operations.file_rewrites import FileRewrites
from calendar_service.log import Log
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.file_rewrites import FileRewriteStore
from tests.conftest import MovableClock
from tests.support import servers
from tests.support.servers import Server

NEVER_ENDS = "1000000"
"""Microseconds for each key: a rewrite runs until a test stops it."""


@dataclass
class Books:
    """A database with its append-only file, and the steps of one process after another."""

    server: Server
    moved: MovableClock
    log: StringIO

    def process(self) -> FileRewrites:
        clock = Clock(lambda: self.moved.offset)
        address = deployment(database(f"redis://127.0.0.1:{self.server.port}/0"))
        return FileRewrites(
            FileRewriteStore(Database(address, clock, IdentityKey(b"identity" * 4).shard)),
            Log("worker", self.log),
            clock,
        )

    @property
    def rewrites(self) -> int:
        """The number of file rewrites that the server has begun since it started."""
        return int(self.server.client.info("persistence")["aof_rewrites"])

    def is_running(self) -> bool:
        return bool(self.server.client.info("persistence")["aof_rewrite_in_progress"])

    def alarms(self) -> list[int]:
        """Return the ages in seconds that the alarms gave for erased data in the files."""
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [line["seconds"] for line in lines if line["event"] == "erasure.left_in_files"]

    def rewrite_never_ends(self) -> Callable[[], None]:
        """Let rewrites last for ever; return a function that makes the present one fail and later ones fast."""
        self.server.client.set("key", "value")
        self.server.client.config_set("rdb-key-save-delay", NEVER_ENDS)

        def stop() -> None:
            number = self.server.process.pid
            (child,) = Path(f"/proc/{number}/task/{number}/children").read_text("ascii").split()
            os.kill(int(child), signal.SIGKILL)
            servers.until(lambda: not self.is_running())
            self.server.client.config_set("rdb-key-save-delay", "0")

        return stop


@pytest.fixture
def books(tmp_path: Path, test_clock: MovableClock) -> Iterator[Books]:
    with servers.server(tmp_path / "database", appendonly="yes", appendfsync="always") as server:
        yield Books(server, test_clock, StringIO())


def finished(process: FileRewrites) -> bool:
    """Take the next step; return whether the files hold nothing erased any more."""
    process.step()
    return process.files.waiting() == 0


def test_without_a_request_nothing_is_rewritten(books: Books) -> None:
    process = books.process()
    process.step()
    assert (books.rewrites, process.last_begin) == (0, 0)


def test_a_request_is_kept_until_the_rewrite_has_ended(books: Books) -> None:
    process = books.process()
    stop = books.rewrite_never_ends()
    process.files.request()
    for _ in range(3):
        process.step()
        assert process.running
        assert process.files.take() is None  # nobody else begins meanwhile
    stop()
    process.step()
    assert not process.running
    assert process.files.waiting() > 0
    assert len(books.alarms()) == 1
    books.moved.advance((HOUR + MINUTE) / SECOND)
    assert servers.until(lambda: finished(process))
    assert len(books.alarms()) == 1


def test_a_process_begins_at_most_once_a_minute(books: Books) -> None:
    process = books.process()
    process.files.request()
    assert servers.until(lambda: finished(process))
    process.files.request()
    process.files.give_back()
    process.step()
    assert (process.running, books.rewrites) == (None, 1)
    books.moved.advance(MINUTE / SECOND)
    assert servers.until(lambda: finished(process))
    assert books.rewrites == 2


def test_however_many_ask_a_rewrite_begins_an_hour_after_the_last(books: Books) -> None:
    process = books.process()
    process.files.request()
    assert servers.until(lambda: finished(process))
    process.files.request()
    books.moved.advance(59 * MINUTE / SECOND)
    process.step()
    assert (process.running, books.rewrites) == (None, 1)
    books.moved.advance(2 * MINUTE / SECOND)
    assert servers.until(lambda: finished(process))
    assert books.rewrites == 2


def test_a_process_that_starts_has_the_files_rewritten_though_nobody_asked(books: Books) -> None:
    process = books.process()
    process.start()
    process.step()
    servers.until(lambda: finished(process))
    assert books.rewrites == 1
    books.moved.advance(2 * MINUTE / SECOND)
    process.step()
    assert books.rewrites == 1


def test_a_process_that_starts_does_not_wait_for_one_that_died_during_a_rewrite(books: Books) -> None:
    dead = books.process()
    dead.files.request()
    assert dead.files.take()
    process = books.process()
    process.step()
    assert books.rewrites == 0
    process.start()
    process.step()
    assert books.rewrites == 1


@pytest.mark.parametrize(("age", "rewrites"), [(DAY // 2 - MINUTE, 1), (DAY // 2 + MINUTE, 2)])
def test_half_a_day_after_the_last_rewrite_the_next_one_begins_though_nobody_asked(
    books: Books, age: int, rewrites: int
) -> None:
    process = books.process()
    process.files.request()
    servers.until(lambda: finished(process))
    books.moved.advance(age / SECOND)
    process.step()
    assert books.rewrites == rewrites


def test_a_rewrite_that_somebody_else_began_counts_for_nobody(books: Books) -> None:
    process = books.process()
    stop = books.rewrite_never_ends()
    books.server.client.bgrewriteaof()
    process.files.request()
    process.step()
    assert not process.running
    assert books.alarms() == []
    assert process.files.take()  # given back
    process.files.give_back()
    stop()
    books.moved.advance(MINUTE / SECOND)
    assert servers.until(lambda: finished(process))
    assert books.rewrites == 2


def test_what_could_not_be_begun_for_a_day_is_told(books: Books) -> None:
    process = books.process()
    books.rewrite_never_ends()
    books.server.client.bgrewriteaof()
    process.files.request()
    books.moved.advance((DAY + MINUTE) / SECOND)
    process.step()
    assert [seconds >= DAY // SECOND for seconds in books.alarms()] == [True]


def test_a_clock_that_was_set_back_holds_no_rewrite_up(books: Books) -> None:
    process = books.process()
    books.moved.advance(30 * DAY / SECOND)
    process.files.request()
    servers.until(lambda: finished(process))
    books.moved.advance(-30 * DAY / SECOND)
    process.files.request()
    servers.until(lambda: finished(process))
    assert books.rewrites == 2
