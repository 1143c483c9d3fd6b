"""Exports the audit log with its chain, and verifies an export or the stored log (LU-6, ST-5).

Must not change the log, and must not name a person.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from calendar_service.domain.audit import AuditEntry, Chain, ChainEnds, Verdict, place
from calendar_service.domain.checkpoint import Checkpoint
from calendar_service.domain.clock import DAY, Millis, rfc3339
from calendar_service.domain.errors import Busy
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.checkpoints import as_list
from calendar_service.journeys.audit.compaction import AuditReader
from calendar_service.journeys.audit.verification import EXPORT_VERSION, Verification
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.scan import Scan

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which entries are exported. An empty field does not filter; `since` is included, `until` is not."""

    since: str = ""
    until: str = ""
    """RFC 3339 in UTC, with milliseconds."""
    kinds: tuple[str, ...] = ()
    connection: str = ""

    def takes(self, entry: AuditEntry) -> bool:
        """Tell whether the entry is among them."""
        return (
            (not self.since or entry.at >= self.since)
            and (not self.until or entry.at < self.until)
            and (not self.kinds or entry.facts.get("kind") in self.kinds)
            and (not self.connection or entry.facts.get("connection") == self.connection)
        )


EVERYTHING = ExportFilter()


@dataclass(frozen=True)
class AuditExport:
    """Exports and verifies the audit log, and finds out about its newest checkpoint."""

    audit_chain: AuditChainStore
    reader: AuditReader
    scan: Scan
    chain_macs: ChainMacs
    public_keys: Sequence[str]
    """Of the signing key, base64 of 32 bytes each."""
    issuer: str
    retention: Millis

    def newest_checkpoint(self) -> Checkpoint | None:
        """Return the newest signed checkpoint (docs/audit.md), or None if none was made yet."""
        return self.audit_chain.newest_checkpoint()

    def checkpoint_age(self, newest: Checkpoint | None) -> Millis:
        """Return how long ago the newest checkpoint was made (database time).

        Without one: how long ago the oldest entry was written, because a first checkpoint is due from then on.
        """
        now = self.audit_chain.now()
        return now - (newest.made_at if newest else self.audit_chain.first_entry_at() or now)

    def ends(self) -> ChainEnds:
        """Count ended connections, those held, overdue erasures and unverified grants. Reads every agent's dates."""
        return self.scan.ends(self.audit_chain.now())

    def verify(self, former_keys: Sequence[str] = ()) -> Verdict:
        """Verify the stored audit log as a whole; reads every entry. `former_keys` as in `verify_export`."""
        verification = Verification(self.chain_macs, (*self.public_keys, *former_keys))
        for line in self.lines():
            verification.take(line)
        return verification.verdict(live=True)

    def verify_export(
        self,
        lines: Iterable[bytes],
        former_keys: Sequence[str] = (),
        learn: Callable[[Line], None] = lambda _: None,
    ) -> Verdict:
        """Verify an export line by line, and pass each entry to `learn`, which must use it only if the verdict is good.

        `former_keys`: public keys that signed checkpoints before the present one.
        """
        verification, digest = (
            Verification(self.chain_macs, (*self.public_keys, *former_keys)),
            hashlib.sha256(),
        )
        for text in lines:
            line = _object(text)
            if verification.take(line, digest.digest()) and line["type"] == "entry":
                learn(line)
            digest.update(text)
        return verification.verdict()

    def export(self, export_filter: ExportFilter = EVERYTHING) -> Iterator[bytes]:
        """Yield the lines of an export; the last one has a MAC over all lines before it."""
        digest, count = hashlib.sha256(), 0
        for line in self.lines(export_filter):
            text = _text(line)
            digest.update(text)
            count += 1
            yield text
        yield _text({"type": "end", "lines": count, "mac": self.chain_macs.export(digest.digest())})

    def lines(self, export_filter: ExportFilter = EVERYTHING) -> Iterator[Line]:
        """Yield the header, the checkpoints, and every shard's chain with its entries.

        Raises `Busy` if entries past their term were removed meanwhile: then what was yielded is not whole.
        """
        chains, checkpoints = self._at_one_moment()
        yield {
            "type": "audit-export", "version": EXPORT_VERSION, "made_at": rfc3339(self.audit_chain.now()),
            "issuer": self.issuer, "term_days": self.retention // DAY,
            "filter": None if export_filter == EVERYTHING else asdict(export_filter),
        }  # fmt: skip
        for one in checkpoints:
            yield {"type": "checkpoint", "number": one.number, "note": one.note, "details": one.details}
        for chain in chains:
            yield {
                "type": "shard", "shard": chain.shard, "base": as_list(chain.base),
                "base_checkpoint": chain.base_checkpoint, "head": as_list(chain.head), "seal": chain.seal,
            }  # fmt: skip
            yield from self._entries(chain, export_filter)
        if any(then.base != now.base for then, now in zip(chains, self.audit_chain.chains(), strict=True)):
            raise Busy(
                "What is past its term was ended meanwhile, so this reading is not whole. Begin it again."
            )

    def _at_one_moment(self) -> tuple[list[Chain], list[Checkpoint]]:
        """Return chains and checkpoints that belong together: no checkpoint was made between the two readings."""
        while True:
            before = self.audit_chain.newest_checkpoint()
            chains, checkpoints = self.audit_chain.chains(), self.audit_chain.checkpoints()
            if (checkpoints[-1] if checkpoints else None) == before:
                return chains, checkpoints

    def _entries(self, chain: Chain, export_filter: ExportFilter) -> Iterator[Line]:
        previous, newest = chain.base.mac, chain
        for stored in self.reader.entries(chain.shard, chain.base.id):
            if stored.mac and place(stored.id) > place(newest.head.id):
                newest = self.audit_chain.chains()[chain.shard]  # a sealer has run since the heads were read
            # Sealed since the head was read, so the exported head does not cover it: exported as not yet sealed.
            later = place(chain.head.id) < place(stored.id) <= place(newest.head.id)
            entry = replace(stored, number=0, mac="") if later else stored
            if export_filter.takes(entry):
                yield {"type": "entry", **asdict(entry), "previous": previous}
            previous = entry.mac or previous


def _text(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _object(text: bytes) -> Line:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    return line if isinstance(line, dict) else {}
