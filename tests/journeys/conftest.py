"""Fixtures of whole journeys: the service in this process, a real Valkey, the local Google over HTTP."""

from collections.abc import Iterator

import pytest
import redis

from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock, empty
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENTS, SECOND, TestService


@pytest.fixture(scope="session")
def google_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGoogle]:
    """One local Google for all journeys, with a clock of its own."""
    clock = tmp_path_factory.mktemp("google") / "clock"
    clock.write_text("0", "ascii")
    with LocalGoogle.start(clients=CLIENTS, clock_file=clock) as google:
        google.clock = MovableClock(clock)  # type: ignore[attr-defined]
        yield google


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle) -> Iterator[TestService]:
    """A test service over an empty store and an empty local Google, which share its clock."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    service = TestService.of(clean_store, google_process, clock)
    yield service
    service.close()


NEIGHBOUR = Agent("acme", "neighbour")


@pytest.fixture(scope="module")
def snapshot(
    valkey_url: str, google_process: LocalGoogle
) -> Iterator[tuple[TestService, dict[str, bytes], float]]:
    """A service with two connections, one of them ended, two checkpoints and later entries; its dump and clock."""
    google_process.reset()
    empty(valkey_url)
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    clock.to_noon()
    service = TestService.of(valkey_url, google_process, clock)
    service.connect()
    service.connect(NEIGHBOUR, SECOND)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.parts.sessions.schedule.put(NEIGHBOUR, "s1", service.content(), By.AGENT, None)
    service.parts.audit.sealer.checkpoint()
    clock.advance(DAY / 1000)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.audit.sealer.checkpoint()
    service.parts.sessions.schedule.put(NEIGHBOUR, "s2", service.content(), By.AGENT, None)
    service.parts.audit.sealer.seal()
    with redis.Redis(unix_socket_path=valkey_url.removeprefix("unix://")) as client:
        dump = {key.decode(): client.dump(key) for key in client.keys("*")}
    yield service, dump, clock.offset
    service.close()


@pytest.fixture
def populated(clean_store: str, snapshot: tuple[TestService, dict[str, bytes], float]) -> TestService:
    """The service of `snapshot`, its store restored for each test."""
    service, dump, offset = snapshot
    service.clock.path.write_text(str(offset), "ascii")
    service.parts.audit.sealer.chains = []
    with redis.Redis(unix_socket_path=clean_store.removeprefix("unix://")) as client:
        for key, text in dump.items():
            client.restore(key, 0, text)
    return service
