"""What one noisy organization costs another: the other's latency with and without the noise, in the same run.

A real `calendar-service run` with its own data and its usual limits. The quiet organization has one caller, who sends
one request at a time, some 60 a second, for ten agents in turn: it asks for a connection, makes a portal link, and
reschedules a session. For each way of making noise, intervals without and with it alternate, and the calls of all
intervals of a kind are taken together. The noise comes from a process of its own, but from the same machine: part of
each ratio is its use of the processors. Refused are the quiet caller's calls that were answered 429 or 503, or not.

The whole takes some four minutes. Progress goes to standard error, and the table of docs/limits.md, or with `--json`
an object, to standard output.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.cookiejar import CookieJar
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.test_main_job_over_http import Person  # noqa: E402
from tests.e2e.test_run import running  # noqa: E402

NOISY, QUIET = "noisy", "quiet"
QUIET_AGENTS = 10
"""So many that none meets a limit of an agent or of its Google account."""
QUIET_PAUSE = 0.03
"""Seconds between the quiet caller's rounds of three calls."""
TIMES = {"start": "2031-05-03T14:00:00Z", "end": "2031-05-03T14:30:00Z", "by": "system"}
RANGE = {"from": "2031-05-01T00:00:00Z", "to": "2031-06-01T00:00:00Z"}
RECONCILED = 250
SLOW_GOOGLE = 6
LONG_TEXT = "Ω" * 8_000


@dataclass(frozen=True)
class Target:
    """What a caller needs to know, in any process."""

    port: int
    google_port: int
    key: str
    cookie: str = ""
    """Of the noisy agent's settings page."""
    csrf: str = ""


