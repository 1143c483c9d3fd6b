"""Every connection there is, as the operator's staff may see and end it: states and ids, never content (LU-3).

Must not touch an agent's calendar.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import GrantState, State
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
from calendar_service.store.slots import Slot, Slots
from calendar_service.store.timers import Timers

ENDED = frozenset({State.DISCONNECTED, State.REVOKED, State.NOT_CONNECTED})


@dataclass(frozen=True, slots=True)
class ConnectionEntry:
    """One agent's connection."""

    agent: Agent
    view: ConnectionView
    connection_id: str
    key_id: str
    """The key that seals its grant; empty when there is none."""
    teardowns: int
    """Closing errands that Google has not confirmed yet."""


@dataclass
class ConnectionTotals:
    """All connections, counted: of whom each is it does not say."""

    states: Counter[State] = field(default_factory=Counter)
    living: int = 0
    """Permissions that are not known to have ended."""
    oldest_refresh_ok: Millis = 0
    """When the one of these that waits longest was last proved alive; 0 = none lives."""
    teardowns: int = 0
    """Closing errands that Google has not confirmed yet."""

    def take(self, slot: Slot) -> None:
        """Count one."""
        self.states[connection_view(slot.facts, slot.now).state] += 1
        self.teardowns += len(slot.teardowns)
        if slot.facts.grant is GrantState.LIVE:
            self.living += 1
            self.oldest_refresh_ok = min(
                self.oldest_refresh_ok or slot.facts.last_refresh_ok_at, slot.facts.last_refresh_ok_at
            )


@dataclass(frozen=True)
class AllConnections:
    """The story of the whole house, for those who run it."""

    scan: Scan
    slots: Slots
    timers: Timers
    sessions: Sessions
    grants: Grants
    disconnect: Disconnect
    erasure: Erasure

    def entries(self, organization: str = "", state: State | None = None) -> Iterator[ConnectionEntry]:
        """Yield every connection, of one organization and in one state if these are named."""
        for agent in self.scan.agents():
            if organization and agent.organization != organization:
                continue
            entry = self._entry(self.slots.read(agent))
            if state is None or entry.view.state is state:
                yield entry

    def totals(self, walk: Callable[[Sequence[Agent]], Iterable[Agent]]) -> ConnectionTotals:
        """Return all connections, counted; `walk` yields them and shows how far it is."""
        found = ConnectionTotals()
        for agent in walk(list(self.scan.agents())):
            found.take(self.slots.read(agent))
        return found

    def details(self, agent: Agent) -> tuple[ConnectionEntry, Slot, list[Record]]:
        """Return one connection with its facts and its sessions' records."""
        slot = self.slots.read(agent)
        return self._entry(slot), slot, self.sessions.all(agent)

    def living(self, key_id: str = "") -> list[Agent]:
        """Return whose connection is not ended; with `key_id` only those whose grant that key seals."""
        return [
            entry.agent
            for entry in self.entries()
            if entry.view.state not in ENDED and (not key_id or entry.key_id == key_id)
        ]

    def reset_far_timers(self) -> int:
        """Let be due again what a clock that was ahead put far off (RV-1); return how many matters that were."""
        return sum(self.timers.reset_far(agent) for agent in self.scan.agents())

    def revoke(self, agent: Agent) -> ConnectionEntry:
        """End the connection here at once, and ask Google to end its permission."""
        self.disconnect.disconnect(agent, Actor.OPERATOR)
        return self._entry(self.slots.read(agent))

    def erase(self, agent: Agent) -> dict[str, Any]:
        """Erase what is kept of an ended connection now, and return the receipt (CH-1: on a guardian's request)."""
        state = self._entry(self.slots.read(agent)).view.state
        if state is State.NOT_CONNECTED:
            raise NotConnected("Nothing is kept of this agent.")
        if state not in ENDED:
            raise NotConnected("The connection stands: end it first (`connections revoke`), then erase.")
        return self.erasure.erase_now(agent, Actor.OPERATOR)

    def _entry(self, slot: Slot) -> ConnectionEntry:
        key_id = self.grants.key_id(slot.grant) if slot.grant else ""
        # Staff placed the hold that agents may not be told of: they see when it ends.
        view = replace(connection_view(slot.facts, slot.now), erase_due=slot.facts.erasable_at)
        return ConnectionEntry(slot.agent, view, slot.facts.connection_id, key_id, len(slot.teardowns))
