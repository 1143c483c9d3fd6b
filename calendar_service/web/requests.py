"""An id for every request and one line in the log. Must not write an address, a name or a value (law 9)."""

import re
import secrets
import time
from typing import Final

from flask import Flask, Response, g, request

from calendar_service.config import ApiKey
from calendar_service.log import Field, Log

HEADER: Final = "X-Request-Id"

_ID: Final = re.compile(r"[0-9a-f]{8,32}")
"""What is taken from a caller: a random number in hexadecimal, in which no name can hide."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds: their lines would hide all others."""


def follow(app: Flask, log: Log) -> None:
    """Give every request its id, and write down how it ended."""

    @app.before_request
    def _begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(16)
        g.began = time.monotonic()

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        if request.path not in _QUIET or response.status_code >= 400:
            log.event("request.served", **line(response.status_code))
        return response


def line(status: int) -> dict[str, Field]:
    """Return what is written of this request: the path's template, never the path."""
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