class Caller:
    """One connection to the service; not safe to share between threads."""

    def __init__(self, target: Target, organization: str) -> None:
        self._target = target
        self._organization = organization
        self._connection = http.client.HTTPConnection("localhost", target.port, timeout=60)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> int:
        """Return the answer's status; 0: there was none."""
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0

    def api(self, method: str, path: str, body: Any = None, agent: int = 1) -> int:
        """Call the API for one of the organization's agents."""
        headers = {"Authorization": f"Bearer {self._target.key}", "Content-Type": "application/json"}
        path = f"/v1/organizations/{self._organization}/agents/agent-{agent}{path}"
        return self.send(method, path, headers, None if body is None else json.dumps(body).encode())

    def page(self, path: str) -> int:
        """Open a page in the noisy agent's browser."""
        return self.send("GET", path, {"Cookie": f"session={self._target.cookie}"})

    def form(self, path: str) -> int:
        """Send a form of that agent's settings page."""
        headers = {
            "Cookie": f"session={self._target.cookie}",
            "Origin": f"http://localhost:{self._target.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.send("POST", path, headers, urllib.parse.urlencode({"csrf": self._target.csrf}).encode())


# --- the ways of making noise ---


def reconcile(caller: Caller, turn: int) -> int:
    """Reconcile 250 sessions, which differ each time."""
    times = {"start": f"2031-05-03T14:{turn % 60:02}:00Z", "end": "2031-05-03T15:30:00Z"}
    sessions = [{"session": f"r{number}", **times} for number in range(RECONCILED)]
    return caller.api("POST", "/sessions/reconcile?apply=true", RANGE | {"sessions": sessions})


def read(caller: Caller, turn: int) -> int:
    """Read a session or a plan from a Google that takes 6 seconds."""
    if turn % 2:
        return caller.api("GET", "/sessions/s1?read=google")
    return caller.api("POST", "/sessions/reconcile", RANGE | {"sessions": []})


def put(caller: Caller, turn: int) -> int:
    """Put sessions with long texts."""
    return caller.api("PUT", f"/sessions/p{turn % 100}", TIMES | {"description": f"{turn} {LONG_TEXT}"})


def settings(caller: Caller, _: int) -> int:
    """Reload the settings page of an agent with 1,000 waiting sessions."""
    return caller.page("/settings")


def export(caller: Caller, _: int) -> int:
    """Export everything that is stored of that agent."""
    return caller.page("/export")


def sessions(caller: Caller, _: int) -> int:
    """List that agent's sessions."""
    return caller.api("GET", "/sessions")


def data_page(caller: Caller, _: int) -> int:
    """Open the public data page, anonymously."""
    return caller.send("GET", "/google-user-data", {})


def metrics(caller: Caller, _: int) -> int:
    """Ask for the numbers, anonymously."""
    return caller.send("GET", "/metrics", {})


def pause(caller: Caller, turn: int) -> int:
    """Pause and resume by the agent's own forms."""
    return caller.form("/resume" if turn % 2 else "/pause")


def link(caller: Caller, _: int) -> int:
    """Make portal links."""
    return caller.api("POST", "/portal-sessions", {})


@dataclass(frozen=True)
class Way:
    """One way of making noise."""

    call: Callable[[Caller, int], int]
    callers: int = 16
    """How many callers make it at the same time."""
    is_connected: bool = False
    """Whether the noisy agent's connection is not paused."""
    is_google_slow: bool = False


WAYS: Mapping[str, Way] = {
    "reconcile": Way(reconcile, is_connected=True),
    "reads": Way(read, callers=24, is_connected=True, is_google_slow=True),
    "puts": Way(put),
    "settings": Way(settings),
    "export": Way(export, callers=8),
    "lists": Way(sessions),
    "data-page": Way(data_page),
    "metrics": Way(metrics),
    "pauses": Way(pause, callers=4),
    "links": Way(link),
}


def make_noise(target: Target, way: str, sounding: Event) -> None:
    """Make one kind of noise while `sounding` is set; runs in a process of its own until that is ended."""

    def call(first: int) -> None:
        caller, turn = Caller(target, NOISY), first
        while True:
            sounding.wait()
            WAYS[way].call(caller, turn)
            turn += 1

    for number in range(WAYS[way].callers):
        threading.Thread(target=call, args=(number,), daemon=True).start()
    threading.Event().wait()


# --- the measurement ---


@dataclass
class Interval:
    """The quiet caller's calls without noise, or with it."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    def percentile(self, number: int) -> float:
        """Return the milliseconds within which so many of a hundred calls were answered."""
        return statistics.quantiles(self.milliseconds, n=100)[number - 1]


@dataclass(frozen=True)
class Result:
    """What one way of making noise costs the quiet caller; times are milliseconds."""

    way: str
    calls: int
    p50: float
    p50_noisy: float
    p99: float
    p99_noisy: float
    refused: int

    @classmethod
    def of(cls, way: str, alone: Interval, noisy: Interval) -> "Result":
        """Compare the calls without and with the noise."""
        numbers = [one.percentile(number) for number in (50, 99) for one in (alone, noisy)]
        calls = len(alone.milliseconds) + len(noisy.milliseconds)
        return cls(way, calls, *numbers, alone.refused + noisy.refused)

    @property
    def line(self) -> str:
        """The line of the table."""
        return (
            f"| `{self.way}` | {self.p50:.1f} → {self.p50_noisy:.1f} | {self.p50_noisy / self.p50:.1f} "
            f"| {self.p99:.1f} → {self.p99_noisy:.1f} | {self.p99_noisy / self.p99:.1f} | {self.refused} |"
        )


class QuietCaller:
    """The organization that makes no noise."""

    def __init__(self, target: Target) -> None:
        self._caller = Caller(target, QUIET)
        self._turn = 0

    def call(self, interval: Interval, seconds: float) -> None:
        """Call for some seconds, and note how long each call took."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn += 1
            agent = 1 + self._turn % QUIET_AGENTS
            for method, path, body in (
                ("GET", "/connection", None),
                ("POST", "/portal-sessions", {}),
                ("PUT", "/sessions/s1", TIMES | {"title": str(self._turn)}),
            ):
                began = time.monotonic()
                interval.refused += self._caller.api(method, path, body, agent) in {0, 429, 503}
                interval.milliseconds.append((time.monotonic() - began) * 1000)
            time.sleep(QUIET_PAUSE)

    def wait_for_silence(self) -> None:
        """Wait until what the noise left under way is over: ten quick answers in a row, 10 seconds at most."""
        quick, end = 0, time.monotonic() + 10
        while quick < 10 and time.monotonic() < end:
            began = time.monotonic()
            self._caller.api("GET", "/connection")
            quick = quick + 1 if time.monotonic() - began < 0.05 else 0


def measured(target: Target, way: str, rounds: int, seconds: float) -> Result:
    """Alternate intervals without and with the noise."""
    sounding = multiprocessing.Event()
    process = multiprocessing.Process(target=make_noise, args=(target, way, sounding), daemon=True)
    process.start()
    quiet, alone, noisy = QuietCaller(target), Interval(), Interval()
    try:
        quiet.call(Interval(), 0.5)
        for _ in range(rounds):
            quiet.wait_for_silence()
            quiet.call(alone, seconds)
            sounding.set()
            time.sleep(0.3)
            quiet.call(noisy, seconds)
            sounding.clear()
    finally:
        process.kill()
        process.join()
    quiet.wait_for_silence()
    return Result.of(way, alone, noisy)


# --- the service ---


@contextmanager
def prepared(waiting: int) -> Iterator[Target]:
    """Run a service with a noisy agent, who has sessions that wait, and the quiet ones; all are connected."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as run:
        key = (run.data_dir / "api-key").read_text("ascii").strip()
        target = Target(run.port, run.google_port, key)
        for number in range(1, QUIET_AGENTS + 1):
            _connected(target, QUIET, number)
        cookies, page = _connected(target, NOISY, 1)
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        target = Target(run.port, run.google_port, key, cookies["session"], token[1] if token else "")
        caller = Caller(target, NOISY)
        caller.api("PUT", "/sessions/s1", TIMES)
        caller.form("/pause")
        for number in range(waiting):
            caller.api("PUT", f"/sessions/w{number}", TIMES)
        yield target


def _connected(target: Target, organization: str, number: int) -> tuple[dict[str, str], str]:
    """Connect an agent to an account of its own; return its browser's cookies and its settings page."""
    request = urllib.request.Request(
        f"http://localhost:{target.port}/v1/organizations/{organization}/agents/agent-{number}/portal-sessions",
        b"{}",
        {"Authorization": f"Bearer {target.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        url = json.loads(answer.read())["url"]
    person = Person()
    person.open(url)
    person.submit("Continue with Google")
    person.submit("Add account", account=f"{organization}-{number}@example.com")
    person.submit("Allow")
    jar: CookieJar = next(
        handler.cookiejar
        for handler in person.opener.handlers  # type: ignore[attr-defined]
        if isinstance(handler, urllib.request.HTTPCookieProcessor)
    )
    return {cookie.name: cookie.value or "" for cookie in jar}, person.page


def _slow_google(target: Target, *, is_slow: bool) -> None:
    """Let the local Google take seconds for what is read in the noisy agent's calendar, or no longer."""
    rule = {
        "match": {"method": "GET", "path": "/calendar/v3/calendars/*"},
        "do": {"delay": SLOW_GOOGLE},
    }
    request = urllib.request.Request(
        f"http://localhost:{target.google_port}/_control/faults",
        json.dumps(rule).encode() if is_slow else None,
        method="POST" if is_slow else "DELETE",
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def results(ways: list[str], rounds: int, seconds: float, waiting: int) -> Iterator[Result]:
    """Measure one way after the other."""
    print("connecting agents …", file=sys.stderr)
    with prepared(waiting) as target:
        for way in ways:
            print(f"{way}: {WAYS[way].call.__doc__}", file=sys.stderr)
            noisy = Caller(target, NOISY)
            noisy.form("/resume" if WAYS[way].is_connected else "/pause")
            _slow_google(target, is_slow=WAYS[way].is_google_slow)
            yield measured(target, way, rounds, seconds)
            _slow_google(target, is_slow=False)


def main() -> None:
    """Measure, and print the table."""
    ways = "".join(f"\n  {name:<10} {way.call.__doc__}" for name, way in WAYS.items())
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\nways of making noise:{ways}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ways", nargs="*", metavar="WAY", help="the ways to measure (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="intervals of each kind (default: 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of an interval (default: 2)")
    parser.add_argument("--waiting", type=int, default=1000, help="sessions that wait (default: 1000)")
    parser.add_argument("--json", action="store_true", help="print an object instead of the table")
    options = parser.parse_args()
    if unknown := sorted({*options.ways} - {*WAYS}):
        parser.error(f"unknown: {', '.join(unknown)}; the ways are {', '.join(WAYS)}")
    measurements = results(options.ways or [*WAYS], options.rounds, options.seconds, options.waiting)
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, {platform.system()}"
    if options.json:
        load = os.getloadavg()[0]
        rows = [asdict(result) for result in measurements]
        print(json.dumps({"machine": machine, "load": [load, os.getloadavg()[0]], "ways": rows}))
        return
    print("| noise | p50 in ms, alone → with noise | ratio | p99 in ms | ratio | refused |")
    print("|---|---|---|---|---|---|")
    load = os.getloadavg()[0]
    for result in measurements:
        print(result.line, flush=True)
    print(f"\n{machine}; load {load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
