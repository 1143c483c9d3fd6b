"""Account references: which connections use one Google account (law 6). Must not know the account itself.

A reference names a hash: each connection of the account with the instant (database time) at which it joined, and while
a revocation may be under way its deadline.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database

_REVOKING = "revoking"
"""The one field of the hash that is no connection: the end of an announced revocation's deadline."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One account's reference set as it was read."""

    joined: Mapping[str, str]
    """When each connection joined (database time), by its id. A text, so that `drop` compares it exactly."""
    expires_in: Millis
    """How long until the database's own expiry removes the set."""

    @classmethod
    def of_fields(cls, fields: Mapping[str, str], expires_in: Millis) -> "AccountRef":
        """Return the reference set that these fields of its hash make."""
        return cls({name: at for name, at in fields.items() if name != _REVOKING}, expires_in)


class AccountRefs:
    """The reference sets of all accounts. A connection joins before it becomes usable; its teardown leaves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def join(self, account_ref: str, connection_id: str) -> Millis:
        """Add the connection; return until when (database time) a revocation may be under way, 0 = none is."""
        # One script, so that no revocation is announced between the reading and the joining.
        return int(
            self._database.script("account_ref_join", _named(account_ref), connection_id=connection_id)[0]
        )

    def shared(self, account_ref: str, own: Collection[str]) -> bool:
        """Tell whether other connections than these use the account now: for pages, never to decide a revocation."""
        if not account_ref:
            return False
        fields = self._database.ask(lambda client: client.hkeys(keys.account_ref(account_ref)))
        return bool(set(cast(list[str], fields)) - {*own, _REVOKING})

    def drop(self, account_ref: str, connection_id: str, joined: str, process_now: Millis) -> bool:
        """Remove a connection that stands nowhere.

        `joined`: when it joined, as it was read. `process_now`: the instant by this process's clock. False if it joined
        again since, if it joined within the last hour and may still come to stand, or if the clocks disagree.
        """
        answer = self._database.script(
            "account_ref_drop",
            _named(account_ref),
            connection_id=connection_id,
            joined_at=joined,
            process_now=process_now,
        )
        return cast(answers.AccountRefDrop, answer[0]) == "ok"

    def leave(self, account_ref: str, connection_id: str, deadline: Millis = 0) -> bool:
        """Remove the connection; true when it was the last, and a revocation is then announced for `deadline` ms.

        A deadline of 0 announces none: the caller must not revoke.
        """
        # Answer and announcement are one script: a connection that joins later sees the announcement, and one that
        # joined before makes the answer false.
        answer = self._database.script(
            "account_ref_leave", _named(account_ref), connection_id=connection_id, deadline=deadline
        )
        return cast(answers.AccountRefLeave, answer[0]) == "last"

    def end_revocation(self, account_ref: str) -> None:
        """Remove the announcement: Google answered the revocation, or nobody waits for its answer any more."""
        self._database.script("account_ref_end_revocation", _named(account_ref))


def _named(account_ref: str) -> dict[str, str]:
    return {"account_ref": keys.account_ref(account_ref)}
