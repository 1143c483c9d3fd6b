"""Timers that a wrong clock put too far ahead (RV-1)."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from calendar_service.store.timers import Timers


@dataclass(frozen=True)
class FarTimers:
    """Puts timers right after a clock that was ahead."""

    timers: Timers

    def reset(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Let every item be due now whose time is further ahead than it can be; return how many items that were.

        Ends before the next agent once `is_stopped` tells so: the next walk finds the others.
        """
        far = takewhile(lambda _: not is_stopped(), self.timers.far())
        return sum(self.timers.reset_far(agent) for agent in far)
