"""Compares connected calendars with the sessions that are kept, without the backend's list: after a restore (law 4).

The content of a session is not kept once it is applied, so what differs is reported to the backend, which writes it
again. Must not write at Google.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from calendar_service.domain.clock import DAY, Clock
from calendar_service.domain.names import Agent
from calendar_service.journeys.sessions.change_detection import ChangeDetector
from calendar_service.journeys.sessions.reconcile import Reconcile, UnknownKind
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store.scan import Scan

UNKNOWN: Final[tuple[str, ...]] = tuple(f"unknown_{kind}" for kind in get_args(UnknownKind))
"""What is counted of marked events that nobody wants."""
_AHEAD: Final = 3660 * DAY
"""How far ahead events are compared: ten years."""


@dataclass(frozen=True)
class CalendarCheck:
    """Compares one calendar at a time."""

    scan: Scan
    change_detector: ChangeDetector
    reconcile: Reconcile
    throttle: Throttle
    clock: Clock

    def agents(self) -> Iterator[Agent]:
        """Yield every agent of whom something is kept, by name."""
        return self.scan.agents()

    def compare(self, agent: Agent) -> Mapping[str, int]:
        """Report sessions that differ, and count unknown events; raise `NotConnected` or Google's errors."""
        now = self.clock.now()
        with self.throttle.unhurried():
            reported = self.change_detector.report(agent)
            unknown = self.reconcile.unknown(agent, now, now + _AHEAD)
        kinds = Counter(f"unknown_{one.kind}" for one in unknown)
        return {"compared": 1, "reported": reported, **kinds}
