"""The text of /metrics in Prometheus' format, which web and worker serve. Made every few seconds at most."""

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from calendar_service.health.metrics import registry
from calendar_service.wiring import Service

PATH: Final = "/metrics"
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_KEPT: Final = 5.0
"""Seconds for which the text is kept: it costs hundreds of commands, and anybody may ask."""


class RecentText:
    """A text that is made anew when it is some seconds old, by one thread. Safe to share between threads."""

    def __init__(self, make: Callable[[], str], seconds: float = _KEPT) -> None:
        """Take what makes the text, and for how long it is kept."""
        self._make = make
        self._seconds = seconds
        self._lock = threading.Lock()
        self._text = ""
        self._made_at = -math.inf

    def text(self) -> str:
        """Return the text."""
        with self._lock:
            if monotonic() - self._made_at >= self._seconds:
                self._text = self._make()
                self._made_at = monotonic()
            return self._text


def metrics_text(service: Service) -> RecentText:
    """Return the text of this process's metrics."""
    metrics = registry(service)
    return RecentText(lambda: generate_latest(metrics).decode())
