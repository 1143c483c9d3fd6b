"""Seals the audit log: gives its entries MACs, and makes the daily checkpoint (LU-6, ST-5). Must not change an entry.

Any number of workers may run it. Each script compares the head, or the checkpoint, from which its caller started.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signed_note import signed_note
from calendar_service.domain.audit import Chain, CheckpointPoint, place
from calendar_service.domain.checkpoint import (
    NO_FORMER,
    Checkpoint,
    Statement,
    details_text,
    digest,
)
from calendar_service.domain.clock import DAY, SECOND, Millis, plausible
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.checkpoints import as_list, as_point
from calendar_service.journeys.audit.compaction import AuditReader, Compactor
from calendar_service.journeys.audit.verification import ChainVerifier
from calendar_service.log import Log
from calendar_service.store.audit_chain import BATCH, AuditChainStore
from calendar_service.store.audit_log import EntryKind
from calendar_service.store.scan import Scan


@dataclass
class Sealer:
    """Seals new entries and makes checkpoints. Caches the heads: a run without new entries is one round trip."""

    audit_chain: AuditChainStore
    reader: AuditReader
    compactor: Compactor
    scan: Scan
    chain_macs: ChainMacs
    private_key: Ed25519PrivateKey
    origin: str
    """The first line of each checkpoint, and the name of the key under it."""
    log: Log
    retention: Millis
    """Older entries are removed."""
    chains: list[Chain] = field(default_factory=list)
    """Every shard's chain as this process knows it; empty before the first run."""
    set_back: int = 0
    """How many heads went back since this process made its last checkpoint."""

    def seal(self) -> bool:
        """Seal a batch of new entries of each shard; true if there is more to seal."""
        self.chains = self.chains or self._read()
        moved, more = False, False
        batches = self.audit_chain.news([chain.head.id for chain in self.chains])
        # Shard 0 is last: the announcement of a chain is sealed after the chain's first MAC is stored.
        for shard, news in sorted(batches, key=lambda one: one[0] == 0):
            before = self.chains[shard]
            if not self.chain_macs.holds(before):
                self.log.alarm("audit.head_changed", shard=shard, clause="LU-6")
                continue
            after, sealed = self.chain_macs.extended(before, news)
            # Announce the chain before its first MAC. After a crash the announcement is repeated, which is harmless.
            begins = shard > 0 and not before.head.number and self.audit_chain.begin(shard, sealed[0].mac)
            answer = self.audit_chain.seal(before, after, sealed)
            if answer == "ok":
                self.chains[shard] = after
            elif answer == "broken":
                self.log.alarm("audit.head_changed", shard=shard, clause="LU-6")
            moved |= answer == "moved"
            more |= (begins or len(news) == BATCH) and answer != "broken"
        if moved:
            self._read_again()  # another worker has sealed
        return more

    def checkpoint(self) -> Checkpoint | None:
        """Make the day's checkpoint if it is due and no other worker makes it; then remove and compact old entries.

        It is due with the first instant of the day (UTC) after the last one's, so that each day has one and no day two.
        Returns the checkpoint, or None if this call made none.
        """
        former, now = self.audit_chain.newest_checkpoint(), self.audit_chain.now()
        number = former.number + 1 if former else 1
        due = former.made_at - former.made_at % DAY + DAY if former else 0
        if plausible(due, now, DAY) > now or not self.audit_chain.take_turn(number):
            return None
        checkpoint, statement = self._signed_checkpoint(former, number, now)
        if not self.audit_chain.add_checkpoint(checkpoint):
            return None
        self.set_back = 0
        if statement.overdue:
            self.log.alarm("erasure.overdue", count=statement.overdue, clause="ST-5")
        if statement.unverified:
            self.log.alarm("grant.unverified", count=statement.unverified, clause="RV-1")
        if statement.faults:
            self.log.alarm("audit.chain_broken", count=statement.faults, clause="LU-6")
        self._remove_old()
        self.compactor.compact(now)
        return checkpoint

    def _signed_checkpoint(
        self, former: Checkpoint | None, number: int, now: Millis
    ) -> tuple[Checkpoint, Statement]:
        """Seal and verify all entries behind the former checkpoint; return a signed one over the present heads."""
        while self.seal():
            pass
        chains, ends = self._read_again(), self.scan.ends(now)
        before = former.details if former else {}
        faults, erased = self._since(before.get("heads", {}), chains)
        proofs = sum(chain.proofs for chain in chains)
        details = {
            "probes": max(proofs - before.get("probes_ever", 0), 0),
            "probes_ever": proofs,
            "entries": sum(chain.head.number for chain in chains),
            "heads": {str(chain.shard): list(as_list(chain.head)) for chain in chains if chain.head.number},
        }
        statement = Statement(
            origin=self.origin,
            number=number,
            previous=digest(former.note) if former else NO_FORMER,
            made_at=now - now % SECOND,
            term_days=self.retention // DAY,
            due=ends.due,
            held=ends.held,
            erased=erased,
            unverified=ends.unverified,
            overdue=ends.overdue,
            faults=faults + self.set_back,
            details=digest(details_text(details)),
        )
        note = signed_note(statement.text(), self.origin, self.private_key)
        return Checkpoint(number, note, details), statement

    def _read_again(self) -> list[Chain]:
        """Read the heads again. A head before the cached one was set back, even if its MAC is valid."""
        cached, self.chains = self.chains, self._read()
        for before, now in zip(cached, self.chains, strict=False):
            if now.head != before.head and now.head.number <= before.head.number:
                self.log.alarm("audit.head_changed", shard=now.shard, clause="LU-6")
                self.set_back += 1
        return self.chains

    def _read(self) -> list[Chain]:
        """Read the heads. Raises `StoreUnavailable` if replicas lack a new one, which a failover could set back."""
        cached, chains = {chain.shard: chain.head for chain in self.chains}, self.audit_chain.chains()
        for chain in chains:
            if chain.head != cached.get(chain.shard, CheckpointPoint()):
                self.audit_chain.confirm(chain.shard)
        return chains

    def _since(self, heads: Mapping[str, Sequence[Any]], chains: list[Chain]) -> tuple[int, int]:
        """Verify the entries behind a checkpoint's heads; return how many faults there are, and how many erasures."""
        faults = erased = 0
        first_macs: dict[int, str] = {}
        for chain in chains:
            start = as_point(heads.get(str(chain.shard)))
            since = replace(chain, base=start) if start.number else chain
            verifier = ChainVerifier(self.chain_macs, since, first=first_macs.get(chain.shard, ""))
            for entry in self.reader.entries(chain.shard, verifier.last.id):
                verifier.take(entry)
                erased += entry.facts.get("kind") in {EntryKind.ERASED, EntryKind.EXPIRED}
            faults += len(verifier.ended().faults)
            first_macs |= verifier.first_macs
        return faults, erased

    def _remove_old(self) -> None:
        """Remove entries up to the newest checkpoint that is past its term, and the checkpoints before that one."""
        now = self.audit_chain.agreed_now()
        if now is None:  # the next checkpoint tries again
            self.log.alarm("erasure.clocks_differ", clause="ST-5")
            return
        old = [
            one
            for one in self.audit_chain.checkpoints()
            if one.statement and one.made_at + self.retention <= now and one.details.get("heads")
        ]
        if not old:
            return
        last = old[-1]
        for shard, head in last.details["heads"].items():
            self._remove_up_to(int(shard), last.number, as_point(head))
        self.audit_chain.drop_checkpoints_before(last.number)

    def _remove_up_to(self, shard: int, checkpoint: int, head: CheckpointPoint) -> None:
        """Remove a shard's entries up to this head, with the receipts that they name."""
        entries = self.reader.entries(shard, self.chains[shard].base.id)
        ended = takewhile(lambda entry: place(entry.id) <= place(head.id), entries)
        receipts = [entry.facts.get("receipt") for entry in ended]
        self.audit_chain.trim(shard, checkpoint, head, [one for one in receipts if isinstance(one, str)])
