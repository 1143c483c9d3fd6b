"""All connections, counted. Must not name an agent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import Pulse, Register

Walk = Callable[[Sequence[Agent]], Iterable[Agent]]
"""Yields the agents, and shows how far it is."""


@dataclass(frozen=True)
class ConnectionMeasures:
    """The connections as a whole."""

    register: Register
    clock: Clock

    def totals(self, walk: Walk) -> Pulse:
        """Return all connections, counted; reads every agent's slot, anew each time."""
        return self.register.pulse(walk)

    def oldest_refresh_age(self, totals: Pulse) -> Millis:
        """Return how long ago the grant that waits longest was last refreshed with success."""
        return max(0, self.clock.now() - totals.oldest_proof)
