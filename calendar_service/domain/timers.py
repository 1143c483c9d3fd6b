"""The kinds of timers of an agent's slot, and their properties."""

from enum import StrEnum


class TimerKind(StrEnum):
    """What is due. A timer is named by its kind; `session` and `teardown` add a colon and the name of one."""

    ERASE = "erase"
    """Erase the connection."""
    HOLD = "hold"
    """A legal hold is over."""
    PROBE = "probe"
    """Ask the token endpoint for a proof that the grant is alive."""
    CALENDAR = "calendar"
    """Make the dedicated calendar."""
    CHANNEL = "channel"
    """Open, renew or stop channels of notifications."""
    CHANGE_DETECTION = "change_detection"
    """Compare the calendar with the records."""
    PURGE_SESSIONS = "purge_sessions"
    """Drop the identifiers of sessions long over."""
    WEBHOOK = "webhook"
    """Deliver the next webhook event."""
    WEBHOOK_EXPIRY = "webhook_expiry"
    """Drop webhook events whose retention period is over."""
    SESSION = "session"
    """Apply one session to Google; named by the session."""
    TEARDOWN = "teardown"
    """Continue the teardown of an ended connection; named by the connection's id."""

    @classmethod
    def known(cls, kind: str) -> "TimerKind | None":
        """Return the kind of this name; None for one that only a newer version of the service knows (F35)."""
        return next((one for one in cls if one == kind), None)

    @property
    def may_reset(self) -> bool:
        """Tell whether a timer that lies too far ahead may be made due: only a wrong clock can have set it.

        The other kinds are deadlines that were shown to somebody or that a promise sets.
        """
        return self not in {TimerKind.ERASE, TimerKind.HOLD, TimerKind.WEBHOOK_EXPIRY}

    @property
    def records_start(self) -> bool:
        """Tell whether its start is recorded first, because it can become due again while the worker handles it."""
        return self in {TimerKind.CHANNEL, TimerKind.CHANGE_DETECTION}

    def of(self, name: str) -> str:
        """Return the timer of this kind for one name: a session's, or a connection's id."""
        return f"{self.value}:{name}"
