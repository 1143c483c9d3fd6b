"""The outbox's scripts: events in order, one sender at a time, also without memory and with a wrong clock."""

from dataclasses import replace

import pytest

from calendar_service.domain.session import Status
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.outbox import ERASED, Outbox
from tests.adapters.store.conftest import AGENT, Store


@pytest.fixture
def listened(store: Store) -> Store:
    store.database.webhooks = True
    return store


@pytest.fixture
def outbox(listened: Store) -> Outbox:
    return Outbox(listened.database)


def taken(outbox: Outbox) -> list[str]:
    """Deliver every event that is due; return the events."""
    events = []
    while one := outbox.lease(AGENT):
        events.append(
            f"{one.webhook_event.sequence} {one.webhook_event.type} {one.webhook_event.session}".strip()
        )
        outbox.done(AGENT, one.webhook_event, "delivered")
    return events


def test_webhook_events_go_in_the_order_of_what_happened(listened: Store, outbox: Outbox) -> None:
    grant = listened.connect()
    for session in ("s2", "s1"):
        listened.accept(listened.wanted(grant, session))
    listened.disconnect()
    events = taken(outbox)
    assert events[:2] == ["1 connection.connected", "2 connection.disconnected"]
    assert sorted(one.partition(" ")[2] for one in events[2:]) == ["session.failed s1", "session.failed s2"]
    assert [one.partition(" ")[0] for one in events] == ["1", "2", "3", "4"]


def test_a_clock_that_goes_back_changes_no_order(listened: Store, outbox: Outbox) -> None:
    listened.connect()
    for paused in (True, False, True):
        listened.moved.advance(-3600)
        listened.connections.pause(AGENT, Actor.AGENT, paused=paused)
    listened.moved.advance(4 * 3600)
    assert [one.partition(" ")[0] for one in taken(outbox)] == ["1", "2", "3", "4"]


def test_a_watermark_that_a_jumped_clock_left_abandons_nothing(listened: Store, outbox: Outbox) -> None:
    listened.moved.advance(31 * 86400)
    listened.connect()
    one = outbox.lease(AGENT)
    assert one is not None
    outbox.done(AGENT, one.webhook_event, "given_up")
    assert outbox.lease(AGENT) is None
    listened.moved.advance(8 * 86400)
    outbox.end(AGENT)
    listened.moved.advance(-39 * 86400)
    listened.connections.pause(AGENT, Actor.AGENT, paused=True)
    assert taken(outbox) == ["2 connection.paused"]


def test_a_settling_that_lost_its_lease_tells_nothing(listened: Store, outbox: Outbox) -> None:
    grant = listened.connect()
    _, accepted = listened.accept(listened.wanted(grant))
    record = replace(accepted, status=Status.SCHEDULED, fencing_token=accepted.fencing_token - 1)
    assert not listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(outbox) == ["1 connection.connected"]


def test_a_settling_that_changes_nothing_tells_nothing(listened: Store, outbox: Outbox) -> None:
    grant = listened.connect()
    _, accepted = listened.accept(listened.wanted(grant))
    record = replace(accepted, status=Status.SCHEDULED)
    for _ in range(2):
        assert listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(outbox) == ["1 connection.connected", "2 session.applied s1"]


def test_an_older_state_that_was_overtaken_is_not_told(listened: Store, outbox: Outbox) -> None:
    grant = listened.connect()
    _, accepted = listened.accept(listened.wanted(grant))
    listened.accept(replace(accepted, revision=2))
    record = replace(accepted, status=Status.SCHEDULED)
    assert listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(outbox) == ["1 connection.connected"]


def test_without_memory_webhook_events_are_still_queued_by_an_end_and_delivered(
    listened: Store, outbox: Outbox
) -> None:
    listened.connect()
    redis = listened.database.client
    redis.config_set("maxmemory", "1mb")
    try:
        assert listened.disconnect()[0] == "ok"
        assert taken(outbox) == ["1 connection.connected", "2 connection.disconnected"]
        assert listened.connections.erase(AGENT, Actor.SERVICE, "0-receipt", "{}", timed=False) == "ok"
        (one,) = outbox.lease_erased(listened.shard_of(), 10)
        assert (one.webhook_event.type, one.webhook_event.connection_id, one.webhook_event.sequence) == (
            ERASED,
            "c1",
            3,
        )
        outbox.erased_done(listened.shard_of(), one.webhook_event, None)
    finally:
        redis.config_set("maxmemory", "0")
    assert not redis.exists(keys.erased(listened.shard_of()), keys.erased_due(listened.shard_of()))


def test_an_erasure_is_taken_by_one_sender_at_a_time(listened: Store, outbox: Outbox) -> None:
    listened.connect()
    listened.disconnect()
    listened.connections.erase(AGENT, Actor.SERVICE, "0-receipt", "{}", timed=False)
    assert outbox.erased_shards() == [listened.shard_of()]
    assert len(outbox.lease_erased(listened.shard_of(), 10)) == 1
    assert outbox.lease_erased(listened.shard_of(), 10) == []
    listened.moved.advance(31)
    assert len(outbox.lease_erased(listened.shard_of(), 10)) == 1


def test_a_timer_without_webhook_events_ends_by_itself(listened: Store, outbox: Outbox) -> None:
    listened.connect()
    taken(outbox)
    assert "webhook" not in listened.slots.timed(AGENT).due
    listened.moved.advance(7 * 86400 + 1)
    outbox.end(AGENT)
    assert "webhook_expiry" not in listened.slots.timed(AGENT).due
