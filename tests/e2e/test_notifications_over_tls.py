"""Google's notifications over TLS: from a person's change in the calendar to the backend's webhook."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from flask import Flask

from calendar_service.domain.session import By
from calendar_service.web.app import create_app
from local_google.state.clients import RegisteredClient
from tests.adapters.google.certificates import Authority, new_authority
from tests.conftest import MovableClock
from tests.support.backend import SECRET, backend
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENT_ID, CLIENT_SECRET, PERSON_ID, TestService


class Front(ThreadingHTTPServer):
    """The TLS proxy before the application, as in production; it records how each message was answered."""

    app: Flask

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), _Pass)
        self.socket = authority.server().wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_port}"
        self.answered: queue.Queue[tuple[str, int]] = queue.Queue()

    def next(self) -> tuple[str, int]:
        """Return state and answer of the next message."""
        return self.answered.get(timeout=10)


class _Pass(BaseHTTPRequestHandler):
    server: Front

    def do_POST(self) -> None:
        answer = self.server.app.test_client().post(
            self.path, headers=list(self.headers.items()), base_url=self.server.url
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answered.put((self.headers["X-Goog-Resource-State"], answer.status_code))

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def front(folder: Path) -> Iterator[tuple[Front, Path]]:
    authority = new_authority(folder)
    server = Front(authority)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, authority.file
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_persons_change_reaches_the_backend_by_googles_own_message(
    clean_store: str, test_clock: MovableClock, tmp_path: Path
) -> None:
    with front(tmp_path / "authority") as (server, trusted), backend() as receiver:
        clients = [
            RegisteredClient(CLIENT_ID, CLIENT_SECRET, "test-service", (f"{server.url}/oauth/callback",)),
            RegisteredClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",)),
        ]
        with LocalGoogle.start(clients, test_clock.path, trusts=trusted) as google:
            service = TestService.of(
                clean_store, google, test_clock, CALENDAR_PUBLIC_URL=server.url,
                CALENDAR_WEBHOOK_URL=receiver.url, CALENDAR_WEBHOOK_SECRET=SECRET,
            )  # fmt: skip
            server.app = create_app(service.parts)
            service.connect()
            service.work(2)
            assert server.next() == ("sync", 204)
            view = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
            assert server.next() == ("exists", 204)
            service.as_person("PATCH", view, {"location": "Elsewhere"})
            assert server.next() == ("exists", 204)
            test_clock.advance(11)
            service.work(3)
            service.close()
    assert [one["type"] for one in receiver.received][-1] == "session.changed_in_google"
