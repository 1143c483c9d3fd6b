"""What an organization's administrator may do: see states, pause, off-board; never content, never the calendar.

Knows the store. Must not know Google.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.errors import NotConnected
from calendar_service.domain.names import Agent
from calendar_service.domain.paging import PAGE, read_cursor, write_cursor
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.status import connection_view
from calendar_service.journeys.views import ConnectionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slots


@dataclass(frozen=True, slots=True)
class Progress:
    """How an organization's connections stand, and how far an off-boarding has come."""

    states: Mapping[State, int]
    revocations: Mapping[Revocation, int]
    is_closed: bool
    """It was off-boarded, and not reopened."""


@dataclass(frozen=True)
class Organizations:
    """The story of a customer organization and its members."""

    slots: Slots
    connections: Connections
    organization_index: OrganizationIndex
    scan: Scan
    disconnect: Disconnect

    def pause(self, agent: Agent, actor: Actor, *, paused: bool) -> ConnectionView:
        """Set or lift the actor's own pause; doing it twice changes nothing."""
        if self.connections.pause(agent, actor, paused=paused) == "not_connected":
            raise NotConnected(
                "The agent's calendar is not connected, so there is nothing to pause or resume."
            )
        return self._view(agent)

    def members(
        self, organization: str, state: State | None, cursor: str
    ) -> tuple[list[tuple[Agent, ConnectionView]], str]:
        """Return up to a hundred members after `cursor`, by name, and the next cursor (empty at the end)."""
        after = read_cursor(cursor)
        found: list[tuple[Agent, ConnectionView]] = []
        for agent in sorted(self.organization_index.members(organization), key=lambda agent: agent.agent):
            if agent.agent <= after:
                continue
            view = self._view(agent)
            if state is None or view.state is state:
                found.append((agent, view))
            if len(found) > PAGE:
                return found[:PAGE], write_cursor(found[PAGE - 1][0].agent)
        return found, ""

    def progress(self, organization: str) -> Progress:
        """Count the members by state, and what Google answered to those that ended."""
        views = [self._view(agent) for agent in self.organization_index.members(organization)]
        return Progress(
            Counter(view.state for view in views),
            Counter(Revocation(view.revocation) for view in views if view.revocation),
            self.organization_index.is_closed(organization),
        )

    def off_board(self, organization: str) -> int:
        """Close the organization, then disconnect every member; return how many were connected.

        Closed first, so that nobody connects behind the sweep. Interrupted, it goes on when it
        is asked again, and within a day by itself.
        """
        self.organization_index.set_closed(organization, Actor.ADMINISTRATOR, is_closed=True)
        return self._end_members(organization)

    def go_on(self) -> int:
        """End what stands in closed organizations: off-boardings that were interrupted; return how many that were."""
        return sum(self._end_members(organization) for organization in self.scan.closed_organizations())

    def _end_members(self, organization: str) -> int:
        return sum(
            self.disconnect.end(agent, Actor.ADMINISTRATOR)
            for agent in self.organization_index.members(organization)
            # Asked for each: it may be reopened meanwhile, and who connects then stays.
            if self.organization_index.is_closed(organization)
        )

    def reopen(self, organization: str) -> None:
        """Let the organization's agents connect again."""
        self.organization_index.set_closed(organization, Actor.ADMINISTRATOR, is_closed=False)

    def _view(self, agent: Agent) -> ConnectionView:
        slot = self.slots.read(agent)
        return connection_view(slot.facts, slot.now)
