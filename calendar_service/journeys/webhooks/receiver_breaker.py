"""Does the receiver of webhooks answer? If not, one trial request each ten seconds. Must not know what is sent."""

import threading
from collections.abc import Callable
from time import monotonic


class ReceiverBreaker:
    """The breaker of one process: its threads must not all wait for a receiver that does not answer.

    Not shared as Google's is: the shared one would cost each webhook a round trip.
    """

    def __init__(
        self, *, tolerated: int = 5, pause: float = 10.0, now: Callable[[], float] = monotonic
    ) -> None:
        """Take how many failures in a row open it, the seconds between two trial requests, and a clock."""
        self._now = now
        self._tolerated = tolerated
        self._pause = pause
        self._lock = threading.Lock()
        self._failures = 0
        self._next_trial = 0.0

    def admit(self) -> bool:
        """Tell whether to send now; while it is open, only one caller each `pause` seconds."""
        with self._lock:
            if self._failures < self._tolerated:
                return True
            if self._now() < self._next_trial:
                return False
            self._next_trial = self._now() + self._pause
            return True

    def learn(self, *, answered: bool) -> None:
        """Take whether the receiver answered."""
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            if self._failures == self._tolerated:
                self._next_trial = self._now() + self._pause
