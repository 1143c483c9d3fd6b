"""The queue of due sessions of all agents that this worker has claimed: in fair order, as the throttle admits them.

Must not run a session.
"""

import threading
from collections.abc import Iterator, Sequence

from calendar_service.domain.clock import SECOND, Clock, Millis
from calendar_service.journeys.sessions.queue import DueSession, DueSessions, fair_order
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store.slots import Slot

_LONGEST_STAY: Millis = 25 * SECOND
"""How long a session may stay queued: shorter than the lease on its agent, after which another worker may claim it."""

MOST_OF_AGENT = 500
"""How many sessions of one agent are queued at most: more than its account may write at Google in that time."""


class SessionQueue:
    """Sessions, each with the instant (process's clock) at which it is dropped. Many threads add, one takes."""

    def __init__(self, due_sessions: DueSessions, throttle: Throttle, clock: Clock) -> None:
        self._due_sessions = due_sessions
        self._throttle = throttle
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[DueSession, Millis] = {}

    def add(self, slot: Slot, names: Sequence[str]) -> set[str]:
        """Add these due sessions of an agent; return those that only a newer version of the service can read.

        A session that is queued already is not read again: its agent is claimed anew after each session that
        is settled. Of thousands only those of the earliest days are read, and more when half of them are done (F46).
        """
        with self._lock:
            queued = {session.session for session in self._ends if session.agent == slot.agent}
        unqueued = [name for name in names if name not in queued]
        room = MOST_OF_AGENT - len(queued)
        if not unqueued or room < min(len(unqueued), MOST_OF_AGENT // 2):
            return set()
        if len(unqueued) > room:
            unqueued = self._due_sessions.soonest(slot.agent, unqueued, room)
        end = self._clock.now() + _LONGEST_STAY  # taken before the sessions are read, which may take a while
        sessions = self._due_sessions.due(slot, unqueued)
        self._put(dict.fromkeys(sessions, end))
        return {*unqueued} - {session.session for session in sessions}

    def admitted(self) -> Iterator[DueSession]:
        """Yield the sessions to run now, in fair order; those whose account or the throttle has to wait stay queued.

        All sessions of an account that is known to wait are left aside at once: there may be thousands (F46). Another
        account is asked about until it has to wait. A session that stayed too long is dropped. It is still due in
        its agent's slot, whose lease ends.
        """
        ends = self._drain()
        accounts = {session.account for session in ends if session.cost}
        waiting_accounts = {account for account in accounts if self._throttle.is_waiting(account)}
        later = {
            session: end
            for session, end in ends.items()
            if session.cost and session.account in waiting_accounts
        }
        must_all_wait = False
        try:
            for session in fair_order(session for session in ends if session not in later):
                # The throttle is asked when the session is next to run, so that those that ran before it count.
                if session.cost and not must_all_wait and session.account not in waiting_accounts:
                    answer = self._throttle.admit(session.account, session.cost)
                    must_all_wait = answer == "wait"
                    if answer == "skip":
                        waiting_accounts.add(session.account)
                if session.cost and (must_all_wait or session.account in waiting_accounts):
                    later[session] = ends[session]
                else:
                    yield session
        finally:
            self._put(later)

    def _put(self, ends: dict[DueSession, Millis]) -> None:
        with self._lock:
            self._ends.update(ends)

    def _drain(self) -> dict[DueSession, Millis]:
        with self._lock:
            ends, self._ends = self._ends, {}
        now = self._clock.now()
        # An end that is further ahead than the longest stay was set before this process's clock was set back.
        return {session: end for session, end in ends.items() if now < end <= now + _LONGEST_STAY}
