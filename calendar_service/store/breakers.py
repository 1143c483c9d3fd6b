"""The breaker that all replicas share, and what Google refuses to all of them. Each step is one script.

Must not know Google. The database's clock decides when a trial request is due.
"""

from typing import Final, Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database
from calendar_service.store.throttle import Limits, ThrottleState, read_state

Refused = Literal["credentials", "notifications"]
"""What Google may refuse: the credentials of the client, or the address for notifications."""

_KEYS: Final = {"throttle": keys.THROTTLE}


class BreakerStore:
    """Counts failed calls in a row; so many of them open the breaker, one answer closes it."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def state(self) -> ThrottleState:
        """Return breaker and refusals as they are now."""
        return read_state(self._database)

    def count_failure(self) -> bool:
        """Count a call that got no answer; true when it opened the breaker."""
        limits = self._limits
        answer = self._database.script(
            "throttle_count_failure", _KEYS, tolerated=limits.tolerated, pause=limits.trial_request
        )
        return cast(answers.ThrottleCountFailure, answer[0]) == "opened"

    def count_success(self) -> bool:
        """Note that Google answers; true when that closed the breaker."""
        answer = self._database.script("throttle_count_success", _KEYS)
        return cast(answers.ThrottleCountSuccess, answer[0]) == "closed"


class RefusalStore:
    """One thing that Google may refuse to all replicas until a person acts."""

    def __init__(self, database: Database, refused: Refused, pause: Millis) -> None:
        """Take what is refused, and the pause between two trial requests meanwhile."""
        self._database = database
        self._refused = refused
        self._pause = pause

    def admit(self) -> answers.ThrottleAdmitTrial:
        """Tell whether a call may go: `go`; while Google refuses it, `trial_request` or `wait`."""
        answer = self._database.script(
            "throttle_admit_trial", _KEYS, refused=self._refused, pause=self._pause
        )
        return cast(answers.ThrottleAdmitTrial, answer[0])

    def note(self) -> bool:
        """Note a refusal; true for the first."""
        answer = self._database.script(
            "throttle_note_refusal", _KEYS, refused=self._refused, pause=self._pause
        )
        return cast(answers.ThrottleNoteRefusal, answer[0]) == "first"

    def clear(self) -> bool:
        """Note that Google accepts it; true when it was refused until now."""
        answer = self._database.script("throttle_clear_refusal", _KEYS, refused=self._refused)
        return cast(answers.ThrottleClearRefusal, answer[0]) == "cleared"
