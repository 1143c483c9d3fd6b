"""An old back-up was put back: what the trail says was ended, erased, paused or chosen since is so again (ST-5).

Before anything serves. Connections are known by their random ids alone. Must not end what the trail does not end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.checkpoints import instant
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.audit_log import Actor, EntryKind
from calendar_service.store.connections import Connections
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slot, Slots


@dataclass
class AuditedHistory:
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

    def learn(self, entry: dict[str, Any], retention: Millis) -> None:
        """Take one entry; they come in the order in which things happened."""
        facts, kind = entry["facts"], entry["facts"].get("kind")
        connection = facts.get("connection", "")
        if kind in {EntryKind.DISCONNECTED, EntryKind.REVOKED}:
            self.due[connection] = int(facts.get("erase_due") or instant(entry["at"]) + retention)
        elif kind == EntryKind.ERASED:
            self.erased.add(connection)
        elif kind == EntryKind.HOLD_PLACED:
            self.held[connection] = int(facts["until"])
            self.released.discard(connection)
        elif kind in {EntryKind.HOLD_RELEASED, EntryKind.HOLD_OVER}:
            self.held.pop(connection, None)
            self.released.add(connection)
        elif kind in {EntryKind.PAUSED, EntryKind.RESUMED}:
            self.pauses.setdefault(connection, {})[Actor(facts["actor"])] = kind == EntryKind.PAUSED
        elif kind == EntryKind.RETENTION_CHOSEN:
            self.terms[connection] = int(facts["term"])


@dataclass(frozen=True, slots=True)
class RestoreStep:
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
    retention: Millis | None
    """The agent's choice, where another one stands."""

    @property
    def is_needed(self) -> bool:
        """True if anything is otherwise than the trail says."""
        changes = (
            self.ends,
            self.erase,
            self.release,
            self.missing_hold,
            self.pauses,
            self.retention is not None,
        )
        return any(changes)


@dataclass(frozen=True)
class RestorePlan:
    """Compares a restored database with an export of the audit log; changes nothing."""

    audit: AuditExport
    scan: Scan
    slots: Slots
    erase_after: Millis
    """The operator's retention period, for entries that name no time of the erasure."""

    def history(self, lines: Iterable[bytes], former_keys: Sequence[str] = ()) -> AuditedHistory:
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
        history = AuditedHistory()
        for entry in said:
            history.learn(entry, self.erase_after)
        return history

    def steps(self, history: AuditedHistory) -> Iterator[RestoreStep]:
        """Yield what is to be done, for every connection that is otherwise than the trail says."""
        for agent in self.scan.agents():
            step = _step(self.slots.read(agent), history)
            if step:
                yield step


@dataclass(frozen=True)
class RestoreReplay:
    """Carries the steps of a plan out."""

    audit_chain: AuditChainStore
    connections: Connections
    hold_store: LegalHoldStore
    connection_end: ConnectionEnd
    erasure: Erasure

    def take(self, step: RestoreStep) -> None:
        """Do as the trail says; what was done already stays done."""
        if step.release:
            self.hold_store.lift(step.agent, Actor.OPERATOR, released=True)
        if step.retention is not None:  # before the end: it counts there
            self.connections.choose_retention(step.agent, step.retention)
        for actor, paused in step.pauses.items():
            self.connections.pause(step.agent, actor, paused=paused)
        if step.ends:
            left = max(step.due - self.audit_chain.now(), 0)
            self.connection_end.disconnect(step.agent, Actor.OPERATOR, erase_after=left)
        if step.erase:
            self.erasure.erase_now(step.agent, Actor.OPERATOR)

    def note(self, ended: int, erased: int) -> None:
        """Say in the trail that a replay was made."""
        self.audit_chain.note(EntryKind.REPLAYED, Actor.OPERATOR, ended=ended, erased=erased)


def _step(slot: Slot, history: AuditedHistory) -> RestoreStep | None:
    facts, now = slot.facts, slot.now
    name, held = facts.connection_id, facts.hold.until > now
    is_live, erase = facts.is_live, name in history.erased
    until, due = history.held.get(name, 0), history.due.get(name, now if erase else 0)
    step = RestoreStep(
        agent=slot.agent,
        connection_id=name,
        ends=is_live and due > 0,
        erase=erase,
        release=held and (erase or name in history.released or 0 < until <= now),
        due=due,
        # Told to the second, and placed again by what was told.
        missing_hold=until
        if until > now and not erase and rfc3339(until) != rfc3339(facts.hold.until)
        else 0,
        pauses=_pauses(facts, history.pauses.get(name, {})) if is_live and not due else {},
        retention=history.terms[name]
        if is_live and history.terms.get(name, facts.end.agent_retention) != facts.end.agent_retention
        else None,
    )
    return step if name and step.is_needed else None


def _pauses(facts: Facts, wanted: Mapping[Actor, bool]) -> dict[Actor, bool]:
    """Return those that stand otherwise."""
    stands = {Actor.AGENT: facts.pause.by_agent > 0, Actor.ADMINISTRATOR: facts.pause.by_organization > 0}
    return {actor: paused for actor, paused in wanted.items() if paused != stands[actor]}
