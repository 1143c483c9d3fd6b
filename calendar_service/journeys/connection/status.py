"""What is shown of a connection to both roles of the API, and on every page. Must not change anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import AdminAction, BlockCause, Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.names import Agent
from calendar_service.journeys.views import ConnectionView
from calendar_service.store.slots import Slots

Needs = Literal["agent", "administrator", "operator", ""]

_ACTIONS: dict[State, tuple[str, Needs]] = {
    State.NOT_CONNECTED: ("connect", "agent"),
    State.DISCONNECTED: ("connect_again", "agent"),
    State.REVOKED: ("connect_again", "agent"),
    State.RECONSENT_REQUIRED: ("review_consent", "agent"),
    State.CALENDAR_MISSING: ("create_calendar", "agent"),
}
"""What somebody has to do in each state, as a code, and who. A pause is shown with who can lift it."""

_BLOCKED: dict[str, tuple[str, Needs]] = {
    BlockCause.ADMINISTRATOR: ("allow_calendar", "administrator"),
    BlockCause.OPERATOR: ("mend_service", "operator"),
    BlockCause.QUOTA: ("wait_for_quota", "agent"),
}
"""What ends a block, by its cause, and who has to act."""


@dataclass(frozen=True)
class ConnectionStatus:
    """Reads one agent's connection, and asks nobody else."""

    slots: Slots
    terms: ConsentTerms

    def of(self, agent: Agent) -> ConnectionView:
        """Return the connection as both roles of the API may see it."""
        slot = self.slots.read(agent)
        return connection_view(slot.facts, self.terms, slot.now)

    def of_all(self, agents: Sequence[Agent]) -> Iterator[tuple[Agent, ConnectionView]]:
        """Yield the connections of these agents, which are read in one round trip."""
        facts, now = self.slots.facts(agents) if agents else ([], 0)
        for agent, each in zip(agents, facts, strict=True):
            yield agent, connection_view(each, self.terms, now)

    def states_of(self, agents: Sequence[Agent]) -> Iterator[tuple[State, str]]:
        """Yield each agent's state, and how its revocation stands; at least one agent, in one round trip."""
        for facts in self.slots.states(agents):
            yield facts.state(self.terms), facts.end.revocation


def connection_view(facts: Facts, terms: ConsentTerms, now: Millis) -> ConnectionView:
    """Return what is shown of these facts at `now` (database time)."""
    state = facts.state(terms)
    action, needs = _ACTIONS.get(state, ("", ""))
    if state is State.PAUSED:
        action = "resume"
        needs = "agent" if facts.pause.by_agent else "administrator"
    is_on_its_way = state is State.CALENDAR_MISSING and not facts.calendar.lost_at  # the worker makes it
    if is_on_its_way:
        action, needs = "wait_for_calendar", "agent"
    if is_on_its_way or state is State.CONNECTED:
        action, needs = _BLOCKED.get(facts.block.cause, (action, needs))
    return ConnectionView(
        state=state,
        since=facts.since(terms),
        erase_due=facts.hold.disclosed_erasure(facts.end.erase_due, now),
        revocation=facts.end.revocation,
        revocation_at=facts.end.revocation_at,
        paused_by_agent=facts.pause.by_agent,
        paused_by_organization=facts.pause.by_organization,
        last_admin_action=AdminAction.of_text(facts.last_admin_action),
        action=action,
        needs=needs,
    )
