"""The same-account mark: which connections use one Google account (law 6). Must not know the account itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.store import keys
from calendar_service.store.database import CLOCK_TOLERANCE, Database

_REVOKING = "revoking"
"""The one field that is no connection."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One account's mark as it was found."""

    joined: Mapping[str, str]
    """When each connection joined, as the store writes it."""
    expires_in: Millis

    @classmethod
    def of_fields(cls, fields: Mapping[str, str], expires_in: Millis) -> "Mark":
        """Return the mark that these fields of its hash make."""
        return cls({name: at for name, at in fields.items() if name != _REVOKING}, expires_in)


class Marks:
    """Joined before a connection becomes usable, left by the closing errand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def join(self, mark: str, connection_id: str) -> Millis:
        """Add the connection; return until when a revocation may be under way (its deadline), 0 = none."""
        return int(self._run("mark_join", mark, connection_id, keys.MARK_EXPIRY)[0])

    def shared(self, mark: str, own: Collection[str]) -> bool:
        """Tell whether other connections than these use the account now."""
        if not mark:
            return False
        kept = self._database.ask(lambda client: client.hkeys(keys.account_mark(mark)))
        return bool(set(cast(list[str], kept)) - {*own, _REVOKING})

    def drop(self, mark: str, connection_id: str, joined: str, theirs: Millis) -> bool:
        """Remove a connection that nobody has; false if it joined again or only just now, or clocks disagree."""
        step = (connection_id, joined, keys.JOINED_BEFORE, theirs, CLOCK_TOLERANCE)
        return self._run("mark_drop", mark, *step)[0] == 1

    def leave(self, mark: str, connection_id: str, deadline: Millis = 0) -> bool:
        """Remove the connection; true when it was the last and may revoke within `deadline` ms.

        The answer and the announcement of the revocation are one step: whoever joins
        afterwards sees it, whoever joined before makes the answer false. 0: none is announced.
        """
        return self._run("mark_leave", mark, connection_id, deadline)[0] == 1

    def revoked(self, mark: str) -> None:
        """Take the announcement back: the revocation was answered, or given up."""
        self._run("mark_revoked", mark)

    def _run(self, name: str, mark: str, *arguments: str | int) -> list[int]:
        return cast(list[int], self._database.script(name, [keys.account_mark(mark)], *arguments))
