"""The part of the rate budget that one process holds. Must not ask the store or Google."""

import threading
from collections import Counter
from dataclasses import replace
from typing import Literal

from calendar_service.domain.clock import (
    MINUTE,
    SECOND,
    THREAD_SKEW,
    Millis,
    is_current_minute,
    plausible,
)
from calendar_service.store import keys
from calendar_service.store.rate_budget import LeasedTokens

_LEASE: Millis = MINUTE
_LOW_LEASE: Millis = 5 * SECOND
_EMPTY_PAUSE: Millis = SECOND
_REPORT_EVERY: Millis = 10 * SECOND

Spending = Literal["ok", "empty", "wait"]


class ProjectTokens:
    """Tokens of the project, leased for the requests of this process. Safe to share between threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._leased = LeasedTokens(0, low=False)
        self._end: Millis = 0
        self._empty_until: Millis = 0
        self._spent: Counter[str] = Counter()
        self._had_several = False

    def spend(self, organization: str, cost: int, now: Millis) -> Spending:
        """Take tokens for a request: `ok`, `empty` (more have to be leased), or `wait`.

        `wait`: a lease was refused within this second, or the rest is left to other organizations.
        """
        with self._lock:
            if self._is_over(now) or self._leased.units < cost:
                is_paused = self._empty_until - _EMPTY_PAUSE - THREAD_SKEW <= now < self._empty_until
                return "wait" if is_paused else "empty"
            if self._leased.low and self._is_over_its_share(organization):
                return "wait"
            self._leased = LeasedTokens(self._leased.units - cost, self._leased.low)
            self._spent[organization] += cost
            return "ok"

    def fill(self, leased: LeasedTokens, now: Millis) -> None:
        """Take a lease. After one without tokens nobody asks for a second, or every request would ask.

        Several requests may find the tokens used up and lease at the same time: each lease is added to what is left.
        """
        with self._lock:
            if not leased.units:
                self._empty_until = now + _EMPTY_PAUSE
                return
            left = 0 if self._is_over(now) else self._leased.units
            self._leased = replace(leased, units=left + leased.units)
            self._end = now + (_LOW_LEASE if leased.low else _LEASE)
            self._had_several = len(self._spent) > 1
            self._spent.clear()

    def _is_over(self, now: Millis) -> bool:
        return not self._end - _LEASE - THREAD_SKEW <= now < self._end

    def _is_over_its_share(self, organization: str) -> bool:
        """Tell whether it has spent more than half of this lease, while other organizations are active too."""
        others = self._had_several or bool(self._spent.keys() - {organization})
        return others and self._spent[organization] * 2 > self._spent.total() + self._leased.units


class AccountTokens:
    """Tokens of each Google account in the current minute. Safe to share between threads."""

    def __init__(self, own: int) -> None:
        """Take how many units of each account this process may spend in a minute without asking the others."""
        self._own = own
        self._lock = threading.Lock()
        self._minute = 0
        self._left: dict[str, int] = {}
        self._pauses: dict[str, tuple[Millis, Millis]] = {}
        """From when and until when an account waits."""

    def spend(self, account: str, cost: int, now: Millis) -> Spending:
        """Take tokens of one account: `ok`, `empty` (more have to be leased), or `wait`.

        `wait`: a lease was refused within this second, or Google refused the account a moment ago.
        """
        with self._lock:
            if not is_current_minute(self._minute, now):
                self._minute, self._left = now // MINUTE, {}
                self._pauses = {name: pause for name, pause in self._pauses.items() if _holds(pause, now)}
            if account in self._pauses and _holds(self._pauses[account], now):
                return "wait"
            left = self._left.get(account, self._own) - cost
            if left < 0:
                return "empty"
            self._left[account] = left
            return "ok"

    def is_waiting(self, account: str, now: Millis) -> bool:
        """Tell whether `spend` would answer `wait`."""
        with self._lock:
            return account in self._pauses and _holds(self._pauses[account], now)

    def fill(self, account: str, units: int, now: Millis) -> None:
        """Add tokens that were leased for one account, or were not used.

        After a lease without tokens nobody asks for a second: thousands of its sessions may wait (F46).
        """
        with self._lock:
            if units:
                self._left[account] = self._left.get(account, 0) + units
            else:
                self._pauses[account] = now, now + _EMPTY_PAUSE

    def pause(self, account: str, now: Millis) -> None:
        """Let an account wait that Google refused: it has no tokens then."""
        with self._lock:
            self._left[account] = 0
            self._pauses[account] = now, now + keys.ACCOUNT_PAUSE


def _holds(pause: tuple[Millis, Millis], now: Millis) -> bool:
    """Tell whether `now` is in the pause. One that begins in the future was set before the clock was set back."""
    begin, end = pause
    return begin - THREAD_SKEW <= now < end


class OncePerMinute:
    """Tells whether something happens for the first time within a minute. Safe to share between threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._minute = 0
        self._names: set[str] = set()

    def is_first(self, name: str, now: Millis) -> bool:
        """Tell whether it is the first of this name in the minute of `now`."""
        with self._lock:
            if not is_current_minute(self._minute, now):
                self._minute, self._names = now // MINUTE, set()
            is_first = name not in self._names
            self._names.add(name)
            return is_first


class Demand:
    """Units of accepted operations that the other processes do not know yet. Safe to share between threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._units = 0
        self._reported_at: Millis = 0

    def count(self, units: int) -> None:
        """Count an accepted operation."""
        with self._lock:
            self._units += units

    def take(self, now: Millis) -> int:
        """Return the units to report now, and count them as reported."""
        with self._lock:
            units, self._units, self._reported_at = self._units, 0, now
            return units

    def take_if_due(self, now: Millis) -> int:
        """Return the units to report now; 0 within ten seconds of the last report."""
        with self._lock:
            is_due = plausible(self._reported_at + _REPORT_EVERY, now, _REPORT_EVERY) <= now
        return self.take(now) if is_due else 0
