"""Visitors of the console, who are stored in their browser's cookie only. A reviewer's ends with the link."""

import secrets
from dataclasses import dataclass, replace

from flask import current_app, g, request
from werkzeug.wrappers import Response

from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.errors import LinkOver, NotFound
from calendar_service.domain.names import Agent
from calendar_service.store.reviewer_links import Link
from calendar_service.store.tickets import digest, new_secret
from calendar_service.web import cookies, guard
from calendar_service.web.console.recorded_calls import RecordedCalls
from calendar_service.wiring import Service

ORGANIZATION = "acme"
AGENTS = ("ana", "luis")
"""As in the calls by curl of docs/api.md, so that they show here."""

_COOKIE = "console"
_REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class ConsoleVisitor:
    """One browser at the console, and the agent for whom it acts."""

    agent: Agent
    token: str
    """The token of the visitor's forms. A test agent is named by its hash, so no reviewer can choose another's."""
    zone: str
    """The time zone that was chosen last; empty until then."""


@dataclass(frozen=True, slots=True)
class Developer(ConsoleVisitor):
    """A developer: any agent of the demonstration organization."""

    @classmethod
    def of_cookie(cls, text: str) -> "Developer":
        """Return the developer in the cookie, or a new one."""
        token, _, rest = text.partition("/")
        agent, _, zone = rest.partition("/")
        if not token or not agent:
            return cls.new(AGENTS[0])
        return cls(Agent.named(ORGANIZATION, agent), token, zone)

    @classmethod
    def new(cls, agent: str, zone: str = "") -> "Developer":
        """Return a developer for this agent with a new token."""
        return cls(Agent.named(ORGANIZATION, agent), secrets.token_urlsafe(32), zone)


@dataclass(frozen=True, slots=True)
class Reviewer(ConsoleVisitor):
    """A reviewer with a test agent of the link's organization."""

    secret: str
    ends: Millis
    step: str
    """The present step of the journey."""

    @classmethod
    def at(cls, secret: str, link: Link, token: str = "", zone: str = "", step: str = "") -> "Reviewer":
        """Return the reviewer with this token; without one, a new reviewer."""
        token = token or new_secret()
        agent = Agent(link.organization, f"tester-{digest(token)[:16]}")
        return cls(agent, token, zone, secret, link.ends, step)


@dataclass(frozen=True)
class ConsoleVisitors:
    """Reads the visitor of a request, and stores it in the browser."""

    service: Service

    def current(self) -> ConsoleVisitor:
        """Return the reviewer of this request, else, in development only, the developer."""
        reviewer = self.reviewer()
        if reviewer is not None:
            self.attach_to_request(reviewer)
            return reviewer
        if self.service.config.is_production:
            raise NotFound("There is no stand-in console in production.")
        return Developer.of_cookie(self._cookie(_COOKIE))

    def acting(self) -> ConsoleVisitor:
        """Return the visitor of a form that changes something. A reviewer's actions are counted first."""
        visitor = self.current()
        guard.require_own_page(self.service.config)
        guard.require_token(visitor.token)
        if isinstance(visitor, Reviewer):
            self.service.operations.reviewers.count(Link(visitor.agent.organization, visitor.ends))
        return visitor

    def reviewer(self) -> Reviewer | None:
        """Return the reviewer in this browser. In production raises `LinkOver` after the end of the link."""
        secret, token, step, zone = self._stored()
        if not secret or not token:
            return None
        try:
            link = self.service.operations.reviewers.admit(secret)
        except LinkOver:
            if self.service.config.is_production:
                raise
            return None  # in development the browser becomes a developer's again
        return Reviewer.at(secret, link, token, zone, step)

    def attach_to_request(self, visitor: Reviewer) -> None:
        """Make pages show what applies to this reviewer, and record the calls to Google of this request."""
        g.reviewer = visitor
        calls: RecordedCalls = current_app.extensions["reviewer_calls"]
        calls.record(visitor.agent, visitor.step)

    def acting_developer(self) -> Developer:
        """Return the developer of a form, or raise `NotFound`."""
        visitor = self.acting()
        if not isinstance(visitor, Developer):
            raise NotFound("This belongs to the stand-in console of a development machine.")
        return visitor

    def acting_reviewer(self) -> Reviewer:
        """Return the reviewer of a form, or raise `NotFound`."""
        visitor = self.acting()
        if not isinstance(visitor, Reviewer):
            raise NotFound("This belongs to the reviewer console.")
        return visitor

    def enter(self, secret: str) -> Reviewer:
        """Return this browser's reviewer of the link, or a new one, which counts as an action."""
        link = self.service.operations.reviewers.admit(secret)
        stored_secret, token, step, zone = self._stored()  # perhaps of another link, which may have ended
        if stored_secret == secret and token:
            return Reviewer.at(secret, link, token, zone, step)
        self.service.operations.reviewers.count(link)
        return Reviewer.at(secret, link)

    def store(self, answer: Response, visitor: ConsoleVisitor) -> None:
        """Store the visitor in the browser; a reviewer until the end of the link."""
        if not isinstance(visitor, Reviewer):
            text = f"{visitor.token}/{visitor.agent.agent}/{visitor.zone}"
            cookies.set_cookie(self.service.config, answer, _COOKIE, text, lax=False)
            return
        text = f"{visitor.secret}/{visitor.token}/{visitor.step}/{visitor.zone}"
        seconds = max(1, (visitor.ends - self.service.clock.now()) // SECOND)
        # Lax, because the reviewer comes back from Google's pages and follows the link from a mail.
        cookies.set_cookie(self.service.config, answer, _REVIEWER, text, seconds=seconds)

    def with_new_agent(self, visitor: Reviewer) -> Reviewer:
        """Return a new reviewer of the same link, whose test agent was never connected."""
        return replace(
            Reviewer.at(visitor.secret, Link(visitor.agent.organization, visitor.ends)), zone=visitor.zone
        )

    def forget(self, answer: Response) -> None:
        """Delete the reviewer in the browser."""
        cookies.drop_cookie(self.service.config, answer, _REVIEWER)

    def _stored(self) -> tuple[str, str, str, str]:
        """Return the reviewer in the cookie: the link's secret, token, step and zone, or empty texts."""
        secret, _, rest = self._cookie(_REVIEWER).partition("/")
        token, _, rest = rest.partition("/")
        step, _, zone = rest.partition("/")
        return secret, token, step, zone

    def _cookie(self, name: str) -> str:
        return request.cookies.get(cookies.cookie_name(self.service.config, name), "")
