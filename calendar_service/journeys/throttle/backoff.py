"""How long to wait before Google is asked for the same again, by class of trouble. Must not know what is asked.

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
)
from calendar_service.domain.jitter import jitter

_FOR_HOURS = (AdminBlocked, QuotaExceeded, RequestRefused, AccessForbidden, InsufficientScope)
"""Only time or a person helps."""
_FOR_MINUTES = (ClientRejected, RefreshRefused)
"""The operator has to act, and is told."""


def pause(trouble: GoogleError, tries: int) -> Millis:
    """Return how long to wait after `tries` tries: doubled each time up to a longest, with jitter.

    What Google itself says in Retry-After counts if it is longer (read with a limit of an hour).
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
