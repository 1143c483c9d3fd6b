"""The audit chain in the database: each shard's entries, their MACs, the chain's head, and checkpoints.

Must not know a key.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from calendar_service.domain.audit import ORIGIN, AuditBatch, AuditEntry, Chain, CheckpointPoint, place
from calendar_service.domain.checkpoint import Checkpoint, details_text
from calendar_service.domain.clock import Millis, rfc3339_millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_batches import packed, unpacked
from calendar_service.store.audit_log import Actor, EntryKind, note
from calendar_service.store.database import Database

PAGE = 1_000
"""Entries read from one shard in one command."""
BATCHES = 10
"""Compacted batches read in one command: some 60 kB."""
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

    def stored(self, shard: int, after: str = ORIGIN) -> Iterator[AuditEntry | AuditBatch]:
        """Yield what is kept of a shard behind this id, the oldest first: batches, then entries of their own.

        `facts` of an entry is empty where only the MAC is left; `mac` is empty where the entry has none yet. What is
        compacted while this runs is yielded once: as a batch, or as entries of their own.
        """
        reread = ORIGIN
        while True:
            for batch in self._batches(shard, after):
                yield batch
                after = batch.last.id
            page, compacted = self._page(shard, after)
            if place(compacted) > place(after) and compacted != reread:
                # A batch was made since the batches were read. Once for each: somebody may have removed it.
                reread = compacted
                continue
            if not page:
                return
            yield from page
            after = page[-1].id

    def first_entry_at(self) -> Millis:
        """Return when the oldest entry was written (database time); 0 if there is none. Takes one round trip."""
        commands = (("XRANGE", keys.audit_log(shard), "-", "+", "COUNT", 1) for shard in keys.all_shards())
        pages = self._database.read(commands)
        return min((_number(fields.get("at")) for page in pages for _, fields in page), default=0)

    def newest_first(self, agent: Agent) -> Iterator[AuditEntry]:
        """Yield the entries of the agent's shard without their MACs, from the newest to the oldest."""
        shard, oldest = self._database.slot_keys(agent).shard, ""
        for oldest, fields in self._backwards(keys.audit_log(shard), PAGE):
            yield _entry(shard, oldest, fields)
        for name, fields in self._backwards(keys.audit_batches(shard), 1):
            for entry in reversed(_batch(shard, name, fields).entries):
                # A batch that was made meanwhile may hold entries that were yielded.
                if not oldest or place(entry.id) < place(oldest):
                    yield entry

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

    def compact(
        self, shard: int, entries: Sequence[AuditEntry], before: CheckpointPoint
    ) -> answers.CompactAuditChain:
        """Put these sealed entries, which follow the entry `before`, into one batch.

        `broken` too if the batch would not give them back as they are: one of them is too long, and no script wrote it.
        """
        last, text = entries[-1], packed(entries)
        if [*unpacked(shard, text)] != [replace(entry, number=0, mac="") for entry in entries]:
            return "broken"  # before the only other copy is removed
        answer = self._database.script(
            "compact_audit_chain",
            self._keys(shard),
            before_number=before.number,
            before_id=before.id,
            before_mac=before.mac,
            number=last.number,
            id=last.id,
            mac=last.mac,
            count=len(entries),
            entries=text,
        )
        return cast(answers.CompactAuditChain, answer[0])

    def trim(self, shard: int, checkpoint: int, head: CheckpointPoint, receipts: Iterable[str]) -> None:
        """Remove the entries up to a head that this checkpoint states, and these receipts, which they name."""
        self._database.script(
            "trim_audit_chain",
            {**self._keys(shard), "receipts": keys.receipts(shard)},
            checkpoint=checkpoint,
            number=head.number,
            id=head.id,
            mac=head.mac,
            receipts=list(receipts),
        )

    def drop_checkpoints_before(self, number: int) -> None:
        """Remove the checkpoints with lower numbers."""
        stored = self._database.ask(lambda client: client.hkeys(keys.CHECKPOINT_DETAILS))
        self._database.write("ZREMRANGEBYSCORE", keys.CHECKPOINTS, "-inf", f"({number}")
        if old := [name for name in stored if int(name) < number]:
            self._database.write("HDEL", keys.CHECKPOINT_DETAILS, *old)

    def _keys(self, shard: int) -> dict[str, str]:
        return {
            "audit_log": keys.audit_log(shard),
            "audit_macs": keys.audit_macs(shard),
            "audit_batches": keys.audit_batches(shard),
            "audit_chain": keys.audit_chain(shard),
        }

    def _batches(self, shard: int, after: str) -> Iterator[AuditBatch]:
        key = keys.audit_batches(shard)
        while page := self._database.read([("XRANGE", key, f"({after}", "+", "COUNT", BATCHES)])[0]:
            yield from (_batch(shard, name, fields) for name, fields in page)
            after = page[-1][0]

    def _page(self, shard: int, after: str) -> tuple[list[AuditEntry], str]:
        """Return the next entries behind an id, and the id up to which all were compacted after they were read."""
        behind = (f"({after}", "+", "COUNT", PAGE)
        written, added, compacted = self._database.read(
            [
                ("XRANGE", keys.audit_log(shard), *behind),
                ("XRANGE", keys.audit_macs(shard), *behind),
                ("HGET", keys.audit_chain(shard), "compacted_id"),
            ]
        )
        facts, sealed = dict(written), dict(added)
        names = sorted({*facts, *sealed}, key=place)
        # Behind the end of a full page there may be more of its kind.
        ends = [place(each[-1][0]) for each in (written, added) if len(each) == PAGE]
        page = [
            _entry(shard, name, facts.get(name, {}), sealed.get(name))
            for name in names
            if not ends or place(name) <= min(ends)
        ]
        return page, compacted or ORIGIN

    def _backwards(self, key: str, count: int) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield a stream's entries from the newest to the oldest, so many of them read in one command."""
        before = "+"
        while page := self._database.read([("XREVRANGE", key, before, "-", "COUNT", count)])[0]:
            yield from page
            before = f"({page[-1][0]}"


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
        CheckpointPoint(
            _number(fields.get("compacted_number")),
            fields.get("compacted_id", ORIGIN),
            fields.get("compacted_mac", ""),
        ),
    )


def _batch(shard: int, name: str, fields: dict[str, str]) -> AuditBatch:
    return AuditBatch(
        CheckpointPoint(_number(fields.get("before")), "", fields.get("before_mac", "")),
        CheckpointPoint(_number(fields.get("number")), name, fields.get("mac", "")),
        unpacked(shard, fields.get("entries", "")),
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
