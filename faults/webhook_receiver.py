"""The backend's HTTP server for webhooks: it accepts every webhook, or fails as a scenario asks."""

import http.server
import json
import threading
from typing import Any


class WebhookReceiver(http.server.ThreadingHTTPServer):
    """Keeps accepted webhooks and counts refused ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failure_status: int | None = None
        """The status to answer with; 0 closes the connection; None accepts."""
        self.accepted: list[dict[str, Any]] = []
        """The payloads in their order."""
        self.refused = 0
        threading.Thread(target=self.serve_forever, name="webhooks", daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: scenarios kill senders in the middle of a request."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: WebhookReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status = self.server.failure_status
        if status is None:
            self.server.accepted.append(json.loads(body))
        else:
            self.server.refused += 1
        if status != 0:
            self.send_response(status or 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""
