"""What an operation costs, and how long it takes, against a bare function and against what the guides show.

The service (`serve` and `work`), and the two servers of `bench/peer_servers.py`, each with a Valkey of its own under
the service's settings, all with one local Google. Clients keep their connections and send the next request when the
last one is answered. The sides take turns within each round, so that a busy machine strikes all of them; figures are
the median of the rounds, least and most in brackets, and nothing is subtracted.

Processor time (user and system) is that of the web process and its parent; Valkey's stands apart. The service's has
the worker's beside it: all that the worker used in a round, its pauses too, over the operations of that round. Round
trips are the messages that Valkey read, the worker's too. Calls at Google are those of its journal, and at the end
every event is looked up there. Then Google answers each call `--delay` seconds later: time added is all above that.
Throughput is the part of what so many clients could have if nothing else took time: the delay over the mean time of a
request, as each client has one request under way at any moment.

The service's own limits are lifted (`CALENDAR_TEST_LIMITS=off`).
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from redis import Redis

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from chart import Bar, chart, write  # noqa: E402
from driver import Clients, Spread, cpu_seconds, family, machine, progress, request  # noqa: E402

from calendar_service import config as configuration  # noqa: E402
from calendar_service.development.valkey import EmbeddedValkey  # noqa: E402
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.processes import children  # noqa: E402
from calendar_service.wiring import CONSENT_SLOTS, THREADS, build  # noqa: E402
from local_google.state.clients import RegisteredClient  # noqa: E402
from tests.conftest import MovableClock  # noqa: E402
from tests.e2e.test_run import PROGRAM, free_port  # noqa: E402
from tests.local_google.app import App  # noqa: E402
from tests.local_google.http_api import GoogleApi  # noqa: E402
from tests.support.local_google import LocalGoogle  # noqa: E402
from tests.support.service import BACKEND_KEY, CLIENT_ID, CLIENTS, TestService, environment  # noqa: E402

SERVICE, BARE, QUICKSTART = "service", "bare", "quickstart"
SIDES = (SERVICE, BARE, QUICKSTART)
AGENTS = 8
"""Each with a Google account of its own. The peers have one calendar."""
SLOTS = THREADS // 2 - CONSENT_SLOTS
"""Operations of one process that may wait for Google at the same time; one more would be answered 202."""
START_SECONDS = 30.0
METHODS = {
    "create": "calendar.events.insert",
    "reschedule": "calendar.events.patch",
    "cancel": "calendar.events.delete",
}
PEERS = tuple(
    RegisteredClient(f"{name}.apps.test", f"{name}-secret", name, ("http://localhost:9/cb",), name)
    for name in (BARE, QUICKSTART)
)


@dataclass(frozen=True)
class Side:
    """One of the servers that are compared."""

    name: str
    port: int
    web: children.Child
    valkey: children.Child
    database: Redis
    client_id: str
    worker: children.Child | None = None

    @property
    def web_cpu(self) -> float:
        """Processor time of the web process and its parent so far, in seconds."""
        return cpu_seconds(family(self.web.process.pid))

    @property
    def worker_cpu(self) -> float:
        """The worker's; 0 where there is none."""
        return cpu_seconds(family(self.worker.process.pid)) if self.worker else 0.0

    @property
    def valkey_cpu(self) -> float:
        """The database's."""
        return cpu_seconds([self.valkey.process.pid])

    @property
    def messages(self) -> int:
        """How many messages the database has read; each question of ours is one."""
        return int(self.database.info("stats")["total_reads_processed"])  # type: ignore[index]


def starts_at(number: int, minutes: int) -> datetime:
    """Return when a session begins that was moved by so many minutes."""
    return datetime(2031, 5, 3, 14, tzinfo=UTC) + timedelta(hours=number % 500, minutes=minutes)


