"""A legal hold: who forbids an erasure, and why."""

import json
from dataclasses import asdict, dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts


@dataclass(frozen=True, slots=True)
class Hold:
    """A duty to keep identifiers and their history beyond their erasure. Tokens are never kept."""

    placed_by: str
    approved_by: str
    """Another person than `placed_by`."""
    authority: str
    """The law, court or authority that demands it."""
    reason: str
    until: Millis
    told_from: Millis = 0
    """From when the agent may be told; 0 = at once."""

    def words(self) -> str:
        """Return the hold as JSON without its two instants, which are stored beside it."""
        fields = asdict(self)
        del fields["until"], fields["told_from"]
        return json.dumps(fields)

    @classmethod
    def of_facts(cls, facts: Facts) -> "Hold":
        """Return the hold that is stored in these facts."""
        return cls(**json.loads(facts.hold), until=facts.hold_until, told_from=facts.hold_told_from)
