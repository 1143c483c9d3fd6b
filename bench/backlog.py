"""Thousands of waiting sessions of one account at its limit: what they cost the worker, and its neighbours.

    python bench/backlog.py [--sessions 5000] [--seconds 60] [--json]

The worker is a process of its own; Valkey and the local Google are real, and so is time. The sessions are accepted
while their agent is paused. Google lets the account make `--limit` calls a minute. Neighbours of another account get a
session each two seconds, which always needs the worker: first for 20 seconds without the backlog, then for `--seconds`
from the moment at which the pause ends.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.domain.session import By, Status  # noqa: E402
from calendar_service.store.audit_log import Actor  # noqa: E402
from tests.support.own_service import own_service  # noqa: E402
from tests.support.service import SECOND, TestService  # noqa: E402

NEIGHBOURS = [Agent("neighbours", f"agent-{number}") for number in range(5)]
ALONE = 20.0
"""Seconds without the backlog."""
EVERY = 2.0
"""Seconds from one session of the neighbours to the next."""
POLL = 0.02


@dataclass(frozen=True)
class Window:
    """What happened in one stretch of time."""

    seconds: float
    worker_cpu: float
    """Seconds of CPU of the worker's process."""
    settled: int
    """Sessions of the backlog that Google has."""
    calls: int
    """Calls about events that Google got for the account at its limit."""
    refused: int
    """Those that Google refused."""
    median_latency: float
    """Seconds from the acceptance of a neighbour's session until Google has it."""
    longest_latency: float


class Bench:
    """The service without a place for requests at Google, and a worker beside it."""

    def __init__(self, service: TestService, worker: "subprocess.Popen[bytes]") -> None:
        self.service, self.worker = service, worker
        self.numbers = count()

    def window(self, seconds: float) -> Window:
        """Let the worker run for so long, with a session of a neighbour now and then."""
        journal, cpu, began = len(self.service.google.whole_journal()), self.cpu(), time.monotonic()
        settled, latencies = self.settled(), []
        while (now := time.monotonic()) < began + seconds:
            latencies.append(self.latency())
            time.sleep(max(0.0, now + EVERY - time.monotonic()))
        calls = [
            call
            for call in self.service.google.journal(since=journal)
            if call["account"] != SECOND and str(call.get("api_method", "")).startswith("calendar.events.")
        ]
        return Window(
            round(time.monotonic() - began, 1),
            round(self.cpu() - cpu, 2),
            self.settled() - settled,
            len(calls),
            sum(call["status"] != 200 for call in calls),
            round(median(latencies), 2),
            round(max(latencies), 2),
        )

    def cpu(self) -> float:
        """Return how many seconds of CPU the worker's process has used."""
        fields = Path(f"/proc/{self.worker.pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settled(self) -> int:
        """Return how many events the account has."""
        return len(self.service.events())

    def latency(self) -> float:
        """Accept a session of a neighbour, and return how many seconds passed until Google had it."""
        number = next(self.numbers)
        agent, session = NEIGHBOURS[number % len(NEIGHBOURS)], f"s{number}"
        began = time.monotonic()
        self.put(agent, session)
        while (
            self.service.parts.sessions.reader.get(agent, session, read_google=False).status
            is not Status.SCHEDULED
        ):
            time.sleep(POLL)
        return time.monotonic() - began

    def put(self, agent: Agent, session: str) -> None:
        """Let the backend schedule a session."""
        self.service.parts.sessions.schedule.put(agent, session, self.service.content(), By.SYSTEM, None)

    def pause(self, *, paused: bool) -> None:
        """Let the agent of the backlog pause, or go on."""
        self.service.parts.connection.pauses.set(self.service.agent, Actor.AGENT, paused=paused)


def measured(sessions: int, seconds: float, limit: int) -> tuple[Window, Window]:
    """Return a stretch without the backlog, and one with it."""
    with ExitStack() as stack:
        service = stack.enter_context(own_service()).limited(inline=0)
        service.connect()
        for agent in NEIGHBOURS:
            service.connect(agent, SECOND)
        command = [sys.executable, "-m", "calendar_service", "work"]
        worker = subprocess.Popen(
            command, env=os.environ | service.variables, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        stack.callback(worker.wait)
        stack.callback(worker.terminate)
        bench = Bench(service, worker)
        bench.latency()  # the worker has started
        alone = bench.window(ALONE)
        bench.pause(paused=True)
        for number in range(sessions):
            bench.put(service.agent, f"waiting-{number}")
        service.google.switch(per_minute_user=limit)
        bench.pause(paused=False)
        return alone, bench.window(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--limit", type=int, default=60, help="calls a minute that Google lets one account make"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    alone, beside = measured(arguments.sessions, arguments.seconds, arguments.limit)
    if arguments.json:
        print(json.dumps({"alone": asdict(alone), "beside": asdict(beside)}))
        return
    for name, window in (("without the backlog", alone), (f"{arguments.sessions} waiting", beside)):
        print(
            f"{name}: {window.worker_cpu} s of the worker's CPU in {window.seconds} s "
            f"({100 * window.worker_cpu / window.seconds:.0f} %), {window.settled} settled, "
            f"{window.calls} calls at Google, {window.refused} of them refused; "
            f"a neighbour's session stood after {window.median_latency} s, {window.longest_latency} s at most"
        )


if __name__ == "__main__":
    main()
