"""/healthz, /readyz and /metrics. They name nobody."""

from flask import Blueprint, Response, jsonify

from calendar_service.health.exposition import CONTENT_TYPE, PATH, metrics_text
from calendar_service.health.readiness import Readiness
from calendar_service.wiring import Service


def blueprint(service: Service, readiness: Readiness) -> Blueprint:
    """Return the routes of the operator's tools."""
    routes = Blueprint("operations", __name__)
    recent = metrics_text(service)

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

    @routes.get(PATH)
    def metrics() -> Response:
        return Response(recent.text(), content_type=CONTENT_TYPE)

    return routes
