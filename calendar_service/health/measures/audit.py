"""Measures of the audit log: newest checkpoint, verification, and what is overdue. They name no agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calendar_service.domain.audit import ChainEnds, Verdict
from calendar_service.domain.clock import DAY, Clock, Millis, rfc3339
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.sealing import ABSENT_AFTER

FIRST_CHECKPOINT_AFTER: Millis = DAY
"""A service with a younger oldest entry needs no checkpoint yet."""


@dataclass(frozen=True, slots=True)
class LastCheckpoint:
    """The newest signed checkpoint."""

    body: Mapping[str, Any]
    """Its members as signed; a damaged one may lack any."""
    age: Millis

    @property
    def is_late(self) -> bool:
        """Whether the next one is missing."""
        return self.age > ABSENT_AFTER

    @property
    def number(self) -> object:
        """Its number; `?` if it is missing."""
        return self.body.get("number", "?")

    @property
    def made_at(self) -> object:
        """When it was made; `?` if that is missing."""
        return self.body.get("made_at", "?")

    @property
    def faults(self) -> int:
        """How many faults of the audit log it states; 1 if it does not say."""
        return int(self.body.get("faults", 1))

    @property
    def overdue(self) -> int:
        """How many erasures it states as overdue."""
        return int(self.body.get("overdue", 0))


@dataclass(frozen=True)
class AuditMeasures:
    """The audit log, and what it has to prove."""

    audit: AuditExport
    clock: Clock

    @cached_property
    def ends(self) -> ChainEnds:
        """Connections that are due, held and overdue now, and unverified grants. Reads every agent's dates."""
        return self.audit.ends()

    @cached_property
    def last_checkpoint(self) -> LastCheckpoint | None:
        """The newest checkpoint; None if there is none yet."""
        body = self.audit.newest_checkpoint()
        return None if body is None else LastCheckpoint(body, self.audit.age_of(body))

    @cached_property
    def is_first_checkpoint_due(self) -> bool:
        """Whether the oldest entry is so old that a checkpoint must exist; reads every entry."""
        entries = (line["at"] for line in self.audit.lines() if line["type"] == "entry")
        oldest = min(entries, default="")
        return bool(oldest) and oldest < rfc3339(self.clock.now() - FIRST_CHECKPOINT_AFTER)

    def verdict(self, former_keys: Sequence[str]) -> Verdict:
        """Verify the whole audit log; reads every entry. `former_keys`: public keys of former signing keys."""
        return self.audit.verify(former_keys)
