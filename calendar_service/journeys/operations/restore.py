"""After a backup was restored: ends, erases, pauses and sets again what the audit log says happened since (ST-5).

Runs before any process serves requests. The audit log names connections by their random ids alone. Must not end a
connection that the audit log does not end.
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
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot, Slots


@dataclass
class AuditedHistory:
    """What an export says about each connection, by its random id."""

    due: dict[str, Millis] = field(default_factory=dict)
    """When each ended connection is to be erased (database time)."""
    erased: set[str] = field(default_factory=set)
    held: dict[str, Millis] = field(default_factory=dict)
    """When each legal hold ends."""
    released: set[str] = field(default_factory=set)
    """Connections whose legal hold was lifted, or ended."""
    pauses: dict[str, dict[Actor, bool]] = field(default_factory=dict)
    """Whether each actor's pause stands, for the pauses that were set or lifted."""
    terms: dict[str, Millis] = field(default_factory=dict)
    """The agent's last choice of a retention period; 0 = the operator's."""
    revisions: dict[str, int] = field(default_factory=dict)
    """The highest revision of a session that each connection accepted."""

    def learn(self, entry: dict[str, Any], retention: Millis) -> None:
        """Take the next entry, in the order in which they were written. `retention`: the operator's period."""
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
        elif kind == EntryKind.ACCEPTED:
            self.revisions[connection] = max(self.revisions.get(connection, 0), int(facts["revision"]))


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """What has to be done to one agent's restored connection."""

    agent: Agent
    connection_id: str
    ends: bool
    """It is live in the backup, and was ended since."""
    erase: bool
    release: bool
    """A hold stands in the backup that was lifted since, or has ended."""
    due: Millis
    """When it is to be erased (database time)."""
    missing_hold: Millis
    """The end of a hold that is not in the backup; 0 = none. The audit log does not say who placed it and why, so the
    operator has to place it again."""
    pauses: Mapping[Actor, bool]
    """For each actor whose pause differs from the audit log: whether it has to be set or lifted."""
    retention: Millis | None
    """The agent's choice according to the audit log, if the backup has another one."""
    revision: int
    """From which the revisions of the sessions have to count on; 0 = they do already.

    Google may have newer states than the backup: no session is named in the audit log, so all are raised alike.
    """

    @property
    def is_needed(self) -> bool:
        """True if anything differs from the audit log."""
        changes = (
            self.ends,
            self.erase,
            self.release,
            self.missing_hold,
            self.pauses,
            self.retention is not None,
            self.revision,
        )
        return any(changes)


@dataclass(frozen=True)
class RestorePlan:
    """Compares a restored database with an export of the audit log; changes nothing."""

    audit: AuditExport
    scan: Scan
    slots: Slots
    sessions: Sessions
    erase_after: Millis
    """The operator's retention period, for entries that name no time of the erasure."""

    def history(self, lines: Iterable[bytes], former_keys: Sequence[str] = ()) -> AuditedHistory:
        """Return what a whole export says; raise `InvalidRequest` if it does not verify or is filtered."""
        entries: list[dict[str, Any]] = []
        verdict = self.audit.verify_export(lines, former_keys, entries.append)
        if verdict.faults:
            words = f"The export does not verify, so nothing was done: {verdict.faults[0]}."
            raise InvalidRequest(words, field="replay")
        if verdict.filtered:
            raise InvalidRequest(
                "The export is a part of the trail; a replay needs the whole.", field="replay"
            )
        history = AuditedHistory()
        for entry in entries:
            history.learn(entry, self.erase_after)
        return history

    def steps(self, history: AuditedHistory) -> Iterator[RestoreStep]:
        """Yield what is to be done, for every connection that differs from the audit log."""
        for slot in self.slots.each(self.scan.agents()):
            step = _step(slot, history, self._revision(slot, history))
            if step:
                yield step

    def _revision(self, slot: Slot, history: AuditedHistory) -> int:
        connection_id = slot.facts.connection_id
        highest = 0 if connection_id in history.erased else history.revisions.get(connection_id, 0)
        records = self.sessions.all(slot.agent) if highest else []
        return highest if any(record.copy.revision_offset < highest for record in records) else 0


@dataclass(frozen=True)
class RestoreReplay:
    """Carries the steps of a plan out."""

    audit_chain: AuditChainStore
    connections: Connections
    hold_store: LegalHoldStore
    sessions: Sessions
    connection_end: ConnectionEnd
    erasure: Erasure

    def take(self, step: RestoreStep) -> None:
        """Do one step. It may be repeated: what is done already stays done."""
        if step.release:
            self.hold_store.lift(step.agent, Actor.OPERATOR, released=True)
        if step.retention is not None:  # before the disconnect, which sets the erasure's time by it
            self.connections.choose_retention(step.agent, step.retention)
        if step.revision:
            self.sessions.raise_revisions(step.agent, step.connection_id, step.revision)
        for actor, paused in step.pauses.items():
            self.connections.pause(step.agent, actor, paused=paused)
        if step.ends:
            left = max(step.due - self.audit_chain.now(), 0)
            self.connection_end.disconnect(step.agent, Actor.OPERATOR, erase_after=left)
        if step.erase:
            self.erasure.erase_now(step.agent, Actor.OPERATOR)

    def note(self, ended: int, erased: int) -> None:
        """Record in the audit log that a replay was made."""
        self.audit_chain.note(EntryKind.REPLAYED, Actor.OPERATOR, ended=ended, erased=erased)


def _step(slot: Slot, history: AuditedHistory, revision: int) -> RestoreStep | None:
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
        # Compared to the second: the operator places it again by the end that this tool prints.
        missing_hold=until
        if until > now and not erase and rfc3339(until) != rfc3339(facts.hold.until)
        else 0,
        pauses=_pauses(facts, history.pauses.get(name, {})) if is_live and not due else {},
        retention=history.terms[name]
        if is_live and history.terms.get(name, facts.end.agent_retention) != facts.end.agent_retention
        else None,
        revision=revision,
    )
    return step if name and step.is_needed else None


def _pauses(facts: Facts, logged: Mapping[Actor, bool]) -> dict[Actor, bool]:
    """Return the logged pauses that differ from the facts."""
    stands = {Actor.AGENT: facts.pause.by_agent > 0, Actor.ADMINISTRATOR: facts.pause.by_organization > 0}
    return {actor: paused for actor, paused in logged.items() if paused != stands[actor]}
