"""Random pauses stay within their promised bounds."""

import pytest

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.jitter import jitter, spread

TIMES = 2_000


@pytest.mark.parametrize("pause", [SECOND, HOUR, DAY])
def test_jitter_takes_away_up_to_a_half(pause: int) -> None:
    pauses = [jitter(pause) for _ in range(TIMES)]
    assert pause // 2 <= min(pauses) < pause * 0.55
    assert pause * 0.95 < max(pauses) <= pause


@pytest.mark.parametrize("part", [4, 8])
def test_a_spread_pause_is_shorter_as_often_as_longer(part: int) -> None:
    width = DAY // part
    pauses = [spread(DAY, part) for _ in range(TIMES)]
    assert DAY - width <= min(pauses) < DAY - 0.9 * width
    assert DAY + 0.9 * width < max(pauses) < DAY + width
    assert 0.4 * TIMES < sum(pause < DAY for pause in pauses) < 0.6 * TIMES


@pytest.mark.parametrize("pause", [0, 1, 2, 3])
def test_the_shortest_pauses_have_a_spread_too(pause: int) -> None:
    assert {jitter(pause) for _ in range(100)} <= {*range(pause // 2, pause + 1)}
    assert {spread(pause) for _ in range(100)} <= {pause - 1, pause}
