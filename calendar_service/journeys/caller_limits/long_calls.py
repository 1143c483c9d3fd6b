"""How many long calls of one organization this process serves at a time. Must not know what they do."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from calendar_service.domain.errors import TooManyRequests

_RETRY_AFTER: Final = 5
"""Seconds after which to repeat: as long as a request waits for Google (`Limits.inline_seconds`)."""


class LongCalls:
    """A bulkhead for each organization: its long calls never take every thread. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        """Take how many long calls of one organization may run at the same time."""
        self._most = most
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    @contextmanager
    def taken(self, organization: str) -> Iterator[None]:
        """Count a long call for the length of the block; raise `TooManyRequests` if too many run already."""
        with self._lock:
            if self._running[organization] >= self._most:
                raise TooManyRequests(
                    f"{self._most} long calls of this organization are under way here; repeat when one has ended.",
                    limit="long_calls",
                    retry_after=_RETRY_AFTER,
                )
            self._running[organization] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[organization] -= 1
                if not self._running[organization]:
                    del self._running[organization]
