"""The audit trail as plain values: entries, the two ends of a chain, what a verification finds. Must not keep any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.clock import DAY, HOUR, Millis

ORIGIN = "0-0"
"""Before the first entry."""


def place(name: str) -> tuple[int, int]:
    """Return an entry's id as what it is ordered by; raise `ValueError` if it is none."""
    millis, _, count = name.partition("-")
    return int(millis), int(count)


@dataclass(frozen=True, slots=True)
class CheckpointPoint:
    """A place in one shard's chain: the entry of this number, and its MAC. Number 0 is the beginning."""

    number: int = 0
    id: str = ORIGIN
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where one shard's chain begins and ends."""

    shard: int
    head: CheckpointPoint = CheckpointPoint()
    seal: str = ""
    """The keyed hash over the head: nobody without the key can set it back."""
    base: CheckpointPoint = CheckpointPoint()
    """The last entry that was ended by its term; the chain is kept from the next one on."""
    base_checkpoint: int = 0
    """The checkpoint that holds `base` as its head; 0 = nothing was ended yet."""
    proofs: int = 0
    """How often Google proved a grant of this shard alive, ever."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened, as a script wrote it, and what the sealer added (empty while it has not)."""

    shard: int
    id: str
    at: str
    """RFC 3339 with milliseconds, in UTC."""
    facts: Mapping[str, Any]
    number: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """What is kept of connections that are over (ST-5), and what nobody proved of living ones (RV-1), at one moment."""

    due: int = 0
    """Connections over, and waiting for their day."""
    held: int = 0
    """Of these: kept back by a legal hold."""
    overdue: int = 0
    """Past their time by more than an hour, held ones aside; and tokens past the seven days of a closing errand."""
    unverified: int = 0
    """Living permissions that Google has not proved alive for longer than `UNVERIFIED_AFTER`."""


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Something in the trail that is not as it was sealed."""

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
    """By shard, the entries that no sealer has taken yet: nothing is proved of them."""
    checkpoints: int = 0
    newest_checkpoint: Mapping[str, Any] | None = None
    filtered: bool = False
    """Only part of the trail was given: gaps cannot be told from what was left out."""
    faults: list[ChainFault] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """True if nothing was found that is not as it was sealed."""
        return not self.faults


OVERDUE_AFTER: Millis = HOUR
"""How late an erasure counts as overdue: the clocks of worker and database may differ by as much (law 7)."""
UNVERIFIED_AFTER: Millis = 3 * DAY
"""How long a permission may go without a proof of life, which is asked for daily, until that alarms (RV-1)."""
