"""Measures of the audit log: newest checkpoint, verification, and what is overdue. They name no agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from calendar_service.domain.audit import ABSENT_AFTER, ChainEnds, Verdict
from calendar_service.domain.checkpoint import Checkpoint
from calendar_service.domain.clock import Clock, Millis, rfc3339
from calendar_service.journeys.audit.audit_export import AuditExport

_COUNTS = ("due", "held", "erased", "unverified", "overdue")


@dataclass(frozen=True, slots=True)
class LastCheckpoint:
    """The newest signed checkpoint. One whose note or details are damaged counts as a fault of the audit log."""

    checkpoint: Checkpoint
    age: Millis

    @property
    def is_late(self) -> bool:
        """Whether the next one is missing."""
        return self.age > ABSENT_AFTER

    @property
    def made_at(self) -> str:
        """When it was made; `?` if it does not say."""
        return rfc3339(self.checkpoint.made_at) if self.checkpoint.statement else "?"

    @property
    def faults(self) -> int:
        """How many faults of the audit log it states; 1 if it is damaged."""
        statement = self.checkpoint.statement
        return statement.faults if statement and self.checkpoint.is_whole else 1

    @property
    def numbers(self) -> Mapping[str, int]:
        """Its counts: due, held, erased, unverified and overdue; none if it is damaged."""
        statement = self.checkpoint.statement
        if statement is None or not self.checkpoint.is_whole:
            return {}
        return {name: getattr(statement, name) for name in _COUNTS}


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
        newest = self.audit.newest_checkpoint()
        return None if newest is None else LastCheckpoint(newest, self.audit.checkpoint_age(newest))

    @cached_property
    def age_without_checkpoint(self) -> Millis:
        """How long the audit log has had entries; of use while there is no checkpoint."""
        return self.audit.checkpoint_age(None)

    def verdict(self, former_keys: Sequence[str]) -> Verdict:
        """Verify the whole audit log; reads every entry. `former_keys`: public keys of former signing keys."""
        return self.audit.verify(former_keys)
