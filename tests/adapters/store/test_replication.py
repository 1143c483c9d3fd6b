"""A write counts when every replica that could be promoted now has it (F38): real sentinels, a real cluster."""

import itertools
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from calendar_service.config.database import database
from calendar_service.domain.clock import Clock
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store import deployment as deployment_module
from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.replication import Primary
from tests.adapters.store.conftest import Store
from tests.conftest import SHORT, MovableClock, Patience
from tests.support import servers
from tests.support.servers import SentinelSet, Server

NEVER = 60_000
"""Milliseconds after which a sentinel holds a server for down, longer than a test takes."""
KEY = "{s0}:timers"


class Readings:
    """A deployment whose readings of the replicas are counted."""

    def __init__(self, url: str) -> None:
        self.count = 0
        self.deployment = deployment(database(url), self._observe)

    def _observe(self, _primaries: Iterable[Primary]) -> None:
        self.count += 1

    def after(self, count: int) -> int:
        """Return how many replicas a write waits for, after so many more readings."""
        self.deployment.primary_of(KEY)
        target = self.count + count
        assert servers.until(lambda: self.count >= target)
        return self.copies

    @property
    def copies(self) -> int:
        return self.deployment.primary_of(KEY).copies


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[SentinelSet]:
    with servers.sentinel_set(tmp_path / "servers") as whole:
        yield whole


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[SentinelSet]:
    """A set whose sentinels hold nobody for down."""
    with servers.sentinel_set(tmp_path / "servers", down_after=NEVER) as patient:
        yield patient


def write(store: Store, value: str = "1") -> bool:
    """Tell whether a write was acknowledged."""
    try:
        store.database.write("SADD", "{s0}:written", value)
    except StoreUnavailable:
        return False
    return True


def cut_links(primary: Server) -> None:
    """Cut the replicas from their primary, which lets them follow no more."""
    primary.client.acl_setuser("default", enabled=True, commands=["-psync", "-sync"])
    primary.client.client_kill_filter(_type="replica")


