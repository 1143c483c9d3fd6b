"""Four trips through the service, traced: files entered, crossings, round trips, scripts, calls at Google.

    python bench/trips.py [--json] [--files]      # --files: also the files by name, and the commonest crossings

Web application, worker and trace share one process; Valkey and the local Google are real, in processes of their own.
Each trip is made once before with another agent, so that imports, script loads and first connections do not count. A
crossing is a call of a function in one file of the service from another file of it. A round trip is one message to
Valkey, however many commands it carries.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import redis
import redis.connection

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# Everything of the project that this file knows: what moves or is renamed is mended here.
from calendar_service.development.valkey import EmbeddedValkey  # noqa: E402
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.web.app import create_app  # noqa: E402
from tests.conftest import MovableClock  # noqa: E402
from tests.support.local_google import LocalGoogle, fetch  # noqa: E402
from tests.support.service import ADMIN_KEY, BACKEND_KEY, CLIENT_ID, CLIENTS, FIRST, PUBLIC_URL, TestService  # noqa: E402
from tests.web.pages.visitor import Visitor  # noqa: E402

PACKAGE = ROOT / "calendar_service"
PROJECT = next(client.project for client in CLIENTS if client.client_id == CLIENT_ID)


def timers_of(service: TestService, agent: Agent) -> dict[str, int]:
    """Return when each timer of the agent is due, in milliseconds."""
    return dict(service.parts.store.slots.timed(agent).due)


# --- the trace ---


@dataclass
class Trip:
    """What one trip took."""

    name: str
    files: list[str] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)
    """Files entered, by folder."""
    crossings: int = 0
    between: dict[str, int] = field(default_factory=dict)
    """Crossings, by the two files."""
    round_trips: int = 0
    scripts: dict[str, int] = field(default_factory=dict)
    google: list[str] = field(default_factory=list)


class Trace:
    """Notes calls of this thread while it is on."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.between: Counter[str] = Counter()
        self.sent: list[bytes] = []
        self._places: dict[str, str] = {}
        self._sending = redis.connection.AbstractConnection.send_packed_command.__code__

    @contextmanager
    def on(self) -> Iterator[None]:
        sys.setprofile(self._event)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        if frame.f_code is self._sending:
            self.sent.append(_bytes_of(frame.f_locals["command"]))
        place = self._place(frame)
        if place:
            self.files.add(place)
            caller = self._place(frame.f_back) if frame.f_back else ""
            if caller not in {"", place}:
                self.between[f"{caller} → {place}"] += 1

    def _place(self, frame: FrameType) -> str:
        """Return the file of the service in which this function stands, empty for others."""
        name = frame.f_code.co_filename
        if name not in self._places:
            path = Path(name)
            self._places[name] = str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else ""
        return self._places[name]


def _bytes_of(command: Any) -> bytes:
    parts = [command] if isinstance(command, str | bytes) else command
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


class Scripts:
    """Names a script by its hash: the file whose end is the end of what the database holds under it."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, decode_responses=True)
        self._files = {path.stem: path.read_text("utf-8") for path in PACKAGE.rglob("*.lua")}

    def name(self, digest: str) -> str:
        text = str(self._client.execute_command("SCRIPT", "SHOW", digest))
        return max(self._files, key=lambda name: _common_end(self._files[name], text))

    def run(self, sent: list[bytes]) -> Counter[str]:
        """Count the scripts in what was sent."""
        digests = [one.decode() for part in sent for one in re.findall(rb"EVALSHA\r\n\$40\r\n(\w{40})", part)]
        return Counter(self.name(digest) for digest in digests)

    def close(self) -> None:
        self._client.close()


def _common_end(one: str, other: str) -> int:
    pairs = enumerate(zip(reversed(one), reversed(other), strict=False))
    return next((count for count, (left, right) in pairs if left != right), min(len(one), len(other)))


# --- the service, and who uses it ---


class Caller:
    """Backend, administrator, agent and worker of one service."""

    def __init__(self, service: TestService) -> None:
        self.service = service
        self.app = create_app(service.parts)
        self.api = self.app.test_client()
        self.worker = service.worker

    def call(self, method: str, path: str, key: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        more = {} if body is None else {"json": body}
        answer = self.api.open(path, method=method, base_url=PUBLIC_URL, headers=headers, **more)
        require(200 <= answer.status_code < 300, f"{method}: {answer.status_code} {answer.text}")

    def put(self, agent: Agent, session: str) -> None:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(
            days=3, seconds=self.service.clock.offset
        )
        body = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "by": "agent"}
        self.call("PUT", f"{_path(agent)}/sessions/{session}", BACKEND_KEY, body)

    def disconnect(self, agent: Agent) -> None:
        self.call("DELETE", f"{_path(agent)}/connection", ADMIN_KEY)

    def consent(self, agent: Agent) -> tuple[Visitor, str]:
        """Go as far as Google's answer; return the browser and the callback's path."""
        visitor = Visitor(self.app, self.service)
        visitor.enter(agent)
        return visitor, visitor.consent(account=FIRST)

    def call_back(self, visitor: Visitor, path: str) -> None:
        require(visitor.get(path).location == "/settings", "the callback was refused")

    def connect(self, agent: Agent) -> None:
        self.call_back(*self.consent(agent))

    def remove_permission(self) -> None:
        """Remove the service's access in the account's own pages at Google."""
        fetch(f"{self.service.google.url}/permissions", {"account": FIRST, "project": PROJECT})

    def work(self) -> None:
        """Let the worker do all that is due."""
        while self.worker.round():
            pass


def _path(agent: Agent) -> str:
    return f"/v1/organizations/{agent.organization}/agents/{agent.agent}"


def require(condition: bool, fault: str) -> None:  # noqa: FBT001 - as assert, which -O drops
    if not condition:
        raise SystemExit(fault)


# --- the trips: each is prepared, and gives what is traced ---

Prepared = Callable[[], object]


def schedule(caller: Caller, agent: Agent) -> Prepared:
    """PUT of a session after a first one; the access token is fresh."""
    caller.connect(agent)
    caller.work()
    caller.put(agent, "first")
    return lambda: caller.put(agent, "second")


def connect(caller: Caller, agent: Agent) -> Prepared:
    """The OAuth callback of an agent who connects for the first time, until the calendar stands."""
    visitor, path = caller.consent(agent)
    return lambda: caller.call_back(visitor, path)


def disconnect(caller: Caller, agent: Agent) -> Prepared:
    """The administrator's DELETE of the connection, with the revocation at Google."""
    caller.connect(agent)
    caller.work()
    return lambda: caller.disconnect(agent)


