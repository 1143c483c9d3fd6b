"""The text of /metrics in Prometheus' format, which web and worker serve. Made every few seconds at most."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future
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
    """A text that is made anew when it is some seconds old, by one thread. Safe to share between threads.

    Whoever asks while it is made waits for that making, and gets its error too. If each tried in turn, a database that
    hangs would keep the threads of all of them for one try after another.
    """

    def __init__(self, make: Callable[[], str], seconds: float = _KEPT) -> None:
        """Take what makes the text, and for how long it is kept."""
        self._make = make
        self._seconds = seconds
        self._lock = threading.Lock()
        self._newest: Future[str] = Future()
        """What is kept, or is being made."""
        self._newest.set_result("")
        self._old_at = -math.inf

    def text(self) -> str:
        """Return the text; raise what its making raised."""
        with self._lock:
            is_maker = self._newest.done() and monotonic() >= self._old_at
            if is_maker:
                self._newest = Future()
            newest = self._newest
        if is_maker:
            self._make_into(newest)
        return newest.result()

    def _make_into(self, newest: "Future[str]") -> None:
        try:
            text = self._make()
        except BaseException as error:  # raised again by each `result`
            newest.set_exception(error)
        else:
            # Before the result: whoever comes in between would make it again.
            self._old_at = monotonic() + self._seconds
            newest.set_result(text)


def metrics_text(service: Service) -> RecentText:
    """Return the text of this process's metrics."""
    metrics = registry(service)
    return RecentText(lambda: generate_latest(metrics).decode())
