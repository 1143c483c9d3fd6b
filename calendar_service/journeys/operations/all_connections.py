"""All connections, as the operator's staff may see and end them: states and ids, never content (LU-3).

Must not touch an agent's calendar.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import NotConnected
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.journeys.connection.status import connection_view
from calendar_service.journeys.views import ConnectionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.grants import Grants
from calendar_service.store.scan import Scan
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot, Slots, TimedSlot

ENDED = frozenset({State.DISCONNECTED, State.REVOKED, State.NOT_CONNECTED})


@dataclass(frozen=True, slots=True)
class ConnectionEntry:
    """One agent's connection."""

    agent: Agent
    view: ConnectionView
    connection_id: str
    key_id: str
    """The id of the key-encryption key that seals its grant; empty if there is no grant."""
    teardowns: int
    """How many teardowns have not ended."""


@dataclass
class ConnectionTotals:
    """Counts over all connections; they name no agent."""

    states: Counter[State] = field(default_factory=Counter)
    living: int = 0
    """Grants that are not known to have ended."""
    oldest_refresh_ok: Millis = 0
    """The oldest last proof of life among these (database time); 0 = there are none."""
    teardowns: int = 0
    """How many teardowns have not ended."""

    def add(self, slot: Slot, terms: ConsentTerms) -> None:
        """Count the connection of one slot."""
        self.states[slot.facts.state(terms)] += 1
        self.teardowns += len(slot.teardowns)
        if slot.facts.is_live:
            self.living += 1
            self.oldest_refresh_ok = min(
                self.oldest_refresh_ok or slot.facts.grant.last_refresh_ok_at,
                slot.facts.grant.last_refresh_ok_at,
            )


@dataclass(frozen=True)
class AllConnections:
    """Lists, counts, ends and erases connections for the operator's commands."""

    scan: Scan
    slots: Slots
    sessions: Sessions
    grants: Grants
    disconnect: Disconnect
    erasure: Erasure
    terms: ConsentTerms

    def entries(self, organization: str = "", state: State | None = None) -> Iterator[ConnectionEntry]:
        """Yield every connection, or those of one organization or in one state."""
        agents = self.scan.agents()
        chosen = (agent for agent in agents if not organization or agent.organization == organization)
        for slot in self.slots.each(chosen):
            entry = self._entry(slot)
            if state is None or entry.view.state is state:
                yield entry

    def totals(self, walk: Callable[[Sequence[Agent]], Iterable[Agent]]) -> ConnectionTotals:
        """Count all connections. `walk` iterates over the agents and shows progress."""
        totals = ConnectionTotals()
        for slot in self.slots.each(walk(list(self.scan.agents()))):
            totals.add(slot, self.terms)
        return totals

    def details(self, agent: Agent) -> tuple[ConnectionEntry, TimedSlot, list[Record]]:
        """Return one connection with its facts and timers and its sessions' records."""
        slot = self.slots.timed(agent)
        return self._entry(slot), slot, self.sessions.all(agent)

    def living(self, key_id: str = "") -> list[Agent]:
        """Return the agents whose connection has not ended; with `key_id` only those whose grant that key seals."""
        return [
            entry.agent
            for entry in self.entries()
            if entry.view.state not in ENDED and (not key_id or entry.key_id == key_id)
        ]

    def connection_id(self, agent: Agent) -> str:
        """Return the random id of the agent's connection; once that is erased nothing leads to it any more."""
        connection_id = self.slots.read(agent).facts.connection_id
        if not connection_id:
            raise NotConnected(
                "Nothing is kept of this agent: its entries cannot be told from others any more."
            )
        return connection_id

    def revoke(self, agent: Agent) -> ConnectionEntry:
        """End the connection at once, and try its teardown at Google."""
        self.disconnect.disconnect(agent, Actor.OPERATOR)
        return self._entry(self.slots.read(agent))

    def erase(self, agent: Agent) -> dict[str, Any]:
        """Erase an ended connection now, and return the receipt (CH-1: on a guardian's request)."""
        state = self._entry(self.slots.read(agent)).view.state
        if state is State.NOT_CONNECTED:
            raise NotConnected("Nothing is kept of this agent.")
        if state not in ENDED:
            raise NotConnected("The connection stands: end it first (`connections revoke`), then erase.")
        return self.erasure.erase_now(agent, Actor.OPERATOR)

    def _entry(self, slot: Slot) -> ConnectionEntry:
        key_id = self.grants.key_id(slot.grant) if slot.grant else ""
        # The operator's staff placed the hold, so they see when it ends also where the agent may not be informed.
        view = replace(connection_view(slot.facts, self.terms, slot.now), erase_due=slot.facts.erasable_at)
        return ConnectionEntry(slot.agent, view, slot.facts.connection_id, key_id, len(slot.teardowns))
