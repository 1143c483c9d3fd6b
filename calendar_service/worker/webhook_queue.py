"""The queue of claimed agents whose webhook events are due. They have threads of their own: a receiver may be slow.

Must not send an event.
"""

import threading
from collections.abc import Callable
from functools import partial

from calendar_service.domain.clock import SECOND, Clock, Millis
from calendar_service.domain.names import Agent

_LONGEST_STAY: Millis = 25 * SECOND
"""How long an agent may stay queued: shorter than the lease on it, after which another worker may claim it."""

Start = Callable[[Callable[[], None]], object]
"""Runs a task, perhaps later in another thread."""


def at_once(task: Callable[[], None]) -> None:
    """Run the task here and now."""
    task()


class WebhookQueue:
    """Agents, each with what delivers its events. Many threads may add."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._agents: set[Agent] = set()

    def add(self, agent: Agent, deliver: Callable[[], None], start: Start) -> None:
        """Have `start` deliver the agent's events, unless the agent is queued already.

        An agent that stayed too long is dropped. Its events are still due in its slot, whose lease ends.
        """
        with self._lock:
            if agent in self._agents:
                return
            self._agents.add(agent)
        start(partial(self._deliver, agent, deliver, self._clock.now()))

    def _deliver(self, agent: Agent, deliver: Callable[[], None], since: Millis) -> None:
        with self._lock:
            self._agents.remove(agent)
        # Also dropped after this process's clock was set back: how long it stayed is not known then.
        if 0 <= self._clock.now() - since < _LONGEST_STAY:
            deliver()
