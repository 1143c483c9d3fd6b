"""All connections, counted. Must not name an agent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import AllConnections, ConnectionTotals

Walk = Callable[[Sequence[Agent]], Iterable[Agent]]
"""Yields the agents, and shows how far it is."""


@dataclass(frozen=True)
class ConnectionMeasures:
    """The connections as a whole."""

    all_connections: AllConnections
    clock: Clock

    def totals(self, walk: Walk) -> ConnectionTotals:
        """Return all connections, counted; reads every agent's slot, anew each time."""
        return self.all_connections.totals(walk)

    def oldest_refresh_age(self, totals: ConnectionTotals) -> Millis:
        """Return how long ago the grant that waits longest was last refreshed with success."""
        return max(0, self.clock.now() - totals.oldest_refresh_ok)
