"""Failover, sentinels, a cluster: an acknowledged write survives, and no other write is acknowledged."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from calendar_service.config.database import database
from calendar_service.domain.clock import DAY
from calendar_service.domain.connection import GrantState
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.deployment import deployment
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.server_checks import ServerChecks
from calendar_service.store.tickets import Ticket, Tickets
from tests.adapters.store.conftest import AGENT, Store
from tests.conftest import LONG, SHORT, MovableClock, Patience
from tests.support import servers
from tests.support.servers import Server

AGENTS = [Agent("acme", f"agent-{number}") for number in range(1, 9)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    with servers.followed(tmp_path / "servers") as both:
        yield both


def at(server: Server, clock: MovableClock, query: str = "?copies=1") -> Store:
    return Store(f"redis://127.0.0.1:{server.port}/0{query}", clock)


def test_what_was_acknowledged_stands_after_a_replica_took_over(
    pair: tuple[Server, Server], test_clock: MovableClock
) -> None:
    primary, replica = pair
    before = at(primary, test_clock)
    grant = before.connect()
    before.accept(before.wanted(grant))
    before.disconnect()
    primary.kill()
    replica.client.replicaof("NO", "ONE")
    after = at(replica, test_clock, "?copies=0")
    assert after.slots.read(AGENT).facts.grant.state is GrantState.RELEASED
    assert after.slots.read(AGENT).teardowns


def test_a_former_primary_that_nobody_follows_acknowledges_nothing(
    pair: tuple[Server, Server], test_clock: MovableClock, patience: Patience
) -> None:
    primary, replica = pair
    former = at(primary, test_clock)
    grant = former.connect()
    patience(SHORT)
    replica.client.replicaof("NO", "ONE")
    with pytest.raises(StoreUnavailable, match="every server that may take over"):
        former.accept(former.wanted(grant))
    with pytest.raises(StoreUnavailable):
        Tickets(former.database).issue(Ticket("acme", "agent-1", "en", "", "", 0))
    assert former.slots.read(AGENT).facts.grant.state is GrantState.LIVE  # reading needs no other server


def test_a_replica_that_stands_still_holds_back_the_word_and_no_more(
    pair: tuple[Server, Server], test_clock: MovableClock, patience: Patience
) -> None:
    primary, replica = pair
    store = at(primary, test_clock)
    store.connect()
    patience(SHORT)
    replica.signal(signal.SIGSTOP)
    with pytest.raises(StoreUnavailable):
        store.disconnect()
    another = at(primary, test_clock)
    with pytest.raises(StoreUnavailable):  # nothing is left to change, and what was changed nobody else has
        another.disconnect()
    with pytest.raises(StoreUnavailable):
        another.sessions.confirm(AGENT)
    replica.signal(signal.SIGCONT)
    patience(LONG)
    assert servers.until(lambda: primary.client.wait(1, 100))
    assert store.disconnect()[0] == "already"


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_closing_or_reopening_that_only_one_server_knows_is_not_acknowledged_when_it_is_asked_again(
    pair: tuple[Server, Server], test_clock: MovableClock, patience: Patience, *, is_closed: bool
) -> None:
    primary, replica = pair
    alone, store = at(primary, test_clock, "?copies=0"), at(primary, test_clock)
    store.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=not is_closed)
    patience(SHORT)
    replica.signal(signal.SIGSTOP)
    alone.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=is_closed)
    with pytest.raises(StoreUnavailable, match="every server that may take over"):
        store.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=is_closed)
    replica.signal(signal.SIGCONT)
    patience(LONG)
    assert servers.until(lambda: primary.client.wait(1, 100))
    store.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=is_closed)
    assert bool(replica.client.exists(keys.closed("acme"))) is is_closed


def test_without_copies_asked_for_a_lone_server_suffices(
    pair: tuple[Server, Server], test_clock: MovableClock
) -> None:
    primary, replica = pair
    replica.kill()
    assert at(primary, test_clock, "").connect()


def test_a_closed_deployment_leaves_no_connection_open(tmp_path: Path) -> None:
    with servers.server(tmp_path / "server") as server:
        closed = deployment(database(f"redis://127.0.0.1:{server.port}/0"))
        number = closed.primary_of("key").client.client_id()

        def is_open() -> bool:
            return number in {int(one["id"]) for one in server.client.client_list()}

        assert is_open()
        closed.close()
        assert servers.until(lambda: not is_open())


def test_sentinels_lead_to_the_primary_and_to_the_one_after_it(
    tmp_path: Path, test_clock: MovableClock
) -> None:
    with servers.watched(tmp_path / "servers") as (primary, replica, sentinel):
        store = Store(f"redis+sentinel://127.0.0.1:{sentinel.port}/calendars/0?copies=1", test_clock)
        grant = store.connect()
        servers.until(lambda: sentinel.client.execute_command("SENTINEL FAILOVER", "calendars"))
        servers.until(lambda: replica.client.role()[0] == "master")
        primary.client.replicaof("127.0.0.1", str(replica.port))  # the sentinel would, some seconds later

        def accepted() -> str:
            try:
                return store.accept(store.wanted(grant))[0]
            except StoreUnavailable:
                return ""

        assert servers.until(accepted) in {"leased", "again"}
        assert replica.client.hlen(store.key("sessions")) == 1
        assert primary.client.role()[0] == "slave"


def test_every_servers_file_is_rewritten_after_an_erasure(tmp_path: Path, test_clock: MovableClock) -> None:
    with servers.watched(tmp_path / "servers") as (primary, replica, sentinel):
        store = Store(f"redis+sentinel://127.0.0.1:{sentinel.port}/calendars?copies=1", test_clock)
        store.connect()
        store.disconnect()
        assert b"cal@group" in primary.files()
        servers.until(lambda: b"cal@group" in replica.files())
        test_clock.advance(8 * DAY / 1000)
        assert store.connections.erase(AGENT, Actor.SERVICE, "r1", "{}", timed=True) == "ok"
        files = FileRewriteStore(store.database)
        servers.until(lambda: files.outcome() != "running" and files.begin() == "ok")  # not at once
        servers.until(lambda: files.outcome() == "ok")
        servers.until(lambda: b"cal@group" not in primary.files() + replica.files())


def test_a_cluster_serves_every_step(tmp_path: Path, test_clock: MovableClock) -> None:
    with servers.cluster(tmp_path / "servers") as nodes:
        where = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        store = Store(f"redis+cluster://{where}?copies=0", test_clock)
        for number, agent in enumerate(AGENTS):
            store.connect(agent, f"account-{number}", f"c{number}")
        assert all(node.client.keys("{s*}:a:*:facts") for node in nodes)
        assert list(store.organization_index.members("acme")) == sorted(
            AGENTS, key=lambda agent: (store.shard_of(agent), agent.member)
        )
        test_clock.advance(2 * DAY / 1000)
        assert len(list(store.timers.due(32))) == len(AGENTS)
        assert len(ServerChecks(store.database).settings()) == len(nodes)
        assert FileRewriteStore(store.database).begin() == "ok"


def test_a_cluster_that_is_away_is_told_as_such(test_clock: MovableClock) -> None:
    store = Store("redis+cluster://127.0.0.1:1", test_clock)
    with pytest.raises(StoreUnavailable):
        store.slots.read(AGENT)
    with pytest.raises(StoreUnavailable):
        store.connect()


def test_a_key_that_moved_is_found_at_its_new_server(tmp_path: Path, test_clock: MovableClock) -> None:
    with servers.cluster(tmp_path / "servers") as (first, second):
        store = Store(f"redis+cluster://127.0.0.1:{first.port}?copies=0", test_clock)
        store.connect()
        slot = first.client.execute_command("CLUSTER KEYSLOT", store.key("facts"))
        holder, other = (first, second) if first.client.keys("*facts") else (second, first)
        names = holder.client.execute_command("CLUSTER GETKEYSINSLOT", slot, 100)
        ids = {node: node.client.execute_command("CLUSTER MYID") for node in (holder, other)}
        other.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[holder])
        holder.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[other])
        holder.client.execute_command("MIGRATE", "127.0.0.1", other.port, "", 0, 5000, "KEYS", *names)
        for node in (other, holder):
            node.client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[other])
        with pytest.raises(StoreUnavailable):
            store.disconnect()
        assert store.disconnect()[0] == "ok"
        assert isinstance(store.database.client, redis.RedisCluster)
