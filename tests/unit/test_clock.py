"""Instants that only a wrong clock can have set."""

import pytest

from calendar_service.domain.clock import DAY, HOUR, plausible

NOW = 20_000 * DAY


@pytest.mark.parametrize("at", [0, NOW - DAY, NOW, NOW + HOUR])
def test_an_instant_that_may_be_so_far_ahead_stays(at: int) -> None:
    assert plausible(at, NOW, HOUR) == at


@pytest.mark.parametrize("at", [NOW + HOUR + 1, NOW + 31 * DAY])
def test_an_instant_further_ahead_than_it_can_be_counts_as_long_past(at: int) -> None:
    assert plausible(at, NOW, HOUR) == 0
