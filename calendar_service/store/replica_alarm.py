"""Alarms where too few replicas follow a primary, so that no write is acknowledged. Must not know how they are read."""

from collections.abc import Iterable
from typing import Final

from calendar_service.log import Log
from calendar_service.store.replication import Primary

READINGS_BEFORE: Final = 30
"""So many readings in a row, one a second, lack a replica before it alarms: longer than a planned failover takes."""
READINGS_BETWEEN: Final = 300
"""After so many more it alarms again."""


class ReplicaAlarm:
    """Counts the readings in a row at which some primary lacked a replica."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._readings = 0

    def observe(self, primaries: Iterable[Primary]) -> None:
        """Take what was read of all primaries."""
        missing = max(
            (one.copies - one.following for one in primaries if one.following is not None), default=0
        )
        if missing <= 0:
            if self._readings >= READINGS_BEFORE:
                self._log.event("database.replicas_back")
            self._readings = 0
            return
        self._readings += 1
        if self._readings % READINGS_BETWEEN == READINGS_BEFORE:
            self._log.alarm("database.replicas_missing", count=missing)
