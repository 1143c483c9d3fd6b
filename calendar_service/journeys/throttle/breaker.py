"""Stops trying where nobody answers, so that the waiting does not hold up other work. Must not know what is tried."""

import threading
from collections.abc import Callable
from time import monotonic


class Breaker:
    """After some failures in a row, one try (the canary) each few seconds until one succeeds."""

    def __init__(
        self, *, tolerated: int = 5, rest: float = 10.0, now: Callable[[], float] = monotonic
    ) -> None:
        """Take how many failures in a row open it, the seconds between two canaries, and a clock."""
        self._now = now
        self._tolerated = tolerated
        self._rest = rest
        self._lock = threading.Lock()
        self._failures = 0
        self._next_trial_request = 0.0

    def admit(self) -> bool:
        """Tell whether to try now; while it is open, only one caller each `rest` seconds."""
        with self._lock:
            if self._failures < self._tolerated:
                return True
            if self._now() < self._next_trial_request:
                return False
            self._next_trial_request = self._now() + self._rest
            return True

    def learn(self, *, answered: bool) -> None:
        """Take how a try ended."""
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            if self._failures == self._tolerated:
                self._next_trial_request = self._now() + self._rest
