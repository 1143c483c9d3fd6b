"""How much content waits: counted where it changes, refused beyond the limit, and put right once a day."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendar_service.domain.caller_limits import CallerLimits, WaitingLimit
from calendar_service.domain.clock import DAY
from calendar_service.domain.errors import StoreUnavailable, TooManyRequests
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Status
from calendar_service.journeys.operations.waiting_repair import WaitingRepair
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.scan import Scan
from calendar_service.store.tickets import Ticket, Tickets
from calendar_service.store.waiting_load import LoadReading, WaitingContent
from tests.adapters.store.conftest import AGENT, Store

SMALL = CallerLimits(agent_waiting=WaitingLimit(3, 100), agent_records=5)


@pytest.fixture
def repair(store: Store) -> Callable[[], int]:
    """The daily repair."""
    return WaitingRepair(Scan(store.database), store.waiting_counts).repair


def counted(store: Store) -> WaitingContent:
    """Return what is counted of the agent's organization, in all shards."""
    store.load.refresh()
    return store.load.reading.organizations.get(AGENT.organization, WaitingContent())


def in_shard(store: Store) -> WaitingContent:
    """Return the same of the agent's shard alone."""
    fields = store.database.client.hgetall(keys.waiting_load(store.shard_of()))
    return WaitingContent(int(fields.get("acme/sessions", 0)), int(fields.get("acme/bytes", 0)))


def bytes_of_agent(store: Store) -> int:
    return int(store.database.client.hget(store.key("facts"), "waiting_bytes") or 0)


def waits(store: Store) -> WaitingContent:
    """Return what really waits."""
    contents = store.database.client.hvals(store.key("waiting"))
    return WaitingContent(len(contents), sum(map(len, contents)))


def put(store: Store, session: str, content: str, **changed: object) -> str:
    """Accept content for a session, as a PUT does; `changed`: fields of the record."""
    loaded = store.sessions.load(AGENT, session)
    before = loaded.record or store.wanted(store.grant, session, revision=0)
    record = replace(before, revision=before.revision + 1, status=Status.PENDING, **changed)  # type: ignore[arg-type]
    answer, _ = store.sessions.accept(
        loaded, record, content, Actor.BACKEND, inline=False, end=store.clock.now() + DAY
    )
    return answer


# --- the limit of an agent ---


@pytest.fixture
def limited(store: Store) -> Store:
    """A store with one agent who may have three sessions and 100 bytes waiting, and five records."""
    store.grant = store.connect()
    store.load.limits = SMALL
    return store


def test_more_sessions_than_may_wait_are_refused_and_nothing_is_written(limited: Store) -> None:
    for number in range(3):
        assert put(limited, f"s{number}", "sealed") == "queued"
    before = limited.database.client.hgetall(limited.key("sessions"))
    with pytest.raises(TooManyRequests) as refused:
        put(limited, "s3", "sealed")
    assert (refused.value.limit, refused.value.retry_after) == ("agent_waiting", 60)
    assert limited.database.client.hgetall(limited.key("sessions")) == before
    assert counted(limited) == waits(limited) == WaitingContent(3, 18)


def test_more_bytes_than_may_wait_are_refused(limited: Store) -> None:
    assert put(limited, "s1", "x" * 90) == "queued"
    with pytest.raises(TooManyRequests):
        put(limited, "s2", "x" * 11)
    assert put(limited, "s2", "x" * 10) == "queued"


def test_beyond_the_limit_a_cancel_and_what_takes_no_more_room_are_accepted(limited: Store) -> None:
    for number in range(3):
        put(limited, f"s{number}", "x" * 33)
    limited.load.limits = replace(SMALL, agent_waiting=WaitingLimit(0, 0))
    assert put(limited, "s0", "y" * 33) == "queued"
    assert put(limited, "s1", "y" * 20) == "queued"
    with pytest.raises(TooManyRequests):
        put(limited, "s1", "y" * 21)
    assert put(limited, "s2", "", must_exist=False) == "queued"
    assert counted(limited) == WaitingContent(2, 53)


def test_more_records_than_may_be_kept_are_refused_and_known_sessions_go_on(limited: Store) -> None:
    for number in range(5):
        put(limited, f"s{number}", "sealed")
        put(limited, f"s{number}", "", must_exist=False)
    with pytest.raises(TooManyRequests) as refused:
        put(limited, "s5", "sealed")
    assert refused.value.limit == "agent_records"
    assert put(limited, "s4", "sealed") == "queued"


# --- the limit of an organization, and the memory ---


def test_over_its_organizations_limit_only_what_takes_no_more_room_is_accepted(limited: Store) -> None:
    put(limited, "s1", "sealed")
    limited.load.limits = CallerLimits(organization_waiting=WaitingLimit(1, 2**20))
    assert put(limited, "s2", "sealed") == "queued"  # the last reading is of before
    limited.load.refresh()
    with pytest.raises(TooManyRequests) as refused:
        put(limited, "s3", "sealed")
    assert refused.value.limit == "organization_waiting"
    assert put(limited, "s1", "other!") == "queued"
    put(limited, "s1", "", must_exist=False)
    put(limited, "s2", "", must_exist=False)
    limited.load.refresh()
    assert put(limited, "s3", "sealed") == "queued"


def test_an_organization_is_summed_over_all_shards(store: Store) -> None:
    for number in range(8):
        agent = Agent("acme", f"agent-{number}")
        store.grant = store.connect(agent, connection_id=f"c{number}")
        loaded = store.sessions.load(agent, "s1")
        store.sessions.accept(
            loaded, store.wanted(store.grant), "sealed", Actor.BACKEND, inline=False, end=None
        )
    assert counted(store) == WaitingContent(8, 48)


