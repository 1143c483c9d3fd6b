"""Compares our Google client with the one to which the stored permissions were given (law 5).

A refresh token works only for the client that it was given to. An authorization server answers `invalid_grant` to
another one (RFC 6749 5.2; Google's own answer is not verified), which would look like proof against a grant that lives.
"""

import threading
from dataclasses import dataclass, field

from calendar_service.domain.errors import ClientRejected
from calendar_service.log import Log
from calendar_service.store.ownership import Ownership


@dataclass(frozen=True)
class GoogleClientCheck:
    """Stops a process that is configured with another Google client before it asks the token endpoint."""

    ownership: Ownership
    log: Log
    _alarmed: threading.Event = field(default_factory=threading.Event)

    def require(self) -> None:
        """Raise `ClientRejected`, and alarm once, unless the client is ours; `NotOurDatabase` as `Ownership` does.

        Asked of the database each time: the operator may move the service to another client while this process runs.
        """
        if self.ownership.is_google_client_ours():
            return
        if not self._alarmed.is_set():
            self._alarmed.set()
            self.log.alarm("google.client_differs")
        raise ClientRejected(
            "The stored permissions were given to another Google client than CALENDAR_GOOGLE_CLIENT_ID; the operator "
            "has to give the former one back, or to type `calendar-service google-client adopt`"
        )
