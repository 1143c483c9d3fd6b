"""What an organization's administrator may do: see states, pause, off-board. Never content, never the calendar.

Knows the store. Must not know Google.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile

from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.names import Agent
from calendar_service.domain.paging import LOOKED_AT, PAGE, read_cursor, write_cursor
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.status import ConnectionStatus
from calendar_service.journeys.views import ConnectionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.scan import Scan


@dataclass(frozen=True, slots=True)
class Progress:
    """The connections of an organization, counted by state, and how far an off-boarding has come."""

    states: Mapping[State, int]
    revocations: Mapping[Revocation, int]
    is_closed: bool
    """The organization was off-boarded, and not reopened."""


@dataclass(frozen=True)
class Organizations:
    """Lists, pauses and off-boards the agents of an organization."""

    status: ConnectionStatus
    organization_index: OrganizationIndex
    scan: Scan
    disconnect: Disconnect

    def members(
        self, organization: str, state: State | None, cursor: str, *, limit: int = PAGE
    ) -> tuple[list[tuple[Agent, ConnectionView]], str]:
        """Return up to `limit` members after `cursor`, in a stable order, and the next cursor (empty at the end).

        With `state` a page may have fewer, though there is a cursor.
        """
        members: list[tuple[Agent, ConnectionView]] = []
        agents = self.organization_index.members_behind(organization, read_cursor(cursor))
        following = next(agents, None)
        # Most of what is read with a state may be of another one: a short page must not read it one by one.
        count = PAGE if state else limit
        for _ in range(0, LOOKED_AT, count):
            if following is None:
                break
            chunk = [following, *islice(agents, count - 1)]
            following = next(agents, None)
            for agent, view in self.status.of_all(chunk):
                if state is None or view.state is state:
                    members.append((agent, view))
                if len(members) == limit:
                    has_more = following is not None or agent is not chunk[-1]
                    return members, write_cursor(agent.agent) if has_more else ""
        return members, write_cursor(chunk[-1].agent) if following else ""

    def progress(self, organization: str) -> Progress:
        """Count the members by state, and ended ones by the state of their revocation at Google.

        Reads every member, `LOOKED_AT` in one round trip.
        """
        agents = self.organization_index.members(organization)
        states, revocations = Counter[State](), Counter[Revocation]()
        while chunk := list(islice(agents, LOOKED_AT)):
            for state, revocation in self.status.states_of(chunk):
                states[state] += 1
                if revocation:
                    revocations[Revocation(revocation)] += 1
        return Progress(states, revocations, self.organization_index.is_closed(organization))

    def off_board(self, organization: str) -> int:
        """Close the organization, then disconnect every member; return how many were connected.

        An interrupted off-boarding goes on when this is called again, and within a day by itself.
        """
        # Closed first: a connect that comes during the disconnects is refused, or ends itself when it sees the flag.
        self.organization_index.set_closed(organization, Actor.ADMINISTRATOR, is_closed=True)
        return self._end_members(organization)

    def go_on(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Disconnect members of closed organizations that an interrupted off-boarding left; return how many.

        Ends before the next member once `is_stopped` tells so.
        """
        return sum(
            self._end_members(organization, is_stopped) for organization in self.scan.closed_organizations()
        )

    def _end_members(self, organization: str, is_stopped: Callable[[], bool] = lambda: False) -> int:
        members = takewhile(lambda _: not is_stopped(), self.organization_index.members(organization))
        return sum(
            self.disconnect.end(agent, Actor.ADMINISTRATOR)
            for agent in members
            # Checked for each member: the organization may be reopened meanwhile, and an agent that connects then
            # stays.
            if self.organization_index.is_closed(organization)
        )

    def reopen(self, organization: str) -> None:
        """Let the organization's agents connect again."""
        self.organization_index.set_closed(organization, Actor.ADMINISTRATOR, is_closed=False)