def test_a_reading_that_is_old_counts_as_none(limited: Store) -> None:
    put(limited, "s1", "sealed")
    limited.load.refresh()
    limited.moved.advance(61)
    assert limited.load.reading == LoadReading()


@pytest.fixture
def nearly_full(limited: Store) -> Iterator[Store]:
    """A database that uses 90 of 100 parts of its memory."""
    client = limited.database.client
    limited.load.limits = CallerLimits()
    while not 0.87 < limited.load.reading.memory < 0.93:  # the server still frees what the test before left
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] / 0.9))
        limited.load.refresh()
    yield limited
    client.config_set("maxmemory", 0)


def test_while_the_database_is_nearly_full_long_texts_are_refused_and_short_ones_accepted(
    nearly_full: Store,
) -> None:
    assert 0.85 < nearly_full.load.reading.memory < 0.95
    with pytest.raises(StoreUnavailable, match="nearly full") as refused:
        put(nearly_full, "s1", "x" * 5_000)
    assert refused.value.retry_after == 60
    assert put(nearly_full, "s1", "x" * 500) == "queued"
    assert nearly_full.disconnect()[0] == "ok"


def test_while_the_database_is_nearly_full_links_connects_and_disconnects_go_on(nearly_full: Store) -> None:
    tickets, now = Tickets(nearly_full.database), nearly_full.clock.now()
    another = Agent("acme", "agent-2")
    link = tickets.issue(Ticket("acme", another.agent, "en", "UTC", "", now + DAY))
    ticket = tickets.take(link)
    assert ticket
    cookie, _ = tickets.open_browser(ticket)
    assert tickets.browser(cookie) is not None
    nearly_full.connect(another, connection_id="c2")
    assert nearly_full.slots.read(another).facts.is_live
    assert nearly_full.disconnect()[0] == "ok"
    nearly_full.load.refresh()
    assert nearly_full.load.reading.memory < 1


def test_a_database_without_a_limit_is_never_nearly_full(limited: Store) -> None:
    limited.load.refresh()
    assert limited.load.reading.memory == 0


# --- the counts are what waits ---

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "cancel", "settle", "fail", "disconnect", "erase", "purge"]),
        st.sampled_from(["s1", "s2", "s3"]),
        st.integers(1, 60),
    ),
    max_size=10,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_what_is_counted_is_what_waits_after_any_steps(
    store: Store, steps: list[tuple[str, str, int]]
) -> None:
    store.database.client.flushdb()
    store.load.limits = CallerLimits(agent_waiting=WaitingLimit(2, 100))
    store.grant = store.connect()
    for number, (step, session, size) in enumerate(steps):
        take(store, step, session, size, number)
        assert in_shard(store) == waits(store)
        assert bytes_of_agent(store) == waits(store).bytes
        assert waits(store).sessions <= 2
        assert waits(store).bytes <= 100
    store.disconnect()
    assert in_shard(store) == waits(store) == WaitingContent()


def take(store: Store, step: str, session: str, size: int, number: int) -> None:
    """Take one step; one that is not possible now changes nothing."""
    record = store.sessions.load(AGENT, session).record
    if step == "put":
        with suppress(TooManyRequests):
            put(store, session, "x" * size)
    elif step == "cancel" and record:
        put(store, session, "", must_exist=False)
    elif step in {"settle", "fail"} and record:
        settle(store, session, Status.SCHEDULED if step == "settle" else Status.FAILED)
    elif step in {"disconnect", "erase"}:
        store.disconnect()
        if step == "erase":
            store.connections.erase(AGENT, Actor.AGENT, "1-x", "{}", timed=False)
        store.grant = store.connect(connection_id=f"c-{number}")
    elif step == "purge":
        store.sessions.purge_old(AGENT, days_kept=-10_000)


def settle(store: Store, session: str, status: Status) -> None:
    leased = store.sessions.lease(AGENT, session)
    if leased is None:
        return
    record, _ = leased
    store.sessions.settle(
        AGENT, store.slots.read(AGENT).facts.connection_id, replace(record, status=status),
        again=None, latest=None, destroy_content=True,
    )  # fmt: skip


# --- the daily repair ---


def test_the_repair_finds_nothing_wrong_where_nothing_is(limited: Store, repair: Callable[[], int]) -> None:
    put(limited, "s1", "sealed")
    assert repair() == 0
    assert counted(limited) == WaitingContent(1, 6)


def test_a_slot_that_the_database_itself_expired_is_taken_off_the_sums(
    limited: Store, repair: Callable[[], int]
) -> None:
    put(limited, "s1", "sealed")
    for part in keys.SLOT_PARTS:
        limited.database.client.delete(limited.key(part))
    assert counted(limited) == WaitingContent(1, 6)
    assert repair() == 1
    assert counted(limited) == WaitingContent()
    assert limited.database.client.exists(keys.waiting_load(limited.shard_of())) == 0


def test_wrong_counts_of_an_agent_and_of_an_organization_are_put_right(
    limited: Store, repair: Callable[[], int]
) -> None:
    put(limited, "s1", "sealed")
    limited.database.client.hset(limited.key("facts"), "waiting_bytes", 1_000)
    limited.database.client.hset(keys.waiting_load(limited.shard_of()), "acme/sessions", 7)
    assert repair() == 2
    assert bytes_of_agent(limited) == 6
    assert counted(limited) == WaitingContent(1, 6)
    assert repair() == 0


def test_a_sum_that_changed_meanwhile_is_left_for_the_next_day(limited: Store) -> None:
    put(limited, "s1", "sealed")
    shard, loaded = limited.shard_of(), WaitingContent(1, 6)
    put(limited, "s2", "sealed")
    assert not limited.waiting_counts.correct(shard, "acme", loaded, WaitingContent(1, 6))
    assert counted(limited) == WaitingContent(2, 12)
