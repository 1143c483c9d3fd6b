"""Which connections use one Google account: a revocation at Google ends all of them at once (law 6, RV-3).

An account reference names a set of connections. It lies outside the agents' slots, so no script changes both in one
step. Each order below is chosen so that a process that dies in between leaves a connection too many on a set, never one
too few. One too many keeps a permission alive at Google; one too few lets a revocation end another agent's connection.
"""

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import islice, takewhile

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import SECOND, Clock, Millis
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import AccountCalendars, CalendarApi
from calendar_service.google.oauth import OAuth
from calendar_service.journeys.connection.refresh_tokens import RefreshTokens
from calendar_service.store import keys
from calendar_service.store.account_refs import AccountRef, AccountRefs
from calendar_service.store.scan import Scan, Use
from calendar_service.store.slots import Slot, Slots

REVOKE_DEADLINE: Millis = 10 * SECOND
"""A revocation's own deadline plus margin."""
_CHUNK = 500
"""How many uses are compared with their accounts' sets in one round trip."""
_POLL = 0.1
"""Seconds between two readings of an announced revocation."""


@dataclass(frozen=True)
class SharedAccounts:
    """The protocol of an account reference: join before use, announce before a revocation, revoke only as the last."""

    account_refs: AccountRefs
    refresh_tokens: RefreshTokens
    scan: Scan
    calendar: CalendarApi
    oauth: OAuth
    identity: IdentityKey
    clock: Clock

    def reference(self, account: AccountCalendars | None) -> str:
        """Return the account's reference, a keyed hash; empty while the account is unknown."""
        return self.identity.account_ref(account.primary_id) if account else ""

    def ask(self, token: Secret) -> str:
        """Ask Google for the reference of the token's account. Raises `GoogleError`."""
        return self.identity.account_ref(self.calendar.primary_id(token))

    def other_agents(self, slot: Slot) -> bool:
        """Tell whether the slot's account is used by another agent's connection."""
        # The agent's own former connections stay on the set until their teardowns end: they are nobody else's.
        return self.account_refs.shared(slot.facts.account.ref, slot.connection_ids)

    # --- to join ---

    def add(self, reference: str, connection_id: str, *, new_token: bool) -> None:
        """Add the connection to the account's set, without waiting for anybody.

        `new_token`: its refresh token is not counted yet, because its account was unknown.
        """
        account = self.account_refs.join(reference, connection_id, new_token=new_token)
        if new_token:
            self.refresh_tokens.granted(account)

    def join(self, reference: str, connection_id: str) -> bool:
        """Add the connection before it becomes usable; true if its grant has to be probed early.

        Waits for a revocation that is announced, its deadline at most. A teardown that has announced none finds
        itself not the last from now on.
        """
        if not reference:
            return True
        account = self.account_refs.join(reference, connection_id, new_token=True)
        self.refresh_tokens.granted(account)
        if not self._is_announced(account):
            return False
        # The announced revocation may reach Google after our exchange did and end the new grant too. Waiting lets it
        # come first; the early probe finds out if it did not.
        deadline = time.monotonic() + REVOKE_DEADLINE / SECOND
        while time.monotonic() < deadline and self._is_announced(account):
            time.sleep(_POLL)
            account = self.account_refs.join(reference, connection_id, new_token=False)
        return True

    def _is_announced(self, account: AccountRef) -> bool:
        # One script joins and reads the announcement. Whoever leaves after it is not the last and announces nothing,
        # so a revocation that is not announced by now will not be sent.
        return account.revoking_until > self.clock.now()

    # --- to leave ---

    def leave(self, reference: str, connection_id: str) -> None:
        """Take the connection off its account's set; nothing is sent, so nothing is announced."""
        if reference:
            self.account_refs.leave(reference, connection_id)

    def leave_to_revoke(self, reference: str, connection_id: str) -> bool:
        """Take the connection off its account's set; true if it was the last, and its revocation is now announced.

        A connection that never joined may ask too.
        """
        # "Was I the last" and the announcement are one script. As two steps, a connection that joined in between
        # would be ended by the revocation and would have waited for nothing.
        return self.account_refs.leave(reference, connection_id, REVOKE_DEADLINE)

    def revoke(self, reference: str, token: Secret) -> None:
        """Send the revocation that `leave_to_revoke` announced; raise `GoogleError` unless Google confirms it."""
        try:
            self.oauth.revoke(token)
        finally:
            # A process that dies before this leaves the announcement until its deadline, and no connect waits longer.
            self.account_refs.end_revocation(reference)

    # --- an account that is unknown after 7 days ---

    def others_are_unknown(self) -> bool:
        """Tell whether the account of any live connection is unknown. Reads every agent's slot."""
        return any(use.live and not use.account_ref for use in self.scan.uses())

    def revoke_unknown(self, token: Secret) -> None:
        """Revoke a permission whose account is unknown; raise `GoogleError` unless Google confirms it."""
        self.oauth.revoke(token)


