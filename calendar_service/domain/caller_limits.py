"""How much the service's callers may ask for. Must not count anything; docs/limits.md has the reasons.

The limits towards Google are in `store/throttle.py`.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from calendar_service.domain.token_bucket import Rate

LimitName = Literal["calls", "changes", "visit", "long_calls", "reviewer"]
"""The limits by the names that headers and metrics show."""


@dataclass(frozen=True, slots=True)
class CallLimit:
    """How many calls one caller may make."""

    name: LimitName
    shared: Rate
    """In all processes together, beyond `own`."""
    own: Rate
    """In each process without asking the others: more than an ordinary caller uses, so that its calls cost no round
    trip; and what remains if the database does not answer."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to a caller, as one process knows it."""

    limit: CallLimit
    left: int
    seconds: int
    """Until nothing is missing, if the caller pauses; of a refused call, until the next one may go."""


_NEVER_FULL: Final = Rate(burst=10**9, seconds=1)


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """The numbers, all in one place."""

    calls: CallLimit = field(default=CallLimit("calls", shared=Rate(1_000, 10), own=Rate(50, 5)))
    """Of one key for one organization, at the internal API."""
    changes: CallLimit = field(default=CallLimit("changes", shared=Rate(1_000, 300), own=Rate(50, 50)))
    """Of one agent, at the internal API: everything but GET."""
    visit: CallLimit = field(default=CallLimit("visit", shared=Rate(120, 120), own=Rate(20, 100)))
    """Of one browser session of an agent."""
    long_calls: int = 4
    """Calls of one organization that wait for Google or read much, at the same time in one process: a quarter of its
    threads."""

    @classmethod
    def lifted(cls) -> "CallerLimits":
        """Return limits that no bench meets (law 12)."""
        return cls(
            calls=CallLimit("calls", _NEVER_FULL, _NEVER_FULL),
            changes=CallLimit("changes", _NEVER_FULL, _NEVER_FULL),
            visit=CallLimit("visit", _NEVER_FULL, _NEVER_FULL),
            long_calls=10**9,
        )
