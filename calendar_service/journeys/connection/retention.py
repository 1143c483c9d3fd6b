"""Retention after a disconnect. Agents may shorten it, never lengthen it (ST-5). Must not erase anything."""

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
    """Offers shorter retention periods to an agent, and stores the agent's choice."""

    slots: Slots
    connections: Connections
    promises: Promises

    def offered(self, browser: Browser) -> tuple[Millis, ...]:
        """Return the periods to choose from, the operator's last; none where there is no choice.

        A reviewer has no choice: a test agent's period is short enough already to watch the erasure.
        """
        shorter = () if browser.reviewer else self.promises.shorter_terms
        return (*sorted(shorter), self.promises.erase_after) if shorter else ()

    def retention(self, agent: Agent) -> Millis:
        """Return the retention period that a disconnect would set now."""
        return self.promises.retention(self.slots.read(agent).facts.end.agent_retention)

    def choose(self, browser: Browser, retention: Millis) -> None:
        """Store the agent's choice for the end of this connection; an erasure that is due already is not moved."""
        if retention not in self.offered(browser):
            raise InvalidRequest("This term is not offered.", field="term")
        own = 0 if retention == self.promises.erase_after else retention
        if self.connections.choose_retention(browser.whose, own) == "not_connected":
            raise NotConnected("The agent's calendar is not connected, so there is no term to choose.")
