"""The rate budget that all replicas share: tokens of the project and of each account. Must not know Google.

Each step is one script. The database's clock fills the budget.
"""

from dataclasses import dataclass
from typing import Final, cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database
from calendar_service.store.throttle import Limits

_KEYS: Final = {"throttle": keys.THROTTLE}


@dataclass(frozen=True, slots=True)
class LeasedTokens:
    """Units that one process has leased."""

    units: int
    low: bool
    """Less than half of the burst is left: organizations share the rest."""


class RateBudgetStore:
    """Buckets of tokens: one for requests, one for the worker, one for each account."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def lease(self, least: int, accepted: int) -> LeasedTokens:
        """Lease tokens for requests, at least `least` or none; `accepted`: units of operations accepted meanwhile."""
        limits = self._limits
        units, low = self._database.script(
            "throttle_lease_tokens",
            _KEYS,
            rate=limits.inline,
            burst=limits.inline // 6,
            least=least,
            most=limits.leased_tokens,
            accepted=accepted,
        )
        return LeasedTokens(int(units), bool(int(low)))

    def count_accepted(self, units: int) -> None:
        """Count units of operations that were accepted without a lease."""
        self._database.script("throttle_count_accepted", _KEYS, units=units)

    def admit_worker(self, cost: int, patience: Millis = 0) -> answers.ThrottleAdmitWorker:
        """Tell whether the worker may send a call of `cost` units: `go`, `trial_request` or `wait`.

        `patience`: for how many ms a due trial request is left to others first.
        """
        limits = self._limits
        answer = self._database.script(
            "throttle_admit_worker",
            _KEYS,
            cost=cost,
            rate=limits.drain,
            least_rate=limits.least_drain,
            pause=limits.trial_request,
            patience=patience,
        )
        return cast(answers.ThrottleAdmitWorker, answer[0])

    def lease_account(self, account_ref: str, least: int) -> int:
        """Lease tokens of one account, at least `least` or none; return how many."""
        limits = self._limits
        answer = self._database.script(
            "throttle_lease_account_tokens",
            {"throttle": keys.throttle_account(account_ref)},
            rate=limits.account,
            least=least,
            most=2 * limits.own,
        )
        return int(answer[0])

    def empty_account(self, account_ref: str) -> None:
        """Note that Google refused for one account's rate: only that account waits."""
        account = {"throttle": keys.throttle_account(account_ref)}
        self._database.script("throttle_empty_account", account, rate=self._limits.account)

    def count_refusal(self) -> bool:
        """Count a connection that Google refused for a rate; true when that halved the project's."""
        answer = self._database.script(
            "throttle_halve_rate", _KEYS, tolerated=self._limits.tolerated_refusals
        )
        return cast(answers.ThrottleHalveRate, answer[0]) == "halved"

    def level(self) -> float:
        """Return which part of the rate is in force: 1, or less after a refusal."""
        return int(self._database.reading_script("throttle_read_level", _KEYS)[0]) / 1000
