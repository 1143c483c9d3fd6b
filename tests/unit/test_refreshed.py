"""A value that a thread reads anew: it outlives trouble, and ends with its owner."""

import threading
import weakref

import pytest
import redis

from calendar_service.store.refreshed import Refreshed


class Counter:
    """An owner that reads how often it has read, and fails when a test says so."""

    def __init__(self) -> None:
        self.count = 0
        self.trouble: Exception | None = None
        self.observed: list[int] = []
        self.refreshed = Refreshed(self.read, self.observed.append)

    def read(self, _last: int | None) -> int:
        if self.trouble:
            raise self.trouble
        self.count += 1
        return self.count


def test_the_first_use_reads_and_says_what_is_wrong() -> None:
    counter = Counter()
    counter.trouble = redis.ConnectionError("nobody answers")
    with pytest.raises(redis.ConnectionError):
        _ = counter.refreshed.value
    counter.trouble = None
    assert (counter.refreshed.value, counter.refreshed.value) == (1, 1)
    counter.refreshed.close()


def test_where_it_cannot_be_read_the_last_value_stays() -> None:
    counter = Counter()
    assert counter.refreshed.value == 1
    counter.trouble = redis.ConnectionError("nobody answers")
    assert counter.refreshed.refresh()
    assert counter.refreshed.value == 1
    counter.refreshed.close()
    assert not counter.refreshed.refresh()


def test_an_unexpected_error_is_reported_and_ends_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda error: reported.append(error.exc_type))
    counter = Counter()
    assert counter.refreshed.value == 1
    counter.trouble = KeyError("slave1")
    assert counter.refreshed.refresh()
    assert (reported[0], counter.refreshed.value) == (KeyError, 1)
    counter.trouble = None  # the thread reads once more when it is closed
    counter.refreshed.close()


def test_a_value_that_nobody_uses_any_more_keeps_nothing_alive() -> None:
    counter = Counter()
    assert counter.refreshed.value == 1
    gone = weakref.ref(counter)
    del counter
    assert gone() is None
