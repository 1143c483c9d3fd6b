"""In which order the worker does what waits: soonest start first, organizations in turn (law 2).

Opens waiting content to see when it starts, and keeps nothing of it. Must not know Google.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import Content, Record, Status
from calendar_service.journeys.sessions.decide import is_unknown
from calendar_service.store import keys
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot
from calendar_service.store.throttle import PATCH

UNSETTLED = frozenset({Status.PENDING, Status.WAITING})
"""What has not been brought to Google yet."""


@dataclass(frozen=True, slots=True)
class DueSession:
    """One session whose time has come."""

    agent: Agent
    session: str
    start: Millis
    """When it starts; of one that has to be gone, the day on which it would have ended."""
    cost: int
    """Units of Google's; 0 when nothing will be sent."""
    account: str


@dataclass(frozen=True)
class DueSessions:
    """The order of what waits."""

    sessions: Sessions
    grants: Grants
    clock: Clock

    def due(self, slot: Slot, names: Sequence[str]) -> list[DueSession]:
        """Return what these sessions of an agent need; of those that a newer version keeps, nothing (F35).

        What does not open is no reason to keep the others waiting: whoever does it says what is wrong.
        """
        grant = self._grant(slot)
        found = self.sessions.some(slot.agent, names)
        return [self._due_item(slot, grant, name, record, sealed) for name, (record, sealed) in found.items()]

    def _grant(self, slot: Slot) -> Grant | None:
        if slot.facts.state(SCOPE) is not State.CONNECTED:
            return None
        try:
            return self.grants.open(slot.agent, slot.facts.connection_id, slot.grant)
        except StoreUnavailable:
            return None

    def _due_item(
        self, slot: Slot, grant: Grant | None, name: str, record: Record | None, sealed: str
    ) -> DueSession:
        at_once = DueSession(slot.agent, name, 0, 0, "")
        now = self.clock.now()
        if grant is None or record is None or record.status not in UNSETTLED or has_ended(record, None, now):
            return at_once
        start = record.end_day * DAY
        if record.wanted:
            content = _opened(grant, name, sealed)
            if content is None or content.end <= now:
                return at_once
            start = content.start
        return DueSession(slot.agent, name, start, cost_of(slot.facts, record), slot.facts.account_ref)


def _opened(grant: Grant, name: str, sealed: str) -> Content | None:
    try:
        return grant.open_content(name, sealed) if sealed else None
    except StoreUnavailable:
        return None


def fair_order(due_items: Iterable[DueSession]) -> list[DueSession]:
    """Return them soonest start first, the organizations in turn: one's flood does not push another's back."""
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, Millis, str, DueSession]] = []
    for due_item in sorted(due_items, key=lambda due_item: (due_item.start, due_item.session)):
        turn = turns[due_item.agent.organization] if due_item.cost else -1
        turns[due_item.agent.organization] += 1
        ranked.append((turn, due_item.start, due_item.session, due_item))
    return [due_item for *_, due_item in sorted(ranked, key=lambda entry: entry[:3])]


def cost_of(facts: Facts, record: Record) -> int:
    """Return what writing it costs, as far as can be told before."""
    looking = 2 if record.sent or is_unknown(facts, record) else 0
    return looking + (PATCH if record.placed and record.wanted else 1)


def has_ended(record: Record, end: Millis | None, now: Millis) -> bool:
    """Tell whether it no longer makes sense to write this.

    An event that has to be gone is tried for a week after its day: until then somebody may look at it.
    """
    if record.wanted:
        return end is not None and end <= now
    return now > (record.end_day + 8) * DAY


def waited_too_long(record: Record, now: Millis) -> bool:
    """Tell whether it has waited for a person's act as long as anything may (30 days)."""
    return 0 < record.waiting_since <= now - keys.WAITING_MAX
