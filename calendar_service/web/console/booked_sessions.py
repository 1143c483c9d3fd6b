"""The sessions that were booked at the stand-in console, in the memory of this process only.

A real console has them in its own database. The service keeps neither titles nor times once Google has them (ST-4).
"""

import threading
from collections import OrderedDict

from calendar_service.domain.names import Agent
from calendar_service.domain.session import Content

AGENTS = 50
"""The most agents whose sessions are remembered; the one that booked longest ago is dropped."""
SESSIONS = 200
"""The most sessions that are remembered of one agent; the one that was changed longest ago is dropped."""


class BookedSessions:
    """What each session is, as the console last booked it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_agent: OrderedDict[Agent, OrderedDict[str, Content]] = OrderedDict()

    def remember(self, agent: Agent, session: str, content: Content) -> None:
        """Remember what was booked."""
        with self._lock:
            booked = self._by_agent.setdefault(agent, OrderedDict())
            booked[session] = content
            booked.move_to_end(session)
            self._by_agent.move_to_end(agent)
            if len(booked) > SESSIONS:
                booked.popitem(last=False)
            if len(self._by_agent) > AGENTS:
                self._by_agent.popitem(last=False)

    def of(self, agent: Agent) -> dict[str, Content]:
        """Return the agent's sessions by id."""
        with self._lock:
            return dict(self._by_agent.get(agent, {}))
