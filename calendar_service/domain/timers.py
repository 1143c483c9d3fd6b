"""The kinds of timers of an agent's slot, and what each allows. Must not know where timers are kept."""

from enum import StrEnum


class TimerKind(StrEnum):
    """What is due. A timer's name is its kind, or for `session` and `teardown` the kind, a colon and whose it is."""

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
    """Drop webhook events that were kept as long as any may be."""
    SESSION = "session"
    """Apply one session, or look at it again; named by the session."""
    TEARDOWN = "teardown"
    """Go on with the teardown of an ended connection; named by the connection's id."""

    @classmethod
    def known(cls, kind: str) -> "TimerKind | None":
        """Return the kind of this name; None for one that only a newer version of the service knows (F35)."""
        return next((one for one in cls if one == kind), None)

    @property
    def may_reset(self) -> bool:
        """Tell whether it may be made due when it lies further ahead than timers may: only a wrong clock put it there.

        The others are deadlines that somebody was told or that a promise sets.
        """
        return self not in {TimerKind.ERASE, TimerKind.HOLD, TimerKind.WEBHOOK_EXPIRY}

    @property
    def records_start(self) -> bool:
        """Tell whether its start is recorded first: it can become due again while the worker is at it."""
        return self in {TimerKind.CHANNEL, TimerKind.CHANGE_DETECTION}

    def of(self, name: str) -> str:
        """Return the timer of this kind that bears a name: a session's, or a connection's id."""
        return f"{self.value}:{name}"
