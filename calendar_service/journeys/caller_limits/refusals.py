"""How often this process refused a caller, by limit. Must not know whom."""

import threading
from collections import Counter
from collections.abc import Mapping

from calendar_service.domain.caller_limits import LimitName


class Refusals:
    """A counter. Safe to share between threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._counts: Counter[LimitName] = Counter()

    def count(self, limit: LimitName) -> None:
        """Count one refusal."""
        with self._lock:
            self._counts[limit] += 1

    def counts(self) -> Mapping[LimitName, int]:
        """Return how many there were since the process began."""
        with self._lock:
            return dict(self._counts)
