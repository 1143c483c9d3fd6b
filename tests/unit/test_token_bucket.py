"""A bucket of tokens: what it holds at an instant, and when it holds one more."""

import pytest

from calendar_service.domain.clock import SECOND
from calendar_service.domain.token_bucket import Rate, TokenBucket

RATE = Rate(burst=10, seconds=5)
NOW = 1_000_000 * SECOND


@pytest.mark.parametrize(
    ("left", "passed", "expected"), [(0, 0, 0), (0, 1, 2), (4.5, 1, 6.5), (0, 5, 10), (9, 5, 10), (10, 0, 10)]
)
def test_a_bucket_fills_evenly_up_to_its_burst(left: float, passed: int, expected: float) -> None:
    filled = TokenBucket(left, NOW).filled(RATE, NOW + passed * SECOND)
    assert filled == TokenBucket(expected, NOW + passed * SECOND)


def test_a_bucket_of_a_later_instant_is_full() -> None:
    """A clock that was ahead wrote it; else its caller would wait until then."""
    assert TokenBucket(0, NOW + 3_600 * SECOND).filled(RATE, NOW).left == RATE.burst


def test_a_thread_that_read_the_clock_before_the_last_one_gets_no_full_bucket() -> None:
    assert TokenBucket(0, NOW).filled(RATE, NOW - 1) == TokenBucket(0, NOW)


@pytest.mark.parametrize(("missing", "seconds"), [(0.1, 1), (2, 1), (2.1, 2), (10, 5)])
def test_the_next_token_comes_after_whole_seconds(missing: float, seconds: int) -> None:
    assert RATE.seconds_until(missing) == seconds
