"""The worker's loop: claim what is due, run it, stop.

Each agent's slot in the database lists the agent's items (a session, the erasure, a probe, …) with their times, and the
timer set of the agent's shard holds the earliest of them. An item becomes due when its time has passed by the clock of
the database. A worker claims due agents by a lease: one script returns them and moves their timers ahead by
`keys.LEASE`, so that no other worker claims them meanwhile; nothing is removed. The timer is only a wake-up: the worker
reads the slot, runs each item that is due there, and sets when the item is due next or that it is done. Due sessions of
all claimed agents wait in a queue and run last, in fair order. Webhook events have threads of their own, because the
receiver may be slow. A worker that crashes leaves each unfinished item due in its slot. When the lease has ended, the
next worker claims the agent and runs the item again; whether Google was called before the crash is for the item's
journey to find out. The maintenance of the whole service runs beside the rounds, so that no round waits for a walk over
all agents.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from calendar_service.domain.errors import ServiceError
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.sessions.queue import DueSession
from calendar_service.store.unusable import UnusableDatabase
from calendar_service.wiring import Service
from calendar_service.worker import maintenance
from calendar_service.worker.items import Items, due_items
from calendar_service.worker.periodic import Maintainer, contained
from calendar_service.worker.session_queue import SessionQueue
from calendar_service.worker.webhook_queue import Start, WebhookQueue, at_once

SESSION = TimerKind.SESSION.of("")
"""What the timers of sessions begin with."""
THREADS = 8
"""Threads that run agents and sessions."""
WEBHOOK_THREADS = 8
"""Threads that deliver webhook events."""
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
        self.webhook_queue = WebhookQueue(service.clock)
        self.lanes = maintenance.lanes(service, self.stop.is_set)

    def run(self) -> None:
        """Work until stopped. Raises `UnusableDatabase` if the database must not be used."""
        self.service.log.event("worker.started")
        self.service.operations.file_rewrites.start()
        with ExitStack() as threads:
            pool = threads.enter_context(ThreadPoolExecutor(THREADS, thread_name_prefix="worker"))
            webhooks = threads.enter_context(
                ThreadPoolExecutor(WEBHOOK_THREADS, thread_name_prefix="webhook")
            )
            for name, lane in self.lanes.each().items():
                thread = threading.Thread(target=self._maintain, args=(lane,), name=name)
                thread.start()
                threads.callback(thread.join)
            threads.callback(self.stop.set)  # first of all, whatever ended the rounds
            while not self.stop.is_set():
                if not self._round(pool, webhooks):
                    self.stop.wait(REST)
        self.service.log.event("worker.stopped")

    def _maintain(self, lane: Maintainer) -> None:
        while not self.stop.is_set():
            lane.run()
            self.stop.wait(REST)

    def _round(self, pool: ThreadPoolExecutor, webhooks: ThreadPoolExecutor) -> int:
        try:
            return self.round(pool.map, webhooks.submit)
        except UnusableDatabase:
            raise  # it started before the database answered, and has now examined it
        except ServiceError as trouble:
            self.service.log.repeated("worker.trouble", code=trouble.code)
            return 0

    def round(self, each: Callable[..., Iterable[None]] = map, start: Start = at_once) -> int:
        """Claim and run everything of agents that is due now; return how many agents that were.

        `each` may use many threads. `start` delivers webhook events, and need not wait for them. Raises
        `StoreUnavailable`: what was claimed is claimed again when its leases have ended.
        """
        agents = list(self.service.store.timers.due(BATCH))
        list(each(partial(self.run_agent, start), agents))
        list(each(self.run_session, self.queue.admitted()))
        return len(agents)

    def run_agent(self, start: Start, agent: Agent) -> None:
        """Run what is due of a claimed agent, and queue the rest; trouble with it leaves other agents alone."""
        contained(self.service.log, partial(self._run_agent, start, agent))

    def _run_agent(self, start: Start, agent: Agent) -> None:
        slot = self.service.store.slots.timed(agent)
        due = due_items(slot)
        sessions = [item.removeprefix(SESSION) for item in due if item.startswith(SESSION)]
        for item in due:
            if item == TimerKind.WEBHOOK:
                deliver = partial(self.items.run, agent, item, slot.due.get(item))
                self.webhook_queue.add(agent, partial(contained, self.service.log, deliver), start)
            elif not item.startswith(SESSION):
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
