"""The part of the project's rate that a process has leased."""

from calendar_service.domain.clock import MINUTE, SECOND
from calendar_service.journeys.throttle.tokens import ProjectTokens
from calendar_service.store.rate_budget import LeasedTokens

NOW = 1_000 * MINUTE


def spendable(tokens: ProjectTokens, now: int = NOW) -> int:
    """Spend one unit at a time until there is none; return how many there were."""
    count = 0
    while tokens.spend("acme", 1, now) == "ok":
        count += 1
    return count


def test_what_requests_lease_at_the_same_time_is_all_spent() -> None:
    tokens = ProjectTokens()
    for _ in range(8):  # eight threads found them used up before any of them had leased more
        assert tokens.spend("acme", 1, NOW) == "empty"
    for _ in range(8):
        tokens.fill(LeasedTokens(100, low=False), NOW)
    assert spendable(tokens) == 800


def test_what_is_left_when_a_dearer_call_finds_too_little_is_spent_too() -> None:
    tokens = ProjectTokens()
    tokens.fill(LeasedTokens(5, low=False), NOW)
    assert tokens.spend("acme", 3, NOW) == "ok"
    assert tokens.spend("acme", 3, NOW) == "empty"
    tokens.fill(LeasedTokens(4, low=False), NOW)
    assert spendable(tokens) == 6


def test_a_lease_that_is_over_is_not_added_to_the_next_one() -> None:
    tokens = ProjectTokens()
    tokens.fill(LeasedTokens(100, low=False), NOW)
    later = NOW + MINUTE + SECOND
    assert tokens.spend("acme", 1, later) == "empty"
    tokens.fill(LeasedTokens(7, low=False), later)
    assert spendable(tokens, later) == 7
