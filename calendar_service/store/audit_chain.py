"""The audit trail as it is kept: entries, their MACs beside them, chains and checkpoints. Must not know a key."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from calendar_service.domain.audit import ORIGIN, AuditEntry, Chain, CheckpointPoint, place
from calendar_service.domain.clock import Millis, rfc3339_millis
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import Actor, EntryKind, note
from calendar_service.store.database import Database

PAGE = 1_000
"""Entries read at once from one shard."""
BATCH = 100
"""Entries of one shard that get their MACs in one step."""


class AuditChainStore:
    """Reads the trail, and takes its steps. A MAC lies in a stream of its own, under its entry's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> Millis:
        """Return the database's time."""
        return self._database.time_at(keys.CHECKPOINTS)

    # --- reading ---

    def chains(self) -> list[Chain]:
        """Return every shard's chain, in one round trip."""
        found = self._database.read(("HGETALL", keys.audit_chain(shard)) for shard in keys.all_shards())
        return [_chain(shard, kept) for shard, kept in enumerate(found)]

    def confirm(self, shard: int) -> None:
        """Make sure that a shard's head as it was read stands on as many servers as are asked for."""
        self._database.confirm(keys.audit_chain(shard))

    def news(self, after: Sequence[str]) -> Iterator[tuple[int, list[AuditEntry]]]:
        """Yield the shards with entries behind these ids (one a shard), some each, in one round trip."""
        pages = [
            ("XRANGE", keys.audit_log(shard), f"({last}", "+", "COUNT", BATCH)
            for shard, last in enumerate(after)
        ]
        for shard, found in enumerate(self._database.read(pages)):
            if found:
                yield shard, [_entry(shard, name, fields) for name, fields in found]

    def entries(self, shard: int, after: str = ORIGIN) -> Iterator[AuditEntry]:
        """Yield a shard's entries behind this id with what the sealer added; `facts` is empty where one is gone."""
        written, added = (
            self._stream(keys.audit_log(shard), after),
            self._stream(keys.audit_macs(shard), after),
        )
        one, other = next(written, None), next(added, None)
        while one or other:
            name = min((found[0] for found in (one, other) if found), key=place)
            fields = one[1] if one and one[0] == name else {}
            sealed = other[1] if other and other[0] == name else {}
            yield _entry(shard, name, fields, sealed)
            if fields:
                one = next(written, None)
            if sealed:
                other = next(added, None)

    def checkpoints(self) -> list[dict[str, Any]]:
        """Return all checkpoints that are kept, the oldest first."""
        found = self._database.ask(lambda client: client.zrange(keys.CHECKPOINTS, 0, -1))
        return [_document(text) for text in found]

    def newest_checkpoint(self) -> dict[str, Any] | None:
        """Return the newest checkpoint, or None."""
        found = self._database.ask(lambda client: client.zrange(keys.CHECKPOINTS, -1, -1))
        return _document(found[0]) if found else None

    # --- steps ---

    def seal(self, before: Chain, after: Chain, sealed: Sequence[AuditEntry]) -> answers.AppendMacs:
        """Put the MACs beside their entries."""
        shard, head = before.shard, before.head
        added = [part for one in sealed for part in (one.id, one.number, one.mac)]
        answer = self._database.script(
            "append_macs",
            {"audit_macs": keys.audit_macs(shard), "audit_chain": keys.audit_chain(shard)},
            number=head.number,
            id=head.id,
            mac=head.mac,
            seal=after.seal,
            entries=added,
        )
        return cast(answers.AppendMacs, answer[0])

    def take_turn(self, number: int) -> bool:
        """Take the turn of making the checkpoint of this number; false when another worker has it."""
        turn = keys.checkpoint_turn(number)
        return bool(self._database.write("SET", turn, "1", "NX", "PX", keys.CHECKPOINT_LEASE))

    def add_checkpoint(self, number: int, document: dict[str, Any]) -> bool:
        """Keep a checkpoint, and note in the trail itself that it was made; false when another made this one."""
        answer = self._database.script(
            "append_checkpoint",
            {"checkpoints": keys.CHECKPOINTS},
            number=number,
            document=json.dumps(document),
        )
        if cast(answers.AppendCheckpoint, answer[0]) != "ok":
            return False
        self.note(EntryKind.CHECKPOINT, Actor.SERVICE, number=number)
        return True

    def note(self, kind: EntryKind, actor: Actor, **facts: str | int | bool) -> None:
        """Write an entry that belongs to no connection."""
        note(self._database, kind, actor, **facts)

    def begin(self, shard: int, first: str) -> bool:
        """Say in shard 0, before another shard's first sealing, which MAC is its first; false where seals are there."""
        # The first entry must stand on as many servers as what tells of it, or losing one server looks like a deletion.
        self._database.confirm(keys.audit_log(shard))
        if self._database.ask(lambda client: client.exists(keys.audit_macs(shard))):
            return False
        self.note(EntryKind.CHAIN_BEGUN, Actor.SERVICE, shard=shard, first=first)
        return True

    def agreed_now(self) -> Millis | None:
        """Return the database's time; None if this process's clock disagrees: then nothing may end (law 7)."""
        now = self.now()
        return now if abs(now - self._database.clock.now()) <= keys.CLOCK_TOLERANCE else None

    def trim(self, shard: int, checkpoint: int, head: CheckpointPoint) -> None:
        """End the entries up to a head that this checkpoint holds, and the receipts that they name."""
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
        """End the checkpoints before this one."""
        self._database.write("ZREMRANGEBYSCORE", keys.CHECKPOINTS, "-inf", f"({number}")

    def _stream(self, key: str, after: str) -> Iterator[tuple[str, dict[str, str]]]:
        while found := self._page(key, after):
            yield from found
            after = found[-1][0]

    def _page(self, key: str, after: str) -> list[tuple[str, dict[str, str]]]:
        found = self._database.ask(lambda client: client.xrange(key, f"({after}", "+", PAGE))
        return cast(list[tuple[str, dict[str, str]]], found)


def _chain(shard: int, kept: dict[str, str]) -> Chain:
    return Chain(
        shard,
        CheckpointPoint(_number(kept.get("number")), kept.get("id", ORIGIN), kept.get("mac", "")),
        kept.get("seal", ""),
        CheckpointPoint(
            _number(kept.get("base_number")), kept.get("base_id", ORIGIN), kept.get("base_mac", "")
        ),
        _number(kept.get("base_checkpoint")),
        _number(kept.get("proofs")),
    )


def _entry(shard: int, name: str, fields: dict[str, str], sealed: dict[str, str] | None = None) -> AuditEntry:
    sealed = sealed or {}
    at, facts = fields.get("at", ""), _document(fields.get("entry", "")) if fields else {}
    if fields and set(fields) != {"at", "entry"}:
        facts = {"unreadable": json.dumps(fields)}
    moment = rfc3339_millis(int(at)) if at.isascii() and at.isdigit() and len(at) < 15 else at
    return AuditEntry(shard, name, moment, facts, _number(sealed.get("number")), sealed.get("mac", ""))


def _document(text: str) -> dict[str, Any]:
    """Return the object that this text holds; whoever spoilt it is found out by its MAC or signature."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) and found else {"unreadable": text}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
