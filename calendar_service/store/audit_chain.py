"""The audit chain in the database: each shard's entries, their MACs, the chain's head, and checkpoints.

Must not know a key.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from calendar_service.domain.audit import ORIGIN, AuditEntry, Chain, CheckpointPoint, place
from calendar_service.domain.checkpoint import Checkpoint, details_text
from calendar_service.domain.clock import Millis, rfc3339_millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import Actor, EntryKind, note
from calendar_service.store.database import Database

PAGE = 1_000
"""Entries read from one shard in one command."""
BATCH = 100
"""Entries of one shard that get their MACs in one script."""


class AuditChainStore:
    """Reads the audit chain and runs its scripts. MACs lie in a stream of their own, each under its entry's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> Millis:
        """Return the database's time."""
        return self._database.time_at(keys.CHECKPOINTS)

    # --- reading ---

    def chains(self) -> list[Chain]:
        """Return every shard's chain, in one round trip."""
        hashes = self._database.read(("HGETALL", keys.audit_chain(shard)) for shard in keys.all_shards())
        return [_chain(shard, fields) for shard, fields in enumerate(hashes)]

    def confirm(self, shard: int) -> None:
        """Wait until enough replicas have the shard's head as it was read; raise `StoreUnavailable` if they do not."""
        self._database.confirm(keys.audit_chain(shard))

    def news(self, after: Sequence[str]) -> Iterator[tuple[int, list[AuditEntry]]]:
        """Yield each shard that has entries behind its id (one id a shard), with up to `BATCH` of them.

        Takes one round trip.
        """
        commands = [
            ("XRANGE", keys.audit_log(shard), f"({last}", "+", "COUNT", BATCH)
            for shard, last in enumerate(after)
        ]
        for shard, page in enumerate(self._database.read(commands)):
            if page:
                yield shard, [_entry(shard, name, fields) for name, fields in page]

    def entries(self, shard: int, after: str = ORIGIN) -> Iterator[AuditEntry]:
        """Yield a shard's entries behind this id, each with its number and MAC.

        `facts` is empty where only the MAC is left; `mac` is empty where the entry has none yet.
        """
        written, added = (
            self._stream(keys.audit_log(shard), after),
            self._stream(keys.audit_macs(shard), after),
        )
        one, other = next(written, None), next(added, None)
        while one or other:
            name = min((head[0] for head in (one, other) if head), key=place)
            fields = one[1] if one and one[0] == name else {}
            sealed = other[1] if other and other[0] == name else {}
            yield _entry(shard, name, fields, sealed)
            if fields:
                one = next(written, None)
            if sealed:
                other = next(added, None)

    def first_entry_at(self) -> Millis:
        """Return when the oldest entry was written (database time); 0 if there is none. Takes one round trip."""
        commands = (("XRANGE", keys.audit_log(shard), "-", "+", "COUNT", 1) for shard in keys.all_shards())
        pages = self._database.read(commands)
        return min((_number(fields.get("at")) for page in pages for _, fields in page), default=0)

    def newest_first(self, agent: Agent) -> Iterator[AuditEntry]:
        """Yield the entries of the agent's shard without their MACs, from the newest to the oldest."""
        shard = self._database.slot_keys(agent).shard
        key, before = keys.audit_log(shard), "+"
        while page := self._database.read([("XREVRANGE", key, before, "-", "COUNT", PAGE)])[0]:
            yield from (_entry(shard, name, fields) for name, fields in page)
            before = f"({page[-1][0]}"

    def notes(self) -> list[str]:
        """Return the signed notes of all checkpoints, the oldest first, in one round trip."""
        return cast(list[str], self._database.ask(lambda client: client.zrange(keys.CHECKPOINTS, 0, -1)))

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints in the store, the oldest first."""
        notes, details = self._database.read(
            (("ZRANGE", keys.CHECKPOINTS, 0, -1, "WITHSCORES"), ("HGETALL", keys.CHECKPOINT_DETAILS))
        )
        return [
            Checkpoint(int(number), note, _object(details.get(str(int(number)), "")))
            for note, number in notes
        ]

    def newest_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, or None."""
        newest = self._database.ask(lambda client: client.zrange(keys.CHECKPOINTS, -1, -1, withscores=True))
        if not newest:
            return None
        ((note, score),) = newest
        details = self._database.ask(lambda client: client.hget(keys.CHECKPOINT_DETAILS, str(int(score))))
        return Checkpoint(int(score), note, _object(details or ""))

    # --- steps ---

    def seal(self, before: Chain, after: Chain, sealed: Sequence[AuditEntry]) -> answers.AppendMacs:
        """Store the MACs of these entries, if they are there and the chain's head is still that of `before`."""
        shard, head = before.shard, before.head
        values = [value for one in sealed for value in (one.id, one.number, one.mac)]
        answer = self._database.script(
            "append_macs",
            {
                "audit_log": keys.audit_log(shard),
                "audit_macs": keys.audit_macs(shard),
                "audit_chain": keys.audit_chain(shard),
            },
            number=head.number,
            id=head.id,
            mac=head.mac,
            seal=after.seal,
            entries=values,
        )
        return cast(answers.AppendMacs, answer[0])

    def take_turn(self, number: int) -> bool:
        """Lease the making of this checkpoint for ten minutes; false when another worker has the lease."""
        turn = keys.checkpoint_turn(number)
        return bool(self._database.write("SET", turn, "1", "NX", "PX", keys.CHECKPOINT_LEASE))

    def add_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Store a checkpoint and write an audit entry about it; false if one of this number is there already."""
        answer = self._database.script(
            "append_checkpoint",
            {"checkpoints": keys.CHECKPOINTS, "checkpoint_details": keys.CHECKPOINT_DETAILS},
            number=checkpoint.number,
            note=checkpoint.note,
            details=details_text(checkpoint.details),
        )
        if cast(answers.AppendCheckpoint, answer[0]) != "ok":
            return False
        self.note(EntryKind.CHECKPOINT, Actor.SERVICE, number=checkpoint.number)
        return True

    def note(self, kind: EntryKind, actor: Actor, **facts: str | int | bool) -> None:
        """Write an entry that belongs to no connection."""
        note(self._database, kind, actor, **facts)

    def begin(self, shard: int, first: str) -> bool:
        """Announce in shard 0 which MAC is another shard's first, before it is stored; false if that shard has MACs."""
        # The shard's first entry must be on as many servers as the announcement. Otherwise the loss of one server would
        # look like a deletion.
        self._database.confirm(keys.audit_log(shard))
        if self._database.ask(lambda client: client.exists(keys.audit_macs(shard))):
            return False
        self.note(EntryKind.CHAIN_BEGUN, Actor.SERVICE, shard=shard, first=first)
        return True

    def agreed_now(self) -> Millis | None:
        """Return the database's time; None if this process's clock differs by more than an hour (law 7)."""
        now = self.now()
        return now if abs(now - self._database.clock.now()) <= keys.CLOCK_TOLERANCE else None

    def trim(self, shard: int, checkpoint: int, head: CheckpointPoint) -> None:
        """Remove the entries up to a head that this checkpoint states, and the receipts that they name."""
        named_keys = {
            "audit_log": keys.audit_log(shard),
            "audit_macs": keys.audit_macs(shard),
            "audit_chain": keys.audit_chain(shard),
            "receipts": keys.receipts(shard),
        }
        self._database.script(
            "trim_audit_chain",
            named_keys,
            checkpoint=checkpoint,
            number=head.number,
            id=head.id,
            mac=head.mac,
        )

    def drop_checkpoints_before(self, number: int) -> None:
        """Remove the checkpoints with lower numbers."""
        stored = self._database.ask(lambda client: client.hkeys(keys.CHECKPOINT_DETAILS))
        self._database.write("ZREMRANGEBYSCORE", keys.CHECKPOINTS, "-inf", f"({number}")
        if old := [name for name in stored if int(name) < number]:
            self._database.write("HDEL", keys.CHECKPOINT_DETAILS, *old)

    def _stream(self, key: str, after: str) -> Iterator[tuple[str, dict[str, str]]]:
        while page := self._page(key, after):
            yield from page
            after = page[-1][0]

    def _page(self, key: str, after: str) -> list[tuple[str, dict[str, str]]]:
        page = self._database.ask(lambda client: client.xrange(key, f"({after}", "+", PAGE))
        return cast(list[tuple[str, dict[str, str]]], page)


