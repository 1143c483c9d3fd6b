"""HTTP/1.1 on one event loop and raw sockets, so that an answer can be cut, dripped or withheld.

Source: RFC 9112. Must not know Google: the application decides the answer.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from http.client import responses

from local_google.protocol.messages import HTML, Delivery, Request, Response
from local_google.protocol.reader import BadRequest, NeedMore, RequestReader

Handle = Callable[[Request], Delivery]


class HttpConnection(asyncio.Protocol):
    """One client; requests are answered in their order, one at a time."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self._busy = False
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream server makes no other
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of asyncio
        """Forget the socket; later writes are dropped."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Collect, and answer what is complete."""
        self._reader.feed(data)
        self._serve()

    def _serve(self) -> None:
        while self._transport is not None and not self._busy:
            try:
                request = self._reader.next_request()
            except NeedMore as more:
                if more.wants_continue:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            except BadRequest as bad:
                self._send(
                    Response(bad.status, f"<p>{bad}\n".encode(), HTML, (("Connection", "close"),)), "GET"
                )
                self._close()
                return
            self._deliver(request, self._handle(request))

    def _deliver(self, request: Request, delivery: Delivery) -> None:
        if delivery.hang:
            self._busy = True
        elif delivery.delay:
            self._busy = True
            self._loop.call_later(delivery.delay, self._finish, request, delivery)
        else:
            self._finish(request, delivery)

    def _finish(self, request: Request, delivery: Delivery) -> None:
        self._busy = False
        if delivery.cut or delivery.answer is None:
            self._cut(hard=delivery.reset)
            return
        if delivery.drip:
            self._busy = True
            head, body = self._rendered(delivery.answer, request.method)
            self._drip(head + body, 0, delivery.drip)
            return
        self._send(delivery.answer, request.method, truncate=delivery.truncate)
        if delivery.truncate or request.headers.get("connection", "").lower() == "close":
            self._close()
            return
        self._serve()

    def _cut(self, *, hard: bool) -> None:
        """End the connection without an answer, so the caller cannot know whether the call was carried out."""
        if self._transport is None:
            return
        if hard:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _drip(self, data: bytes, position: int, pause: float) -> None:
        if self._transport is None:
            return
        if position == len(data):
            self._busy = False
            self._serve()
            return
        self._transport.write(data[position : position + 1])
        self._loop.call_later(pause, self._drip, data, position + 1, pause)

    def _send(self, answer: Response, method: str, *, truncate: bool = False) -> None:
        if self._transport is not None:
            head, body = self._rendered(answer, method)
            self._transport.write(head + (body[: len(body) // 2] if truncate else body))

    @staticmethod
    def _rendered(answer: Response, method: str) -> tuple[bytes, bytes]:
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}"]
        bodiless = answer.status in (204, 304)
        if not bodiless:
            lines.append(f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}")
        lines += [f"{name}: {value}" for name, value in answer.headers]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head, b"" if bodiless or method == "HEAD" else answer.body

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
