"""Links for Google's reviewers: made, prolonged, ended; at its end a link takes everything behind it along (ST-5).

Knows the store. Must not know Google, nor what a reviewer does in between.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.errors import (
    InvalidRequest,
    LinkOver,
    NotConnected,
    NotFound,
    RetentionRequiredByLaw,
    TooManyRequests,
)
from calendar_service.domain.reviewer_links import ACTS_A_MINUTE, LONGEST, LONGEST_DAYS
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.reviewer_links import Link, ReviewerLinks


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A link as the operator sees it."""

    link: Link
    connections: int
    """Test agents of whom something is kept."""
    over: bool


@dataclass(frozen=True)
class ReviewerLinkJourney:
    """The story of a link, from the command that makes it to the sweep that takes it down."""

    links: ReviewerLinks
    organization_index: OrganizationIndex
    disconnect: Disconnect
    erasure: Erasure
    clock: Clock

    # --- the operator's commands ---

    def make(self, days: int) -> tuple[str, Link]:
        """Return the secret of a new link, and the link; a test organization of its own stands behind it."""
        link = Link(f"reviewer-{secrets.token_hex(8)}", self.clock.now() + days * DAY)
        return self.links.issue(link), link

    def prolong(self, organization: str, days: int) -> Link:
        """Let a link that is not over end so many days later."""
        name, link = self._named(organization)
        longer = replace(link, ends=link.ends + days * DAY)
        if longer.ends > self.clock.now() + LONGEST:
            raise InvalidRequest(f"A link may end {LONGEST_DAYS} days from now at most; nothing was changed.")
        if not self.links.move_end(name, longer.ends):
            raise LinkOver("This link is over, and what stood behind it is erased: make another one.")
        return longer

    def end(self, organization: str) -> int:
        """End a link at once, with all its connections; return how many were disconnected and erased."""
        name, link = self._named(organization)
        self.links.move_end(name, self.clock.now())
        return self._take_down(link)

    def standing(self) -> list[LinkStatus]:
        """Return every link that is known, the first to end first."""
        found, now = self.links.all()
        return [
            LinkStatus(link, len(list(self.organization_index.members(link.organization))), link.ends <= now)
            for link in sorted(found.values(), key=lambda link: link.ends)
        ]

    # --- a reviewer at the door ---

    def admit(self, secret: str) -> Link:
        """Return the link of this secret; raise `LinkOver` if it is over, ended or unknown alike."""
        link = self.links.find(secret)
        if link is None or link.ends <= self.clock.now():
            raise LinkOver("This link no longer opens.")
        return link

    def count(self, link: Link) -> None:
        """Count one act; refuse too many within a minute, and all of them while they cannot be counted."""
        if self.links.count(link.organization) > ACTS_A_MINUTE:
            raise TooManyRequests("Too much was asked through this link within a minute.", retry_after=60)

    # --- the end ---

    def sweep(self) -> str:
        """Take down what is behind links that are over (the worker). Answers `ok`, or `clock` if clocks disagree.

        Asked again and again: a browser that was let in before the end may still
        be about to connect.
        """
        found, now = self.links.all()
        over = {name: link for name, link in found.items() if link.ends <= now}
        if over and abs(now - self.clock.now()) > keys.CLOCK_TOLERANCE:
            return "clock"
        for name, link in over.items():
            self._take_down(link)
            self._forget(name, link, now)
        return "ok"

    def _take_down(self, link: Link) -> int:
        """Close the organization, disconnect its members, and erase what is kept of them."""
        # First, so that nobody connects behind it.
        self.organization_index.set_closed(link.organization, Actor.OPERATOR, is_closed=True)
        erased = 0
        for agent in self.organization_index.members(link.organization):
            self.disconnect.end(agent, Actor.OPERATOR)
            with suppress(
                NotConnected, RetentionRequiredByLaw
            ):  # gone meanwhile, or held: then its timer erases it
                self.erasure.erase_now(agent, Actor.OPERATOR)
                erased += 1
        return erased

    def _forget(self, name: str, link: Link, now: Millis) -> None:
        if now < link.ends + keys.REVIEWER_AFTERMATH or any(
            self.organization_index.members(link.organization)
        ):
            return
        # Nobody can come any more, so nothing is left of it.
        self.organization_index.set_closed(link.organization, Actor.OPERATOR, is_closed=False)
        self.links.forget(name)

    def _named(self, organization: str) -> tuple[str, Link]:
        found, _ = self.links.all()
        for name, link in found.items():
            if link.organization == organization:
                return name, link
        raise NotFound("There is no such link: `calendar-service reviewer list` names all.")