def revoked(caller: Caller, agent: Agent) -> Prepared:
    """A round of the worker in which the daily probe is due, after the person removed the permission at Google."""
    for number in range(50):
        probed = Agent(agent.organization, f"{agent.agent}-{number}")
        caller.connect(probed)
        caller.work()
        timers = timers_of(caller.service, probed)
        if min(timers, key=timers.__getitem__) == "probe":
            break
        caller.disconnect(probed)  # another timer comes first, and would be part of the round
    ahead = (timers["probe"] - caller.service.parts.clock.now()) / 1000
    caller.service.clock.advance(ahead - 2)
    caller.work()  # what is not this agent's: the day's checkpoint, the seals
    caller.remove_permission()
    caller.service.clock.advance(2.1)
    return caller.worker.round


TRIPS = {"schedule": schedule, "connect": connect, "disconnect": disconnect, "revoked": revoked}


def measured(name: str, caller: Caller, scripts: Scripts) -> Trip:
    """Make the trip twice, and return what the second one took."""
    for number in ("warm", "measured"):
        prepared = TRIPS[name](caller, Agent("acme", f"{name}-{number}"))
        before = len(caller.service.calls())
        trace = Trace()
        with trace.on():
            prepared()
        google = caller.service.calls(since=before)
        if name != "disconnect":
            _end(caller, name, number)
    files = sorted(trace.files)
    return Trip(
        name,
        files,
        dict(Counter(str(Path(file).parent).replace(".", "(top)") for file in files).most_common()),
        trace.between.total(),
        dict(trace.between.most_common()),
        len(trace.sent),
        dict(scripts.run(trace.sent)),
        google,
    )


def _end(caller: Caller, name: str, number: str) -> None:
    """End the trip's connection, so that no later trip shares its Google account."""
    if name != "revoked":
        caller.disconnect(Agent("acme", f"{name}-{number}"))
    caller.work()


def trips() -> list[Trip]:
    """Make all trips over servers of their own."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock = MovableClock(home / "clock")
        clock.path.write_text("0", "ascii")
        valkey = stack.enter_context(EmbeddedValkey(home))
        google = stack.enter_context(LocalGoogle.start(clients=CLIENTS, clock_file=clock.path))
        scripts = Scripts(valkey.url)
        stack.callback(scripts.close)
        service = TestService.of(valkey.url, google, clock)
        stack.callback(service.close)
        caller = Caller(service)
        return [measured(name, caller, scripts) for name in TRIPS]


def table(measured_trips: list[Trip]) -> Iterator[str]:
    yield "| trip | files | by folder | crossings | round trips | scripts | calls at Google |"
    yield "|---|---|---|---|---|---|---|"
    for trip in measured_trips:
        folders = ", ".join(f"{folder} {count}" for folder, count in trip.folders.items())
        scripts = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in trip.scripts.items())
        yield (
            f"| {trip.name} | {len(trip.files)} | {folders} | {trip.crossings} | {trip.round_trips} "
            f"| {scripts} | {len(trip.google)}: {', '.join(trip.google)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    parser.add_argument("--files", action="store_true", help="also name files and commonest crossings")
    options = parser.parse_args()
    log, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - the service logs there
    try:
        measured_trips = trips()
    finally:
        sys.stderr.close()
        sys.stderr = log
    if options.json:
        print(json.dumps([asdict(trip) for trip in measured_trips], indent=2))
        return
    print("\n".join(table(measured_trips)))
    for trip in measured_trips if options.files else ():
        print(f"\n{trip.name}: {', '.join(trip.files)}")
        print("\n".join(f"  {count:3} {pair}" for pair, count in list(trip.between.items())[:5]))


if __name__ == "__main__":
    main()
