"""The pauses of a connection: the agent's own, and the organization's. While one stands no event is written."""

from dataclasses import dataclass

from calendar_service.domain.errors import NotConnected
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.status import ConnectionStatus
from calendar_service.journeys.views import ConnectionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections


@dataclass(frozen=True)
class Pauses:
    """Sets and lifts pauses."""

    connections: Connections
    status: ConnectionStatus

    def set(self, agent: Agent, actor: Actor, *, paused: bool) -> ConnectionView:
        """Set or lift the actor's own pause; doing it twice changes nothing."""
        if self.connections.pause(agent, actor, paused=paused) == "not_connected":
            raise NotConnected(
                "The agent's calendar is not connected, so there is nothing to pause or resume."
            )
        return self.status.of(agent)
