"""Measures the local Google: requests a second, and memory for each event. Loopback only; prints one table.

The server's own CPU time is counted, so the figure is per core whatever else the machine does.
"""

import argparse
import json
import os
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from driver import cpu_seconds  # noqa: E402

from tests.local_google.app import APP, App  # noqa: E402
from tests.local_google.http_api import GoogleApi  # noqa: E402
from tests.support.local_google import LocalGoogle  # noqa: E402

Request = Callable[[int], bytes]
EVENT = {
    "summary": "Video session",
    "description": "Join: https://meet.example.com/s/1234567890",
    "location": "https://meet.example.com/s/1234567890",
    "visibility": "private",
    "start": {"dateTime": "2030-05-06T10:00:00-04:00", "timeZone": "America/Santiago"},
    "end": {"dateTime": "2030-05-06T10:30:00-04:00", "timeZone": "America/Santiago"},
    "extendedProperties": {"private": {"marker": "m" * 43, "revision": "1"}},
}
DIGITS = "0123456789abcdefghijklmnopqrstuv"


def base32hex(number: int) -> str:
    """Return an event id for a number."""
    return "ev" + "".join(DIGITS[number >> shift & 31] for shift in range(40, -1, -5))


def resident_bytes(pid: int) -> int:
    """Return the memory that the process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def drive(port: int, count: int, connections: int, request: Request) -> None:
    """Send ``count`` requests over persistent connections, one at a time on each; fails unless every answer is 2xx."""
    selector = selectors.DefaultSelector()
    sent = done = 0
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request(sent))
        sent += 1
        selector.register(connection, selectors.EVENT_READ)
    while done < count:
        for key, _ in selector.select():
            connection = key.fileobj  # type: ignore[assignment]
            answer = connection.recv(262144)
            head, _, body = answer.partition(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 2"):
                raise SystemExit(f"refused: {answer[:300]!r}")
            length = head.find(b"Content-Length: ")
            wanted = int(head[length + 16 :].split(b"\r\n", 1)[0]) if length >= 0 else 0
            while len(body) < wanted:
                body += connection.recv(262144)
            done += 1
            if sent < count:
                connection.sendall(request(sent))
                sent += 1
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()


def rendered(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """Return a request as bytes, with the headers that Google's Python client sends."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\n"
        f"user-agent: (gzip)\r\nx-goog-api-client: gdcl/2 gl-python/3\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


@dataclass(frozen=True)
class Speed:
    """What a kind of call takes."""

    call: str
    calls: int
    per_second: float
    per_cpu_second: float
    cpu_us: float
    bytes_kept: float

    @property
    def line(self) -> str:
        """The line of the table."""
        return (
            f"| {self.call} | {self.calls} | {self.per_second:,.0f} | {self.per_cpu_second:,.0f} "
            f"| {self.cpu_us:.0f} | {self.bytes_kept:,.0f} |"
        )


def measure(google: LocalGoogle, name: str, count: int, connections: int, request: Request) -> Speed:
    """Send so many requests of a kind."""
    port = urlsplit(google.url).port or 0
    before, memory, began = cpu_seconds([google.pid]), resident_bytes(google.pid), time.perf_counter()
    drive(port, count, connections, request)
    wall, cpu = time.perf_counter() - began, cpu_seconds([google.pid]) - before
    grown = (resident_bytes(google.pid) - memory) / count
    return Speed(name, count, count / wall, count / cpu, cpu / count * 1e6, grown)


def run(count: int, connections: int, data_dir: Path | None) -> Iterator[Speed]:
    """Insert, read, change, list, delete."""
    with LocalGoogle.start([APP], data_dir=data_dir) as google:
        token = App(google, APP).connect()["access_token"]
        api = GoogleApi(google.api_endpoint, token)
        base = (
            "/calendar/v3/calendars/" + quote(api.new_calendar(timeZone="America/Santiago")["id"]) + "/events"
        )
        api.close()

        def insert(number: int) -> bytes:
            body = json.dumps(EVENT | {"id": base32hex(number)}).encode()
            return rendered("POST", f"{base}?alt=json&sendUpdates=none", token, body)

        change = json.dumps({"start": EVENT["start"], "end": EVENT["end"], "summary": "Moved"}).encode()
        where = "on disk" if data_dir else "in memory"
        yield measure(google, f"events.insert, books {where}", count, connections, insert)
        yield measure(
            google,
            "events.get",
            count,
            connections,
            lambda n: rendered("GET", f"{base}/{base32hex(n)}?alt=json", token),
        )
        yield measure(
            google,
            "events.patch",
            count,
            connections,
            lambda n: rendered("PATCH", f"{base}/{base32hex(n)}?alt=json", token, change),
        )
        pages = max(count // 1000, 1)
        yield measure(
            google,
            "events.list, 250 a page",
            pages,
            1,
            lambda _: rendered("GET", f"{base}?alt=json&maxResults=250", token),
        )
        yield measure(
            google,
            "events.delete",
            count,
            connections,
            lambda n: rendered("DELETE", f"{base}/{base32hex(n)}?alt=json", token),
        )


def main() -> None:
    """Measure with books in memory, then on disk."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="calls of each kind (20000)")
    parser.add_argument("--connections", type=int, default=16, help="(16)")
    parser.add_argument("--json", action="store_true", help="print an object instead of the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        speeds = (
            speed
            for data_dir in (None, Path(place) / "google")
            for speed in run(options.count, options.connections, data_dir)
        )
        if options.json:
            print(json.dumps({"calls": [asdict(speed) for speed in speeds]}))
            return
        print(
            "| call | calls | per second (wall) | per second of CPU | µs CPU per call | bytes kept per call |"
        )
        print("|---|---|---|---|---|---|")
        for speed in speeds:
            print(speed.line, flush=True)


if __name__ == "__main__":
    main()
