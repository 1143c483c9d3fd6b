"""While the receiver of webhooks does not answer, only a trial request is sent from time to time."""

import pytest

from calendar_service.journeys.webhooks.receiver_breaker import ReceiverBreaker


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> ReceiverBreaker:
    return ReceiverBreaker(tolerated=3, pause=10, now=time)


def test_some_failures_are_nothing_unusual(breaker: ReceiverBreaker) -> None:
    for _ in range(2):
        breaker.learn(answered=False)
    assert breaker.admit()
    breaker.learn(answered=True)
    for _ in range(2):
        breaker.learn(answered=False)
    assert breaker.admit()


def test_after_too_many_in_a_row_one_trial_request_goes_in_each_pause(
    breaker: ReceiverBreaker, time: Time
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


def test_a_trial_request_that_is_answered_closes_it(breaker: ReceiverBreaker, time: Time) -> None:
    for _ in range(5):
        breaker.learn(answered=False)
    time.now += 10
    assert breaker.admit()
    breaker.learn(answered=True)
    assert [breaker.admit() for _ in range(3)] == [True] * 3
