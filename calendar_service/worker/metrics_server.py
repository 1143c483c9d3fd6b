"""Serves a worker's /metrics on a port of its own. Must not know what is measured."""

import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from calendar_service.health.exposition import CONTENT_TYPE, PATH, RecentText, metrics_text
from calendar_service.log import Log
from calendar_service.wiring import Service

_PATIENCE: Final = 5.0
"""Seconds for which a client may be silent. One is served at a time: a slow one delays others, not the worker."""


class MetricsServer(HTTPServer):
    """Listens in a thread that ends with the process."""

    def __init__(self, service: Service, host: str, port: int) -> None:
        """Listen there. Raises `OSError` where that is not possible."""
        super().__init__((host, port), partial(_Handler, metrics_text(service)))
        self._log: Log = service.log

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what no client caused; the library would print it, with the client's address."""
        del request, client_address
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self._log.failure("metrics.failed", error)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server_version = "calendar-service"
    sys_version = ""

    def __init__(self, recent: RecentText, *arguments: Any) -> None:
        self._recent = recent
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self.send_error(404)
            return
        text = self._recent.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: object) -> None:
        """Log nothing: a line would have the client's address and what it sent."""
