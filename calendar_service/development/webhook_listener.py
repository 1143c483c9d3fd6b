"""Receives webhook events on this machine and hands them over, for development. Keeps nothing."""

import signal
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from calendar_service.domain.numbers import whole_number
from calendar_service.domain.secret import Secret

_LONGEST: Final = 64 * 1024
"""Bytes of a body; the events of the service have some hundreds."""


class CannotListen(Exception):
    """The address is not one of this machine over http; the text says what to do."""


class WebhookListener:
    """A receiver of webhook events at one address of this machine."""

    def __init__(
        self,
        url: str,
        secrets: Callable[[], Sequence[Secret]],
        show: Callable[[dict[str, Any]], None],
        show_refusal: Callable[[str], None],
    ) -> None:
        """Take the address, the secrets, and what is done with an event and with the reason of a refusal.

        Raises `CannotListen` for an https address, and `OSError` if the port cannot be had.
        """
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise CannotListen(
                f"{url} is https, and this listens for http on this machine alone: for development set "
                "CALENDAR_WEBHOOK_URL to an address such as http://localhost:9000/events."
            )
        self._path = address.path or "/"
        self._secrets = secrets
        self._show = show
        self._show_refusal = show_refusal
        self._lock = threading.Lock()
        # `localhost` may stand for two addresses; the service tries both.
        host = "127.0.0.1" if address.hostname == "localhost" else address.hostname
        self._server = ThreadingHTTPServer((host, address.port or 80), self._handler())

    def run(self) -> None:
        """Receive until SIGINT or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_soon)
        with self._server:
            self._server.serve_forever(0.1)

    def _stop_soon(self, _number: int, _frame: FrameType | None) -> None:
        # `shutdown` waits for the loop, which this signal has interrupted, so another thread calls it.
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take, path = self._take, self._path

        class Handler(BaseHTTPRequestHandler):
            """Answers 204 to an event that verifies, 400 to anything else."""

            timeout = 5

            def do_POST(self) -> None:
                length = whole_number(self.headers.get("Content-Length", ""), _LONGEST)
                body = self.rfile.read(length or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = take(headers, body) if urlsplit(self.path).path == path else 404
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing: the command prints what came."""

        return Handler

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        reason = ""
        for secret in self._secrets():
            try:
                event = Webhook(secret.reveal()).verify(body, headers)
            except (WebhookVerificationError, ValueError) as error:
                reason = str(error)
                continue
            with self._lock:
                self._show(event)
            return 204
        with self._lock:
            self._show_refusal(reason)
        return 400
