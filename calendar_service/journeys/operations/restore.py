"""An old back-up was put back: what the trail says was ended, erased, paused or chosen since is so again (ST-5).

Before anything serves. Connections are known by their random ids alone. Must not end what the trail does not end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Facts, Grant
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent
from calendar_service.journeys.audit.audit_export import Audit
from calendar_service.journeys.audit.checkpoints import instant
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.store.audit_chain import Trail
from calendar_service.store.audit_log import Actor, Kind
from calendar_service.store.connections import Connections
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.scan import Census
from calendar_service.store.slots import Slot, Slots


@dataclass
class Past:
    """What an export says of each connection, by its random id."""

    due: dict[str, Millis] = field(default_factory=dict)
    """Of those that were ended: when they are to be erased."""
    erased: set[str] = field(default_factory=set)
    held: dict[str, Millis] = field(default_factory=dict)
    """Of those under a legal hold: until when."""
    released: set[str] = field(default_factory=set)
    pauses: dict[str, dict[Actor, bool]] = field(default_factory=dict)
    """Of those whose pauses were touched: whether each one's own stands."""
    terms: dict[str, Millis] = field(default_factory=dict)
    """Of those whose agent chose a term until the erasure: the last choice; 0 = the operator's."""

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
        elif kind in {Kind.PAUSED, Kind.RESUMED}:
            self.pauses.setdefault(connection, {})[Actor(facts["actor"])] = kind == Kind.PAUSED
        elif kind == Kind.TERM_CHOSEN:
            self.terms[connection] = int(facts["term"])


@dataclass(frozen=True, slots=True)
class Step:
    """What has to be done to one agent's connection."""

    agent: Agent
    connection_id: str
    ends: bool
    """It lives, and was ended."""
    erase: bool
    release: bool
    """A hold stands that was lifted, or is over by now."""
    due: Millis
    missing_hold: Millis
    """A hold was placed after the back-up: who and why is not in the trail, so it has to be placed again; 0 = none."""
    pauses: Mapping[Actor, bool]
    """Pauses that stand otherwise than the trail says: to be set or lifted for whom they are of."""
    term: Millis | None
    """The agent's choice, where another one stands."""

    @property
    def is_needed(self) -> bool:
        """True if anything is otherwise than the trail says."""
        changes = self.ends, self.erase, self.release, self.missing_hold, self.pauses, self.term is not None
        return any(changes)


@dataclass(frozen=True)
class Replay:
    """The story of a restored database."""

    audit: Audit
    trail: Trail
    census: Census
    slots: Slots
    connections: Connections
    hold_store: LegalHoldStore
    connection_end: ConnectionEnd
    erasure: Erasure

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
            past.learn(entry, self.connection_end.erase_after)
        return past

    def steps(self, past: Past) -> Iterator[Step]:
        """Yield what is to be done, for every connection that is otherwise than the trail says."""
        for agent in self.census.agents():
            step = _step(self.slots.read(agent), past)
            if step:
                yield step

    def take(self, step: Step) -> None:
        """Do as the trail says; what was done already stays done."""
        if step.release:
            self.hold_store.lift(step.agent, Actor.OPERATOR, released=True)
        if step.term is not None:  # before the end: it counts there
            self.connections.choose_term(step.agent, step.term)
        for actor, paused in step.pauses.items():
            self.connections.pause(step.agent, actor, paused=paused)
        if step.ends:
            left = max(step.due - self.trail.now(), 0)
            self.connection_end.disconnect(step.agent, Actor.OPERATOR, erase_after=left)
        if step.erase:
            self.erasure.erase_now(step.agent, Actor.OPERATOR)

    def note(self, ended: int, erased: int) -> None:
        """Say in the trail that a replay was made."""
        self.trail.note(Kind.REPLAYED, Actor.OPERATOR, ended=ended, erased=erased)


def _step(slot: Slot, past: Past) -> Step | None:
    facts, now = slot.facts, slot.now
    name, held = facts.connection_id, facts.hold_until > now
    is_live, erase = facts.grant is Grant.LIVE, name in past.erased
    until, due = past.held.get(name, 0), past.due.get(name, now if erase else 0)
    step = Step(
        agent=slot.agent,
        connection_id=name,
        ends=is_live and due > 0,
        erase=erase,
        release=held and (erase or name in past.released or 0 < until <= now),
        due=due,
        # Told to the second, and placed again by what was told.
        missing_hold=until
        if until > now and not erase and rfc3339(until) != rfc3339(facts.hold_until)
        else 0,
        pauses=_pauses(facts, past.pauses.get(name, {})) if is_live and not due else {},
        term=past.terms[name] if is_live and past.terms.get(name, facts.own_term) != facts.own_term else None,
    )
    return step if name and step.is_needed else None


def _pauses(facts: Facts, wanted: Mapping[Actor, bool]) -> dict[Actor, bool]:
    """Return those that stand otherwise."""
    stands = {Actor.AGENT: facts.paused_by_agent > 0, Actor.ADMINISTRATOR: facts.paused_by_organization > 0}
    return {actor: paused for actor, paused in wanted.items() if paused != stands[actor]}
