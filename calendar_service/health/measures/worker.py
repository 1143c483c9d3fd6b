"""The workers: does anybody look after what is due? Must not name an agent."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.domain.clock import MINUTE, Millis
from calendar_service.store.timers import Timers

UNATTENDED_AFTER: Millis = 5 * MINUTE
"""A worker that takes an agent moves its time on, also where it fails; so nobody came for this long."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due."""

    agents: int
    longest_wait: Millis
    """For how long the first of them has been due."""

    @property
    def is_unattended(self) -> bool:
        """True: nothing is erased at its term, and nothing is tried again (ST-5)."""
        return self.longest_wait >= UNATTENDED_AFTER


@dataclass(frozen=True)
class WorkerMeasures:
    """The workers of all processes, by what they leave undone."""

    timers: Timers

    @cached_property
    def backlog(self) -> Backlog:
        """What is due now."""
        return Backlog(*self.timers.backlog())
