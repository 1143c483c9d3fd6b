"""The whole life of a connection over a cluster and behind sentinels: the same as over one server."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from calendar_service.domain.audit import AuditEntry, Chain
from calendar_service.domain.clock import DAY
from calendar_service.domain.connection import State
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store import answers, keys
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.audit_log import Actor
from calendar_service.store.database import Database
from tests.conftest import LONG, SHORT, MovableClock, Patience
from tests.journeys.test_commands import invoke
from tests.journeys.test_throttle import alarms
from tests.support import servers
from tests.support.local_google import LocalGoogle
from tests.support.service import SECOND, TestService


@pytest.fixture(params=["cluster", "sentinel"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, google_process: LocalGoogle
) -> Iterator[TestService]:
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with ExitStack() as stack:
        if request.param == "cluster":
            nodes = stack.enter_context(servers.cluster(tmp_path / "servers"))
            url = f"redis+cluster://127.0.0.1:{nodes[1].port}?copies=0"
        else:
            *_, sentinel = stack.enter_context(servers.watched(tmp_path / "servers"))
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/calendars"
        service = TestService.of(url, google_process, clock)
        yield service
        service.close()


def test_the_whole_life_of_two_connections(service: TestService) -> None:
    other = Agent("acme", "agent-2")
    service.connect()
    service.connect(other, SECOND)
    for agent in (service.agent, other):
        assert (
            service.parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, None).outcome
            == "created"
        )
        moved = service.parts.sessions.schedule.put(agent, "s1", service.content(days=4), By.AGENT, None)
        assert moved.status is Status.SCHEDULED
    service.google.fault({"path": "/calendar/v3/**"}, {"status": 503, "reason": "backendError"}, times=1)
    assert (
        service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None).status
        is Status.PENDING
    )
    service.clock.advance(60)
    service.work(2)
    assert len(service.events()) == 2
    assert (
        service.parts.sessions.schedule.cancel(service.agent, "s2", By.AGENT, None).status is Status.CANCELLED
    )
    listed = invoke(service, "connections", "list")
    assert (listed.exit_code, listed.output.count("connected")) == (0, 2)
    assert invoke(service, "doctor").exit_code == 0
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.clock.advance(8 * DAY / 1000)
    service.work(3)
    assert service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED
    assert service.parts.connection.status.of(other).state is State.CONNECTED


def test_what_was_not_acknowledged_is_not_acknowledged_when_it_is_asked_for_again(
    tmp_path: Path, google_process: LocalGoogle, patience: Patience
) -> None:
    """The first try is in the primary alone.

    A repetition that finds nothing left to do must not be answered before a replica has it.
    """
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    google_process.reset()
    with servers.followed(tmp_path / "servers") as (primary, replica):
        service = TestService.of(f"redis://127.0.0.1:{primary.port}/0?copies=1", google_process, clock)
        service.connect()
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
        service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
        patience(SHORT)
        replica.signal(signal.SIGSTOP)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)
        for gone in ("s1", "never seen"):
            with pytest.raises(StoreUnavailable):
                service.parts.sessions.schedule.cancel(service.agent, gone, By.AGENT, None)
        replica.signal(signal.SIGCONT)
        patience(LONG)
        servers.until(lambda: primary.client.wait(1, 100))
        again = service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)
        assert (again.outcome, again.status) == ("accepted", Status.PENDING)
        assert (
            service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None).outcome == "nothing"
        )
        service.close()


class SealedMeanwhile(AuditChainStore):
    """An audit chain in which something happens once, just before its heads are read."""

    def __init__(self, database: Database, act: Callable[[], object]) -> None:
        super().__init__(database)
        self.left = [act]

    def chains(self) -> list[Chain]:
        if self.left:
            self.left.pop()()
        return super().chains()


class ReadAtFormerPrimary(AuditChainStore):
    """An audit chain whose entries are gone once they were read: only a former primary had them."""

    def seal(self, before: Chain, after: Chain, sealed: Sequence[AuditEntry]) -> answers.AppendMacs:
        self._database.client.xdel(keys.audit_log(before.shard), sealed[0].id)
        return super().seal(before, after, sealed)


def test_an_entry_that_only_a_former_primary_had_gets_no_mac(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    chain = ReadAtFormerPrimary(service.parts.store.database)
    sealer = replace(service.parts.audit.sealer, audit_chain=chain, chains=[])
    for _ in range(3):
        sealer.seal()
    entries = [
        one for shard in keys.all_shards() for one in service.parts.audit.audit_export.reader.entries(shard)
    ]
    assert [one.id for one in entries if one.mac and not one.facts] == []
    assert alarms(capsys) == []


@pytest.mark.parametrize("heads", ["remembered", "read first"])
def test_a_failover_that_loses_seals_nobody_acknowledged_is_no_tampering(
    tmp_path: Path, google_process: LocalGoogle, capsys: pytest.CaptureFixture[str], heads: str
) -> None:
    """The sealer remembers a seal that the new primary never had.

    It must tell that from somebody who cut off the end of the log.
    """
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    google_process.reset()
    with servers.followed(tmp_path / "servers") as (primary, replica):
        url = f"redis://127.0.0.1:{primary.port}/0"
        service = TestService.of(f"{url}?copies=1", google_process, clock)
        alone = TestService.of(url, google_process, clock, **service.variables | {"CALENDAR_REDIS_URL": url})
        service.connect()
        while service.parts.audit.sealer.seal():
            pass

        def seal_where_nobody_follows() -> None:
            replica.client.replicaof("NO", "ONE")
            alone.parts.store.connections.choose_retention(service.agent, DAY)
            alone.parts.audit.sealer.seal()

        sealer = replace(
            service.parts.audit.sealer,
            audit_chain=SealedMeanwhile(service.parts.store.database, seal_where_nobody_follows),
            chains=service.parts.audit.sealer.chains if heads == "remembered" else [],
        )
        with pytest.raises(StoreUnavailable):
            sealer.checkpoint()
        # The one that took over knows nothing of it, and the former primary comes back as its copy.
        primary.client.replicaof("127.0.0.1", str(replica.port))
        servers.until(lambda: primary.client.info("replication")["master_link_status"] == "up")
        primary.client.replicaof("NO", "ONE")
        replica.client.replicaof("127.0.0.1", str(primary.port))
        servers.until(lambda: primary.client.wait(1, 100))
        primary.client.delete(keys.checkpoint_turn(1))
        service.parts.store.connections.choose_retention(service.agent, 2 * DAY)
        checkpoint = sealer.checkpoint()
        assert checkpoint
        assert ("faults: 0\n" in checkpoint.note, alarms(capsys)) == (True, [])
        for one in (service, alone):
            one.close()


@pytest.mark.parametrize(
    ("query", "lost", "status", "words"),
    [
        ("?copies=1", 0, 0, "following the primary: 1; every write waits for 1"),
        ("", 0, 0, "following the primary: 1; writes wait for 0, so a failover may lose"),
        ("?copies=2", 0, 1, "nothing is acknowledged"),
        ("?copies=0", 1, 0, ""),
    ],
)
def test_doctor_compares_the_replicas_that_writes_wait_for_with_those_there_are(
    tmp_path: Path, google_process: LocalGoogle, query: str, lost: int, status: int, words: str
) -> None:
    with servers.followed(tmp_path / "servers") as (primary, replica):
        if lost:
            replica.kill()
            servers.until(lambda: not primary.client.info("replication")["connected_slaves"])
        clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
        service = TestService.of(f"redis://127.0.0.1:{primary.port}/0{query}", google_process, clock)
        result = invoke(service, "doctor")
        service.close()
    assert (result.exit_code, words in result.output) == (status, True), result.output
    assert ("replicas" in result.output) == bool(words)


@pytest.mark.parametrize(
    ("query", "status", "words", "missing"),
    [
        ("", 0, "following the primary: 2; every write waits for 2", 0),
        ("?copies=1", 0, "following the primary: 2; every write waits for 2", 0),
        ("?copies=3", 1, "following the primary: 2; writes wait for 3, so nothing is acknowledged", 1),
    ],
)
def test_behind_sentinels_doctor_and_metrics_say_whether_enough_replicas_follow(
    tmp_path: Path, google_process: LocalGoogle, query: str, status: int, words: str, missing: int
) -> None:
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    with servers.sentinel_set(tmp_path / "servers", down_after=60_000) as whole:
        service = TestService.of(f"{whole.url}{query}", google_process, clock)
        result = invoke(service, "doctor")
        numbers = service.metrics()
        service.close()
    assert (result.exit_code, words in result.output) == (status, True), result.output
    assert numbers["calendar_database_replicas_missing"] == missing
