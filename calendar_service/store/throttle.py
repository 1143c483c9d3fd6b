"""What all replicas know of the way to Google: two breakers, the allowance, deaths of one age. Must not know Google.

Numbers: https://developers.google.com/workspace/calendar/api/guides/quota. They count units a minute, in a
sliding window, by project and by account; a patch counts three.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from calendar_service.domain.clock import HOUR, SECOND, Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database

PATCH = 3
"""Units of one patch; every other call is one."""

_SHARED: Final = {"throttle": keys.THROTTLE}
"""What the throttle's scripts call the key of all replicas."""
STATE_FIELDS = ("opened", "failures", "rejected", "epoch")
"""What an operation has to know; read together with the session, without a round trip of its own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of Google. The sums are written out, so that they stay below Google's numbers."""

    inline: int = 5_000
    drain: int = 2_500
    """Units a minute of the project, for requests and for the worker. With a burst of ten seconds of each (1,250) and
    twelve processes' blocks not used up (1,200): 9,950 of 10,000."""
    leased_tokens: int = 100
    account: int = 150
    """Units a minute of one account; the burst is as large. With twice `own` in each of five processes: 600."""
    own: int = 30
    """Units a minute of one account that a process takes without asking the others."""
    least_drain: int = 60
    """A backlog may always go at this many units a minute; else at 1.5 times the usual load."""
    tolerated: int = 5
    """Failures in a row that open the breaker."""
    trial_request: Millis = 10 * SECOND
    watch_trial_request: Millis = HOUR
    """The same where Google refuses our address for notifications, which somebody has to mend."""
    inline_seconds: float = 5.0
    """What one request waits for Google in all, a refresh included."""
    worker_seconds: float = 20.0
    """The same for the worker: shorter than the lease of a session."""


@dataclass(frozen=True, slots=True)
class ThrottleState:
    """The way to Google at one moment."""

    opened: bool = False
    """The breaker is open: nothing is sent but canaries."""
    failures: int = 0
    rejected: bool = False
    """Google does not take our own credentials."""
    epoch: int = 0
    """Changes when the allowance is cut: what was leased before no longer counts."""

    @classmethod
    def of(cls, found: Sequence[str | None]) -> "ThrottleState":
        """Return what a reading of `STATE_FIELDS` found."""
        opened, failures, rejected, epoch = (int(float(text or "0")) for text in found)
        return cls(opened > 0, failures, rejected > 0, epoch)


@dataclass(frozen=True, slots=True)
class LeasedTokens:
    """Units leased at once, for one process."""

    units: int
    low: bool
    """More than half of what may be used at once is gone: organizations share what is left."""
    epoch: int