def _chain(shard: int, fields: dict[str, str]) -> Chain:
    return Chain(
        shard,
        CheckpointPoint(_number(fields.get("number")), fields.get("id", ORIGIN), fields.get("mac", "")),
        fields.get("seal", ""),
        CheckpointPoint(
            _number(fields.get("base_number")), fields.get("base_id", ORIGIN), fields.get("base_mac", "")
        ),
        _number(fields.get("base_checkpoint")),
        _number(fields.get("proofs")),
    )


def _entry(shard: int, name: str, fields: dict[str, str], sealed: dict[str, str] | None = None) -> AuditEntry:
    sealed = sealed or {}
    at, facts = fields.get("at", ""), _document(fields.get("entry", "")) if fields else {}
    if fields and set(fields) != {"at", "entry"}:
        facts = {"unreadable": json.dumps(fields)}
    moment = rfc3339_millis(int(at)) if at.isascii() and at.isdigit() and len(at) < 15 else at
    return AuditEntry(shard, name, moment, facts, _number(sealed.get("number")), sealed.get("mac", ""))


def _document(text: str) -> dict[str, Any]:
    """Return the JSON object in this text. A text that is none is returned as `unreadable`: its MAC will not fit."""
    return _object(text) or {"unreadable": text}


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object in this text; an empty one if it is none."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
