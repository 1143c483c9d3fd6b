"""How many refresh tokens of one Google account are alive: beyond 100 Google ends the oldest without a word (RV-1).

Agents who share an account make them: a token cannot be revoked alone, so each one that is replaced, or left while
others use the account, stays alive at Google.
https://developers.google.com/identity/protocols/oauth2, "Refresh token expiration".
"""

from dataclasses import dataclass
from typing import Final

from calendar_service.log import Log
from calendar_service.store.account_refs import AccountRef, AccountRefs

MAX: Final = 100
"""Google's limit of live refresh tokens of one account and one client."""
MANY: Final = 80
"""From so many on the operator is alarmed: twenty connects before a permission in use ends."""


@dataclass(frozen=True)
class RefreshTokens:
    """Tells the operator before Google ends a permission that is in use."""

    account_refs: AccountRefs
    log: Log

    def granted(self, account: AccountRef) -> None:
        """Note that this account, as it is now, got one more."""
        if account.refresh_tokens >= MANY:
            self._note(account.refresh_tokens)

    def compare(self, highest: int) -> None:
        """Note the highest number of all accounts, which may be lower than before."""
        self._note(highest)

    def highest(self) -> int:
        """Return how many one account had at most, at the last comparison or at a connect since, from `MANY` on."""
        return self.account_refs.highest_refresh_tokens()

    def _note(self, count: int) -> None:
        self.account_refs.note_refresh_tokens(count)
        if count >= MANY:
            self.log.alarm("google.refresh_tokens_many", count=count)
