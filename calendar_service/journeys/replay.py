"""An old back-up was put back: what the audit trail says was ended or erased since is ended and erased again (ST-5).

Before anything serves. Connections are known by their random ids alone. Must not end what the trail does not end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Grant
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent
from calendar_service.journeys.audit import Audit
from calendar_service.journeys.checkpoints import instant
from calendar_service.journeys.disconnect import Disconnect
from calendar_service.store.census import Census
from calendar_service.store.connections import Connections, Slot
from calendar_service.store.journal import Actor, Kind
from calendar_service.store.trail import Trail


@dataclass
class Past:
    """What an export says of each connection, by its random id."""

    due: dict[str, Millis] = field(default_factory=dict)
    """Of those that were ended: when they are to be erased."""
    erased: set[str] = field(default_factory=set)
    held: dict[str, Millis] = field(default_factory=dict)
    """Of those under a legal hold: until when."""
    released: set[str] = field(default_factory=set)

    def learn(self, entry: dict[str, Any], term: Millis) -> None:
        """Take one entry; they come in the order in which things happened."""
        facts, kind = entry["facts"], entry["facts"].get("kind")
        connection = facts.get("connection", "")
        if kind in {Kind.DISCONNECTED, Kind.REVOKED}:
            self.due[connection] = int(facts.get("erase_due") or instant(entry["at"]) + term)
        elif kind == Kind.ERASED:
            self.erased.add(connection)
        elif kind == Kind.HOLD_PLACED:
            self.held[connection] = int(facts["until"])
            self.released.discard(connection)
        elif kind in {Kind.HOLD_RELEASED, Kind.HOLD_OVER}:
            self.held.pop(connection, None)
            self.released.add(connection)


@dataclass(frozen=True, slots=True)
class Step:
    """What has to be done to one agent's connection."""

    agent: Agent
    connection_id: str
    is_live: bool
    erase: bool
    release: bool
    """A hold stands that was lifted."""
    due: Millis
    missing_hold: Millis
    """A hold was placed after the back-up: who and why is not in the trail, so it has to be placed again; 0 = none."""


@dataclass(frozen=True)
class Replay:
    """The story of a restored database."""

    audit: Audit
    trail: Trail
    census: Census
    connections: Connections
    disconnect: Disconnect
    term: Millis

    def past(self, lines: Iterable[bytes], former_keys: Sequence[str] = ()) -> Past:
        """Return what a whole export says; raise `InvalidRequest` if it does not verify or is only a part."""
        said: list[dict[str, Any]] = []
        verdict = self.audit.verify_export(lines, former_keys, said.append)
        if verdict.faults:
            words = f"The export does not verify, so nothing was done: {verdict.faults[0]}."
            raise InvalidRequest(words, field="replay")
        if verdict.filtered:
            raise InvalidRequest(
                "The export is a part of the trail; a replay needs the whole.", field="replay"
            )
        past = Past()
        for entry in said:
            past.learn(entry, self.term)
        return past

    def steps(self, past: Past) -> Iterator[Step]:
        """Yield what is to be done, for every connection that is otherwise than the trail says."""
        for agent in self.census.agents():
            step = _step(self.connections.slot(agent), past)
            if step:
                yield step

    def take(self, step: Step) -> None:
        """End and erase as the trail says; what was done already stays done."""
        if step.release:
            self.connections.hold_ends(step.agent, Actor.OPERATOR, released=True)
        if step.is_live and step.due:
            left = max(step.due - self.trail.now(), 0)
            self.connections.disconnect(
                step.agent, Actor.OPERATOR, delete_calendar=False, erase_after=left, errand_lease=0
            )
        if step.erase:
            self.disconnect.erase_now(step.agent, Actor.OPERATOR)

    def note(self, ended: int, erased: int) -> None:
        """Say in the trail that a replay was made."""
        self.trail.note(Kind.REPLAYED, Actor.OPERATOR, ended=ended, erased=erased)


def _step(slot: Slot, past: Past) -> Step | None:
    facts, now = slot.facts, slot.now
    name, held = facts.connection_id, facts.hold_until > now
    is_live, erase = facts.grant is Grant.LIVE, name in past.erased
    missing = past.held.get(name, 0)
    step = Step(
        agent=slot.agent,
        connection_id=name,
        is_live=is_live,
        erase=erase,
        release=held and (erase or name in past.released),
        due=past.due.get(name, now if erase else 0),
        missing_hold=missing if missing > now and not held and not erase else 0,
    )
    wanted = erase or (is_live and step.due) or step.release or step.missing_hold
    return step if name and wanted else None
