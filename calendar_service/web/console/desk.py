"""Who sits at the console: kept in the browser alone. A reviewer's desk is open as long as the link is.

Must not know what is done there.
"""

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
from calendar_service.web.console.call_log import SeenCalls
from calendar_service.wiring import Service

ORGANIZATION = "demo"
AGENTS = ("agent-1", "agent-2", "agent-3")

_COOKIE = "console"
_REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class Desk:
    """One browser's place at the console."""

    agent: Agent
    token: str
    """Proves that a form is this desk's; a reviewer's agent is named after its hash, so it cannot be chosen."""


@dataclass(frozen=True, slots=True)
class StandIn(Desk):
    """A developer's: any agent of the demonstration organization."""

    @classmethod
    def of_cookie(cls, text: str) -> "StandIn":
        """Return the desk that the cookie describes, or a new one."""
        token, _, agent = text.partition("/")
        if not token or not agent:
            return cls.new(AGENTS[0])
        return cls(Agent.named(ORGANIZATION, agent), token)

    @classmethod
    def new(cls, agent: str) -> "StandIn":
        """Return a desk for this agent with a token of its own."""
        return cls(Agent.named(ORGANIZATION, agent), secrets.token_urlsafe(32))


@dataclass(frozen=True, slots=True)
class Reviewer(Desk):
    """A reviewer's: a test agent of its own, in the link's organization."""

    secret: str
    ends: Millis
    zone: str
    """The zone in which times are told here; empty until the reviewer has said it."""
    step: str
    """Where in the journey the reviewer is."""

    @classmethod
    def at(cls, secret: str, link: Link, token: str = "", zone: str = "", step: str = "") -> "Reviewer":
        """Return the desk of this token behind the link; without one, a fresh desk."""
        token = token or new_secret()
        agent = Agent(link.organization, f"tester-{digest(token)[:16]}")
        return cls(agent, token, secret, link.ends, zone, step)


@dataclass(frozen=True)
class Desks:
    """Finds the desk of a request, and keeps it in the browser."""

    service: Service

    def current(self) -> Desk:
        """Return whose desk this is: a reviewer's, else, in development alone, the stand-in's."""
        found = self.reviewer()
        if found is not None:
            self.serve(found)
            return found
        if self.service.config.is_production:
            raise NotFound("There is no stand-in console in production.")
        return StandIn.of_cookie(self._cookie(_COOKIE))

    def acting(self) -> Desk:
        """Return the desk of a form that may change something; a reviewer's acts are counted first."""
        desk = self.current()
        guard.require_own_page(self.service.config)
        guard.require_token(desk.token)
        if isinstance(desk, Reviewer):
            self.service.operations.reviewers.count(Link(desk.agent.organization, desk.ends))
        return desk

    def reviewer(self) -> Reviewer | None:
        """Return the reviewer's desk in this browser; in production, `LinkOver` once its link is over."""
        secret, token, step, zone = self._kept()
        if not secret or not token:
            return None
        try:
            link = self.service.operations.reviewers.admit(secret)
        except LinkOver:
            if self.service.config.is_production:
                raise
            return None  # a developer is back at the stand-in
        return Reviewer.at(secret, link, token, zone, step)

    def serve(self, desk: Reviewer) -> None:
        """Let this request be known as the desk's: pages say what holds for it, and its calls at Google are listed."""
        g.reviewer = desk
        calls: SeenCalls = current_app.extensions["reviewer_calls"]
        calls.record(desk.agent, desk.step)

    def acting_stand_in(self) -> StandIn:
        """Return the stand-in's desk of a form, or refuse."""
        desk = self.acting()
        if not isinstance(desk, StandIn):
            raise NotFound("This belongs to the stand-in console of a development machine.")
        return desk

    def acting_reviewer(self) -> Reviewer:
        """Return the reviewer's desk of a form, or refuse."""
        desk = self.acting()
        if not isinstance(desk, Reviewer):
            raise NotFound("This belongs to the reviewer console.")
        return desk

    def enter(self, secret: str) -> Reviewer:
        """Return this browser's desk behind the link: the one it has there, or a fresh one, which is counted."""
        link = self.service.operations.reviewers.admit(secret)
        kept, token, step, zone = self._kept()  # perhaps of another link, which may be over
        if kept == secret and token:
            return Reviewer.at(secret, link, token, zone, step)
        self.service.operations.reviewers.count(link)
        return Reviewer.at(secret, link)

    def keep(self, answer: Response, desk: Desk) -> None:
        """Let the browser keep the desk: a reviewer's until the end of the link."""
        if not isinstance(desk, Reviewer):
            text = f"{desk.token}/{desk.agent.agent}"
            cookies.set_cookie(self.service.config, answer, _COOKIE, text, lax=False)
            return
        text = f"{desk.secret}/{desk.token}/{desk.step}/{desk.zone}"
        seconds = max(1, (desk.ends - self.service.clock.now()) // SECOND)
        # Lax: the reviewer comes back from Google's pages, and follows the link from a mail.
        cookies.set_cookie(self.service.config, answer, _REVIEWER, text, seconds=seconds)

    def afresh(self, desk: Reviewer) -> Reviewer:
        """Return another desk behind the same link, with an agent who was never connected."""
        return replace(Reviewer.at(desk.secret, Link(desk.agent.organization, desk.ends)), zone=desk.zone)

    def leave(self, answer: Response) -> None:
        """Let the browser forget the reviewer's desk."""
        cookies.drop_cookie(self.service.config, answer, _REVIEWER)

    def _kept(self) -> tuple[str, str, str, str]:
        """Return what the browser keeps of a reviewer's desk: the link's secret, token, step and zone, or nothing."""
        secret, _, rest = self._cookie(_REVIEWER).partition("/")
        token, _, rest = rest.partition("/")
        step, _, zone = rest.partition("/")
        return secret, token, step, zone

    def _cookie(self, name: str) -> str:
        return request.cookies.get(cookies.cookie_name(self.service.config, name), "")
