"""A receiver of notifications: records messages and answers with the statuses of the test."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """Messages in the order in which they came; ``statuses`` are the next answers, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    messages: "queue.Queue[tuple[dict[str, str], bytes]]" = field(default_factory=queue.Queue)

    def next(self, seconds: float = 5.0) -> dict[str, str]:
        """The headers of the next message, lower case; fails if none comes."""
        headers, body = self.messages.get(timeout=seconds)
        assert body == b""
        return headers

    def states(self, count: int) -> list[str]:
        """The states of the next messages, in the order of their numbers."""
        messages = sorted((self.next() for _ in range(count)), key=lambda h: int(h["x-goog-message-number"]))
        return [headers["x-goog-resource-state"] for headers in messages]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.messages.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://localhost:{server.server_port}/notifications"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
