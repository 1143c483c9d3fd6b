"""A bucket of tokens that fills with time, as plain values. Must not read a clock."""

import math
from dataclasses import dataclass

from calendar_service.domain.clock import SECOND, THREAD_SKEW, Millis, plausible


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a bucket fills: `burst` tokens at once, and as many again in `seconds`."""

    burst: int
    seconds: int

    @property
    def per_second(self) -> float:
        """Tokens that come back in one second."""
        return self.burst / self.seconds

    def seconds_until(self, missing: float) -> int:
        """Return after how many whole seconds so many tokens have come back; at least one."""
        return max(1, math.ceil(missing / self.per_second))


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """What a bucket held at an instant."""

    left: float
    at: Millis

    def filled(self, rate: Rate, now: Millis) -> "TokenBucket":
        """Return the bucket as it is at `now`. A bucket of a later instant was written by a wrong clock: it is full.

        One that is later by no more than `THREAD_SKEW` was written by another thread: it stays as it is.
        """
        at = plausible(self.at, now, THREAD_SKEW)
        if not at:
            return TokenBucket(rate.burst, now)
        elapsed = max(0, now - at) / SECOND
        return TokenBucket(min(rate.burst, self.left + elapsed * rate.per_second), max(now, at))

    def without(self, tokens: float) -> "TokenBucket":
        """Return the bucket after so many tokens were taken; below 0 it owes them."""
        return TokenBucket(self.left - tokens, self.at)
