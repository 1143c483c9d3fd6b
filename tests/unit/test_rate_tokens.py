"""Tokens that one process holds, where threads read the clock in another order than they come to the lock."""

from calendar_service.domain.clock import MINUTE
from calendar_service.journeys.throttle.tokens import AccountTokens, OncePerMinute, ProjectTokens
from calendar_service.store.rate_budget import LeasedTokens

NOW = 1_000_000 * MINUTE
A_MOMENT_BEFORE = NOW - 1


def test_an_account_gets_its_own_tokens_once_a_minute_though_a_thread_read_the_clock_before_it_began() -> (
    None
):
    tokens = AccountTokens(own=1)
    readings = (A_MOMENT_BEFORE, NOW, A_MOMENT_BEFORE, NOW)
    assert [tokens.spend("account", 1, now) for now in readings] == ["ok", "ok", "empty", "empty"]


def test_an_account_that_waits_waits_for_a_thread_too_that_read_the_clock_before() -> None:
    tokens = AccountTokens(own=1)
    tokens.fill("account", 0, NOW)
    assert tokens.is_waiting("account", A_MOMENT_BEFORE)
    assert tokens.spend("account", 1, A_MOMENT_BEFORE) == "wait"


def test_leased_tokens_of_the_project_stay_for_a_thread_that_read_the_clock_before() -> None:
    tokens = ProjectTokens()
    tokens.fill(LeasedTokens(2, low=False), NOW)
    assert tokens.spend("acme", 1, A_MOMENT_BEFORE) == "ok"


def test_a_lease_that_was_refused_is_not_asked_for_again_by_a_thread_that_read_the_clock_before() -> None:
    tokens = ProjectTokens()
    tokens.fill(LeasedTokens(0, low=False), NOW)
    assert tokens.spend("acme", 1, A_MOMENT_BEFORE) == "wait"


def test_what_counts_once_a_minute_counts_once_though_a_thread_read_the_clock_before_it_began() -> None:
    once = OncePerMinute()
    assert [once.is_first("connection", now) for now in (NOW, A_MOMENT_BEFORE, NOW)] == [True, False, False]


def test_a_clock_that_is_put_back_begins_a_minute_of_its_own() -> None:
    tokens = AccountTokens(own=1)
    assert [tokens.spend("account", 1, now) for now in (NOW, NOW - 10 * MINUTE)] == ["ok", "ok"]
