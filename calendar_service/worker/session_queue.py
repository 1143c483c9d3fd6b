"""The due sessions of all agents that this worker has claimed: in fair order, and only as many as Google may be sent.

Must not run a session.
"""

import threading
from collections.abc import Iterator, Sequence

from calendar_service.domain.clock import SECOND, Clock, Millis
from calendar_service.journeys.sessions.queue import DueSession, DueSessions, fair_order
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store.slots import Slot

_KEPT_FOR: Millis = 25 * SECOND
"""How long a session may stay here. Shorter than the lease on its agent: then another worker may claim it."""


class SessionQueue:
    """Sessions, each with the end of its stay. Many threads add; one thread takes."""

    def __init__(self, due_sessions: DueSessions, throttle: Throttle, clock: Clock) -> None:
        self._order = due_sessions
        self._throttle = throttle
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[DueSession, Millis] = {}

    def add(self, slot: Slot, names: Sequence[str]) -> set[str]:
        """Add these due sessions of an agent; return those that cannot be read because a newer version wrote them."""
        end = self._clock.now() + _KEPT_FOR  # before the sessions are read: that may take a while
        sessions = self._order.due(slot, names)
        self._put(dict.fromkeys(sessions, end))
        return {*names} - {session.session for session in sessions}

    def admitted(self) -> Iterator[DueSession]:
        """Yield the sessions to run now, in fair order; keep those that have to wait for their account or for Google.

        Whether a session may be sent is asked when its turn comes, not before: those that ran meanwhile count. What has
        stayed too long is dropped. Its agent's lease ends, and it is still due in the agent's slot.
        """
        ends = self._take()
        answer = "go"
        for session in fair_order(ends):
            if session.cost and answer != "wait":
                answer = self._throttle.admit(session.account, session.cost)
            if session.cost and answer != "go":
                self._put({session: ends[session]})
            else:
                yield session

    def _put(self, ends: dict[DueSession, Millis]) -> None:
        with self._lock:
            self._ends.update(ends)

    def _take(self) -> dict[DueSession, Millis]:
        with self._lock:
            ends, self._ends = self._ends, {}
        now = self._clock.now()
        # An end further ahead than it can be was set before this process's clock was set back.
        return {session: end for session, end in ends.items() if now < end <= now + _KEPT_FOR}
