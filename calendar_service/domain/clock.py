"""The clock of a process, and its units. Injected, so that tests move it instead of waiting."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Millis = int
"""Milliseconds since 1970-01-01T00:00:00Z, the unit of all instants; also the unit of durations."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR
THREAD_SKEW: Millis = SECOND
"""By how much one thread's reading of the clock may be older than another's, which took the lock first."""


class Clock:
    """Wall-clock time plus the offset of the test clock (law 12)."""

    def __init__(self, offset: Callable[[], float] = lambda: 0.0, skew: float = 0.0) -> None:
        """Take seconds: `offset`, read each time and applied to the database too, and this process's own `skew`."""
        self._offset = offset
        self._skew = skew

    def now(self) -> Millis:
        """Return this process's time."""
        return int((time.time() + self._offset() + self._skew) * SECOND)

    def offset(self) -> Millis:
        """Return the milliseconds to add to the database's TIME."""
        return int(self._offset() * SECOND)


def is_current_minute(minute: int, now: Millis) -> bool:
    """Tell whether a count that belongs to this minute goes on at `now`, which may be an older reading of the clock."""
    return minute in {now // MINUTE, (now + THREAD_SKEW) // MINUTE}


def plausible(at: Millis, now: Millis, longest: Millis) -> Millis:
    """Return the instant `at`, or 0 (long past) if it lies more than `longest` ms ahead of `now`.

    Only a clock that was ahead can have written such an instant. Waiting for it could take years.
    """
    return at if at <= now + longest else 0


def as_datetime(instant: Millis) -> datetime:
    """Return the instant in UTC."""
    return datetime.fromtimestamp(instant / SECOND, UTC)


def rfc3339(instant: Millis) -> str:
    """Return the instant as RFC 3339 in UTC, to the second."""
    return as_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_millis(instant: Millis) -> str:
    """Return the instant as RFC 3339 in UTC, to the millisecond."""
    return f"{rfc3339(instant)[:-1]}.{instant % SECOND:03}Z"
