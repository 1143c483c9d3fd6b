"""An id and a log line for every request. The line has no path, name or value (law 9)."""

import secrets
import time
from typing import Final

from flask import Flask, Response, g, request

from calendar_service.config import ApiKey
from calendar_service.durations import Durations, status_class
from calendar_service.log import REQUEST_ID, Field, Log

HEADER: Final = "X-Request-Id"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NONE: Final = "none"
"""The label of a path or a method that the application does not know: whoever asks must not make new labels."""
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Probes every few seconds would fill the log, so only their failures are logged."""


def log_requests(app: Flask, log: Log, durations: Durations) -> None:
    """Give every request an id, the caller's own if its form fits, and log and measure its end."""

    @app.before_request
    def _begin() -> None:
        request_id = request.headers.get(HEADER, "")
        g.request_id = request_id if REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)
        g.began = time.monotonic()

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        durations.record(time.monotonic() - g.began, _route(), _method(), status_class(response.status_code))
        if request.path not in _QUIET or response.status_code >= 400:
            log.event("request.served", **log_fields(response.status_code))
        return response


def log_fields(status: int) -> dict[str, Field]:
    """Return the fields of this request's log line, with the path's template instead of the path."""
    fields: dict[str, Field] = {
        "status": status,
        "request_id": g.request_id,
        "ms": round((time.monotonic() - g.began) * 1000),
    }
    if request.method in _METHODS:
        fields["method"] = request.method
    if request.url_rule is not None:
        fields["path"] = request.url_rule.rule
    caller: ApiKey | None = g.get("caller")
    if caller is not None:
        fields["caller"] = caller.name
    return fields


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else _NONE


def _method() -> str:
    return request.method if request.method in _METHODS else _NONE
