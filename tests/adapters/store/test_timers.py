"""The timers of all shards: who is due, who lies too far ahead, how far behind the workers are."""

from calendar_service.domain.audit import OVERDUE_AFTER
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.store import keys
from tests.adapters.store.conftest import AGENT, Store

AGENTS = [Agent("acme", f"agent-{number}") for number in range(1, 9)]


def timers_of(store: Store, agent: Agent = AGENT) -> dict[str, float]:
    return dict(store.database.client.zrange(store.key("due", agent), 0, -1, withscores=True))


def begin(store: Store, *agents: Agent) -> None:
    """Give these agents a slot without timers."""
    for agent in agents:
        store.connections.begin(agent, "digest")


def test_every_due_agent_of_every_shard_is_yielded_once_and_no_other(store: Store) -> None:
    begin(store, *AGENTS)
    for number, agent in enumerate(AGENTS):
        store.timers.reschedule(agent, "chore", 0 if number < 6 else HOUR)
    assert len({store.shard_of(agent) for agent in AGENTS}) > 4
    assert sorted(store.timers.due(10), key=str) == sorted(AGENTS[:6], key=str)
    assert list(store.timers.due(10)) == []
    store.moved.advance(30)  # the leases are over
    assert len(list(store.timers.due(10))) == 6


def test_no_more_agents_of_a_shard_are_yielded_than_were_asked_for(store: Store) -> None:
    same = [agent for agent in (Agent("acme", f"a{number}") for number in range(5_000))
            if store.shard_of(agent) == store.shard_of()][:3]  # fmt: skip
    begin(store, *same)
    for agent in same:
        store.timers.reschedule(agent, "chore", 0)
    assert [len(list(store.timers.due(2))) for _ in range(3)] == [2, 1, 0]


def test_the_backlog_is_how_many_are_due_and_for_how_long_the_first_has_been(store: Store) -> None:
    begin(store, *AGENTS)
    assert store.timers.backlog() == (0, 0, 0)
    store.timers.reschedule(AGENTS[0], "chore", HOUR)
    assert store.timers.backlog() == (0, 0, 0)
    store.moved.advance(3600 + 60)
    for agent in AGENTS[1:4]:
        store.timers.reschedule(agent, "chore", 0)
    count, longest, _ = store.timers.backlog()
    assert count == 4
    assert MINUTE <= longest < 2 * MINUTE


def test_an_erasure_is_overdue_a_while_behind_its_deadline_and_not_before(store: Store) -> None:
    store.connect()
    store.disconnect()
    deadline = store.database.client.zscore(keys.erasure_deadlines(store.shard_of()), AGENT.member)
    assert store.timers.backlog()[2] == 0
    store.moved.advance((deadline + OVERDUE_AFTER - MINUTE - store.clock.now()) / SECOND)
    assert store.timers.backlog()[2] == 0
    store.moved.advance(2 * MINUTE / SECOND)
    assert store.timers.backlog()[2] == 1


def test_only_agents_with_a_timer_beyond_two_days_are_far(store: Store) -> None:
    begin(store, *AGENTS)
    store.timers.reschedule(AGENTS[0], "chore", 2 * DAY - MINUTE)
    store.timers.reschedule(AGENTS[1], "chore", 2 * DAY + MINUTE)
    store.timers.reschedule(AGENTS[2], "chore", 0)
    store.timers.reschedule(AGENTS[2], "other", 30 * DAY)
    assert sorted(store.timers.far(), key=str) == sorted(AGENTS[1:3], key=str)


def test_far_timers_are_found_however_many_agents_there_are(store: Store) -> None:
    members = {f"acme/many-{number}": 30 * DAY + store.clock.now() for number in range(1_200)}
    store.database.client.zadd(keys.timers(7), members)
    assert {agent.member for agent in store.timers.far()} == members.keys()


def test_far_timers_are_made_due_but_for_told_and_promised_ends(store: Store) -> None:
    begin(store, AGENT)
    for kind in TimerKind:
        store.timers.reschedule(AGENT, kind.value, 30 * DAY)
    assert store.timers.reset_far(AGENT) == len(TimerKind) - 3
    now = store.clock.now()
    later = {name for name, at in timers_of(store).items() if at > now}
    assert later == {"erase", "hold", "webhook_expiry"}


def test_an_item_of_a_live_connection_starts_and_is_due_again_after_the_lease(store: Store) -> None:
    store.connect()
    store.timers.reschedule(AGENT, "channel", 0)
    ends = store.timers.start_item(AGENT, "channel")
    assert ends is not None
    assert abs(ends - store.clock.now() - keys.LEASE) < 5 * SECOND
    assert timers_of(store)["channel"] == ends


def test_an_item_of_an_ended_connection_does_not_start(store: Store) -> None:
    store.connect()
    store.disconnect()
    store.timers.reschedule(AGENT, "channel", 0)
    assert store.timers.start_item(AGENT, "channel") is None
    assert "channel" not in timers_of(store)


def test_a_timer_that_is_removed_takes_its_agent_from_the_shard(store: Store) -> None:
    begin(store, AGENT)
    store.timers.reschedule(AGENT, "chore", 0)
    store.timers.reschedule(AGENT, "chore", None)
    assert timers_of(store) == {}
    assert list(store.timers.due(10)) == []
