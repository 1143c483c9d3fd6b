"""A legal hold: who keeps identifiers back from their erasure, and why. Must not know how it is stored."""

import json
from dataclasses import asdict, dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts


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
    told_from: Millis = 0
    """From when the agent may be told; 0 = at once."""

    def words(self) -> str:
        """Return what is kept beside the two instants."""
        kept = asdict(self)
        del kept["until"], kept["told_from"]
        return json.dumps(kept)

    @classmethod
    def of_facts(cls, facts: Facts) -> "Hold":
        """Return the hold that these facts hold."""
        return cls(**json.loads(facts.hold), until=facts.hold_until, told_from=facts.hold_told_from)
