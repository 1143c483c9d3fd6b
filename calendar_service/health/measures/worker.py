"""Measures of the workers, by their backlog. They name no agent."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.domain.clock import MINUTE, Millis
from calendar_service.store.timers import Timers

UNATTENDED_AFTER: Millis = 5 * MINUTE
"""A worker that handles an agent moves its timer, also after a failure. So no worker came for this long."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The agents that are due."""

    agents: int
    longest_wait: Millis
    """How long the first of them has been due."""
    overdue_erasures: int
    """Agents whose erasure, or a teardown's token, is past its time by more than an hour."""

    @property
    def is_unattended(self) -> bool:
        """If true, no worker runs: nothing is erased in time, and nothing is retried (ST-5)."""
        return self.longest_wait >= UNATTENDED_AFTER


@dataclass(frozen=True)
class WorkerMeasures:
    """The workers of all processes."""

    timers: Timers

    @cached_property
    def backlog(self) -> Backlog:
        """The agents that are due now."""
        return Backlog(*self.timers.backlog())
