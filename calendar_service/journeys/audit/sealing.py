"""The sealer and the daily checkpoint: what the scripts wrote becomes evidence (LU-6, ST-5). Must not change an entry.

Any number of workers may run it: each step is guarded by the head, or the checkpoint, from which it started.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signing import signed
from calendar_service.domain.audit import Chain, CheckpointPoint
from calendar_service.domain.clock import DAY, HOUR, SECOND, Millis, plausible, rfc3339
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.checkpoints import CHECKPOINT, as_list, as_point, digest, made_at
from calendar_service.journeys.audit.verification import ChainVerifier
from calendar_service.log import Log
from calendar_service.store.audit_chain import BATCH, AuditChainStore
from calendar_service.store.audit_log import EntryKind
from calendar_service.store.scan import Scan

CHECKPOINT_EVERY: Millis = DAY
ABSENT_AFTER: Millis = 36 * HOUR
"""A newest checkpoint that is older alarms."""


@dataclass
class Sealer:
    """The story of the trail. Remembers the heads that it read, so that a look costs one round trip."""

    audit_chain: AuditChainStore
    scan: Scan
    chain_macs: ChainMacs
    private_key: Ed25519PrivateKey
    issuer: str
    """The operator's legal name."""
    log: Log
    retention: Millis
    """Older entries end."""
    chains: list[Chain] = field(default_factory=list)
    set_back: int = 0
    """Heads that went back since the last checkpoint made here."""

    def seal(self) -> bool:
        """Seal what was written since the last look; true when there is more than was taken."""
        self.chains = self.chains or self._read()
        moved, more = False, False
        found = self.audit_chain.news([chain.head.id for chain in self.chains])
        # Shard 0 is last: that a chain began is sealed when that chain stands.
        for shard, news in sorted(found, key=lambda one: one[0] == 0):
            before = self.chains[shard]
            if not self.chain_macs.holds(before):
                self.log.alarm("audit.head_changed", shard=shard, clause="LU-6")
                continue
            after, sealed = self.chain_macs.extended(before, news)
            # First the word that the chain begins: a crash in between leaves a word that is said once more.
            begins = shard > 0 and not before.head.number and self.audit_chain.begin(shard, sealed[0].mac)
            answer = self.audit_chain.seal(before, after, sealed)
            if answer == "ok":
                self.chains[shard] = after
            elif answer == "broken":
                self.log.alarm("audit.head_changed", shard=shard, clause="LU-6")
            moved |= answer == "moved"
            more |= (begins or len(news) == BATCH) and answer != "broken"
        if moved:
            self._read_again()  # another worker was here
        return more

    def checkpoint(self) -> dict[str, Any] | None:
        """Make the day's checkpoint if it is time and nobody else does; then end what is past its term."""
        former, now = self.audit_chain.newest_checkpoint(), self.audit_chain.now()
        number = former["number"] + 1 if former else 1
        age = now - made_at(former) if former else CHECKPOINT_EVERY
        if plausible(
            now - age + CHECKPOINT_EVERY, now, CHECKPOINT_EVERY
        ) > now or not self.audit_chain.take_turn(number):
            return None
        if age > ABSENT_AFTER:
            self.log.alarm("audit.checkpoint_absent", seconds=age // SECOND, clause="ST-5")
        made = self._stated(number, former or {}, now)
        if not self.audit_chain.add_checkpoint(number, made):
            return None
        self.set_back = 0
        if made["overdue"]:
            self.log.alarm("erasure.overdue", count=made["overdue"], clause="ST-5")
        if made["unverified"]:
            self.log.alarm("grant.unverified", count=made["unverified"], clause="RV-1")
        if made["faults"]:
            self.log.alarm("audit.trail_broken", count=made["faults"], clause="LU-6")
        self._end_old()
        return made

    def _stated(self, number: int, former: dict[str, Any], now: Millis) -> dict[str, Any]:
        """Return the signed checkpoint over all heads as they are now, what lies behind the former one verified."""
        while self.seal():
            pass
        chains, ends = self._read_again(), self.scan.ends(now)
        faults, erased = self._since(former, chains)
        proofs = sum(chain.proofs for chain in chains)
        body = {
            "type": CHECKPOINT,
            "version": 1,
            "number": number,
            "previous": digest(former) if former else "",
            "made_at": rfc3339(now),
            "issuer": self.issuer,
            "term_days": self.retention // DAY,
            "due": ends.due,
            "held": ends.held,
            "overdue": ends.overdue,
            "unverified": ends.unverified,
            "erased": erased,
            "probes": max(proofs - former.get("probes_ever", 0), 0),
            "probes_ever": proofs,
            "entries": sum(chain.head.number for chain in chains),
            "faults": faults + self.set_back,
            "heads": {str(chain.shard): list(as_list(chain.head)) for chain in chains if chain.head.number},
        }
        return signed(body, self.private_key)

    def _read_again(self) -> list[Chain]:
        """Read the heads; one that lies before the one remembered was set back, however true its seal is."""
        known, self.chains = self.chains, self._read()
        for before, now in zip(known, self.chains, strict=False):
            if now.head != before.head and now.head.number <= before.head.number:
                self.log.alarm("audit.head_changed", shard=now.shard, clause="LU-6")
                self.set_back += 1
        return self.chains

    def _read(self) -> list[Chain]:
        """Read the heads. Raises `StoreUnavailable` where a new one may be lost, and would then look set back."""
        known, found = {chain.shard: chain.head for chain in self.chains}, self.audit_chain.chains()
        for chain in found:
            if chain.head != known.get(chain.shard, CheckpointPoint()):
                self.audit_chain.confirm(chain.shard)
        return found

    def _since(self, former: dict[str, Any], chains: list[Chain]) -> tuple[int, int]:
        """Verify what was written behind a checkpoint; return the faults, and how many connections were erased."""
        faults = erased = 0
        begun: dict[int, str] = {}
        for chain in chains:
            start = as_point(former.get("heads", {}).get(str(chain.shard)))
            since = replace(chain, base=start) if start.number else chain
            verifier = ChainVerifier(self.chain_macs, since, first=begun.get(chain.shard, ""))
            for entry in self.audit_chain.entries(chain.shard, verifier.last.id):
                verifier.take(entry)
                erased += entry.facts.get("kind") in {EntryKind.ERASED, EntryKind.EXPIRED}
            faults += len(verifier.ended().faults)
            begun |= verifier.begun
        return faults, erased

    def _end_old(self) -> None:
        now = self.audit_chain.agreed_now()
        if now is None:  # the next checkpoint tries again
            self.log.alarm("erasure.clocks_differ", clause="ST-5")
            return
        old = [
            one
            for one in self.audit_chain.checkpoints()
            if made_at(one) + self.retention <= now and one["heads"]
        ]
        if not old:
            return
        last = old[-1]
        for shard, head in last["heads"].items():
            self.audit_chain.trim(int(shard), last["number"], as_point(head))
        self.audit_chain.drop_checkpoints_before(last["number"])
