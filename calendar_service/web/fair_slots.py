"""Which request a web process works on next, so that no caller holds up the others. Must not know what a request is.

All threads of a process share one interpreter, so a caller whose requests keep it busy slows everybody else's. Each
caller has a share of processor time. So many of its requests run at the same time as what is left of it pays for, by
the mean of its requests. Where nothing is left, one runs; while other callers are active, none until some of it has
come back. A free slot goes to the caller with fewest.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Final

from calendar_service.domain.caller_limits import SlotLimit
from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.token_bucket import TokenBucket

ANONYMOUS: Final = ""
"""The caller of requests that nobody is known to have sent. They have a share, but make nobody else wait for one."""
ACTIVE: Final = 10 * SECOND
"""For how long after a request its caller counts as active."""
_FIRST_MEAN: Final = 50.0
"""The milliseconds of processor time that the first requests of a caller are taken to cost."""
_NEWEST_WEIGHT: Final = 0.25
"""The weight of the newest request in the mean."""
_CALLERS_REMEMBERED: Final = 1_024
"""Beyond so many callers, those that could not be told from new ones are forgotten."""


@dataclass(slots=True)
class _Caller:
    """One caller's requests and share."""

    share: TokenBucket
    """The milliseconds of processor time that are left; below 0 they are owed."""
    mean: float = _FIRST_MEAN
    """The milliseconds of processor time of one request: a moving average."""
    running: int = 0
    waiting: int = 0


@dataclass(slots=True, eq=False)
class _Request:
    """A request that waits. `has_slot` is None until it is decided."""

    caller: str
    has_slot: bool | None = None
    wake_up: threading.Event = field(default_factory=threading.Event)


def _now() -> Millis:
    return monotonic_ns() // 1_000_000


class FairSlots:
    """The slots of one process. Safe to share between threads."""

    def __init__(
        self, running: int, waiting: int, limit: SlotLimit, now: Callable[[], Millis] = _now
    ) -> None:
        """Take how many requests run and wait at the same time, a caller's limit, and the clock for its share."""
        self._most_running = running
        self._most_waiting = waiting
        self._limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._callers: dict[str, _Caller] = {}
        self._most_callers = _CALLERS_REMEMBERED
        self._waiting: list[_Request] = []
        """In the order in which they came."""
        self._running = 0
        self._newest, self._newest_at, self._others_at = ANONYMOUS, -ACTIVE, -ACTIVE
        """Who sent the newest request, when, and when anybody else did; anonymous ones aside."""

    def enter(self, caller: str) -> bool:
        """Wait for a slot, and tell whether there is one: not if too many wait. Whoever has one must `leave`."""
        with self._lock:
            self._note(caller)
            if not self._caller(caller).waiting and self._may_run(caller):
                self._begin(caller)
                return True
            if len(self._waiting) >= self._most_waiting and not self._displace(caller):
                return False
            request = _Request(caller)
            self._waiting.append(request)
            self._callers[caller].waiting += 1
        while True:
            with self._lock:
                request.wake_up.clear()
                if request.has_slot is None:
                    # In this order: a share that comes back between the two lets the request run and is not slept over.
                    patience = self._patience(request)
                    self._fill()
                if request.has_slot is not None:
                    return request.has_slot
            request.wake_up.wait(patience)

    def leave(self, caller: str, processor_time: float) -> None:
        """Give the slot back after so many seconds of processor time."""
        with self._lock:
            one, burst = self._callers[caller], self._limit.processor_time.burst
            share, cost = self._share(caller), processor_time * SECOND
            # No more is owed than comes back in the time in which the whole share does.
            one.share = share.without(min(cost, share.left + burst))
            one.mean += _NEWEST_WEIGHT * (cost - one.mean)
            one.running -= 1
            self._running -= 1
            self._fill()
            self._wake_first(caller)

    def running(self, caller: str) -> int:
        """Return how many slots the caller has."""
        with self._lock:
            return self._caller(caller).running

    def waiting(self, caller: str) -> int:
        """Return how many of the caller's requests wait."""
        with self._lock:
            return self._caller(caller).waiting

    # --- all below is called under the lock ---

    def _fill(self) -> None:
        """Give free slots to waiting requests: to the caller with fewest first, and in the order of their arrival."""
        while able := [each for each in self._waiting if self._may_run(each.caller)]:
            request = min(able, key=lambda each: self._callers[each.caller].running)
            self._begin(request.caller)
            self._decide(request, has_slot=True)

    def _may_run(self, caller: str) -> bool:
        if self._running >= self._most_running:
            return False
        one, left = self._callers[caller], self._share(caller).left
        if one.running:
            return one.running < self._limit.most and (one.running + 1) * one.mean <= left
        return left > 0 or not self._others_are_active(caller)

    def _patience(self, request: _Request) -> float | None:
        """Return after how many seconds the caller's share is back, to the first of its requests; None to the rest.

        Nothing else happens then that would let it run.
        """
        left = self._share(request.caller).left
        if left > 0 or request is not self._first(request.caller):
            return None
        return (1 - left) / self._limit.processor_time.per_second

    def _wake_first(self, caller: str) -> None:
        first = self._first(caller)
        if first:
            first.wake_up.set()

    def _first(self, caller: str) -> _Request | None:
        return next((each for each in self._waiting if each.caller == caller), None)

    def _begin(self, caller: str) -> None:
        self._callers[caller].running += 1
        self._running += 1

    def _decide(self, request: _Request, *, has_slot: bool) -> None:
        self._waiting.remove(request)
        self._callers[request.caller].waiting -= 1
        request.has_slot = has_slot
        request.wake_up.set()
        self._wake_first(request.caller)

    def _displace(self, caller: str) -> bool:
        """Refuse the newest request of the caller of whom most wait, if it is another who has more of them."""
        for longest, count in Counter(each.caller for each in self._waiting).most_common(1):
            if count > self._callers[caller].waiting + 1:
                newest = next(each for each in reversed(self._waiting) if each.caller == longest)
                self._decide(newest, has_slot=False)
                return True
        return False

    def _note(self, caller: str) -> None:
        if caller == ANONYMOUS:
            return
        if caller != self._newest:
            self._newest, self._others_at = caller, self._newest_at
        self._newest_at = self._now()

    def _others_are_active(self, caller: str) -> bool:
        last = self._others_at if caller == self._newest else self._newest_at
        return self._now() < last + ACTIVE

    def _share(self, caller: str) -> TokenBucket:
        return self._callers[caller].share.filled(self._limit.processor_time, self._now())

    def _caller(self, caller: str) -> _Caller:
        if caller not in self._callers:
            self._forget_idle()
            self._callers[caller] = _Caller(TokenBucket(self._limit.processor_time.burst, self._now()))
        return self._callers[caller]

    def _forget_idle(self) -> None:
        if len(self._callers) < self._most_callers:
            return
        burst = self._limit.processor_time.burst
        self._callers = {
            name: one
            for name, one in self._callers.items()
            if one.running or one.waiting or self._share(name).left < burst
        }
        self._most_callers = max(_CALLERS_REMEMBERED, 2 * len(self._callers))
