"""Log events about outcomes, which items and maintenance have in common. Must not act on an outcome."""

import threading
from collections.abc import Mapping

from calendar_service.domain.clock import MINUTE, Clock, Millis
from calendar_service.log import Log

_QUIET: Millis = 5 * MINUTE
"""How long the database has to work before its next trouble is another one."""


class DatabaseTrouble:
    """Alarms the operator once when the database fails in the middle of due items. Safe for many threads."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._last: Millis | None = None

    def happened(self, journey: str) -> None:
        """Note that the database failed within an item; `journey`: which kind of item."""
        now = self._clock.now()
        with self._lock:
            goes_on = self._last is not None and abs(now - self._last) < _QUIET
            self._last = now
        if not goes_on:
            self._log.alarm("worker.database_trouble", journey=journey)


def report_deliveries(log: Log, outcomes: Mapping[str, int]) -> None:
    """Log how many webhook events were given up, refused by the receiver for good (410), or postponed."""
    if outcomes.get("given_up"):
        log.alarm("webhook.abandoned", count=outcomes["given_up"])
    if outcomes.get("refused"):
        log.alarm("webhook.refused", status=410)
    if outcomes.get("later"):
        log.event("webhook.postponed", count=outcomes["later"])


def report_clock_difference(log: Log) -> None:
    """Alarm the operator: the database's clock and this process's differ by so much that nothing is erased."""
    log.alarm("erasure.clocks_differ", clause="ST-5")
