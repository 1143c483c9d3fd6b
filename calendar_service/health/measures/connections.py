"""Measures of all connections together. They name no agent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import AllConnections, ConnectionTotals

Progress = Callable[[Sequence[Agent]], Iterable[Agent]]
"""Yields the given agents and shows the progress."""


@dataclass(frozen=True)
class ConnectionMeasures:
    """All connections together."""

    all_connections: AllConnections
    clock: Clock

    def totals(self, progress: Progress) -> ConnectionTotals:
        """Count all connections; reads every agent's slot at each call."""
        return self.all_connections.totals(progress)

    def oldest_refresh_age(self, totals: ConnectionTotals) -> Millis:
        """Return how long ago the grant that waits longest was last refreshed."""
        return max(0, self.clock.now() - totals.oldest_refresh_ok)
