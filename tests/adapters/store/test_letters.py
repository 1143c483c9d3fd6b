"""Letters under their scripts: in order, one sender at a time, also without memory and with an odd clock."""

import pytest

from calendar_service.domain.session import Status
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.outbox import ERASED, Letters
from tests.adapters.store.conftest import AGENT, Store


@pytest.fixture
def listened(store: Store) -> Store:
    store.database.webhooks = True
    return store


@pytest.fixture
def letters(listened: Store) -> Letters:
    return Letters(listened.database)


def taken(letters: Letters) -> list[str]:
    """Deliver everything that is due; return what it was."""
    found = []
    while one := letters.take(AGENT):
        found.append(f"{one.letter.sequence} {one.letter.type} {one.letter.session}".strip())
        letters.done(AGENT, one.letter, "delivered")
    return found


def test_letters_go_in_the_order_of_what_happened(listened: Store, letters: Letters) -> None:
    grant = listened.connect()
    for session in ("s2", "s1"):
        listened.accept(listened.wanted(grant, session))
    listened.disconnect()
    told = taken(letters)
    assert told[:2] == ["1 connection.connected", "2 connection.disconnected"]
    assert sorted(one.partition(" ")[2] for one in told[2:]) == ["session.failed s1", "session.failed s2"]
    assert [one.partition(" ")[0] for one in told] == ["1", "2", "3", "4"]


def test_a_clock_that_goes_back_changes_no_order(listened: Store, letters: Letters) -> None:
    listened.connect()
    for paused in (True, False, True):
        listened.moved.advance(-3600)
        listened.connections.pause(AGENT, Actor.AGENT, paused=paused)
    listened.moved.advance(4 * 3600)
    assert [one.partition(" ")[0] for one in taken(letters)] == ["1", "2", "3", "4"]


def test_a_mark_that_a_jumped_clock_left_gives_nothing_up(listened: Store, letters: Letters) -> None:
    listened.moved.advance(31 * 86400)
    listened.connect()
    one = letters.take(AGENT)
    assert one is not None
    letters.done(AGENT, one.letter, "given_up")
    assert letters.take(AGENT) is None
    listened.moved.advance(8 * 86400)
    letters.end(AGENT)
    listened.moved.advance(-39 * 86400)
    listened.connections.pause(AGENT, Actor.AGENT, paused=True)
    assert taken(letters) == ["2 connection.paused"]


def test_a_settling_that_lost_its_lease_tells_nothing(listened: Store, letters: Letters) -> None:
    grant = listened.connect()
    _, fence = listened.accept(listened.wanted(grant))
    record = listened.wanted(grant, status=Status.SCHEDULED, fence=fence - 1, settled=1)
    assert not listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(letters) == ["1 connection.connected"]


def test_a_settling_that_changes_nothing_tells_nothing(listened: Store, letters: Letters) -> None:
    grant = listened.connect()
    _, fence = listened.accept(listened.wanted(grant))
    record = listened.wanted(grant, status=Status.SCHEDULED, fence=fence, settled=1)
    for _ in range(2):
        assert listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(letters) == ["1 connection.connected", "2 session.applied s1"]


def test_an_older_state_that_was_overtaken_is_not_told(listened: Store, letters: Letters) -> None:
    grant = listened.connect()
    _, fence = listened.accept(listened.wanted(grant))
    listened.accept(listened.wanted(grant, revision=2, fence=fence, leased=True))
    record = listened.wanted(grant, status=Status.SCHEDULED, fence=fence, settled=1)
    assert listened.sessions.settle(AGENT, "c1", record, again=None, latest=None, destroy_content=True)
    assert taken(letters) == ["1 connection.connected"]


def test_without_memory_letters_are_still_queued_by_an_end_and_delivered(
    listened: Store, letters: Letters
) -> None:
    listened.connect()
    redis = listened.database.client
    redis.config_set("maxmemory", "1mb")
    try:
        assert listened.disconnect()[0] == "ok"
        assert taken(letters) == ["1 connection.connected", "2 connection.disconnected"]
        assert listened.connections.erase(AGENT, Actor.SERVICE, "0-receipt", "{}", timed=False) == "ok"
        (one,) = letters.take_erased(listened.shard_of(), 10)
        assert (one.letter.type, one.letter.connection_id, one.letter.sequence) == (ERASED, "c1", 3)
        letters.erased_done(listened.shard_of(), one.letter, None)
    finally:
        redis.config_set("maxmemory", "0")
    assert not redis.exists(keys.erased(listened.shard_of()), keys.erased_due(listened.shard_of()))


def test_an_erasure_is_taken_by_one_sender_at_a_time(listened: Store, letters: Letters) -> None:
    listened.connect()
    listened.disconnect()
    listened.connections.erase(AGENT, Actor.SERVICE, "0-receipt", "{}", timed=False)
    assert letters.erased_shards() == [listened.shard_of()]
    assert len(letters.take_erased(listened.shard_of(), 10)) == 1
    assert letters.take_erased(listened.shard_of(), 10) == []
    listened.moved.advance(31)
    assert len(letters.take_erased(listened.shard_of(), 10)) == 1


def test_a_timer_without_letters_ends_by_itself(listened: Store, letters: Letters) -> None:
    listened.connect()
    taken(letters)
    assert "webhook" not in listened.slots.read(AGENT).due
    listened.moved.advance(7 * 86400 + 1)
    letters.end(AGENT)
    assert "webhook_expiry" not in listened.slots.read(AGENT).due
