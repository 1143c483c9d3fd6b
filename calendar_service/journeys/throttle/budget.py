"""What one process may still send, leased in blocks. Must not know Google, nor ask the store by itself."""

import threading
from collections import Counter
from dataclasses import replace

from calendar_service.domain.clock import MINUTE, SECOND, Millis, plausible
from calendar_service.store.throttle import LeasedTokens, Limits, ThrottleState

_BLOCK_LIFE: Millis = MINUTE
_LOW_LIFE: Millis = 5 * SECOND
_DRY: Millis = SECOND
_REPORT: Millis = 10 * SECOND


class RateBudget:
    """The units at hand, of the project and of each account. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        """Begin with none of the project's units."""
        self.throttle_state = ThrottleState()
        """The way to Google as this process saw it last."""
        self._own = limits.own
        self._lock = threading.Lock()
        self._leased_tokens, self._ends = LeasedTokens(0, low=False, epoch=0), 0
        self._dry_until = 0
        self._used: Counter[str] = Counter()
        self._admin_action_before = False
        self._minute = 0
        self._accounts: dict[str, int] = {}
        self._accepted, self._reported = 0, 0

    def spend(self, organization: str, cost: int, now: Millis) -> str:
        """Take units for a request: `ok`, `empty` (a block has to be leased), or `wait`.

        To wait: there are none now, or they are left to other organizations.
        """
        with self._lock:
            leased_tokens = self._leased_tokens
            is_old = (
                not self._ends - _BLOCK_LIFE <= now < self._ends
                or leased_tokens.epoch < self.throttle_state.epoch
            )
            if is_old or leased_tokens.units < cost:
                return "wait" if self._dry_until - _DRY <= now < self._dry_until else "empty"
            if leased_tokens.low and self._is_over_share(organization):
                return "wait"
            self._leased_tokens = replace(leased_tokens, units=leased_tokens.units - cost)
            self._used[organization] += cost
            return "ok"

    def fill(self, leased_tokens: LeasedTokens, now: Millis) -> None:
        """Take a block; after an empty one none is asked for during a second, so that not every request asks."""
        with self._lock:
            if not leased_tokens.units:
                self._dry_until = now + _DRY
                return
            self._leased_tokens = leased_tokens
            self._ends = now + (_LOW_LIFE if leased_tokens.low else _BLOCK_LIFE)
            self._admin_action_before = len(self._used) > 1
            self._used.clear()

    def spend_account(self, account: str, cost: int, now: Millis) -> bool:
        """Take units of one account; false when more have to be leased."""
        with self._lock:
            if self._minute != now // MINUTE:
                self._minute, self._accounts = now // MINUTE, {}
            left = self._accounts.get(account, self._own) - cost
            if left >= 0:
                self._accounts[account] = left
            return left >= 0

    def fill_account(self, account: str, units: int) -> None:
        """Take units that were leased for one account."""
        with self._lock:
            self._accounts[account] = self._accounts.get(account, 0) + units

    def empty_account(self, account: str) -> None:
        """Stop this account for the rest of the minute."""
        with self._lock:
            self._accounts[account] = 0

    def count(self, cost: int) -> None:
        """Count an operation as accepted."""
        with self._lock:
            self._accepted += cost

    def report(self, now: Millis, *, at_once: bool) -> int:
        """Return the units accepted and not told yet, and take them as told; 0 if it is too soon to tell."""
        with self._lock:
            if not at_once and plausible(self._reported + _REPORT, now, _REPORT) > now:
                return 0
            accepted, self._accepted, self._reported = self._accepted, 0, now
            return accepted

    def _is_over_share(self, organization: str) -> bool:
        others = self._admin_action_before or len(self._used) > (1 if organization in self._used else 0)
        return others and self._used[organization] * 2 > sum(self._used.values()) + self._leased_tokens.units
