"""Calls to Google while reviewers' requests are served, in the memory of this process only.

It holds no id, token or body: the transport passes none to observers.
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
"""The most calls that are remembered of one visitor; a whole journey makes about forty."""
VISITORS = 200
"""The most visitors that are remembered; the one that has been idle longest is dropped."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call to Google."""

    at: Millis
    step: str
    method: Method
    outcome: str
    """Google's status, or why there was no answer."""

    @property
    def purpose(self) -> str:
        """The purpose of the call, as a sentence."""
        return PURPOSES[self.method.purpose]


class RecordedCalls:
    """The calls of each reviewer's test agent."""

    def __init__(self, clock: Clock, call_log: CallLog) -> None:
        self._clock = clock
        self._call_log = call_log
        self._lock = threading.Lock()
        self._by_agent: OrderedDict[Agent, deque[RecordedCall]] = OrderedDict()

    def record(self, agent: Agent, step: str) -> None:
        """Record the calls of this request for the test agent, from now on until its answer."""
        g.recorded_for = agent, step
        self._call_log.attach(self._observe)
        after_this_request(self._detach)

    def of(self, agent: Agent, step: str = "") -> list[RecordedCall]:
        """Return the test agent's calls, of one step if it is named, the oldest first."""
        with self._lock:
            return [one for one in self._by_agent.get(agent, ()) if step in {"", one.step}]

    def forget(self, agent: Agent) -> None:
        """Forget the test agent's calls."""
        with self._lock:
            self._by_agent.pop(agent, None)

    def _observe(self, call: GoogleCall) -> None:
        # Read from the request: one that was killed leaves its listener attached for the thread's next request.
        recorded_for: tuple[Agent, str] | None = g.get("recorded_for") if has_request_context() else None
        if recorded_for is None:
            return
        agent, step = recorded_for
        recorded = RecordedCall(
            self._clock.now(), step, call.method, str(call.status or call.fault or "interrupted")
        )
        with self._lock:
            self._by_agent.setdefault(agent, deque(maxlen=CALLS)).append(recorded)
            self._by_agent.move_to_end(agent)
            if len(self._by_agent) > VISITORS:
                self._by_agent.popitem(last=False)

    def _detach(self, response: Response) -> Response:
        self._call_log.detach(self._observe)
        return response
