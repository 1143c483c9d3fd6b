"""What Google refuses to all replicas until a person acts: the client's credentials, the address for notifications."""

from dataclasses import dataclass

from calendar_service.log import Alarm, Log
from calendar_service.store.answers import ThrottleAdmitTrial
from calendar_service.store.breakers import RefusalStore


@dataclass(frozen=True)
class SharedRefusal:
    """Lets one trial request at a time through while Google refuses, and tells the operator once."""

    store: RefusalStore
    log: Log
    alarm: Alarm
    """Logged at the first refusal."""
    end: str
    """Logged when Google accepts it again."""

    def admit(self) -> ThrottleAdmitTrial:
        """Tell whether to ask Google: `go`; while it refuses, `trial_request` or `wait`."""
        return self.store.admit()

    def refused(self) -> None:
        """Note that Google refused."""
        if self.store.note():
            self.log.alarm(self.alarm)

    def accepted(self) -> None:
        """Note that Google accepted."""
        if self.store.clear():
            self.log.event(self.end)