class ThrottleStore:
    """The book itself. Each step is one script, by the database's time."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def look(self) -> ThrottleState:
        """Return the way to Google as it is now."""
        return ThrottleState.of(self._database.ask(lambda client: client.hmget(keys.THROTTLE, STATE_FIELDS)))

    def failed(self) -> bool:
        """Note a call that proved nothing; true when that opened the breaker."""
        limits = self._limits
        answer = self._database.script(
            "throttle_count_failure", _SHARED, tolerated=limits.tolerated, pause=limits.trial_request
        )
        return cast(answers.ThrottleCountFailure, answer[0]) == "opened"

    def worked(self) -> bool:
        """Note that Google answers; true when that closed the breaker."""
        answer = self._database.script("throttle_count_success", _SHARED)
        return cast(answers.ThrottleCountSuccess, answer[0]) == "closed"

    def rejected(self) -> bool:
        """Note that Google does not take our credentials; true the first time."""
        return self._refused("rejected", self._limits.trial_request)

    def known(self) -> bool:
        """Note that Google takes our credentials; true when it did not before."""
        return self._taken("rejected")

    def token(self) -> answers.ThrottleAdmitTrial:
        """Tell whether to ask the token endpoint: `go`; while it refuses our credentials, `trial_request` or `wait`."""
        return self._may("rejected", self._limits.trial_request)

    def unheard(self) -> bool:
        """Note that Google refuses our address for notifications; true the first time."""
        return self._refused("unheard", self._limits.watch_trial_request)

    def heard(self) -> bool:
        """Note that Google takes our address; true when it did not before."""
        return self._taken("unheard")

    def watch(self) -> answers.ThrottleAdmitTrial:
        """Tell whether to ask for a channel: `go`; while Google refuses our address, `trial_request` or `wait`."""
        return self._may("unheard", self._limits.watch_trial_request)

    def is_unheard(self) -> bool:
        """Tell whether Google refuses our address for notifications."""
        return bool(self._database.ask(lambda client: client.hexists(keys.THROTTLE, "unheard")))

    def limited(self) -> bool:
        """Note that Google refused for the project's rate; true when that halved the allowance."""
        answer = self._database.script("throttle_halve_rate", _SHARED)
        return cast(answers.ThrottleHalveRate, answer[0]) == "halved"

    def share(self) -> float:
        """Return which part of the allowance is in force: 1, or less after a refusal."""
        return int(self._database.script("throttle_read_level", _SHARED)[0]) / 1000

    def lease(self, least: int, accepted: int) -> LeasedTokens:
        """Lease a block for requests; `accepted`: units of operations accepted since the last time."""
        limits = self._limits
        found = self._database.script(
            "throttle_lease_tokens",
            _SHARED,
            rate=limits.inline,
            burst=limits.inline // 6,
            least=least,
            wanted=limits.leased_tokens,
            accepted=accepted,
        )
        return LeasedTokens(int(found[0]), bool(int(found[1])), int(found[2]))

    def accepted(self, units: int) -> None:
        """Note units of operations accepted without a lease."""
        self._database.script("throttle_count_accepted", _SHARED, units=units)

    def turn(self, cost: int, patience: Millis = 0) -> answers.ThrottleAdmitWorker:
        """Answer the worker's question for `cost` units: `go`, `trial_request` (the one try for now) or `wait`.

        `patience`: how long others are left the chance of being the canary.
        """
        limits = self._limits
        answer = self._database.script(
            "throttle_admit_worker",
            _SHARED,
            cost=cost,
            rate=limits.drain,
            least_rate=limits.least_drain,
            pause=limits.trial_request,
            patience=patience,
        )
        return cast(answers.ThrottleAdmitWorker, answer[0])

    def account(self, account_ref: str, least: int) -> int:
        """Lease units of one account; 0 when it has none left now."""
        limits = self._limits
        found = self._database.script(
            "throttle_lease_account_tokens",
            {"throttle": keys.throttle_account(account_ref)},
            rate=limits.account,
            least=least,
            wanted=2 * limits.own,
        )
        return int(found[0])

    def account_limited(self, account_ref: str) -> None:
        """Note that Google refused for one account's rate: only that account waits."""
        self._database.script("throttle_empty_account", {"throttle": keys.throttle_account(account_ref)})

    def death(self, *, at_seven_days: bool) -> int:
        """Note that a grant died, and nothing of whose; return how many died at seven days, once that is a cluster."""
        answer, sevens = self._database.script(
            "throttle_count_revocation",
            {"deaths": keys.THROTTLE_DEATHS},
            name=secrets.token_hex(8),
            at_seven_days="1" if at_seven_days else "0",
        )
        return int(sevens) if cast(answers.ThrottleCountRevocation, answer) == "suspected" else 0

    def deaths_at_seven_days(self) -> tuple[int, int]:
        """Return how many grants died in the last week at seven days of age, and how many in all."""
        names = self._database.ask(lambda client: client.zrange(keys.THROTTLE_DEATHS, 0, -1))
        return sum(name.startswith("7") for name in names), len(names)

    def _refused(self, what: str, pause: Millis) -> bool:
        answer = self._database.script("throttle_note_refusal", _SHARED, what=what, pause=pause)
        return cast(answers.ThrottleNoteRefusal, answer[0]) == "refused"

    def _taken(self, what: str) -> bool:
        answer = self._database.script("throttle_clear_refusal", _SHARED, what=what)
        return cast(answers.ThrottleClearRefusal, answer[0]) == "taken"

    def _may(self, what: str, pause: Millis) -> answers.ThrottleAdmitTrial:
        answer = self._database.script("throttle_admit_trial", _SHARED, what=what, pause=pause)
        return cast(answers.ThrottleAdmitTrial, answer[0])


def is_cluster(sevens: int, deaths: int) -> bool:
    """Tell whether these deaths are what a project in testing mode looks like: three, and half of all."""
    return sevens >= 3 and sevens * 2 >= deaths
