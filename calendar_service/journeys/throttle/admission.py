"""How much is sent to Google, and when nothing is: breakers, budget, and what the operator has to be told (law 2).

Knows the store's book of it and the transport's clock. Must not know what is sent, and touches no grant.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from calendar_service.domain.clock import DAY, HOUR, MINUTE, Clock, Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import (
    AccountRateLimited,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    RateLimited,
)
from calendar_service.google.transport import Transport
from calendar_service.journeys.throttle.budget import RateBudget
from calendar_service.log import Log
from calendar_service.store.throttle import Limits, ThrottleState, ThrottleStore

TESTING_AGE: Millis = 7 * DAY
"""How long a permission given to a project in testing mode lives (https://developers.google.com/identity/protocols/oauth2,
"Refresh token expiration")."""


@dataclass(frozen=True)
class Throttle:
    """The way to Google as this process uses it, in step with all others."""

    book: ThrottleStore
    transport: Transport
    rate_budget: RateBudget
    threads: threading.BoundedSemaphore
    """At most half of a process's threads wait on Google (law 2); the others answer 202 at once."""
    log: Log
    clock: Clock
    limits: Limits

    # --- may it be sent? ---

    @contextmanager
    def room(
        self, throttle_state: ThrottleState, organization: str, account: str, cost: int
    ) -> Iterator[bool]:
        """Tell whether a request may go to Google itself, and limit its waiting; else the worker does it.

        `cost`: units; 0 when there is nothing to be sent.
        """
        self.seen(throttle_state)
        self.rate_budget.count(cost)
        is_free = cost > 0 and self.threads.acquire(blocking=False)
        try:
            may = is_free and self._admitted(organization, account, cost)
            if cost and not may:
                self._report()
            with self.transport.within(self.limits.inline_seconds):
                yield may
        finally:
            if is_free:
                self.threads.release()

    def unhurried(self) -> AbstractContextManager[None]:
        """Limit the worker's waiting to less than the lease of what it works on."""
        return self.transport.within(self.limits.worker_seconds)

    def turn(self, account: str, cost: int) -> str:
        """Tell the worker whether to do a session now: `go`, `skip` (its account has to wait), or `wait` (all have)."""
        if account and cost and not self._account(account, cost):
            return "skip"
        if self.book.turn(cost) != "wait":
            return "go"
        if account and cost:
            self.rate_budget.fill_account(account, cost)  # not used: given back
        return "wait"

    def aside(self) -> bool:
        """Tell whether the worker may call Google for something that is no session; those are the better canaries."""
        answer = self.book.turn(0, patience=MINUTE)
        self.seen(replace(self.rate_budget.throttle_state, opened=answer == "trial_request"))
        return answer != "wait"

    def answered(self) -> None:
        """Note that a canary which was no call of the Calendar API found Google there."""
        if self.rate_budget.throttle_state.opened:
            self._worked()

    def seen(self, throttle_state: ThrottleState) -> None:
        """Take the way to Google as it was read just now."""
        self.rate_budget.throttle_state = throttle_state

    def time_left(self) -> float:
        """Return the seconds that this thread may still wait for Google."""
        return self.transport.time_left()

    # --- how did it go? ---

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Learn from calls of the Calendar API: five failures in a row open the breaker, an answer closes it."""
        try:
            yield
        except AccountRateLimited:
            self._worked()
            raise
        except RateLimited:
            if self.book.limited():
                self.log.alarm("google.rate_halved")
            raise
        except ClientRejected:
            if self._failed():
                self.log.alarm("google.project_refused")
            raise
        except GoogleUnavailable:
            self._failed()
            raise
        except GoogleError:
            self._worked()  # a refusal is an answer
            raise
        self._worked()

    @contextmanager
    def asking_for_token(self) -> Iterator[None]:
        """Let a refresh be sent, and learn from it; raise `ClientRejected` while our credentials are refused.

        Its success proves nothing of the Calendar API, so it closes nothing but its own breaker.
        """
        answer = self.book.token()
        if answer == "wait":
            raise ClientRejected("Google does not take our credentials; the operator has to act")
        is_trial_request = answer == "trial_request"
        try:
            yield
        except ClientRejected:
            if self.book.rejected():
                self.log.alarm("google.client_rejected")
            raise
        except GoogleUnavailable:
            self._failed()
            raise
        except GoogleError:
            self._known(is_trial_request=is_trial_request)
            raise
        self._known(is_trial_request=is_trial_request)

    def account_limited(self, account: str) -> None:
        """Let one account wait."""
        if account:
            self.rate_budget.empty_account(account)
            self.book.account_limited(account)

    # --- does Google notify us? ---

    def may_watch(self) -> bool:
        """Tell whether a channel may be asked for now; while Google refuses our address, one try an hour."""
        return self.book.watch() != "wait"

    def watch_refused(self) -> None:
        """Note that Google refuses our address for notifications; the slow look goes on."""
        if self.book.unheard():
            self.log.alarm("google.notifications_refused")

    def watch_taken(self) -> None:
        """Note that Google takes our address."""
        if self.book.heard():
            self.log.event("google.notifications_taken")

    def died(self, facts: Facts) -> None:
        """Note at what age a grant died: many at seven days mean that Google takes our project for a test."""
        now = self.clock.now()
        ends = facts.grant.since + TESTING_AGE
        at_seven_days = (
            facts.grant.last_refresh_ok_at <= ends + HOUR and ends - HOUR <= now <= ends + DAY + HOUR
        )
        count = self.book.death(at_seven_days=at_seven_days)
        if count:
            self.log.alarm("google.testing_mode_suspected", count=count)

    # --- inside ---

    def _admitted(self, organization: str, account: str, cost: int) -> bool:
        now = self.clock.now()
        if self.rate_budget.throttle_state.opened or (account and not self._account(account, cost)):
            return False
        answer = self.rate_budget.spend(organization, cost, now)
        if answer == "empty":
            accepted = self.rate_budget.report(now, at_once=True)
            leased_tokens = self.book.lease(cost, accepted)
            self.rate_budget.throttle_state = replace(
                self.rate_budget.throttle_state, epoch=leased_tokens.epoch
            )
            self.rate_budget.fill(leased_tokens, now)
            answer = self.rate_budget.spend(organization, cost, now)
        return answer == "ok"

    def _account(self, account: str, cost: int) -> bool:
        now = self.clock.now()
        if self.rate_budget.spend_account(account, cost, now):
            return True
        units = self.book.account(account, cost)
        self.rate_budget.fill_account(account, units)
        return units > 0 and self.rate_budget.spend_account(account, cost, now)

    def _report(self) -> None:
        accepted = self.rate_budget.report(self.clock.now(), at_once=False)
        if accepted:
            self.book.accepted(accepted)

    def _failed(self) -> bool:
        self.rate_budget.throttle_state = replace(
            self.rate_budget.throttle_state, failures=self.rate_budget.throttle_state.failures + 1
        )
        has_opened = self.book.failed()
        if has_opened:
            self.log.alarm("google.breaker_opened")
        return has_opened

    def _worked(self) -> None:
        throttle_state = self.rate_budget.throttle_state
        if throttle_state.failures or throttle_state.opened:
            self.rate_budget.throttle_state = replace(throttle_state, failures=0, opened=False)
            if self.book.worked():
                self.log.event("google.breaker_closed")

    def _known(self, *, is_trial_request: bool) -> None:
        if is_trial_request and self.book.known():
            self.log.event("google.client_taken")
