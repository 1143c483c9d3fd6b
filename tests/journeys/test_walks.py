"""What reads all agents: many in one round trip, and no more of them held at a time among many than among few."""

import gc
import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from click.testing import CliRunner

from calendar_service.cli import main
from calendar_service.cli.asking import table
from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.account_refs import AccountRef
from calendar_service.store.audit_log import Actor
from calendar_service.store.scan import Scan, Use
from calendar_service.store.slots import AGENTS_READ, Slot
from calendar_service.worker.loop import Worker
from tests.support.service import SECOND as OTHER_ACCOUNT
from tests.support.service import TestService

MANY = 3 * AGENTS_READ
PARTS = ("facts", "grant", "due", "teardowns")


def copies(service: TestService, names: list[Agent]) -> None:
    """Copy the slot of the connected agent under these names, each key as the store wrote it."""
    database = service.parts.store.database
    own = database.slot_keys(service.agent)
    pipeline = database.client.pipeline(transaction=False)
    for agent in names:
        slot = database.slot_keys(agent)
        for part in PARTS:
            pipeline.copy(own.part(part), slot.part(part), replace=True)
        pipeline.sadd(keys.index(slot.shard, agent.organization), slot.member)
    pipeline.execute()


@pytest.fixture
def crowd(service: TestService) -> TestService:
    """A service with many connections of one account."""
    service.connect()
    copies(service, [Agent("acme", f"copy-{number:04}") for number in range(MANY - 1)])
    return service


def round_trips(service: TestService, walk: Callable[[], object]) -> int:
    before = service.parts.store.database.round_trips
    walk()
    return service.parts.store.database.round_trips - before


def sent(service: TestService, command: str) -> int:
    """Return how many such commands the database has carried out."""
    stats = service.parts.store.database.client.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


def alive(*kinds: type) -> int:
    """Return how many objects of these classes exist in this process now."""
    return sum(isinstance(each, kinds) for each in gc.get_objects())


def test_all_connections_are_listed_counted_and_examined_in_a_few_round_trips(crowd: TestService) -> None:
    parts = crowd.parts
    rotation, connections = parts.operations.rotation, parts.operations.all_connections
    walks: list[Callable[[], object]] = [
        lambda: list(connections.entries()),
        lambda: connections.totals(list),
        rotation.status,
        lambda: list(parts.personal_data.holds.standing()),
        lambda: list(parts.connection.reconsent.outdated_consents()),
        lambda: parts.store.scan.ends(parts.clock.now()),
        lambda: list(parts.store.scan.uses()),
    ]
    assert sum(one.grants for one in rotation.status()) == MANY
    assert connections.totals(list).living == MANY
    assert [round_trips(crowd, walk) < 15 for walk in walks] == [True] * len(walks)


def test_the_states_of_an_organization_are_counted_in_a_few_round_trips(crowd: TestService) -> None:
    organizations = crowd.parts.operations.organizations
    assert organizations.progress("acme").states == {State.CONNECTED: MANY}
    before = sent(crowd, "hgetall")
    assert round_trips(crowd, lambda: organizations.progress("acme")) <= 8 + 2 + 1
    assert sent(crowd, "hgetall") == before  # not all facts, but those that decide the state


def test_the_first_round_of_a_worker_asks_no_more_among_many_agents(service: TestService) -> None:
    """What walks all agents at the start runs beside the rounds."""

    def first_round() -> int:
        worker = Worker(service.parts)
        return round_trips(service, worker.round)

    service.connect()
    first_round()  # what is due of the connect
    alone = first_round()
    copies(service, [Agent("acme", f"copy-{number:04}") for number in range(AGENTS_READ)])
    for agent in service.parts.store.scan.agents():
        shard = service.parts.store.database.slot_keys(agent).shard
        service.parts.store.database.client.zadd(
            keys.timers(shard), {agent.member: service.parts.clock.now() + DAY}
        )
    assert first_round() == alone


