"""How many connections, sessions and webhook events there are in each state. Must not say whose."""

from collections.abc import Mapping
from dataclasses import dataclass

from calendar_service.domain.clock import Millis


@dataclass(frozen=True, slots=True)
class SessionTotal:
    """The sessions of one status and reason."""

    status: str
    reason: str
    """Empty where there is none."""
    count: int
    since: Millis
    """Since when the first of them has been pending, or has waited (database time); 0 for every other status."""


@dataclass(frozen=True, slots=True)
class Totals:
    """One count of all."""

    counted_at: Millis
    """When the count began (database time)."""
    connections: Mapping[str, int]
    """By state."""
    sessions: tuple[SessionTotal, ...]
    webhooks_waiting: int
    webhooks_abandoned: int
    """Given up: they are sent again only if the operator replays them."""
    webhooks_since: Millis
    """When the first of the waiting events happened (database time); 0 = none waits."""
