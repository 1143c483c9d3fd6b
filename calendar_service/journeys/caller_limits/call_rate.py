"""Whether a caller may make one more call now. Must not know what is called.

Each process lets a caller through at a small rate of its own. Only a caller that asks for more costs a round trip: the
process then leases a block of tokens from the bucket that all processes share.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from calendar_service.domain.caller_limits import CallLimit, Quota
from calendar_service.domain.clock import SECOND, THREAD_SKEW, Clock, Millis
from calendar_service.domain.errors import StoreUnavailable, TooManyRequests
from calendar_service.domain.token_bucket import TokenBucket
from calendar_service.store.call_tokens import CallTokens, LeasedCalls

_BLOCK_LASTS: Millis = 10 * SECOND
"""After this a process drops what it leased and did not use."""
_CALLERS_REMEMBERED: Final = 4_096
"""Beyond so many callers, those that could not be told from new ones are forgotten."""


@dataclass(slots=True)
class _Caller:
    """One caller's tokens in this process."""

    own: TokenBucket
    shared: TokenBucket
    """As it was after the last lease."""
    leased: int = 0
    leased_at: Millis = 0
    refused_at: Millis = 0
    retry_after: int = 0

    def spend(self, limit: CallLimit, now: Millis) -> bool:
        """Take one token, of the leased ones first; false if there is none."""
        self.own = self.own.filled(limit.own, now)
        if self.leased and self.leased_at - THREAD_SKEW <= now < self.leased_at + _BLOCK_LASTS:
            self.leased -= 1
            return True
        self.leased = 0
        if self.own.left < 1:
            return False
        self.own = self.own.without(1)
        return True

    def fill(self, limit: CallLimit, lease: LeasedCalls, now: Millis) -> None:
        """Take a lease. After one without tokens the process does not ask again before there can be one."""
        self.shared = TokenBucket(lease.left, now)
        self.leased, self.leased_at = self.leased + lease.count, now
        if not lease.count:
            self.refused_at, self.retry_after = now, limit.shared.seconds_until(1 - lease.left)

    def wait(self, now: Millis) -> int:
        """Return for how many seconds no lease is asked for; 0 = it may be."""
        end = self.refused_at + self.retry_after * SECOND
        return max(1, -(-(end - now) // SECOND)) if self.refused_at - THREAD_SKEW <= now < end else 0

    def is_idle(self, limit: CallLimit, now: Millis) -> bool:
        """Tell whether nothing is known of the caller that a new one would not have."""
        full = self.own.filled(limit.own, now).left >= limit.own.burst
        return full and now >= self.leased_at + _BLOCK_LASTS and not self.wait(now)


class CallRate:
    """The callers of one limit. Safe to share between threads."""

    def __init__(
        self, limit: CallLimit, tokens: CallTokens, hash_of: Callable[[str], str], clock: Clock
    ) -> None:
        """Take the limit, the shared buckets, and the hash under which a caller's bucket is stored."""
        self.limit = limit
        self._tokens = tokens
        self._hash_of = hash_of
        self._clock = clock
        self._lock = threading.Lock()
        self._callers: dict[str, _Caller] = {}
        self._most = _CALLERS_REMEMBERED

    def take(self, caller: str) -> Quota:
        """Count one call and return what is left; raise `TooManyRequests` if nothing was left."""
        now, limit = self._clock.now(), self.limit
        with self._lock:
            one = self._caller(caller, now)
            if one.spend(limit, now):
                return self._quota(one, now)
            if seconds := one.wait(now):
                raise self._refusal(seconds)
        lease = self._lease(caller)
        with self._lock:
            one.fill(limit, lease, now)
            if one.spend(limit, now):
                return self._quota(one, now)
            raise self._refusal(one.wait(now) or 1)

    def _lease(self, caller: str) -> LeasedCalls:
        try:
            return self._tokens.lease(self.limit, self._hash_of(caller))
        except StoreUnavailable:
            return LeasedCalls(0, 0.0)  # the process goes on with what it may let through by itself

    def _caller(self, caller: str, now: Millis) -> _Caller:
        if caller not in self._callers:
            self._forget_idle(now)
            full = TokenBucket(self.limit.shared.burst, now)
            self._callers[caller] = _Caller(TokenBucket(self.limit.own.burst, now), full)
        return self._callers[caller]

    def _forget_idle(self, now: Millis) -> None:
        if len(self._callers) < self._most:
            return
        active = {name: one for name, one in self._callers.items() if not one.is_idle(self.limit, now)}
        self._callers, self._most = active, max(_CALLERS_REMEMBERED, 2 * len(active))

    def _quota(self, one: _Caller, now: Millis) -> Quota:
        rate, shared = self.limit.shared, one.shared.filled(self.limit.shared, now)
        left = min(rate.burst, int(one.own.left + one.leased + shared.left))
        return Quota(self.limit, left, -(-(rate.burst - left) * rate.seconds // rate.burst))

    def _refusal(self, seconds: int) -> TooManyRequests:
        return TooManyRequests(
            f"More was asked than the limit `{self.limit.name}` allows; nothing was changed.",
            limit=self.limit.name,
            retry_after=seconds,
        )
