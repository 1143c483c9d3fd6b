"""Does Google answer? If not, all replicas together send one trial request each ten seconds (law 2)."""

import threading

from calendar_service.log import Log
from calendar_service.store.breakers import BreakerStore
from calendar_service.store.throttle import ThrottleState


class GoogleBreaker:
    """The shared breaker, with its state as this process saw it last. Safe to share between threads."""

    def __init__(self, store: BreakerStore, log: Log) -> None:
        self._store = store
        self._log = log
        self._lock = threading.Lock()
        self._is_open = False
        self._has_failures = False

    @property
    def is_open(self) -> bool:
        """Whether only trial requests may go."""
        with self._lock:
            return self._is_open

    def state(self) -> ThrottleState:
        """Return breaker and refusals as the database has them."""
        return self._store.state()

    def observe(self, state: ThrottleState) -> None:
        """Take the state that was read just now."""
        with self._lock:
            self._is_open, self._has_failures = state.is_breaker_open, state.failures > 0

    def observe_open(self, *, is_open: bool) -> None:
        """Take what the database answered when it was asked for a trial request."""
        with self._lock:
            self._is_open = is_open

    def failed(self) -> bool:
        """Count a call that got no answer; true when it opened the breaker."""
        with self._lock:
            self._has_failures = True
        has_opened = self._store.count_failure()
        if has_opened:
            self._log.alarm("google.breaker_opened")
        return has_opened

    def answered(self) -> None:
        """Note an answer of Google: it ends a row of failures, and closes the breaker.

        Where there is neither, the database is not asked.
        """
        with self._lock:
            ends_row = self._is_open or self._has_failures
            self._is_open = self._has_failures = False
        if ends_row and self._store.count_success():
            self._log.event("google.breaker_closed")
