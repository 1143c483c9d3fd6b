"""The request to rewrite the database's files: it stays until the rewrite is known to be done."""

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.store.file_rewrites import FileRewriteStore
from tests.adapters.store.conftest import Store


def test_only_one_worker_is_at_it_and_another_comes_an_hour_later(store: Store) -> None:
    one, other = FileRewriteStore(store.database), FileRewriteStore(store.database)
    assert one.take() is None
    one.request()
    first = one.take()
    assert first
    assert other.take() is None
    store.moved.advance(61 * MINUTE / SECOND)
    second = other.take()
    assert second
    assert (second.since, second.number) == (first.since, first.number)
    other.give_back()
    assert one.take()


def test_what_is_erased_during_a_rewrite_waits_for_the_next_one(store: Store) -> None:
    files = FileRewriteStore(store.database)
    files.request()
    desired = files.take()
    assert desired
    store.moved.advance(HOUR / SECOND / 2)
    files.request()
    files.done(desired)
    assert HOUR / 2 <= files.waiting() < HOUR  # since the one rewrite began, not since the first erasure
    assert files.take() is None  # one rewrite an hour at most
    store.moved.advance(HOUR / SECOND / 2)
    later = files.take()
    assert later
    files.done(later)
    assert files.waiting() == 0


def test_however_many_ask_one_rewrite_an_hour_is_leased(store: Store) -> None:
    files = FileRewriteStore(store.database)
    for _ in range(3):
        files.request()
    first = files.take()
    assert first
    files.done(first)
    files.request()
    assert files.take() is None
    store.moved.advance(HOUR / SECOND)
    assert files.take()


def test_a_dropped_value_is_gone_once_a_rewrite_that_began_later_has_ended(store: Store) -> None:
    files = FileRewriteStore(store.database)
    files.request()
    first = files.take()
    assert first
    dropped_at = first.taken_at
    assert files.gone_by(dropped_at) == dropped_at + DAY
    files.done(first)
    assert files.gone_by(dropped_at - 1) is None
    assert files.gone_by(dropped_at) == dropped_at + DAY, "it was dropped as the rewrite began"
    store.moved.advance(DAY / SECOND)
    assert files.gone_by(dropped_at) == 0, "the time is over"


def test_a_rewrite_that_ends_late_takes_no_request_of_others_with_it(store: Store) -> None:
    files = FileRewriteStore(store.database)
    files.request()
    desired = files.take()
    assert desired
    files.done(desired)
    files.request()
    store.moved.advance(1)
    files.done(desired)
    assert files.waiting() > 0


def test_a_turn_that_a_clock_since_put_right_set_holds_nobody_up(store: Store) -> None:
    files = FileRewriteStore(store.database)
    store.moved.advance(30 * DAY / SECOND)
    files.request()
    assert files.take()
    store.moved.advance(-30 * DAY / SECOND)
    assert files.take()
    assert files.waiting() == 0
