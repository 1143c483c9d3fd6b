"""Events that tell of an attack, or of somebody's mistake: logged by name, and counted. Must not know whom."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from calendar_service.log import Field, Log

SecurityEvent = Literal[
    "form.refused",
    "key.refused",
    "request.foreign",
    "reviewer_link.refused",
    "state.refused",
    "ticket.refused",
]
"""The events by their names in the log and in the metrics."""


class SecurityEvents:
    """Logs and counts. Safe to share between threads."""

    def __init__(self, log: Log) -> None:
        """Take the log; begin with none counted."""
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[SecurityEvent] = Counter()

    def record(self, event: SecurityEvent, **fields: Field) -> None:
        """Log one event with these fields, and count it."""
        with self._lock:
            self._counts[event] += 1
        self._log.event(event, **fields)

    def counts(self) -> Mapping[SecurityEvent, int]:
        """Return how many there were of each since the process began, those that never happened too."""
        with self._lock:
            return {event: self._counts[event] for event in get_args(SecurityEvent)}
