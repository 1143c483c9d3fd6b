"""May this call at Google go now, and what does its end teach? In step with all replicas (law 2).

Must not know what is sent, and touches no grant.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

from calendar_service.domain.clock import MINUTE
from calendar_service.domain.errors import (
    AccountRateLimited,
    Busy,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    RateLimited,
)
from calendar_service.google.transport import Transport
from calendar_service.journeys.throttle.breaker import GoogleBreaker
from calendar_service.journeys.throttle.budget import RateBudget
from calendar_service.journeys.throttle.client_check import GoogleClientCheck
from calendar_service.journeys.throttle.inline_slots import InlineSlots
from calendar_service.journeys.throttle.refusal import SharedRefusal
from calendar_service.journeys.throttle.testing_mode import RevocationAges
from calendar_service.log import Log
from calendar_service.store.throttle import Limits, ThrottleState

Admission = Literal["go", "wait", "no_answer"]
"""`go`; `wait`: other calls have the thread or the rate for now; `no_answer`: Google answers nobody."""

_LEAST_SECONDS = 1.0
"""A request that may wait for Google for less than this does not begin a call."""
_SLOT_FREE = 2
_TRIAL_OVER = 10
_RATE_LEFT = 15
"""Retry-After in seconds: until a slot is free, the next trial request is over, or some of the rate is there again."""


@dataclass(frozen=True)
class Throttle:
    """Admits calls at Google, and learns from their ends. Safe to share between threads."""

    inline_slots: InlineSlots
    breaker: GoogleBreaker
    budget: RateBudget
    client_check: GoogleClientCheck
    credentials: SharedRefusal
    notifications: SharedRefusal
    revocation_ages: RevocationAges
    transport: Transport
    limits: Limits
    log: Log

    # --- may it go? ---

    @contextmanager
    def inline_slot(
        self, state: ThrottleState, organization: str, account: str, cost: int
    ) -> Iterator[Admission]:
        """Yield whether a request may go to Google itself, and limit its waiting there; else the worker goes.

        `state`: as read with the session. `cost`: units; 0 when there is nothing to be sent.
        """
        self.breaker.observe(state)
        self.budget.count_demand(cost)
        with self.inline_slots.taken(wanted=cost > 0) as is_taken:
            admission = self._admit_request(organization, account, cost, is_taken=is_taken)
            if cost and admission != "go":
                self.budget.report_demand()
            with self.transport.within(self.limits.inline_seconds):
                yield admission

    def _admit_request(self, organization: str, account: str, cost: int, *, is_taken: bool) -> Admission:
        if self.breaker.is_open:
            return "no_answer"
        may_go = is_taken and self._has_time() and self.budget.admit_request(organization, account, cost)
        return "go" if may_go else "wait"

    @contextmanager
    def inline_read(self, organization: str, account: str, cost: int = 1) -> Iterator[None]:
        """Let a request read from Google, under the limits of `inline_slot`.

        A refusal for a rate empties the account's budget. Raises `Busy` if this process may not ask now,
        and `GoogleUnavailable` while the breaker is open: Google was not asked.
        """
        with self.inline_slots.taken() as is_taken:
            if not is_taken or not self._has_time():
                raise Busy("Too many requests wait for Google; it was not asked.", retry_after=_SLOT_FREE)
            self.breaker.observe(self.breaker.state())
            if self.breaker.is_open:
                raise GoogleUnavailable(
                    "Google did not answer lately", ambiguous=False, retry_after=_TRIAL_OVER
                )
            if not self.budget.admit_request(organization, account, cost):
                raise Busy("Google's rate is used up for now; it was not asked.", retry_after=_RATE_LEFT)
            with self.transport.within(self.limits.inline_seconds):
                try:
                    yield
                except RateLimited:
                    # Google's words seldom say whose rate it was: as after a write, the account pauses.
                    self.account_limited(account)
                    raise

    @contextmanager
    def inline_teardown(self) -> Iterator[bool]:
        """Yield whether a request may undo at Google what it ended here, and limit its waiting; else the worker does.

        It draws on no budget: Google does not count revocations, and a disconnect waits for no session.
        """
        with self.inline_slots.taken() as is_taken, self.transport.within(self.limits.inline_seconds):
            yield is_taken

    @contextmanager
    def consent_slot(self, *, wanted: bool) -> Iterator[None]:
        """Let a consent's answer wait for Google, in one of the places that are kept for it too.

        `wanted`: false if Google will not be asked. Raises `Busy` before anything is used up.
        """
        if not wanted:
            yield
            return
        with self.inline_slots.taken_for_consent() as is_taken:
            if not is_taken:
                raise Busy("Too many requests wait for Google; nothing was done.", retry_after=_SLOT_FREE)
            yield

    def _has_time(self) -> bool:
        """Tell whether this thread may wait long enough: a call that is cut short looks like a failure of Google's."""
        return self.transport.time_left() >= _LEAST_SECONDS

    def admit(self, account: str, cost: int) -> Literal["go", "skip", "wait"]:
        """Tell the worker whether to run a session now: `go`, `skip` (its account waits), or `wait` (all wait)."""
        return self.budget.admit_session(account, cost)

    def is_waiting(self, account: str) -> bool:
        """Tell whether `admit` would answer `skip` without asking anybody."""
        return self.budget.is_waiting(account)

    def admit_other(self) -> bool:
        """Tell whether the worker may call Google for something that is no session.

        For a minute a due trial request is left to the sessions: an answer to theirs proves more.
        """
        admission = self.budget.admit_other(patience=MINUTE)
        self.breaker.observe_open(is_open=admission != "go")
        return admission != "wait"

    def unhurried(self) -> AbstractContextManager[None]:
        """Limit the worker's waiting to less than the lease of what it works on."""
        return self.transport.within(self.limits.worker_seconds)

    def time_left(self) -> float:
        """Return the seconds that this thread may still wait for Google."""
        return self.transport.time_left()

    # --- what does its end teach? ---

    @contextmanager
    def calling(self, connection_id: str) -> Iterator[None]:
        """Learn from a call of the Calendar API: five failures in a row open the breaker, an answer closes it.

        Where several connections are refused for a rate within a minute, the rate of all is halved.
        """
        try:
            yield
        except AccountRateLimited:
            self.breaker.answered()
            raise
        except RateLimited:
            if self.budget.refused(connection_id):
                self.log.alarm("google.rate_halved")
            raise
        except ClientRejected:
            if self.breaker.failed():
                self.log.alarm("google.project_refused")
            raise
        except GoogleUnavailable:
            self.breaker.failed()
            raise
        except GoogleError:
            self.breaker.answered()  # a refusal is an answer
            raise
        self.breaker.answered()

    @contextmanager
    def asking_for_token(self) -> Iterator[None]:
        """Let a refresh be sent, and learn from it.

        Raises `ClientRejected` if the token was given to another Google client, and while our credentials are refused.
        Its success proves nothing of the Calendar API, so it does not close the breaker.
        """
        # Before the shared refusal: what concerns this process's configuration must not stop the other processes.
        self.client_check.require()
        admission = self.credentials.admit()
        if admission == "wait":
            raise ClientRejected("Google does not take our credentials; the operator has to act")
        try:
            yield
        except ClientRejected:
            self.credentials.refused()
            raise
        except GoogleUnavailable:
            self.breaker.failed()
            raise
        except GoogleError:
            if admission == "trial_request":
                self.credentials.accepted()
            raise
        if admission == "trial_request":
            self.credentials.accepted()

    def trial_answered(self) -> None:
        """Close the breaker, if it is open, after a call that `admit_other` admitted: Google answered it."""
        if self.breaker.is_open:
            self.breaker.answered()

    def refused_for_unknown_reason(self) -> None:
        """Tell the operator that Google refuses a connection for a reason that is not known here."""
        self.log.alarm("google.unknown_refusal")

    def account_limited(self, account: str) -> None:
        """Note that Google refused for one account's rate: it alone waits."""
        if account:
            self.budget.empty_account(account)
