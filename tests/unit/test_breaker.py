"""The breaker: while nobody answers, one trial request is admitted in each rest."""

import pytest

from calendar_service.journeys.throttle.breaker import Breaker


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(tolerated=3, rest=10, now=time)


def test_some_failures_are_nothing_unusual(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.learn(answered=False)
    assert breaker.admit()
    breaker.learn(answered=True)
    for _ in range(2):
        breaker.learn(answered=False)
    assert breaker.admit()


def test_after_too_many_failures_in_a_row_one_trial_request_goes_in_each_rest(
    breaker: Breaker, time: Time
) -> None:
    for _ in range(3):
        assert breaker.admit()
        breaker.learn(answered=False)
    assert not breaker.admit()
    time.now += 10
    assert [breaker.admit() for _ in range(3)] == [True, False, False]
    breaker.learn(answered=False)
    time.now += 9
    assert not breaker.admit()
    time.now += 1
    assert breaker.admit()


def test_an_answered_trial_request_opens_the_way_for_all(breaker: Breaker, time: Time) -> None:
    for _ in range(5):
        breaker.learn(answered=False)
    time.now += 10
    assert breaker.admit()
    breaker.learn(answered=True)
    assert [breaker.admit() for _ in range(3)] == [True] * 3
