"""The fixture of the page tests: real database, local Google and web process. No worker, so that states stay."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.processes import parent_death
from calendar_service.store.ownership import NotOurDatabase
from local_google.state.clients import RegisteredClient
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENT_ID, CLIENT_SECRET, PERSON_ID, TestService

NOW = datetime(2031, 5, 5, 14, 0, tzinfo=UTC)
"""The time of every visit: a Monday morning in Santiago, so that pictures of two runs can be compared."""
_PATIENCE = 60


@dataclass(frozen=True)
class PageFixture:
    """One service, emptied for each page state."""

    url: str
    google: LocalGoogle
    clock: MovableClock
    service: TestService

    def clear(self) -> None:
        """Back to an empty service on the first day."""
        is_ours = False
        while not is_ours:
            self.service.parts.store.database.client.flushall()
            with suppress(NotOurDatabase):  # a request or a round of the page before has written behind it
                self.service.parts.store.ownership.begin()  # as the first `serve` or `work` does
                is_ours = True
        self.google.clear_faults()
        self.google.reset()
        self.clock.path.write_text(str(NOW.timestamp() - time.time()), "ascii")


@contextmanager
def page_fixture(home: Path, **changed: str) -> Iterator[PageFixture]:
    """Run the service until the end of the block; `changed` overrides variables."""
    port = free_port()
    url = f"http://localhost:{port}"
    clock = MovableClock(home / "clock")
    clock.path.write_text(str(NOW.timestamp() - time.time()), "ascii")
    clients = (
        RegisteredClient(CLIENT_ID, CLIENT_SECRET, "test-service", (f"{url}/oauth/callback",), "Videsk"),
        RegisteredClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",), "A person"),
    )
    own = {"CALENDAR_PUBLIC_URL": url, "CALENDAR_PORT": str(port), "CALENDAR_DATA_DIR": str(home / "data")}
    with EmbeddedValkey(home) as valkey, LocalGoogle.start(clients, clock_file=clock.path) as google:
        service = TestService.of(valkey.url, google, clock, **(own | changed))
        with web_process(service, port, home / "output"):
            yield PageFixture(url, google, clock, service)
        service.close()


@contextmanager
def web_process(service: TestService, port: int, output: Path) -> Iterator[None]:
    """Run a web process of this service at this port until the end of the block."""
    program = Path(sys.executable).with_name("calendar-service")
    command = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), program, "serve"]
    variables = {"PATH": os.environ["PATH"]} | service.variables | {"CALENDAR_PORT": str(port)}
    with (
        output.open("wb") as log,
        subprocess.Popen(command, env=variables, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _await_ready(process, port, output)
            yield
        finally:
            process.terminate()


def _await_ready(process: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("the web process did not get ready:\n" + output.read_text("utf-8"))


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
