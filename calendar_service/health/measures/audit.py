"""The audit trail: its newest checkpoint, its verification, and what is past its time. Must not name an agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calendar_service.domain.audit import ChainEnds, Verdict
from calendar_service.domain.clock import DAY, Clock, Millis, rfc3339
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.sealing import ABSENT_AFTER

FIRST_CHECKPOINT_AFTER: Millis = DAY
"""A younger service need not have one."""


@dataclass(frozen=True, slots=True)
class LastCheckpoint:
    """The newest signed checkpoint."""

    body: Mapping[str, Any]
    """What it states, as it was signed; a spoilt one may lack anything."""
    age: Millis

    @property
    def is_late(self) -> bool:
        """Whether the next one should have been made long ago."""
        return self.age > ABSENT_AFTER

    @property
    def number(self) -> object:
        """Its number; `?` where it does not say."""
        return self.body.get("number", "?")

    @property
    def made_at(self) -> object:
        """When it was made, as it says; `?` where it does not."""
        return self.body.get("made_at", "?")

    @property
    def faults(self) -> int:
        """How many faults of the trail it states; one that does not say is itself a fault."""
        return int(self.body.get("faults", 1))

    @property
    def overdue(self) -> int:
        """How many erasures it states as overdue."""
        return int(self.body.get("overdue", 0))


@dataclass(frozen=True)
class AuditMeasures:
    """The trail, and what it is there to show."""

    audit: AuditExport
    clock: Clock

    @cached_property
    def ends(self) -> ChainEnds:
        """Now: connections over and due, held, overdue; permissions unproved. Reads every agent's dates."""
        return self.audit.ends()

    @cached_property
    def last_checkpoint(self) -> LastCheckpoint | None:
        """The newest checkpoint; None where none was made yet."""
        body = self.audit.newest_checkpoint()
        return None if body is None else LastCheckpoint(body, self.audit.age_of(body))

    @cached_property
    def is_first_checkpoint_due(self) -> bool:
        """Whether the oldest entry is old enough for a checkpoint to have been made; reads every entry."""
        entries = (line["at"] for line in self.audit.lines() if line["type"] == "entry")
        oldest = min(entries, default="")
        return bool(oldest) and oldest < rfc3339(self.clock.now() - FIRST_CHECKPOINT_AFTER)

    def verdict(self, former_keys: Sequence[str]) -> Verdict:
        """Verify the trail as a whole; reads every entry. `former_keys`: signing keys before the present one."""
        return self.audit.verify(former_keys)
