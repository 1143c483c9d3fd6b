"""/healthz, /readyz and /metrics. They name nobody."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Final

from flask import Blueprint, Response, jsonify

from calendar_service.health.metrics import metrics as numbers
from calendar_service.health.readiness import Readiness
from calendar_service.wiring import Service

_KEPT: Final = 5.0
"""Seconds for which the numbers of /metrics are kept: they cost hundreds of commands, and anybody may ask."""


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


def blueprint(service: Service, readiness: Readiness) -> Blueprint:
    """Return the routes of the operator's tools."""
    routes = Blueprint("operations", __name__)
    numbers_text = RecentText(lambda: "".join(f"{line}\n" for line in exposition(numbers(service))))

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(alive=True)

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        # The last examination is shown, never a new one: whoever asks is not authenticated.
        last = readiness.last
        if last is None:
            return jsonify(ready=False, checks={}), 503
        shown = {"checks": last.checks, "writes": last.writes, "age_seconds": round(last.age, 1)}
        return jsonify(ready=last.is_ready, **shown), 200 if last.is_ready else 503

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(numbers_text.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def exposition(numbers: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of the Prometheus text format; a name that ends in `_total` is a counter."""
    typed: set[str] = set()
    for series, number in sorted(numbers.items()):
        name = series.partition("{")[0]
        if name not in typed:
            typed.add(name)
            yield f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}"
        yield f"{series} {number!r}"
