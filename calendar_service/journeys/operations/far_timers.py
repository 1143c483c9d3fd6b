"""Timers that a wrong clock put too far ahead (RV-1)."""

from dataclasses import dataclass

from calendar_service.store.scan import Scan
from calendar_service.store.timers import Timers


@dataclass(frozen=True)
class FarTimers:
    """Puts timers right after a clock that was ahead."""

    scan: Scan
    timers: Timers

    def reset(self) -> int:
        """Let every item be due now whose time is further ahead than it can be; return how many items that were."""
        return sum(self.timers.reset_far(agent) for agent in self.scan.agents())
