"""A worker's start among many agents: when its first round ends, and what the walk of the start costs.

    python bench/worker_start.py [--agents 10000] [--json]

One agent connects through the service; its slot is then copied under the other names, so each record has the form that
the store gives it. Valkey and the local Google are real, the worker runs in this process.
"""

import argparse
import json
import resource
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service.domain.clock import HOUR  # noqa: E402
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.domain.session import By  # noqa: E402
from calendar_service.store import keys  # noqa: E402
from calendar_service.wiring import Service  # noqa: E402
from calendar_service.worker.loop import Worker  # noqa: E402
from tests.support.own_service import own_service  # noqa: E402
from tests.support.service import TestService  # noqa: E402

STEP = 500
"""Agents in one pipeline of the filling."""


@dataclass
class Start:
    """What one start took; times in seconds."""

    agents: int
    first_round: float = 0
    """From the start to the end of the first round."""
    walk: float = 0
    """The walk alone, without rounds beside it."""
    walk_round_trips: int = 0
    walk_cpu: float = 0
    """CPU of this process for the walk, Valkey's left out."""
    memory_growth_mb: float = 0
    """How much the peak of this process's memory grew by the walk."""


class TimedWorker(Worker):
    """Notes when its first round has ended, and stops."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.ended_at = 0.0

    def round(self, *threads: Any) -> int:
        count = super().round(*threads)
        self.ended_at = time.monotonic()
        self.stop.set()
        return count


def fill(service: TestService, count: int) -> None:
    """Copy the slot of the connected agent under so many names, nothing of which is due."""
    database = service.parts.store.database
    client = database.client
    facts = client.hgetall(service.key("facts"))
    grant = client.get(service.key("grant"))
    sessions = client.hgetall(service.key("sessions"))
    ahead = service.parts.clock.now() + HOUR
    due = dict.fromkeys(client.zrange(service.key("due"), 0, -1), ahead)
    names: Iterator[Agent] = (Agent(f"org-{number % 50}", f"agent-{number}") for number in range(count))
    while step := list(islice(names, STEP)):
        pipeline = client.pipeline(transaction=False)
        for agent in step:
            slot = database.slot_keys(agent)
            pipeline.hset(slot.part("facts"), mapping=facts)
            pipeline.set(slot.part("grant"), grant)
            pipeline.hset(slot.part("sessions"), mapping=sessions)
            pipeline.zadd(slot.part("due"), due)
            pipeline.zadd(keys.timers(slot.shard), {slot.member: ahead})
            pipeline.sadd(keys.index(slot.shard, agent.organization), slot.member)
        pipeline.execute()


def started(service: TestService, start: Start) -> None:
    """Measure the first round of a worker that starts, then its walk alone."""
    worker = TimedWorker(service.parts)
    began = time.monotonic()
    running = threading.Thread(target=worker.run)
    running.start()
    running.join()
    start.first_round = worker.ended_at - began
    before, database = resource.getrusage(resource.RUSAGE_SELF), service.parts.store.database
    trips, began = database.round_trips, time.monotonic()
    service.parts.operations.far_timers.reset()
    after = resource.getrusage(resource.RUSAGE_SELF)
    start.walk, start.walk_round_trips = time.monotonic() - began, database.round_trips - trips
    start.walk_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    start.memory_growth_mb = (after.ru_maxrss - before.ru_maxrss) / 1024


def measured(count: int) -> Start:
    """Fill a new database, and start a worker on it."""
    start = Start(count)
    with own_service() as service:
        service.connect()
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
        fill(service, count)
        started(service, start)
    return start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    start = measured(arguments.agents)
    if arguments.json:
        print(json.dumps(asdict(start)))
        return
    print(f"{start.agents} agents: the first round ended {start.first_round:.2f} s after the start")
    print(
        f"the walk alone: {start.walk:.2f} s, {start.walk_cpu:.2f} s of CPU, {start.walk_round_trips} round trips, "
        f"{start.memory_growth_mb:.0f} MB more memory; {start.walk / start.first_round:.1f} times the first round"
    )


if __name__ == "__main__":
    main()
