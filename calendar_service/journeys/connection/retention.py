"""How long is kept what is kept after the end: an agent may choose less than the operator promises (ST-5).

Must not lengthen a term.
"""

from dataclasses import dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import InvalidRequest, NotConnected
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Promises
from calendar_service.store.connections import Connections
from calendar_service.store.slots import Slots
from calendar_service.store.tickets import Browser


@dataclass(frozen=True)
class Retention:
    """The story of an agent's own term."""

    slots: Slots
    connections: Connections
    promises: Promises

    def offered(self, browser: Browser) -> tuple[Millis, ...]:
        """Return the terms to choose from, the operator's last; none where there is no choice.

        A reviewer has none: its term is short enough to be watched already.
        """
        shorter = () if browser.reviewer else self.promises.shorter_terms
        return (*sorted(shorter), self.promises.erase_after) if shorter else ()

    def retention(self, agent: Agent) -> Millis:
        """Return the term that a disconnect would set now."""
        return self.promises.retention(self.slots.read(agent).facts.end.agent_retention)

    def choose(self, browser: Browser, retention: Millis) -> None:
        """Keep the agent's choice for the end of this connection; an end that is set already is not moved."""
        if retention not in self.offered(browser):
            raise InvalidRequest("This term is not offered.", field="term")
        own = 0 if retention == self.promises.erase_after else retention
        if self.connections.choose_retention(browser.whose, own) == "not_connected":
            raise NotConnected("The agent's calendar is not connected, so there is no term to choose.")
