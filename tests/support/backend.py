"""The backend's webhook receiver: on loopback, it verifies signatures with the public library."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMjQrIGJ5dGVz"
OTHER_SECRET = "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHRlc3RzISEh"


@dataclass
class Backend:
    """The received events in their order; refuses an event that does not verify."""

    url: str
    secret: str = SECRET
    status: int = 204
    """What it answers to a webhook that verifies."""
    headers: dict[str, str] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    """Payloads that were answered 2xx."""
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Payloads that were answered otherwise."""
    ids: list[str] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    """While it is not set, an event that was received waits for its answer."""
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers.set()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.paths.append(path)
        self.answers.wait(60)
        payload = Webhook(self.secret).verify(body, headers)
        self.ids.append(headers["webhook-id"])
        (self.received if 200 <= self.status < 300 else self.refused).append(payload)
        return self.status

    @property
    def types(self) -> list[str]:
        return [payload["type"] for payload in self.received]


@contextmanager
def backend() -> Iterator[Backend]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = taken.take(
                self.path, {name.lower(): value for name, value in self.headers.items()}, body
            )
            self.send_response(status)
            for name, value in taken.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Backend(f"http://localhost:{server.server_port}/hooks?from=calendar")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        taken.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
