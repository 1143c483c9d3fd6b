"""An id and a log line for every request. The line has no path, name or value (law 9)."""

import secrets
import time
from typing import Final

from flask import Flask, Response, g, request

from calendar_service.config import ApiKey
from calendar_service.durations import Durations, status_class
from calendar_service.log import REQUEST_ID, Log

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
        status, seconds = response.status_code, time.monotonic() - g.began
        route, method = _route(), _method()
        response.headers[HEADER] = g.request_id
        durations.record(seconds, route, method, status_class(status))
        if request.path not in _QUIET or status >= 400:
            # The path's template instead of the path.
            known = {name: value for name, value in (("method", method), ("path", route)) if value != _NONE}
            caller: ApiKey | None = g.get("caller")
            if caller is not None:
                known["caller"] = caller.name
            ms = round(seconds * 1000)
            log.event("request.served", status=status, request_id=g.request_id, ms=ms, **known)
        return response


def _route() -> str:
    rule = request.url_rule
    return _NONE if rule is None else rule.rule


def _method() -> str:
    method = request.method
    return method if method in _METHODS else _NONE
