"""Reads the audit log as it was sealed, and compresses what is some days old (LU-6). Must not change what it says.

One day's entries of a shard take a tenth of the memory in batches. A batch ends where a checkpoint states the
chain's head, so the end of the retention period never cuts one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from calendar_service.domain.audit import (
    COMPACTED_AFTER,
    ORIGIN,
    AuditEntry,
    Chain,
    CheckpointPoint,
    place,
)
from calendar_service.domain.checkpoint import Checkpoint
from calendar_service.domain.clock import Millis
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.checkpoints import as_point
from calendar_service.log import Log
from calendar_service.store.audit_batches import MAX_ENTRIES
from calendar_service.store.audit_chain import AuditChainStore


@dataclass(frozen=True)
class AuditReader:
    """Reads entries whether they are compacted or not."""

    audit_chain: AuditChainStore
    chain_macs: ChainMacs

    def entries(self, shard: int, after: str = ORIGIN) -> Iterator[AuditEntry]:
        """Yield a shard's entries behind this id, each with its number and MAC.

        `facts` is empty where only the MAC is left; `mac` is empty where the entry has none yet.
        """
        for one in self.audit_chain.stored(shard, after):
            # A batch that was made during the reading begins before what was read.
            entries = [one] if isinstance(one, AuditEntry) else self.chain_macs.restored(shard, one)
            for entry in entries:
                if place(entry.id) > place(after):
                    yield entry
                    after = entry.id


@dataclass(frozen=True)
class Compactor:
    """Compresses entries in batches. Any number of workers may run it: each script compares where its batch begins."""

    audit_chain: AuditChainStore
    reader: AuditReader
    log: Log
    longest: int = MAX_ENTRIES
    """The most entries in one batch."""

    def compact(self, now: Millis) -> None:
        """Compress the entries up to the heads of the checkpoints that are old enough. `now`: database time.

        Entries that are not as they were sealed stay as they are, with all behind them in their shard, and alarm.
        """
        old = [
            one
            for one in self.audit_chain.checkpoints()
            if one.statement and one.made_at + COMPACTED_AFTER <= now
        ]
        for chain in self.audit_chain.chains():
            before = max(chain.base, chain.compacted, key=lambda point: point.number)
            if ends := _ends(old, chain, before):
                self._compact(chain.shard, before, ends)

    def _compact(self, shard: int, before: CheckpointPoint, ends: list[CheckpointPoint]) -> None:
        """Compress the entries behind `before` up to each of these points, which follow one another."""
        batch: list[AuditEntry] = []
        last, macs = before, self.reader.chain_macs
        for entry in self.reader.entries(shard, before.id):
            number = last.number + 1
            is_sealed = (
                entry.number == number and bool(entry.facts) and entry.mac == macs.mac(last.mac, entry)
            )
            last = CheckpointPoint(entry.number, entry.id, entry.mac)
            if not is_sealed or (number == ends[0].number and last != ends[0]):
                self.log.alarm("audit.chain_broken", shard=shard, clause="LU-6")
                return
            batch.append(entry)
            if number == ends[0].number or len(batch) == self.longest:
                if not self._stored(shard, before, batch):
                    return
                before, batch = last, []
                ends = [end for end in ends if end.number > number]
            if not ends:
                return

    def _stored(self, shard: int, before: CheckpointPoint, batch: list[AuditEntry]) -> bool:
        answer = self.audit_chain.compact(shard, batch, before)
        if answer == "broken":
            self.log.alarm("audit.chain_broken", shard=shard, clause="LU-6")
        return answer == "ok"


def _ends(checkpoints: list[Checkpoint], chain: Chain, before: CheckpointPoint) -> list[CheckpointPoint]:
    """Return the heads of this chain that the checkpoints state, behind `before`, in their order."""
    heads = {as_point(one.details.get("heads", {}).get(str(chain.shard))) for one in checkpoints}
    return sorted((head for head in heads if head.number > before.number), key=lambda head: head.number)
