"""The same-account mark: which connections use one Google account (law 6). Must not know the account itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database

_REVOKING = "revoking"
"""The one field that is no connection."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One account's mark as it was found."""

    joined: Mapping[str, str]
    """When each connection joined, as the store writes it."""
    expires_in: Millis

    @classmethod
    def of_fields(cls, fields: Mapping[str, str], expires_in: Millis) -> "AccountRef":
        """Return the mark that these fields of its hash make."""
        return cls({name: at for name, at in fields.items() if name != _REVOKING}, expires_in)


class AccountRefs:
    """Joined before a connection becomes usable, left by the closing errand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def join(self, account_ref: str, connection_id: str) -> Millis:
        """Add the connection; return until when a revocation may be under way (its deadline), 0 = none."""
        return int(
            self._database.script("account_ref_join", _named(account_ref), connection_id=connection_id)[0]
        )

    def shared(self, account_ref: str, own: Collection[str]) -> bool:
        """Tell whether other connections than these use the account now."""
        if not account_ref:
            return False
        kept = self._database.ask(lambda client: client.hkeys(keys.account_ref(account_ref)))
        return bool(set(cast(list[str], kept)) - {*own, _REVOKING})

    def drop(self, account_ref: str, connection_id: str, joined: str, theirs: Millis) -> bool:
        """Remove a connection that nobody has; false if it joined again or only just now, or clocks disagree."""
        answer = self._database.script(
            "account_ref_drop",
            _named(account_ref),
            connection_id=connection_id,
            joined_at=joined,
            process_now=theirs,
        )
        return cast(answers.AccountRefDrop, answer[0]) == "ok"

    def leave(self, account_ref: str, connection_id: str, deadline: Millis = 0) -> bool:
        """Remove the connection; true when it was the last and may revoke within `deadline` ms.

        The answer and the announcement of the revocation are one step: whoever joins
        afterwards sees it, whoever joined before makes the answer false. 0: none is announced.
        """
        answer = self._database.script(
            "account_ref_leave", _named(account_ref), connection_id=connection_id, deadline=deadline
        )
        return cast(answers.AccountRefLeave, answer[0]) == "last"

    def revoked(self, account_ref: str) -> None:
        """Take the announcement back: the revocation was answered, or given up."""
        self._database.script("account_ref_end_revocation", _named(account_ref))


def _named(account_ref: str) -> dict[str, str]:
    return {"account_ref": keys.account_ref(account_ref)}
