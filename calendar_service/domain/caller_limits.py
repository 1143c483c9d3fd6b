"""How much the service's callers may ask for. Must not count anything; docs/limits.md has the reasons.

The limits towards Google are in `store/throttle.py`.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from calendar_service.domain.token_bucket import Rate

LimitName = Literal[
    "calls",
    "changes",
    "visit",
    "long_calls",
    "reviewer",
    "agent_waiting",
    "agent_records",
    "organization_waiting",
]
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


@dataclass(frozen=True, slots=True)
class WaitingLimit:
    """How much content may wait until Google has it."""

    sessions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """How many of a process's requests under way may be one organization's, or anonymous ones."""

    most: int
    processor_time: Rate
    """The milliseconds of processor time that a caller may use."""


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
    slots: SlotLimit = field(default=SlotLimit(most=12, processor_time=Rate(burst=250, seconds=1)))
    """In one process: a quarter of a processor is what 100 ordinary calls a second use."""
    agent_waiting: WaitingLimit = field(default=WaitingLimit(sessions=5_000, bytes=8 * 2**20))
    """Of one agent: exact, because the script that accepts a session counts it."""
    agent_records: int = 20_000
    """Sessions of one agent that are kept, the settled ones too."""
    organization_waiting: WaitingLimit = field(default=WaitingLimit(sessions=200_000, bytes=256 * 2**20))
    """Of one organization: as each process read it some seconds ago."""
    large: int = 4 * 2**10
    """Sealed bytes of a session's content that are refused while the database is nearly full: a text of over 2 kB."""
    nearly_full: float = 0.85
    """The part of the database's memory above which they are."""

    @classmethod
    def lifted(cls) -> "CallerLimits":
        """Return limits that no bench meets (law 12)."""
        return cls(
            calls=CallLimit("calls", _NEVER_FULL, _NEVER_FULL),
            changes=CallLimit("changes", _NEVER_FULL, _NEVER_FULL),
            visit=CallLimit("visit", _NEVER_FULL, _NEVER_FULL),
            long_calls=10**9,
            slots=SlotLimit(10**9, _NEVER_FULL),
            agent_waiting=WaitingLimit(10**9, 10**12),
            agent_records=10**9,
            organization_waiting=WaitingLimit(10**9, 10**12),
        )
