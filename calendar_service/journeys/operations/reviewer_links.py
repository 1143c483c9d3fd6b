"""Links for Google's reviewers: issue, prolong, end. At a link's end everything behind it is erased (ST-5).

Knows the store. Must not know Google, nor what a reviewer does.
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
    """How many test agents have a slot."""
    over: bool


@dataclass(frozen=True)
class ReviewerLinkJourney:
    """Issues links and ends them; when a link has ended, disconnects and erases its test agents."""

    links: ReviewerLinks
    organization_index: OrganizationIndex
    disconnect: Disconnect
    erasure: Erasure
    clock: Clock

    # --- the operator's commands ---

    def make(self, days: int) -> tuple[str, Link]:
        """Return the secret of a new link, and the link; each has a test organization of its own."""
        link = Link(f"reviewer-{secrets.token_hex(8)}", self.clock.now() + days * DAY)
        return self.links.issue(link), link

    def prolong(self, organization: str, days: int) -> Link:
        """Let a link end so many days later; raise `LinkOver` if it has ended already."""
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
        """Return every stored link, the first to end first."""
        links, now = self.links.all()
        return [
            LinkStatus(link, len(list(self.organization_index.members(link.organization))), link.ends <= now)
            for link in sorted(links.values(), key=lambda link: link.ends)
        ]

    # --- a reviewer's request ---

    def admit(self, secret: str) -> Link:
        """Return the link of this secret; raise `LinkOver` if it has ended or is unknown."""
        link = self.links.find(secret)
        if link is None or link.ends <= self.clock.now():
            raise LinkOver("This link no longer opens.")
        return link

    def count(self, link: Link) -> None:
        """Count one act; raise `TooManyRequests` if there are too many within a minute."""
        if self.links.count(link.organization) > ACTS_A_MINUTE:
            raise TooManyRequests(
                "Too much was asked through this link within a minute.", limit="reviewer", retry_after=60
            )

    # --- the end ---

    def sweep(self) -> str:
        """Erase everything behind links that have ended (the worker). Answers `ok`, or `clock` if the clocks differ."""
        # Repeated for hours after a link's end: a browser that came in before the end may still connect.
        links, now = self.links.all()
        over = {name: link for name, link in links.items() if link.ends <= now}
        if over and abs(now - self.clock.now()) > keys.CLOCK_TOLERANCE:
            return "clock"
        for name, link in over.items():
            self._take_down(link)
            self._forget(name, link, now)
        return "ok"

    def _take_down(self, link: Link) -> int:
        """Close the organization, disconnect its members, and erase them; return how many were erased."""
        # Closed first, so that no member connects after it was erased.
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
        # No browser session of this link can exist any more.
        self.organization_index.set_closed(link.organization, Actor.OPERATOR, is_closed=False)
        self.links.forget(name)

    def _named(self, organization: str) -> tuple[str, Link]:
        links, _ = self.links.all()
        for name, link in links.items():
            if link.organization == organization:
                return name, link
        raise NotFound("There is no such link: `calendar-service reviewer list` names all.")
