"""Verifies that the audit log is as it was sealed, and names each fault with its place (LU-6). Must not change it.

It verifies the lines of an export. The stored log is verified as the lines that would be exported now.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from calendar_service.domain.audit import AuditEntry, Chain, ChainFault, CheckpointPoint, Verdict, place
from calendar_service.domain.checkpoint import Checkpoint
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.checkpoints import CheckpointVerifier, as_point, instant
from calendar_service.store import keys
from calendar_service.store.audit_log import EntryKind

EXPORT_VERSION = 2
"""The version of the export's lines."""


class ChainVerifier:
    """Verifies one shard's entries, one by one in their order from the chain's base to its head."""

    def __init__(
        self,
        chain_macs: ChainMacs,
        chain: Chain,
        points: Mapping[int, tuple[str, int]] | None = None,
        *,
        first: str = "",
        filtered: bool = False,
    ) -> None:
        """Take the chain, and what checkpoints and shard 0 state about it.

        `points`: by an entry's number, the MAC that a checkpoint states, and that checkpoint's number. `first`: the MAC
        of entry 1 that shard 0 announces; empty if it announces none.
        """
        self._macs, self._points, self._filtered = chain_macs, points or {}, filtered
        self._announced_first, self._actual_first = first, ""
        self.chain = chain
        self.last = chain.base
        """The last entry as it describes itself: one fault must not make all later entries faulty."""
        self.valid = 0
        """How many entries have a valid MAC."""
        self.unsealed = 0
        self.first_macs: dict[int, str] = {}
        """The first MAC of other shards, as valid entries announce it."""
        self.faults: list[ChainFault] = []

    def take(self, entry: AuditEntry, previous: str | None = None) -> None:
        """Verify the next entry. `previous`: the MAC before it as the export's line says; None = the last entry's."""
        behind = place(entry.id) > place(self.chain.head.id)
        if behind and not entry.mac:
            self.unsealed += 1
        elif behind:
            self._fault(entry, "has a MAC and lies behind the sealed end: the head was set back")
        elif not entry.mac:
            self._fault(entry, "was inserted: it lies before the sealed end and has no MAC")
        elif entry.number <= self.last.number or place(entry.id) <= place(self.last.id):
            self._fault(entry, "is out of order, or there twice")
        else:
            self._sealed(entry, previous)

    def _sealed(self, entry: AuditEntry, previous: str | None) -> None:
        gap = entry.number > self.last.number + 1
        if gap and not self._filtered:
            missing = f"{entry.number - self.last.number - 1} missing before entry {entry.number}"
            self.faults.append(ChainFault(missing, self.chain.shard, self.last.number + 1))
        before = self.last.mac if previous is None or not gap else previous
        stated, checkpoint = self._points.get(entry.number, (entry.mac, 0))
        if entry.number == 1:
            self._actual_first = entry.mac
        if not entry.facts:
            self._fault(entry, "was removed: only its MAC is there")
        elif not gap and previous not in {None, self.last.mac}:
            self._fault(entry, "does not stand behind the entry before it")
        elif self._macs.mac(before, entry) == entry.mac:
            self.valid += 1
            if entry.facts.get("kind") == EntryKind.CHAIN_BEGUN:
                self.first_macs.setdefault(entry.facts["shard"], entry.facts["first"])
        elif not gap or self._filtered:
            self._fault(entry, "is not as it was sealed here: changed, or taken from another place")
        if stated != entry.mac:
            self._fault(entry, "is another entry than a checkpoint states", checkpoint)
        self.last = CheckpointPoint(entry.number, entry.id, entry.mac)

    def ended(self) -> "ChainVerifier":
        """Verify the end of the shard, after its last entry."""
        head, shard = self.chain.head, self.chain.shard
        if not self._macs.holds(self.chain):
            self.faults.append(ChainFault("the head is not as it was sealed", shard, head.number, head.id))
        if not self._filtered and self.last.number < head.number:
            lost = f"the tail was cut: {head.number - self.last.number} missing up to the head, entry {head.number}"
            self.faults.append(ChainFault(lost, shard, self.last.number + 1))
        elif not self._filtered and self.last != head:
            self.faults.append(
                ChainFault("the head is another than the last entry", shard, head.number, head.id)
            )
        is_whole = not self._filtered and not self.chain.base.number
        if self._announced_first and is_whole and self._actual_first != self._announced_first:
            self.faults.append(
                ChainFault("the entry with which shard 0 says that this one began is gone", shard, 1)
            )
        for number, (mac, checkpoint) in self._points.items():
            if number > head.number:
                lost = (
                    f"the checkpoint states entry {number}, the trail ends at {head.number}: the tail was cut"
                )
                self.faults.append(ChainFault(lost, shard, head.number + 1, checkpoint=checkpoint))
            elif number == self.chain.base.number and mac != self.chain.base.mac:
                self.faults.append(
                    ChainFault("the checkpoint states another beginning", shard, number, "", checkpoint)
                )
        return self

    def _fault(self, entry: AuditEntry, what: str, checkpoint: int | None = None) -> None:
        number = entry.number or None
        self.faults.append(ChainFault(what, self.chain.shard, number, entry.id, checkpoint))


