"""A TCP peer that sends exactly the bytes of a test, for answers that no HTTP server sends."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

from calendar_service.domain.methods import METHODS

ANY: Final = METHODS["calendar.calendars.get"]
"""A method, where it does not matter which."""

Act = Callable[["Conversation"], bool]
"""What to do once a request was read; returns whether the connection stays open."""


class Conversation:
    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self.stop = stop

    def read_request(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.sock.recv(65536)
            if not more:
                return b""
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += self.sock.recv(65536)
        return head + b"\r\n\r\n" + body


def says(data: bytes) -> Act:
    def act(talk: Conversation) -> bool:
        talk.sock.sendall(data)
        return True

    return act


def says_and_closes(data: bytes) -> Act:
    def act(talk: Conversation) -> bool:
        talk.sock.sendall(data)
        return False

    return act


def says_for_ever(start: bytes, more: bytes) -> Act:
    def act(talk: Conversation) -> bool:
        talk.sock.sendall(start)
        while not talk.stop.is_set():
            talk.sock.sendall(more)
        return False

    return act


def drips(data: bytes, every: float = 0.02) -> Act:
    def act(talk: Conversation) -> bool:
        for byte in data:
            talk.sock.sendall(bytes([byte]))
            if talk.stop.wait(every):
                break
        return False

    return act


def hangs(talk: Conversation) -> bool:
    talk.stop.wait()
    return False


def resets(talk: Conversation) -> bool:
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class Peer:
    """Listens on loopback, records each request, and answers it with the next scripted act; the last act repeats."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Semaphore(0)
        """Released once for each connection that was closed from this side."""
        self._acts = list(acts)
        self._tls = tls
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> "Peer":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            talk = Conversation(sock, self._stop)
            while request := talk.read_request():
                self.requests.append(request)
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                if not act(talk):
                    break
        sock.close()
        self.ended.release()
