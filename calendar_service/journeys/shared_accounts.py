"""Who shares a Google account: the marks are put right once a day, whatever died in between (RV-3, law 6).

A mark lies outside the agents' slots, so it cannot change in one step with them. Knows the store. Must not know Google.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from calendar_service.domain.clock import Clock
from calendar_service.domain.connection import Grant as GrantFact
from calendar_service.store import keys
from calendar_service.store.census import Census, Use
from calendar_service.store.marks import Mark, Marks
from calendar_service.store.slots import Slots


@dataclass(frozen=True)
class SharedAccounts:
    """The story of a mark that no longer says what is so."""

    census: Census
    slots: Slots
    marks: Marks
    clock: Clock

    def put_right(self) -> int:
        """Let every connection that stands be on its account's mark, and nobody else; return how many were wrong.

        The marks are read before everybody is: what joined since is not among them. What
        joined and does not stand yet is left alone for an hour.
        """
        found = self.census.marks()
        uses = list(self.census.uses())
        missed = sum(self._kept(use, found.get(use.mark)) for use in uses if use.live and use.mark)
        return missed + self._dropped(found, {(use.connection_id, use.mark) for use in uses})

    def _kept(self, use: Use, mark: Mark | None) -> bool:
        """Renew a mark's expiry, or join it anew; true if the connection was not there."""
        is_there = mark is not None and use.connection_id in mark.joined
        if mark is None or not is_there or mark.expires_in < keys.MARK_RENEWED_BELOW:
            self._join(use)
        return not is_there

    def _join(self, use: Use) -> None:
        self.marks.join(use.mark, use.connection_id)
        facts = self.slots.read(use.agent).facts
        stands = (facts.connection_id, facts.account_mark, facts.grant)
        if stands != (use.connection_id, use.mark, GrantFact.LIVE):
            # It ended meanwhile, and its errand may have left the mark before it was joined here.
            self.marks.leave(use.mark, use.connection_id)

    def _dropped(self, found: Mapping[str, Mark], standing: set[tuple[str, str]]) -> int:
        """Drop what nobody has. A connection whose account is not known yet may have joined any mark."""
        now = self.clock.now()
        return sum(
            self.marks.drop(name, connection_id, joined, now)
            for name, mark in found.items()
            for connection_id, joined in mark.joined.items()
            if standing.isdisjoint({(connection_id, name), (connection_id, "")})
        )
