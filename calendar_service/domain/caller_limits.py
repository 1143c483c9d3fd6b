"""How much the service's callers may ask for. Must not count anything; docs/limits.md has the reasons.

The limits towards Google are in `store/throttle.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """The numbers, all in one place."""

    long_calls: int = 4
    """Calls of one organization that wait for Google or read much, at the same time in one process: a quarter of its
    threads."""

    @classmethod
    def lifted(cls) -> "CallerLimits":
        """Return limits that no bench meets (law 12)."""
        return cls(long_calls=10**9)
