"""A legal hold: who keeps identifiers back from their erasure, and why. Must not know how it is stored."""

import json
from dataclasses import asdict, dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import HoldFacts


@dataclass(frozen=True, slots=True)
class Hold:
    """A duty to keep what would be erased: identifiers and their history, never a token."""

    placed_by: str
    approved_by: str
    """Somebody else."""
    authority: str
    """The law, court or authority that demands it."""
    reason: str
    until: Millis
    silent_until: Millis = 0
    """The agent may not be told before; 0 = the agent may at once."""

    def statement(self) -> str:
        """Return what is kept beside the two instants."""
        fields = asdict(self)
        del fields["until"], fields["silent_until"]
        return json.dumps(fields)

    @classmethod
    def of_facts(cls, facts: HoldFacts) -> "Hold":
        """Return the hold that these facts hold."""
        return cls(**json.loads(facts.statement), until=facts.until, silent_until=facts.silent_until)
