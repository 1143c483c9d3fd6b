"""The audit chain: each shard's entries have MACs, each over the one before it (LU-6). Must not know the store.

The canonical form of a document is JSON in ASCII, keys sorted, without blanks. A MAC is HMAC-SHA-256 under a key
that HKDF derives from the identity key, truncated to 128 bits.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.audit import AuditBatch, AuditEntry, Chain, CheckpointPoint


@dataclass(frozen=True)
class ChainMacs:
    """Computes the MACs of all chains."""

    identity: IdentityKey

    def mac(self, previous: str, entry: AuditEntry) -> str:
        """Return the MAC of an entry that follows the MAC `previous`; it covers the entry's place, too."""
        return self._mac("entry", {**_place(entry), "facts": entry.facts, "previous": previous})

    def seal(self, shard: int, head: CheckpointPoint) -> str:
        """Return the MAC of a head: without the key, an attacker cannot make a shorter chain look whole."""
        return self._mac("head", {"shard": shard, "number": head.number, "id": head.id, "mac": head.mac})

    def export(self, digest: bytes) -> str:
        """Return the MAC of a whole export, over the SHA-256 of everything before its last line."""
        return self._mac("export", {"sha256": digest.hex()})

    def holds(self, chain: Chain) -> bool:
        """Tell whether this head has our MAC, or the chain is new."""
        return (chain.head == CheckpointPoint() and not chain.seal) or chain.seal == self.seal(
            chain.shard, chain.head
        )

    def extended(self, chain: Chain, news: Iterable[AuditEntry]) -> tuple[Chain, list[AuditEntry]]:
        """Return the chain with these entries behind its head, and the entries with numbers and MACs."""
        head, sealed = self._behind(chain.head, news)
        return replace(chain, head=head, seal=self.seal(chain.shard, head)), sealed

    def restored(self, shard: int, batch: AuditBatch) -> list[AuditEntry]:
        """Return the entries of a batch with their numbers and MACs.

        If they do not end at the batch's MAC, only the last is returned, as one of which only the MAC is left: a MAC
        computed for an entry that somebody changed would make it look genuine.
        """
        head, entries = self._behind(batch.before, batch.entries)
        if head == batch.last:
            return entries
        return [AuditEntry(shard, batch.last.id, "", {}, batch.last.number, batch.last.mac)]

    def _behind(
        self, head: CheckpointPoint, news: Iterable[AuditEntry]
    ) -> tuple[CheckpointPoint, list[AuditEntry]]:
        """Return the last of these entries as a point, and all with the numbers and MACs they have behind `head`."""
        sealed = []
        for entry in news:
            numbered = replace(entry, number=head.number + 1)
            head = CheckpointPoint(numbered.number, entry.id, self.mac(head.mac, numbered))
            sealed.append(replace(numbered, mac=head.mac))
        return head, sealed

    def _mac(self, kind: str, document: Mapping[str, Any]) -> str:
        return self.identity.audit_chain_mac(canonical({"type": kind, **document}))


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one byte form that MACs cover."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _place(entry: AuditEntry) -> dict[str, Any]:
    return {"shard": entry.shard, "number": entry.number, "id": entry.id, "at": entry.at}
