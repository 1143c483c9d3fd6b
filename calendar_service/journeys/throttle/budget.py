"""Is the rate used up, of the account or of the project? Must not know whether Google answers."""

from typing import Literal

from calendar_service.domain.clock import Clock, Millis
from calendar_service.journeys.throttle.tokens import AccountTokens, Demand, OncePerMinute, ProjectTokens
from calendar_service.store.answers import ThrottleAdmitWorker
from calendar_service.store.rate_budget import RateBudgetStore
from calendar_service.store.throttle import Limits


class RateBudget:
    """Spends the tokens of this process, and leases more when they are used up. Safe to share between threads."""

    def __init__(self, store: RateBudgetStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._project = ProjectTokens()
        self._accounts = AccountTokens(limits.own)
        self._demand = Demand()
        self._refused = OncePerMinute()

    def count_demand(self, cost: int) -> None:
        """Count an accepted operation towards the usual load, by which a backlog drains."""
        self._demand.count(cost)

    def report_demand(self) -> None:
        """Tell the others of operations that were accepted without a lease, each ten seconds at most."""
        units = self._demand.take_if_due(self._clock.now())
        if units:
            self._store.count_accepted(units)

    def admit_request(self, organization: str, account: str, cost: int) -> bool:
        """Take tokens of the account, then of the project, for a request of `cost` units."""
        if account and not self._spend_account(account, cost):
            return False
        now = self._clock.now()
        spending = self._project.spend(organization, cost, now)
        if spending == "empty":
            self._project.fill(self._store.lease(cost, self._demand.take(now)), now)
            spending = self._project.spend(organization, cost, now)
        return spending == "ok"

    def admit_session(self, account: str, cost: int) -> Literal["go", "skip", "wait"]:
        """Take tokens for a session that the worker runs: `go`, `skip` (its account waits), or `wait` (all wait)."""
        if account and cost and not self._spend_account(account, cost):
            return "skip"
        if self._store.admit_worker(cost) != "wait":
            return "go"
        if account and cost:
            self._accounts.fill(account, cost, self._clock.now())  # they were not used
        return "wait"

    def is_waiting(self, account: str) -> bool:
        """Tell whether this process knows already that the account has to wait; asks nobody."""
        return self._accounts.is_waiting(account, self._clock.now())

    def admit_other(self, patience: Millis) -> ThrottleAdmitWorker:
        """Tell whether the worker may send a call that costs nothing; `patience`: as `RateBudgetStore` has it."""
        return self._store.admit_worker(0, patience)

    def level(self) -> float:
        """Return which part of the rate is in force: 1, or less after a refusal."""
        return self._store.level()

    def refused(self, connection_id: str) -> bool:
        """Note that Google refused a connection's call for a rate; true when that halved the rate for all.

        A connection counts once a minute in each process: its account's own limit, which is what refuses most often,
        must not slow the others.
        """
        return self._refused.is_first(connection_id, self._clock.now()) and self._store.count_refusal()

    def empty_account(self, account: str) -> None:
        """Note that Google refused for this account's rate: it alone waits, at every replica."""
        self._accounts.pause(account, self._clock.now())
        self._store.empty_account(account)

    def _spend_account(self, account: str, cost: int) -> bool:
        now = self._clock.now()
        spending = self._accounts.spend(account, cost, now)
        if spending == "empty":
            self._accounts.fill(account, self._store.lease_account(account, cost), now)
            spending = self._accounts.spend(account, cost, now)
        return spending == "ok"
