"""What was called at Google while a reviewer's request was served: in this process's memory alone.

Must not take an id, a token or a body: it is given none.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from flask import g, has_request_context

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.methods import PURPOSES, Method
from calendar_service.domain.names import Agent
from calendar_service.google.transport import Call
from calendar_service.web.console_desk import Reviewer

CALLS = 100
"""The last calls of a desk; a whole journey makes about forty."""
DESKS = 200
"""Desks remembered at a time; the one that was quiet longest goes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call."""

    at: Millis
    step: str
    method: Method
    outcome: str
    """Google's status, or why there was none."""

    @property
    def purpose(self) -> str:
        """What the call was for, in words."""
        return PURPOSES[self.method.purpose]


class SeenCalls:
    """The calls of each reviewer's desk, and of nobody else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[Agent, deque[Seen]] = OrderedDict()

    def observe(self, call: Call) -> None:
        """Note the call if the request that made it is a reviewer's."""
        desk: Reviewer | None = g.get("reviewer") if has_request_context() else None
        if desk is None:
            return
        seen = Seen(
            self._clock.now(), desk.step, call.method, str(call.status or call.fault or "interrupted")
        )
        with self._lock:
            self._seen.setdefault(desk.agent, deque(maxlen=CALLS)).append(seen)
            self._seen.move_to_end(desk.agent)
            if len(self._seen) > DESKS:
                self._seen.popitem(last=False)

    def of(self, agent: Agent, step: str = "") -> list[Seen]:
        """Return the calls of this desk, of one step if it is named, the oldest first."""
        with self._lock:
            return [seen for seen in self._seen.get(agent, ()) if step in {"", seen.step}]

    def forget(self, agent: Agent) -> None:
        """Drop what was seen of this desk."""
        with self._lock:
            self._seen.pop(agent, None)