@dataclass(frozen=True)
class SharedAccountRepair:
    """Once a day, makes every account reference hold the connections that stand, whatever died in between."""

    scan: Scan
    slots: Slots
    account_refs: AccountRefs
    refresh_tokens: RefreshTokens
    clock: Clock

    def repair(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Add every live connection to its account's set, and drop what stands nowhere; return how many were wrong.

        Ends early, with nothing dropped, once `is_stopped` tells so: the next repair does the rest.
        """
        # What joins later, or not long before, may come to stand in a slot that was read already: it is not dropped.
        began = self.account_refs.now()
        added, standing = 0, set[int]()
        uses = takewhile(lambda _: not is_stopped(), self.scan.uses())
        while chunk := list(islice(uses, _CHUNK)):
            # Of each use only a hash is kept, for there may be a million. Two that are equal by chance keep a
            # connection on a set for another day.
            standing.update(hash((use.connection_id, use.account_ref)) for use in chunk)
            added += self._added([use for use in chunk if use.live and use.account_ref])
        if is_stopped():
            return added  # of the uses that were not read, each would look as if it stood nowhere
        return added + self._dropped(standing, began)

    def _added(self, uses: Sequence[Use]) -> int:
        """Renew the sets' expiries, and add the connections that are not there; return how many were not."""
        references = self.account_refs.some([use.account_ref for use in uses])
        return sum(self._is_added(use, reference) for use, reference in zip(uses, references, strict=True))

    def _is_added(self, use: Use, reference: AccountRef) -> bool:
        is_there = use.connection_id in reference.joined
        if not is_there or reference.expires_in < keys.ACCOUNT_REF_RENEWED_BELOW:
            self._add(use)
        return not is_there

    def _add(self, use: Use) -> None:
        self.account_refs.join(use.account_ref, use.connection_id, new_token=False)
        facts = self.slots.read(use.agent).facts
        stands = (facts.connection_id, facts.account.ref, facts.is_live)
        if stands != (use.connection_id, use.account_ref, True):
            # It ended meanwhile, and its teardown may have left the set before it was added here: nobody would take
            # it off again. Read after adding, so that an end comes either before this reading or leaves after it.
            self.account_refs.leave(use.account_ref, use.connection_id)

    def _dropped(self, standing: Set[int], began: Millis) -> int:
        """Drop what stands nowhere, and note the highest number of refresh tokens; return how many were dropped."""
        dropped = highest = 0
        for name, reference in self.scan.account_refs():
            highest = max(highest, reference.refresh_tokens)
            dropped += sum(
                # Only if its instant of joining is still the one that was read: it may have joined again meanwhile.
                self.account_refs.drop(name, connection_id, joined, self.clock.now())
                for connection_id, joined in reference.joined.items()
                # A connection whose account is not known yet may have joined any set.
                if standing.isdisjoint({hash((connection_id, name)), hash((connection_id, ""))})
                and abs(reference.joined_at(connection_id) - began) > keys.JOINED_BEFORE
            )
        self.refresh_tokens.compare(highest)
        return dropped
