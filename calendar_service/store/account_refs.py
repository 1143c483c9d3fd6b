"""Account references: which connections use one Google account (law 6). Must not know the account itself.

A reference names a hash: each connection of the account with the instant (database time) at which it joined and the
number of its newest refresh token, how many tokens Google gave, and while a revocation may be under way its deadline.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database

_REVOKING = "revoking"
"""The field with the end of an announced revocation's deadline."""
_GRANTED = "granted"
"""The field that counts refresh tokens. Every field but these two is a connection."""
_HIGHEST = "refresh_tokens"
"""The field of the throttle's state with the highest count of one account."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One account's reference set as it was read."""

    joined: Mapping[str, str]
    """By each connection's id, when it joined (database time) and its token's number. A text, for `drop` to compare."""
    granted: int
    """How many refresh tokens Google gave for the account while connections used it."""
    revoking_until: Millis
    """Until when (database time) a revocation may be under way; 0 = none is."""
    expires_in: Millis
    """How long until the database's own expiry removes the set."""

    @classmethod
    def of_fields(cls, fields: Mapping[str, str], expires_in: Millis) -> "AccountRef":
        """Return the reference set that these fields of its hash make."""
        return cls(
            {name: text for name, text in fields.items() if name not in (_REVOKING, _GRANTED)},
            int(fields.get(_GRANTED, 0)),
            int(fields.get(_REVOKING, 0)),
            expires_in,
        )

    def joined_at(self, connection_id: str) -> Millis:
        """Return when this connection of the set joined it (database time)."""
        return int(self.joined[connection_id].partition(":")[0])

    @property
    def refresh_tokens(self) -> int:
        """Return how many refresh tokens may be alive at Google, from the oldest that a connection uses to the newest.

        Older ones do not matter: Google ends the oldest first. Too high where Google ended newer ones, as after six
        months without use or by the account's owner; too low by those that were never kept.
        """
        if not self.joined:
            return 0
        numbers = [int(text.partition(":")[2] or 0) for text in self.joined.values()]
        return max(self.granted - min(numbers) + 1, len(numbers))


class AccountRefs:
    """The reference sets of all accounts. A connection joins before it becomes usable; its teardown leaves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def some(self, account_refs: Sequence[str]) -> list[AccountRef]:
        """Return the sets of these accounts in their order, in one round trip; an empty one where there is none."""
        names = [keys.account_ref(account_ref) for account_ref in account_refs]
        rows = self._database.read((command, name) for name in names for command in ("HGETALL", "PTTL"))
        return [AccountRef.of_fields(*row) for row in zip(rows[::2], rows[1::2], strict=True)]

    def now(self) -> Millis:
        """Return the database's time."""
        return self._database.time_at(keys.THROTTLE)

    def join(self, account_ref: str, connection_id: str, *, new_token: bool) -> AccountRef:
        """Add the connection, and count its refresh token if Google gave it just now; return the set with it."""
        # One script, so that no revocation is announced between the reading and the joining.
        texts = self._database.script(
            "account_ref_join",
            _named(account_ref),
            connection_id=connection_id,
            new_token="1" if new_token else "0",
        )
        return AccountRef.of_fields(dict(zip(texts[::2], texts[1::2], strict=True)), keys.ACCOUNT_REF_EXPIRY)

    def shared(self, account_ref: str, own: Collection[str]) -> bool:
        """Tell whether other connections than these use the account now: for pages, never to decide a revocation."""
        if not account_ref:
            return False
        fields = self._database.ask(lambda client: client.hkeys(keys.account_ref(account_ref)))
        return bool(set(cast(list[str], fields)) - {*own, _REVOKING, _GRANTED})

    def drop(self, account_ref: str, connection_id: str, joined: str, process_now: Millis) -> bool:
        """Remove a connection that stands nowhere.

        `joined`: its field, as it was read. `process_now`: the instant by this process's clock. False if it joined
        again since, if it joined within the last hour and may still come to stand, or if the clocks disagree.
        """
        answer = self._database.script(
            "account_ref_drop",
            _named(account_ref),
            connection_id=connection_id,
            joined=joined,
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

    def note_refresh_tokens(self, highest: int) -> None:
        """Note the highest count of refresh tokens of one account, for `highest_refresh_tokens`."""
        self._database.write("HSET", keys.THROTTLE, _HIGHEST, highest)

    def highest_refresh_tokens(self) -> int:
        """Return what was noted last."""
        return int(self._database.ask(lambda client: client.hget(keys.THROTTLE, _HIGHEST)) or 0)


def _named(account_ref: str) -> dict[str, str]:
    return {"account_ref": keys.account_ref(account_ref)}
