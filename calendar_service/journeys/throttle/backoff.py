"""How long to wait before a call at Google is tried again, by the class of its error. Must not know what is called.

One table for sessions and for everything else that the worker does.
"""

from calendar_service.domain.clock import HOUR, MINUTE, SECOND, Millis
from calendar_service.domain.errors import (
    AccessForbidden,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    InsufficientScope,
    QuotaExceeded,
    RefreshRefused,
    RequestRefused,
    UnknownRefusal,
)
from calendar_service.domain.jitter import jitter

_FOR_HOURS = (
    AdminBlocked,
    QuotaExceeded,
    RequestRefused,
    AccessForbidden,
    InsufficientScope,
    UnknownRefusal,
)
"""Only time or a person helps: hours."""
_FOR_MINUTES = (ClientRejected, RefreshRefused)
"""The operator has to act, and is told: minutes."""


def pause(trouble: GoogleError, tries: int) -> Millis:
    """Return how long to wait after `tries` tries: doubled each time up to a longest, with jitter.

    A longer Retry-After of Google counts instead; it is read with a limit of an hour.
    """
    first, longest = _patience(trouble)
    return max(jittered(first, longest, tries), (trouble.retry_after or 0) * SECOND)


def jittered(first: Millis, longest: Millis, tries: int) -> Millis:
    """Return `first` doubled `tries` times, `longest` at most, shorter by up to a half."""
    return jitter(min(longest, first << min(tries, 16)))


def _patience(trouble: GoogleError) -> tuple[Millis, Millis]:
    """Return the first and the longest pause."""
    if isinstance(trouble, _FOR_HOURS):
        return HOUR, 8 * HOUR
    if isinstance(trouble, _FOR_MINUTES):
        return MINUTE, 8 * MINUTE
    return SECOND, 5 * MINUTE