def test_behind_sentinels_a_write_counts_only_when_every_replica_has_it(
    patient: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    store = Store(patient.url, test_clock)
    assert write(store)
    patience(SHORT)
    patient.replicas[0].signal(signal.SIGSTOP)
    assert not write(store)
    patient.replicas[0].signal(signal.SIGCONT)
    assert servers.until(lambda: write(store))


def test_taking_what_is_not_there_waits_for_no_replica(
    patient: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    store = Store(patient.url, test_clock)
    store.database.write("SET", "{s0}:one-time", "1")
    patience(SHORT)
    patient.replicas[0].signal(signal.SIGSTOP)
    assert store.database.take("{s0}:another") is None
    with pytest.raises(StoreUnavailable):
        store.database.take("{s0}:one-time")
    patient.replicas[0].signal(signal.SIGCONT)
    assert store.database.take("{s0}:one-time") is None


def test_writes_go_on_without_a_replica_that_a_majority_holds_for_down_and_wait_for_it_again_when_it_is_back(
    whole: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    store, readings = Store(whole.url, test_clock), Readings(whole.url)
    lost = whole.replicas[0]
    assert (write(store), readings.copies) == (True, 2)
    patience(SHORT)
    lost.kill()
    assert servers.until(lambda: write(store))
    assert servers.until(lambda: readings.copies == 1)
    lost.restart()
    assert servers.until(lambda: readings.copies == 2)
    assert servers.until(lambda: write(store))


def test_with_every_replica_down_nothing_is_acknowledged(
    whole: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    store, readings = Store(whole.url, test_clock), Readings(whole.url)
    assert write(store)
    patience(SHORT)
    for replica in whole.replicas:
        replica.kill()
    assert servers.until(lambda: readings.copies == 1)
    assert servers.until(lambda: store.database.deployment.primary_of(KEY).copies == 1)
    assert not write(store)


def test_without_a_majority_of_sentinels_the_last_number_stays(
    whole: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    store, readings = Store(whole.url, test_clock), Readings(whole.url)
    assert (write(store), readings.copies) == (True, 2)
    patience(SHORT)
    for sentinel in whole.sentinels[1:]:
        sentinel.kill()
    whole.replicas[0].kill()
    last = whole.sentinels[0].client
    assert servers.until(lambda: any(one["is_sdown"] for one in last.sentinel_slaves("calendars")))
    assert readings.after(3) == 2
    assert not write(store)


def test_a_process_that_finds_only_few_sentinels_waits_for_every_replica_they_know(
    whole: SentinelSet,
) -> None:
    whole.replicas[0].kill()
    last = whole.sentinels[0].client
    assert servers.until(lambda: any(one["is_sdown"] for one in last.sentinel_slaves("calendars")))
    for sentinel in whole.sentinels[1:]:
        sentinel.kill()
    assert Readings(whole.url).copies == 2


def test_one_sentinel_in_the_address_suffices_to_find_the_majority(whole: SentinelSet) -> None:
    readings = Readings(whole.url_of(whole.sentinels[0]))
    assert readings.copies == 2  # what one of three says is no majority, and holds nobody for down
    whole.replicas[0].kill()
    assert servers.until(lambda: readings.copies == 1)


def test_replicas_that_the_sentinels_have_forgotten_still_count_while_they_follow(
    patient: SentinelSet,
) -> None:
    readings = Readings(patient.url)
    assert readings.copies == 2
    for sentinel in patient.sentinels:
        sentinel.client.execute_command("SENTINEL DEBUG", "info-period", NEVER)
        sentinel.client.execute_command("SENTINEL RESET", "calendars")
    assert readings.after(3) == 2


def test_a_replica_that_sentinels_alone_do_not_reach_counts_as_it_could_confirm_in_anothers_place(
    whole: SentinelSet,
) -> None:
    readings = Readings(whole.url)
    assert readings.copies == 2
    whole.replicas[0].client.acl_setuser("default", enabled=True, commands=["-ping"])

    def is_down() -> bool:
        views = [sentinel.client.sentinel_slaves("calendars") for sentinel in whole.sentinels]
        return all(any(one["is_sdown"] for one in view) for view in views)

    assert servers.until(is_down)
    assert readings.after(3) == 2


def test_replicas_without_their_primary_for_longer_than_sentinels_promote_them_do_not_count(
    tmp_path: Path,
) -> None:
    with servers.sentinel_set(tmp_path / "servers", down_after=300) as whole:
        for sentinel in whole.sentinels:
            sentinel.client.execute_command("SENTINEL DEBUG", "publish-period", NEVER)  # nobody leads it back
        readings = Readings(whole.url)
        cut_links(whole.primary)
        assert readings.after(1) == 2
        assert servers.until(lambda: readings.copies == 1)


def test_the_copies_of_the_address_are_a_minimum(
    patient: SentinelSet, test_clock: MovableClock, patience: Patience
) -> None:
    patience(SHORT)
    assert Readings(f"{patient.url}?copies=1").copies == 2
    store = Store(f"{patient.url}?copies=3", test_clock)
    assert store.database.deployment.primary_of(KEY).copies == 3
    assert not write(store)


def test_no_planned_failover_loses_what_was_acknowledged(
    whole: SentinelSet, test_clock: MovableClock
) -> None:
    """`python -m faults failovers` does the same two hundred times, to the whole service."""
    acknowledged: set[str] = set()
    stop = threading.Event()

    def write_on(name: str) -> None:
        store, number = Store(whole.url, test_clock), 0
        while not stop.is_set():
            number += 1
            if write(store, f"{name}-{number}"):
                acknowledged.add(f"{name}-{number}")

    threads = [threading.Thread(target=write_on, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            count = len(acknowledged)
            servers.until(lambda count=count: len(acknowledged) > count + 20, seconds=120)
            whole.fail_over()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    stored = whole.primary.client.smembers("{s0}:written")
    assert acknowledged - stored == set()


class Moving(deployment_module.Server):
    """A primary that is another server each time it is asked for."""

    def __init__(self, *addresses: Server) -> None:
        super().__init__(addresses[0].client, 0)
        self._each = itertools.cycle(Primary(one.client, ("", one.port), 0, 0) for one in addresses)

    def primary_of(self, key: str) -> Primary:  # noqa: ARG002 - every key is there
        return next(self._each)


def test_a_script_that_a_server_lacks_is_loaded_at_that_server_while_the_primary_moves(
    tmp_path: Path, test_clock: MovableClock
) -> None:
    with servers.server(tmp_path / "one") as one, servers.server(tmp_path / "other") as other:
        store = Database(Moving(one, other), Clock(lambda: test_clock.offset), lambda _: 0)
        FileRewriteStore(store).request()
        assert (one.client.exists(keys.REWRITE), other.client.exists(keys.REWRITE)) == (1, 0)


def test_a_server_that_refuses_to_rewrite_its_file_is_told_whichever_it_is(
    patient: SentinelSet, test_clock: MovableClock
) -> None:
    files = FileRewriteStore(Store(patient.url, test_clock).database)
    for server in (patient.primary, *patient.replicas):
        server.client.acl_setuser("default", enabled=True, commands=["-bgrewriteaof"])
        assert files.begin() == "refused"
        server.client.acl_setuser("default", enabled=True, commands=["+bgrewriteaof"])


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Server, list[Server]]]:
    """A cluster of three primaries; the first has two replicas."""
    with servers.cluster(tmp_path / "servers", 3, replicas=2) as nodes:
        yield nodes[0], nodes[3:]


def test_in_a_cluster_a_write_waits_for_every_replica_of_its_own_primary(
    nodes: tuple[Server, list[Server]], test_clock: MovableClock
) -> None:
    primary, replicas = nodes
    store = Store(f"redis+cluster://127.0.0.1:{primary.port}", test_clock)
    each = {one.address[1]: one for one in store.database.deployment.primaries()}
    assert sorted(one.copies for one in each.values()) == [0, 0, 2]
    assert (each[primary.port].copies, each[primary.port].following) == (2, 2)
    replicas[0].kill()
    assert servers.until(
        lambda: [one.copies for one in store.database.deployment.primaries() if one.copies] == [1]
    )


def test_a_clusters_replicas_whose_data_is_too_old_to_be_elected_do_not_count(
    nodes: tuple[Server, list[Server]], test_clock: MovableClock
) -> None:
    primary, replicas = nodes
    store = Store(f"redis+cluster://127.0.0.1:{primary.port}", test_clock)

    def copies() -> int:
        return max(one.copies for one in store.database.deployment.primaries())

    primary.client.config_set("repl-ping-replica-period", 1)
    primary.client.config_set("cluster-replica-validity-factor", 0)
    cut_links(primary)
    assert servers.until(
        lambda: replicas[0].client.info("replication").get("master_link_down_since_seconds", 0) >= 5
    )
    assert copies() == 2  # a factor of 0 lets them stand for election however old their data is
    primary.client.config_set("cluster-replica-validity-factor", 1)
    assert servers.until(lambda: copies() == 1)  # not 0: one has to hold a write in any case
