"""The limits of calls at Google, and the shared state that each operation reads. Must not know Google.

Google counts units a minute, in a sliding window, by project and by account; a patch counts three
(https://developers.google.com/workspace/calendar/api/guides/quota).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import HOUR, SECOND, Millis
from calendar_service.store import keys
from calendar_service.store.database import Database

PATCH = 3
"""Units of one patch; every other call is one."""

STATE_FIELDS = (
    "breaker_opened_at",
    "failures",
    "credentials_refused_at",
    "notifications_refused_at",
)
"""An operation reads them together with the session, without a round trip of its own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of Google. The sums are written out, so that they stay below Google's numbers."""

    inline: int = 5_000
    drain: int = 2_500
    """Units a minute of the project, for requests and for the worker. With a burst of ten seconds of each (1,250), the
    units that the worker's last operation may owe (4) and twelve processes' unused leased tokens (1,200): 9,954 of
    10,000."""
    leased_tokens: int = 100
    account: int = 150
    """Units a minute of one account; the burst is as large. With twice `own` in each of five processes: 600."""
    own: int = 30
    """Units a minute of one account that a process takes without asking the others."""
    least_drain: int = 600
    """A backlog may always go at this many units a minute, a sixteenth of Google's; else at 1.5 times the usual load.
    Four times what one account may use, so no account takes all of it."""
    tolerated_refusals: int = 2
    """Connections that Google may refuse for a rate within a minute before the project's rate is halved."""
    tolerated: int = 5
    """Failures in a row that open the breaker."""
    trial_request: Millis = 10 * SECOND
    """Between two trial requests, while the breaker is open or Google refuses our credentials."""
    watch_trial_request: Millis = HOUR
    """The same while Google refuses our address for notifications: a person has to verify the domain."""
    inline_seconds: float = 5.0
    """What one request waits for Google in all, a refresh included."""
    worker_seconds: float = 20.0
    """The same for the worker: shorter than the lease of a session."""

    @classmethod
    def lifted(cls) -> "Limits":
        """Return rates that no bench meets (law 12); its local Google has none either."""
        return cls(
            inline=10**9, drain=10**9, leased_tokens=10**6, account=10**9, own=10**9, least_drain=10**9
        )


@dataclass(frozen=True, slots=True)
class ThrottleState:
    """Breaker and refusals as they were at one moment."""

    is_breaker_open: bool = False
    failures: int = 0
    """Failed calls in a row."""
    are_credentials_refused: bool = False
    are_notifications_refused: bool = False

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "ThrottleState":
        """Return what these values of `STATE_FIELDS` say."""
        opened_at, failures, credentials, notifications = (int(float(text or "0")) for text in texts)
        return cls(opened_at > 0, failures, credentials > 0, notifications > 0)


def read_state(database: Database) -> ThrottleState:
    """Return the state as it is now."""
    return ThrottleState.of(database.ask(lambda client: client.hmget(keys.THROTTLE, STATE_FIELDS)))
