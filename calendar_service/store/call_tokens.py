"""Tokens of callers' calls, which all processes share and each leases in blocks. Must not know what is called."""

from dataclasses import dataclass

from calendar_service.domain.caller_limits import CallLimit
from calendar_service.store import keys
from calendar_service.store.database import Database


@dataclass(frozen=True, slots=True)
class LeasedCalls:
    """What one process leased."""

    count: int
    """0 if nothing is left."""
    left: float
    """What the bucket holds afterwards."""


class CallTokens:
    """One bucket for each caller; it expires when it would be full again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, limit: CallLimit, caller: str) -> LeasedCalls:
        """Lease a tenth of the burst, or what is left of it. `caller`: a hash that does not lead back to it."""
        count, left = self._database.script(
            "lease_call_tokens",
            {"tokens": keys.call_tokens(limit.name, caller)},
            burst=limit.shared.burst,
            seconds=limit.shared.seconds,
            most=max(1, limit.shared.burst // 10),
        )
        return LeasedCalls(int(count), float(left))