def operation(side: str, kind: str, block: str, number: int) -> bytes:
    """Return a backend's request on the session of this number of a block."""
    agent, session = number % AGENTS, f"{block}-{number}"
    path = f"/v1/organizations/acme/agents/agent-{agent}/sessions/{session}"
    headers = {"Host": "localhost:8080", "Authorization": f"Bearer {BACKEND_KEY}"}
    if kind == "cancel":
        return request("DELETE", f"{path}?by=agent", headers)
    method = "POST" if kind == "create" and side != SERVICE else "PUT"
    start = starts_at(number, 0 if kind == "create" else 5)
    body = {
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "time_zone": "America/Santiago",
        "title": session,
        "description": "What was agreed. " * 6,
    }
    if side == SERVICE:
        body["by"] = "agent"
    return request(method, path, headers | {"Content-Type": "application/json"}, json.dumps(body).encode())


# --- the servers ---


@contextmanager
def servers() -> Iterator[tuple[LocalGoogle, list[Side]]]:
    """Start all of it, with connected agents; everything ends with the block."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        google = stack.enter_context(LocalGoogle.start(clients=(*CLIENTS, *PEERS)))
        sides = [_service(stack, home, google), *(_peer(stack, home, google, client) for client in PEERS)]
        yield google, sides


def _started(
    stack: ExitStack, home: Path, name: str, command: list[str], variables: dict[str, str]
) -> children.Child:
    variables = {"PATH": os.environ["PATH"]} | variables
    child = children.start(name, command, env=variables, log=home / f"{name}.log")
    stack.callback(child.stop)
    return child


def _await_answer(home: Path, child: children.Child, port: int, path: str) -> None:
    """Wait until the server answers at all, and the service that it is ready."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            address = urllib.request.Request(
                f"http://127.0.0.1:{port}{path}", headers={"Host": "localhost:8080"}
            )
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return
        except OSError:
            if child.exit_status is not None:
                break
        time.sleep(0.05)
    raise SystemExit(
        f"{child.name} does not answer:\n" + (home / f"{child.name}.log").read_text("utf-8")[-2000:]
    )


def _service(stack: ExitStack, home: Path, google: LocalGoogle) -> Side:
    valkey = stack.enter_context(EmbeddedValkey(home / SERVICE))
    # No test clock: reading its file would be counted.
    variables = environment(valkey.url, google) | {"CALENDAR_TEST_LIMITS": "off"}
    clock = MovableClock(home / "clock")
    with ExitStack() as beginning:
        beginning.enter_context(redirect_stderr(StringIO()))  # its log
        first = TestService(build(configuration.load(variables)), google, clock, variables)
        beginning.callback(first.close)
        first.parts.store.ownership.begin()
        for number in range(AGENTS):
            first.connect(Agent("acme", f"agent-{number}"), f"agent-{number}@example.com")
    port = free_port()
    variables["CALENDAR_PORT"] = str(port)
    web = _started(stack, home, "web", [str(PROGRAM), "serve"], variables)
    worker = _started(stack, home, "worker", [str(PROGRAM), "work"], variables)
    _await_answer(home, web, port, "/readyz")
    return Side(SERVICE, port, web, valkey.child, Redis.from_url(valkey.url), CLIENT_ID, worker)


def _peer(stack: ExitStack, home: Path, google: LocalGoogle, client: RegisteredClient) -> Side:
    valkey = stack.enter_context(EmbeddedValkey(home / client.name))
    token, port = App(google, client).connect()["access_token"], free_port()
    api = GoogleApi(google.api_endpoint, token)
    variables = {
        "PEER_REDIS": valkey.url,
        "PEER_GOOGLE": google.api_endpoint,
        "PEER_TOKEN": token,
        "PEER_CALENDAR": api.new_calendar(summary=client.name)["id"],
    }
    api.close()
    command = [sys.executable, str(ROOT / "bench" / "peer_servers.py"), client.name, str(port)]
    server = _started(stack, home, client.name, command, variables)
    _await_answer(home, server, port, "/")
    return Side(client.name, port, server, valkey.child, Redis.from_url(valkey.url), client.client_id)


# --- the measurement ---


