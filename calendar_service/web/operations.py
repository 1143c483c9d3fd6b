"""/healthz, /readyz and /metrics. They name nobody."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, jsonify

from calendar_service.health.metrics import metrics as numbers
from calendar_service.health.readiness import Readiness
from calendar_service.wiring import Service


def blueprint(service: Service, readiness: Readiness) -> Blueprint:
    """Return the routes of the operator's tools."""
    routes = Blueprint("operations", __name__)

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
        text = "".join(f"{line}\n" for line in exposition(numbers(service)))
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")

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
