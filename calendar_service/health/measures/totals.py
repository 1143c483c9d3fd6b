"""The newest count of connections, sessions and webhook events. It names nobody."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.domain.clock import Millis
from calendar_service.domain.totals import Totals
from calendar_service.store.totals import TotalsStore


@dataclass(frozen=True)
class TotalsMeasures:
    """What a worker counted last."""

    store: TotalsStore

    @cached_property
    def newest(self) -> Totals | None:
        """The newest count; None if no worker has counted in the last hour."""
        return self.store.newest()

    @cached_property
    def now(self) -> Millis:
        """The database's time."""
        return self.store.now()

    def age(self, at: Millis) -> Millis:
        """Return how long ago an instant of the count was; 0 for one that the count does not name."""
        return max(0, self.now - at) if at else 0