class Verification:
    """Takes the lines of an export one by one, and returns the verdict after the last."""

    def __init__(self, chain_macs: ChainMacs, public_keys: Sequence[str]) -> None:
        """Take what computes the MACs, and the operator's public keys."""
        self._macs, self._checkpoints = chain_macs, CheckpointVerifier(public_keys)
        self._verdict = Verdict()
        self._header: Mapping[str, Any] = {}
        self._shard_verifier: ChainVerifier | None = None
        self._chains: dict[int, Chain] = {}
        self._first_macs: dict[int, str] = {}
        self._newest_logged = 0
        """The newest checkpoint that an audit entry names."""
        self._lines = 0
        self._ended = False

    def take(self, line: Mapping[str, Any], digest: bytes = b"") -> bool:
        """Verify the next line; false if it could not be read. `digest`: SHA-256 of all lines before, for the last."""
        self._lines += 1
        steps: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "audit-export": self._begin,
            "checkpoint": self._checkpoint,
            "shard": self._shard,
            "entry": self._entry,
            "end": partial(self._end, digest=digest),
        }
        try:
            kind = line["type"]
            steps[kind if self._may_stand_here(kind) else ""](line)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError):
            self._verdict.faults.append(
                ChainFault(f"line {self._lines} is not what may stand there in an export")
            )
            return False
        return True

    def _may_stand_here(self, kind: str) -> bool:
        """Tell whether a line of this kind may come now: header, checkpoints, shards with their entries, end."""
        if self._lines == 1:
            return kind == "audit-export"
        if self._ended or kind == "audit-export":
            return False
        return not (kind == "checkpoint" and self._chains) and not (kind == "entry" and not self._chains)

    def verdict(self, *, live: bool = False) -> Verdict:
        """Return the verdict after the last line. `live`: the lines come from the store, so there is no end line."""
        verdict = self._verdict
        self._close()
        if not self._header:
            verdict.faults.append(ChainFault("this is not an audit export: its first line is missing"))
        elif not (self._ended or live):
            verdict.faults.append(
                ChainFault(f"the file was cut behind line {self._lines}: its last line is missing")
            )
        missing = [shard for shard in keys.all_shards() if shard not in self._chains]
        verdict.faults += [ChainFault("the shard is missing", shard) for shard in missing]
        self._checkpoints.starts_at(
            min((one.base_checkpoint for one in self._chains.values() if one.base_checkpoint), default=1)
        )
        if self._newest_logged > max(self._checkpoints.by_number, default=0):
            self._checkpoints.faults.append(
                ChainFault(
                    "the checkpoint is missing: the trail says that it was made",
                    checkpoint=self._newest_logged,
                )
            )
        verdict.faults += self._checkpoints.faults
        verdict.checkpoints = len(self._checkpoints.by_number)
        verdict.newest_checkpoint = self._checkpoints.newest
        return verdict

    def _begin(self, line: Mapping[str, Any]) -> None:
        if line["version"] != EXPORT_VERSION:
            self._verdict.faults.append(
                ChainFault(f"version {line['version']} of the export is not known here")
            )
        self._header = line
        self._verdict.filtered = bool(line["filter"])

    def _checkpoint(self, line: Mapping[str, Any]) -> None:
        self._checkpoints.take(Checkpoint(int(line["number"]), str(line["note"]), dict(line["details"])))

    def _shard(self, line: Mapping[str, Any]) -> None:
        self._close()
        shard = int(line["shard"])
        chain = Chain(
            shard,
            as_point(line["head"]),
            str(line["seal"]),
            as_point(line["base"]),
            int(line["base_checkpoint"]),
        )
        if shard in self._chains:
            self._verdict.faults.append(ChainFault("the shard is there twice", shard))
        self._chains[shard] = chain
        points, first = self._checkpoints.points.get(shard), self._first_macs.get(shard, "")
        self._shard_verifier = ChainVerifier(
            self._macs, chain, points, first=first, filtered=self._verdict.filtered
        )
        if chain.base.number:
            self._check_base(chain)

    def _check_base(self, chain: Chain) -> None:
        stated = self._checkpoints.points.get(chain.shard, {}).get(chain.base.number, ("", 0))[0]
        if not self._checkpoints.may_end_at(chain.base_checkpoint, instant(self._header["made_at"])):
            what = "the beginning was cut: no checkpoint that is older than the term stands there"
        elif stated != chain.base.mac:
            what = "the beginning is another than its checkpoint states"
        else:
            return
        number, at = chain.base.number + 1, chain.base_checkpoint
        self._verdict.faults.append(ChainFault(what, chain.shard, number, checkpoint=at))

    def _entry(self, line: Mapping[str, Any]) -> None:
        entry = AuditEntry(
            int(line["shard"]),
            str(line["id"]),
            str(line["at"]),
            line["facts"] or {},
            int(line["number"] or 0),
            str(line["mac"] or ""),
        )
        if self._shard_verifier and place(entry.id):
            self._shard_verifier.take(entry, line["previous"])
        if entry.facts.get("kind") == EntryKind.CHECKPOINT and entry.mac and entry.shard == 0:
            self._newest_logged = max(self._newest_logged, int(entry.facts["number"]))

    def _end(self, line: Mapping[str, Any], digest: bytes) -> None:
        self._ended = True
        if line["lines"] != self._lines - 1:
            self._verdict.faults.append(
                ChainFault(f"the file has {self._lines - 1} lines before its last, not {line['lines']}")
            )
        if line["mac"] != self._macs.export(digest):
            self._verdict.faults.append(
                ChainFault("the file is not as it was written: its own seal does not fit")
            )

    def _close(self) -> None:
        if self._shard_verifier is None:
            return
        verifier, self._shard_verifier = self._shard_verifier.ended(), None
        self._verdict.entries += verifier.valid
        self._first_macs |= verifier.first_macs
        if verifier.unsealed:
            self._verdict.unsealed[verifier.chain.shard] = verifier.unsealed
        self._verdict.faults += verifier.faults
