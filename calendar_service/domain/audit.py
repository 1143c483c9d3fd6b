"""The audit log as plain values: entries, the two ends of a chain, what a verification finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.checkpoint import Statement
from calendar_service.domain.clock import DAY, HOUR, Millis

ORIGIN = "0-0"
"""The id before the first entry."""


def place(name: str) -> tuple[int, int]:
    """Return the sort key of an entry's id (milliseconds, count); raise `ValueError` if it is no id."""
    millis, _, count = name.partition("-")
    return int(millis), int(count)


@dataclass(frozen=True, slots=True)
class CheckpointPoint:
    """A point in one shard's chain: the entry of this number, and its MAC. Number 0 is the beginning."""

    number: int = 0
    id: str = ORIGIN
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Beginning and end of one shard's chain."""

    shard: int
    head: CheckpointPoint = CheckpointPoint()
    seal: str = ""
    """The keyed hash over the head: an attacker without the key cannot set it back."""
    base: CheckpointPoint = CheckpointPoint()
    """The last entry whose retention period ended; the chain is kept from the next one on."""
    base_checkpoint: int = 0
    """The checkpoint that holds `base` as its head; 0 = no entry has ended yet."""
    proofs: int = 0
    """How often Google has proved a grant of this shard alive, since the beginning."""
    compacted: CheckpointPoint = CheckpointPoint()
    """The last entry that is kept in a batch; all behind it have places of their own. Number 0 = none is compacted."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry as a script wrote it; `number` and `mac` stay empty until the sealer has added them."""

    shard: int
    id: str
    at: str
    """RFC 3339 with milliseconds, in UTC."""
    facts: Mapping[str, Any]
    number: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """Entries of one shard, one behind the other, that are kept compressed together (docs/audit.md).

    Of their MACs only two are kept: those between are computed again, and have to end at the last one.
    """

    before: CheckpointPoint
    """The entry before the first one."""
    last: CheckpointPoint
    entries: tuple[AuditEntry, ...]
    """Without MACs and numbers; empty if they cannot be read."""


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """Connections that are over (ST-5) and grants that are unverified (RV-1), counted at one moment."""

    due: int = 0
    """Connections that are over and wait for their erasure; none under a hold that is not to be told yet."""
    held: int = 0
    """Of these, under a legal hold."""
    overdue: int = 0
    """Erasures more than an hour late, without those under a hold; and tokens past the seven days of a teardown."""
    unverified: int = 0
    """Live grants that Google has not proved alive for longer than `UNVERIFIED_AFTER`."""


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Something in the audit log that differs from what was sealed."""

    what: str
    shard: int | None = None
    number: int | None = None
    id: str = ""
    checkpoint: int | None = None

    def __str__(self) -> str:
        places = {"shard": self.shard, "entry": self.number, "id": self.id, "checkpoint": self.checkpoint}
        where = ", ".join(f"{name} {at}" for name, at in places.items() if at not in {None, ""})
        return f"{where or 'the file'}: {self.what}"


@dataclass
class Verdict:
    """What a verification found."""

    entries: int = 0
    """Entries whose MAC is right."""
    unsealed: dict[int, int] = field(default_factory=dict)
    """By shard, the number of entries that are not sealed yet: nothing is proved of them."""
    checkpoints: int = 0
    newest_checkpoint: Statement | None = None
    filtered: bool = False
    """True if the export was filtered: a gap may be what the filter left out."""
    faults: list[ChainFault] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """True if everything is as it was sealed."""
        return not self.faults


OVERDUE_AFTER: Millis = HOUR
"""An erasure counts as overdue when it is this late. The clocks of worker and database may differ as much (law 7)."""
UNVERIFIED_AFTER: Millis = 3 * DAY
"""A grant that was not proved alive for this long alarms the operator (RV-1). Probes are daily."""
COMPACTED_AFTER: Millis = 2 * DAY
"""Entries are compressed in batches once the checkpoint that holds them is this old."""
ABSENT_AFTER: Millis = 36 * HOUR
"""If the newest checkpoint is older than this, the next one is missing. Without any, the oldest entry counts."""
