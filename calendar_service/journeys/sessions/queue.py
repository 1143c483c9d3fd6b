"""The order in which the worker runs due sessions: soonest start first, organizations in turn (law 2).

Opens waiting content to see when it starts, and keeps nothing of it. Must not know Google.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Content, Record, Status
from calendar_service.journeys.sessions.decide import is_unknown
from calendar_service.store import keys
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot
from calendar_service.store.throttle import PATCH

_LOOK = 2
"""Units of looking an event up: by its marker before a write and after it, or by its marker and its id."""
UNSETTLED = frozenset({Status.PENDING, Status.WAITING})
"""A session in one of these has not been applied at Google yet."""
SETTLED = frozenset({Status.SCHEDULED, Status.CANCELLED})
"""A session in one of these has been."""


@dataclass(frozen=True, slots=True)
class DueSession:
    """One session that is due."""

    agent: Agent
    session: str
    start: Millis
    """When it starts; for one that has to be removed, the day on which it would have ended."""
    cost: int
    """Quota units at Google; 0 if nothing will be sent."""
    account: str
    """The account reference."""


@dataclass(frozen=True)
class DueSessions:
    """Finds out when due sessions start, and what writing them costs."""

    sessions: Sessions
    grants: Grants
    terms: ConsentTerms
    clock: Clock

    def due(self, slot: Slot, names: Sequence[str]) -> list[DueSession]:
        """Return these sessions of an agent, except those whose record only a newer version can read (F35).

        A session that cannot be decrypted is due at once; the attempt itself reports the error.
        """
        grant = self._grant(slot)
        records = self.sessions.some(slot.agent, names)
        return [
            self._due_item(slot, grant, name, record, sealed) for name, (record, sealed) in records.items()
        ]

    def soonest(self, agent: Agent, names: Sequence[str], most: int) -> list[str]:
        """Return up to `most` of these sessions of an agent, those of the earliest days."""
        return self.sessions.soonest(agent, names, most)

    def _grant(self, slot: Slot) -> Grant | None:
        if slot.facts.state(self.terms) is not State.CONNECTED:
            return None
        try:
            return self.grants.open(slot.agent, slot.facts.connection_id, slot.grant)
        except RecordUnreadable:
            return None

    def _due_item(
        self, slot: Slot, grant: Grant | None, name: str, record: Record | None, sealed: str
    ) -> DueSession:
        at_once = DueSession(slot.agent, name, 0, 0, "")
        now = self.clock.now()
        if grant is None or record is None:
            return at_once
        start = record.end_day * DAY
        if record.status in SETTLED and is_in_doubt(record):
            return DueSession(slot.agent, name, start, _LOOK, slot.facts.account.ref)
        if record.status not in UNSETTLED or has_ended(record, None, now):
            return at_once
        if record.must_exist:
            content = _content(grant, name, sealed)
            if content is None or content.end <= now:
                return at_once
            start = content.start
        return DueSession(slot.agent, name, start, cost_of(slot.facts, record), slot.facts.account.ref)


def _content(grant: Grant, name: str, sealed: str) -> Content | None:
    try:
        return grant.open_content(name, sealed) if sealed else None
    except RecordUnreadable:
        return None


def fair_order(due_items: Iterable[DueSession]) -> list[DueSession]:
    """Return them soonest start first, organizations in turn, so that one organization's backlog delays no other's."""
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, Millis, str, DueSession]] = []
    for due_item in sorted(due_items, key=lambda due_item: (due_item.start, due_item.session)):
        turn = turns[due_item.agent.organization] if due_item.cost else -1
        turns[due_item.agent.organization] += 1
        ranked.append((turn, due_item.start, due_item.session, due_item))
    return [due_item for *_, due_item in sorted(ranked, key=lambda entry: entry[:3])]


def cost_of(facts: Facts, record: Record) -> int:
    """Return an estimate of the quota units that writing the session costs."""
    looking = _LOOK if is_in_doubt(record) or is_unknown(facts, record) else 0
    return looking + (PATCH if record.copy.exists and record.must_exist else 1)


def is_in_doubt(record: Record) -> bool:
    """Tell whether Google may have a write that the record does not know; a dead holder may have sent it, too."""
    return record.copy.in_doubt or record.leased


def has_ended(record: Record, end: Millis | None, now: Millis) -> bool:
    """Tell whether writing the session makes no sense any more. `end`: when it ends, None if unknown.

    Removing an event is tried for a week after its day: until then a person may look at it.
    """
    if record.must_exist:
        return end is not None and end <= now
    return now > (record.end_day + 8) * DAY


def waited_too_long(record: Record, now: Millis) -> bool:
    """Tell whether the session has waited for a person's act for 30 days."""
    return 0 < record.waiting_since <= now - keys.WAITING_MAX
