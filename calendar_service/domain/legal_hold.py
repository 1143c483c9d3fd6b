"""A legal hold: who forbids an erasure, and why."""

import json
from dataclasses import asdict, dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import HoldFacts


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
    silent_until: Millis = 0
    """The agent may not be told before; 0 = the agent may at once."""

    def statement(self) -> str:
        """Return the hold as JSON without its two instants, which are stored beside it."""
        fields = asdict(self)
        del fields["until"], fields["silent_until"]
        return json.dumps(fields)

    @classmethod
    def of_facts(cls, facts: HoldFacts) -> "Hold":
        """Return the hold that is stored in these facts."""
        return cls(**json.loads(facts.statement), until=facts.until, silent_until=facts.silent_until)
