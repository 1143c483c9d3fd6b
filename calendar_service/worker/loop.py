"""The worker's loop: claim what is due, run it, stop.

Each agent's slot in the database lists the agent's items (a session, the erasure, a probe, …) with their times, and the
timer set of the agent's shard holds the earliest of them. An item becomes due when its time has passed by the clock of
the database. A worker claims due agents by a lease: one script returns them and moves their timers ahead by
`keys.LEASE`, so that no other worker claims them meanwhile; nothing is removed. The timer is only a wake-up: the worker
reads the slot, runs each item that is due there, and sets when the item is due next or that it is done. Due sessions of
all claimed agents wait in a queue and run last, in fair order. A worker that crashes leaves each unfinished item due in
its slot. When the lease has ended, the next worker claims the agent and runs the item again; whether Google was called
before the crash is for the item's journey to find out. After the agents comes the maintenance of the whole service.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from calendar_service.domain.errors import ServiceError
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.sessions.queue import DueSession
from calendar_service.store.ownership import NotOurDatabase
from calendar_service.wiring import Service
from calendar_service.worker import maintenance
from calendar_service.worker.items import Items, due_items
from calendar_service.worker.periodic import contained
from calendar_service.worker.session_queue import SessionQueue

SESSION = TimerKind.SESSION.of("")
"""What the timers of sessions begin with."""
THREADS = 8
BATCH = 32
"""Agents claimed from one shard at a time."""
REST = 0.5
"""Seconds between two rounds when nothing was due."""


class Worker:
    """The worker of one process."""

    def __init__(self, service: Service, stop: threading.Event | None = None) -> None:
        """Take what is needed, and the event that ends `run` after the round under way."""
        self.service = service
        self.stop = stop or threading.Event()
        self.items = Items(service)
        self.queue = SessionQueue(service.sessions.due_sessions, service.google.throttle, service.clock)
        self.maintainer = maintenance.maintainer(service)

    def run(self) -> None:
        """Work until stopped. Raises `NotOurDatabase` if the database is another service's."""
        self.service.log.event("worker.started")
        maintenance.start(self.service)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="worker") as pool:
            while not self.stop.is_set():
                if not self._round(pool):
                    self.stop.wait(REST)
        self.service.log.event("worker.stopped")

    def _round(self, pool: ThreadPoolExecutor) -> int:
        try:
            return self.round(pool.map)
        except NotOurDatabase:
            raise  # it started before the database answered, and now knows whose it is
        except ServiceError as trouble:
            self.service.log.event("worker.trouble", code=trouble.code)
            return 0

    def round(self, each: Callable[..., Iterable[None]] = map) -> int:
        """Claim and run everything that is due now; return how many agents that were. `each` may use many threads.

        Raises `StoreUnavailable`: what was claimed is claimed again when its leases have ended.
        """
        agents = list(self.service.store.timers.due(BATCH))
        list(each(self.run_agent, agents))
        list(each(self.run_session, self.queue.admitted()))
        self.maintainer.run()
        return len(agents)

    def run_agent(self, agent: Agent) -> None:
        """Run what is due of a claimed agent, and queue its sessions; trouble with it leaves other agents alone."""
        contained(self.service.log, partial(self._run_agent, agent))

    def _run_agent(self, agent: Agent) -> None:
        slot = self.service.store.slots.read(agent)
        due = due_items(slot)
        sessions = [item.removeprefix(SESSION) for item in due if item.startswith(SESSION)]
        for item in due:
            if not item.startswith(SESSION):
                self.items.run(agent, item, slot.due.get(item))
        if sessions:
            for unreadable in self.queue.add(slot, sessions):
                self.items.leave(agent, TimerKind.SESSION.of(unreadable))
        if not due:
            self.service.store.timers.reschedule(agent, "nothing", None)  # sets the agent's timer by its slot

    def run_session(self, session: DueSession) -> None:
        """Run one session that was queued."""
        self.items.run(session.agent, TimerKind.SESSION.of(session.session))


def run(service: Service, stop: threading.Event) -> None:
    """Work until `stop` is set."""
    Worker(service, stop).run()