@dataclass
class Figures:
    """What was measured, a figure a round; the keys are (side, operation, clients), or without the operation."""

    cpu: dict[tuple[str, str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Milliseconds an operation."""
    worker: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """The worker's part of it, by clients."""
    messages: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    valkey: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Milliseconds of the database an operation, whatever the clients."""
    added: dict[tuple[str, int], list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    """Milliseconds above Google's delay, of each request."""
    throughput: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Part of what the clients could have if nothing but Google took time."""
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many operations, by side and operation."""
    sessions: set[str] = field(default_factory=set)
    """The sessions of each side; in the end all are moved, then cancelled."""

    def ratio(self, kind: str, clients: int, above: str, below: str) -> Spread:
        """Return how many times as much processor time one side takes as the other, round by round."""
        pairs = zip(self.cpu[above, kind, clients], self.cpu[below, kind, clients], strict=True)
        return Spread.of([mine / other for mine, other in pairs])


class Bench:
    """Rounds over the running servers."""

    def __init__(self, google: LocalGoogle, sides: list[Side], operations: int, delay: float) -> None:
        self.google, self.sides, self.operations, self.delay = google, sides, operations, delay
        self.figures, self._turn = Figures(), 0
        self._blocks = 0

    def in_turn(self) -> list[Side]:
        """Return the sides; another one is first each time."""
        self._turn += 1
        first = self._turn % len(self.sides)
        return self.sides[first:] + self.sides[:first]

    def block(self, clients: int, *, is_counted: bool = True) -> None:
        """Measure the processor time of each operation of each side with so many clients."""
        block, figures = self._new_block(self.operations), self.figures
        worker, counted = sum(side.worker_cpu for side in self.sides), 0
        for side in self.in_turn():
            kinds = ["create", "reschedule", "cancel"]
            if side.name == SERVICE:
                kinds.insert(2, "equal PUT")
                counted = len(kinds) * self.operations
            line = Clients(side.port, clients)
            for kind in kinds:
                web, messages, valkey = side.web_cpu, side.messages, side.valkey_cpu
                self._send(line, side, kind, block)
                web, valkey = side.web_cpu - web, side.valkey_cpu - valkey
                messages = side.messages - messages - 1  # less our own question
                if is_counted:
                    figures.cpu[side.name, kind, clients].append(web / self.operations * 1000)
                    figures.messages[side.name, kind].append(messages / self.operations)
                    figures.valkey[side.name, kind].append(valkey / self.operations * 1000)
            line.close()
        if not is_counted:
            return
        spent = (sum(side.worker_cpu for side in self.sides) - worker) / counted * 1000
        figures.worker[clients].append(spent)
        for name, kind, many in list(figures.cpu):
            if name == SERVICE and many == clients:
                figures.cpu[name, kind, many][-1] += spent

    def delayed(self, clients: int) -> None:
        """Measure the time that a reschedule takes beyond Google's delay, and the throughput."""
        block = self._new_block(self.operations)
        for side in self.in_turn():
            line = Clients(side.port, clients)
            self._send(line, side, "create", block)
            self.google.fault("/calendar/v3/*", {"delay": self.delay})
            # The first ones apart, or all of them would arrive together for ever.
            seconds = self._send(line, side, "reschedule", block, apart=self.delay / clients)
            self.google.clear_faults()
            self.figures.added[side.name, clients].append([(one - self.delay) * 1000 for one in seconds])
            self.figures.throughput[side.name, clients].append(self.delay / mean(seconds))
            self._send(line, side, "cancel", block)
            line.close()

    def _new_block(self, operations: int) -> str:
        self._blocks += 1
        self.figures.sessions |= {f"b{self._blocks}-{number}" for number in range(operations)}
        return f"b{self._blocks}"

    def _send(self, line: Clients, side: Side, kind: str, block: str, apart: float = 0) -> list[float]:
        requests = [operation(side.name, kind, block, number) for number in range(self.operations)]
        seconds = line.send(requests, apart=apart)
        self.figures.sent[side.name, kind] += len(requests)
        return seconds

    def check(self) -> dict[str, float]:
        """Return the calls at Google of each operation; end with an error unless all is right there."""
        calls = Counter((one.get("client_id"), one["api_method"]) for one in self.google.whole_journal())
        books = self.google.state()["calendars"]
        events = [event for book in books for event in book["events"]]
        wanted = Counter(dict.fromkeys(self.figures.sessions, len(self.sides)))
        held = Counter(event["summary"] for event in events if _is_right(event))
        if held != wanted or len(events) != wanted.total():
            raise SystemExit(f"wrong at Google: {len(events)} events, {(wanted - held).total()} not as asked")
        each = {}
        for side in self.sides:
            for kind, method in METHODS.items():
                each[f"{side.name} {kind}"] = (
                    calls[side.client_id, method] / self.figures.sent[side.name, kind]
                )
        return each


def _is_right(event: dict[str, Any]) -> bool:
    """Return whether the event was moved, then deleted."""
    start = starts_at(int(event["summary"].rpartition("-")[2]), 5)
    return event["status"] == "cancelled" and datetime.fromisoformat(event["start"]["dateTime"]) == start


# --- what is told ---


@dataclass(frozen=True)
class Aim:
    """A figure with its aim."""

    name: str
    figure: Spread
    aim: float
    is_most: bool

    @property
    def is_met(self) -> bool:
        """Whether the median keeps it."""
        return self.figure.median <= self.aim if self.is_most else self.figure.median >= self.aim


def aims(figures: Figures, clients: int, half: int) -> list[Aim]:
    """Return the figures that have an aim."""
    rounds = figures.added[SERVICE, half]
    return [
        Aim("reschedule, over bare", figures.ratio("reschedule", clients, SERVICE, BARE), 3, is_most=True),
        Aim(
            "reschedule, quickstart over it",
            figures.ratio("reschedule", clients, QUICKSTART, SERVICE),
            3.5,
            is_most=False,
        ),
        Aim("time added, p50, ms", Spread.of([median(one) for one in rounds]), 5, is_most=True),
        Aim("time added, p99, ms", Spread.of([percentile(one, 99) for one in rounds]), 20, is_most=True),
        Aim(
            "throughput, of the possible", Spread.of(figures.throughput[SERVICE, SLOTS]), 0.95, is_most=False
        ),
    ]


def percentile(figures: list[float], number: int) -> float:
    """Return below which figure so many of a hundred are."""
    return quantiles(figures, n=100, method="inclusive")[number - 1]


def report(figures: Figures, calls: dict[str, float], clients: list[int]) -> Iterator[str]:
    """Yield the lines of the tables."""
    yield "| operation | clients | service, ms CPU | bare | quickstart | service / bare | quickstart / service |"
    yield "|---|---|---|---|---|---|---|"
    for kind in ("create", "reschedule", "cancel", "equal PUT"):
        for many in clients:
            own = Spread.of(figures.cpu[SERVICE, kind, many]).text()
            if kind == "equal PUT":
                yield f"| {kind} | {many} | {own} | | | | |"
                continue
            others = " | ".join(
                Spread.of(figures.cpu[name, kind, many]).text() for name in (BARE, QUICKSTART)
            )
            over = figures.ratio(kind, many, SERVICE, BARE).text()
            under = figures.ratio(kind, many, QUICKSTART, SERVICE).text()
            yield f"| {kind} | {many} | {own} | {others} | {over} | {under} |"
    worker = Spread.of([one for rounds in figures.worker.values() for one in rounds])
    yield f"\nThe worker's part of the service's: {worker.text(3)} ms an operation.\n"
    yield "| side | operation | messages to Valkey | Valkey, ms CPU | calls at Google |"
    yield "|---|---|---|---|---|"
    for (name, kind), messages in figures.messages.items():
        valkey = Spread.of(figures.valkey[name, kind]).text()
        yield f"| {name} | {kind} | {Spread.of(messages).text()} | {valkey} | {calls.get(f'{name} {kind}', 0):g} |"
    yield "\n| side | clients | time added, p50, ms | p99, ms | throughput, of the possible |"
    yield "|---|---|---|---|---|"
    for (name, many), rounds in figures.added.items():
        p50, p99 = (
            Spread.of([median(one) for one in rounds]),
            Spread.of([percentile(one, 99) for one in rounds]),
        )
        throughput = Spread.of(figures.throughput[name, many])
        yield f"| {name} | {many} | {p50.text(1)} | {p99.text(1)} | {throughput.text()} |"


def picture(figures: Figures, clients: int) -> str:
    """Return the processor time of each operation as bars."""
    groups = [
        [
            Bar(f"{kind}, {name}", Spread.of(figures.cpu[name, kind, clients]), is_ours=name == SERVICE)
            for name in SIDES
        ]
        for kind in METHODS
    ]
    return chart("Processor time of an operation", f"ms, web and worker, clients {clients}", groups)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="(9)")
    parser.add_argument("--operations", type=int, default=100, help="of each kind, side and round (100)")
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[1, SLOTS // 2, SLOTS], help="for processor time (1 3 6)"
    )
    parser.add_argument(
        "--delay", type=float, default=0.1, help="seconds that Google takes for the rest (0.1)"
    )
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", help="write a picture of the processor time too (SVG)"
    )
    parser.add_argument("--json", action="store_true", help="print an object instead of the tables")
    options = parser.parse_args()
    if min(options.rounds, options.operations, *options.clients) < 1 or options.operations < max(
        2, *options.clients
    ):
        parser.error("at least one round and client, two operations, and an operation for each client")
    if max(options.clients) > SLOTS:
        parser.error(f"at most {SLOTS} clients: of more, some would be answered before Google")
    load = os.getloadavg()[0]
    progress("starting the servers …")
    with servers() as (google, sides):
        bench = Bench(google, sides, options.operations, options.delay)
        for many in options.clients:
            bench.block(many, is_counted=False)
        for number in range(1, options.rounds + 1):
            for many in options.clients:
                progress(f"round {number} of {options.rounds}: processor time, clients {many}")
                bench.block(many)
            for many in (SLOTS // 2, SLOTS):
                progress(
                    f"round {number} of {options.rounds}: Google takes {options.delay:g} s, clients {many}"
                )
                bench.delayed(many)
        calls, figures = bench.check(), bench.figures
    middle = options.clients[len(options.clients) // 2]
    reached = aims(figures, middle, SLOTS // 2)
    if options.chart:
        write(options.chart, picture(figures, middle))
    loads = [load, os.getloadavg()[0]]
    if options.json:
        print(json.dumps(as_object(figures, calls, reached) | {"machine": machine(), "load": loads}))
        return
    print("\n".join(report(figures, calls, options.clients)))
    print("\n| aim | wanted | measured | |\n|---|---|---|---|")
    for aim in reached:
        sign = "≤" if aim.is_most else "≥"
        print(
            f"| {aim.name} | {sign} {aim.aim:g} | {aim.figure.text()} | {'met' if aim.is_met else 'missed'} |"
        )
    print(
        f"\n{sum(figures.sent.values()):,} operations, all answered 200 or 201, every event right at Google."
    )
    print(f"{machine()}; load {loads[0]:.1f} at the beginning, {loads[1]:.1f} at the end.")


def as_object(figures: Figures, calls: dict[str, float], reached: list[Aim]) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "cpu_ms": [
            {"side": side, "operation": kind, "clients": clients, **asdict(Spread.of(rounds))}
            for (side, kind, clients), rounds in figures.cpu.items()
        ],
        "messages": [
            {"side": side, "operation": kind, **asdict(Spread.of(rounds))}
            for (side, kind), rounds in figures.messages.items()
        ],
        "valkey_ms": [
            {"side": side, "operation": kind, **asdict(Spread.of(rounds))}
            for (side, kind), rounds in figures.valkey.items()
        ],
        "google_calls": calls,
        "operations": sum(figures.sent.values()),
        "aims": [asdict(aim) | {"is_met": aim.is_met} for aim in reached],
    }


if __name__ == "__main__":
    main()
