"""What was called at Google while a reviewer's request was served: in this process's memory alone.

Must not take an id, a token or a body: it is given none.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from flask import Response, after_this_request, g, has_request_context

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.methods import PURPOSES, Method
from calendar_service.domain.names import Agent
from calendar_service.google.call_log import CallLog
from calendar_service.google.transport import GoogleCall

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

    def __init__(self, clock: Clock, call_log: CallLog) -> None:
        self._clock = clock
        self._call_log = call_log
        self._lock = threading.Lock()
        self._seen: OrderedDict[Agent, deque[Seen]] = OrderedDict()

    def record(self, agent: Agent, step: str) -> None:
        """Record the calls that this request makes from now on for the desk of this agent, until it is answered."""
        g.recorded_for = agent, step
        self._call_log.attach(self._observe)
        after_this_request(self._detach)

    def of(self, agent: Agent, step: str = "") -> list[Seen]:
        """Return the calls of this desk, of one step if it is named, the oldest first."""
        with self._lock:
            return [seen for seen in self._seen.get(agent, ()) if step in {"", seen.step}]

    def forget(self, agent: Agent) -> None:
        """Drop what was seen of this desk."""
        with self._lock:
            self._seen.pop(agent, None)

    def _observe(self, call: GoogleCall) -> None:
        # The request is asked anew: one that was killed leaves its listener to the next request of the thread.
        recorded_for: tuple[Agent, str] | None = g.get("recorded_for") if has_request_context() else None
        if recorded_for is None:
            return
        agent, step = recorded_for
        seen = Seen(self._clock.now(), step, call.method, str(call.status or call.fault or "interrupted"))
        with self._lock:
            self._seen.setdefault(agent, deque(maxlen=CALLS)).append(seen)
            self._seen.move_to_end(agent)
            if len(self._seen) > DESKS:
                self._seen.popitem(last=False)

    def _detach(self, response: Response) -> Response:
        self._call_log.detach(self._observe)
        return response
