"""Fixtures for every test: a real Valkey, emptied before each test, and a clock that tests move."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.domain.clock import DAY, SECOND, Millis
from calendar_service.store import database as database_module
from tests.support import written
from tests.support.whole_suite import (
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    the_whole_suite,
)
from tests.support.written import Monitor

__all__ = [
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "the_whole_suite",
]

Patience = Callable[[Millis], None]
LONG: Millis = 4_000
"""How long a write waits for its replicas in tests: a busy machine may need that; below the timeout of a socket."""
SHORT: Millis = 400
"""How long it waits where a test expects that they do not confirm."""

settings.register_profile("long", max_examples=2_000, deadline=None)  # `make test-long`


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    """Let writes of this process wait for their replicas: LONG, or as a test says."""

    def patience(millis: Millis) -> None:
        monkeypatch.setattr(database_module, "COPY_PATIENCE", millis)

    patience(LONG)
    return patience


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The one embedded Valkey of a process of the suite."""
    place = tmp_path_factory.mktemp("database")
    with EmbeddedValkey(place) as server:
        monitor = Monitor(server.url, place / written.FILE)
        monitor.start()
        yield server
    monitor.join()


@pytest.fixture(scope="session")
def valkey_url(valkey: EmbeddedValkey) -> str:
    """The address of Valkey, as CALENDAR_REDIS_URL takes it."""
    return valkey.url


@pytest.fixture
def clean_store(valkey_url: str) -> str:
    """The address of the database, emptied of data and scripts."""
    empty(valkey_url)
    return valkey_url


def empty(valkey_url: str) -> None:
    """Empty the database of data and scripts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(valkey_url.removeprefix("unix://"))
        connection.sendall(b"FLUSHALL SYNC\r\nSCRIPT FLUSH SYNC\r\n")
        answers = b""
        while answers.count(b"\r\n") < 2:
            answers += connection.recv(256)
    assert answers == b"+OK\r\n+OK\r\n"


@dataclass(frozen=True)
class MovableClock:
    """The file of CALENDAR_TEST_CLOCK, which all processes of a test read."""

    path: Path

    @property
    def offset(self) -> float:
        """The offset in seconds."""
        return float(self.path.read_text("ascii"))

    def advance(self, seconds: float) -> None:
        """Advance the time; no reader sees a half-written file."""
        draft = self.path.with_suffix(".new")
        draft.write_text(str(self.offset + seconds), "ascii")
        draft.replace(self.path)

    def to_noon(self) -> None:
        """Advance to the next noon (UTC): what a test does at once is then of one day."""
        now = time.time() + self.offset
        self.advance((DAY / SECOND / 2 - now) % (DAY / SECOND))


@pytest.fixture
def test_clock(tmp_path: Path) -> MovableClock:
    """A clock without offset until a test advances it."""
    path = tmp_path / "clock"
    path.write_text("0", "ascii")
    return MovableClock(path)