def test_a_walk_reads_no_further_than_it_is_taken(crowd: TestService) -> None:
    scan = crowd.parts.store.scan
    for command, walk in (("hmget", scan.states()), ("hmget", scan.uses())):
        before = sent(crowd, command)
        next(iter(walk))
        assert 0 < sent(crowd, command) - before <= 1_000 < MANY
    before = sent(crowd, "get")
    next(crowd.parts.operations.all_connections.entries())
    assert sent(crowd, "get") - before == AGENTS_READ


def test_a_list_holds_no_more_connections_than_one_round_trip_brought(crowd: TestService) -> None:
    held = [
        alive(Slot)
        for number, _ in zip(count(), crowd.parts.operations.all_connections.entries(), strict=False)
        if number % 400 == 0
    ]
    assert len(held) == MANY // 400 + 1
    assert max(held) <= 2


def test_a_repair_of_account_references_holds_a_part_of_them_at_a_time(crowd: TestService) -> None:
    turns, held = count(), list[int]()

    def is_stopped() -> bool:
        if next(turns) % 400 == 0:
            held.append(alive(Use, AccountRef))
        return False

    crowd.parts.operations.shared_account_repair.repair(is_stopped)
    assert len(held) > 3
    assert max(held) <= 2 * 500 + 10 < MANY


def test_agents_come_once_in_an_order_in_which_one_can_go_on_behind_any(service: TestService) -> None:
    """`a-b/x` comes before `a/x` as a text, though `a` comes before `a-b`."""
    service.connect()
    copies(service, [Agent("acme-b", "x"), Agent("acme.c", "x"), Agent("acme", "z")])
    client = service.parts.store.database.client
    client.hset(service.key("teardowns"), "one", "{}")  # an agent with both parts comes once
    members = [agent.member for agent in service.parts.store.scan.agents()]
    assert members == sorted(members)
    assert members == ["acme-b/x", "acme.c/x", "acme/agent-1", "acme/z"]


def test_a_stopped_comparison_goes_on_with_every_connection_that_is_left(service: TestService) -> None:
    service.connect()
    service.connect(Agent("acme-b", "x"), OTHER_ACCOUNT)
    words = ("connections", "reconcile", "--json", "--after", "acme-b/x")
    output = CliRunner().invoke(main, words, env=service.variables).stdout
    assert json.loads(output)["compared"] == 1
    words = ("connections", "reconcile", "--json", "--after", "acme/agent-1")
    output = CliRunner().invoke(main, words, env=service.variables).stdout
    assert json.loads(output)["compared"] == 0


def test_a_list_in_json_is_written_entry_by_entry_as_it_would_be_at_once(service: TestService) -> None:
    words = ("connections", "list", "--json")
    assert CliRunner().invoke(main, words, env=service.variables).stdout == "[]\n"
    service.connect()
    copies(service, [Agent("acme", "agent-2")])
    output = CliRunner().invoke(main, words, env=service.variables).stdout
    assert output == json.dumps(json.loads(output), indent=2, ensure_ascii=False) + "\n"
    assert [one["agent"] for one in json.loads(output)] == ["agent-1", "agent-2"]


def test_a_table_is_printed_before_its_last_row_is_known() -> None:
    lines = list[str]()

    def rows() -> Iterator[tuple[str, str]]:
        yield from [("name", "state")] * 500
        assert len(lines) == 500
        yield "a-longer-name", "x"
        yield "b", "y"

    table(rows(), lines.append)
    assert lines[0] == "name  state"
    assert lines[500:] == ["a-longer-name  x", "b              y"]


class FindsTwice(Scan):
    """A scan that finds each key twice, as it may while the database makes its table smaller."""

    def _names(self, pattern: str) -> Iterator[str]:
        return (name for each in super()._names(pattern) for name in (each, each))


def test_a_connection_that_a_scan_finds_twice_is_counted_once(service: TestService) -> None:
    service.connect()
    service.clock.advance(3 * DAY / SECOND)
    scan, now = FindsTwice(service.parts.store.database), service.parts.store.totals.now()
    assert scan.ends(now).unverified == 1
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert scan.ends(service.parts.store.totals.now()).due == 1
    assert len(list(scan.agents())) == 1
