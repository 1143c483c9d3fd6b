"""A stand-in for an agent console, for development alone. Must not do what a real console's server could not."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.clock import MINUTE, as_datetime
from calendar_service.domain.errors import InvalidRequest, NotFound
from calendar_service.domain.names import Agent, name
from calendar_service.domain.session import By, Content, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store import keys
from calendar_service.store.tickets import Ticket
from calendar_service.web import guard, guard_cookies
from calendar_service.web.pages import Pages
from calendar_service.web.parse_text import line
from calendar_service.web.parse_times import instant, zone
from calendar_service.wiring import Service

ORGANIZATION = "demo"
AGENTS = ("agent-1", "agent-2", "agent-3")
ZONES = (
    "America/Santiago",
    "America/Bogota",
    "America/Mexico_City",
    "America/New_York",
    "Europe/Madrid",
    "Europe/Oslo",
    "UTC",
)
DONE = frozenset({"scheduled", "cancelled", "nothing"})
_COOKIE = "console"
_LONGEST = 24 * 60


def blueprint(service: Service) -> Blueprint:
    """Return the stand-in console's routes."""
    console = Console(service, Pages(service))
    made = Blueprint("console", __name__)
    made.add_url_rule("/console", "home", console.show, methods=["GET"])
    made.add_url_rule("/console/agent", "agent", console.choose, methods=["POST"])
    made.add_url_rule("/console/settings", "settings", console.open_settings, methods=["POST"])
    made.add_url_rule("/console/sessions", "sessions", console.schedule, methods=["POST"])
    made.add_url_rule("/console/sessions/cancel", "cancel", console.cancel, methods=["POST"])
    return made


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sits at this console: kept in the browser, because nothing here is anybody's."""

    agent: Agent
    token: str

    @classmethod
    def of_cookie(cls, text: str) -> "Desk":
        """Return the desk that the cookie describes, or a new one."""
        token, _, agent = text.partition("/")
        if not token or not agent:
            return cls.new(AGENTS[0])
        return cls(Agent.named(ORGANIZATION, agent), token)

    @classmethod
    def new(cls, agent: str) -> "Desk":
        """Return a desk for this agent with a token of its own."""
        return cls(Agent.named(ORGANIZATION, agent), secrets.token_urlsafe(32))

    def to_cookie(self) -> str:
        """Return what the browser keeps."""
        return f"{self.token}/{self.agent.agent}"


@dataclass(frozen=True)
class Console:
    """Calls the journeys as the internal API does for a real console's server."""

    service: Service
    pages: Pages

    def show(self) -> AnyResponse:
        """Show the agent's state, sessions and what can be done."""
        desk = self._desk()
        chosen = request.args.get("session", "")
        page = self.pages.show(
            "console.html",
            csrf=desk.token,
            agent=desk.agent.agent,
            organization=ORGANIZATION,
            agents=sorted({*AGENTS, desk.agent.agent}),
            zones=ZONES,
            connection=self.service.overview.connection(desk.agent),
            sessions=self._sessions(desk.agent),
            chosen=name(chosen, "session") if chosen else "",
            start=self._tomorrow(),
            done=request.args.get("done") if request.args.get("done") in DONE else "",
            data_dir=str(self.service.config.data_dir),
        )
        self._keep(page, desk)
        return page

    def choose(self) -> AnyResponse:
        """Sit down as another agent."""
        self._acting()
        answer = redirect("/console", 303)
        self._keep(answer, Desk.new(request.form.get("agent", "")))
        return answer

    def open_settings(self) -> AnyResponse:
        """Ask for a one-time link, as a console's server does, and follow it."""
        desk = self._acting()
        ticket = Ticket(
            desk.agent.organization,
            desk.agent.agent,
            locale=self.pages.language().code,
            time_zone=self._zone().key,
            return_url="",
            expires=self.service.clock.now() + keys.TICKET,
        )
        return redirect(f"/portal/{self.service.tickets.issue(ticket)}", 303)

    def schedule(self) -> AnyResponse:
        """Schedule a session, or move it."""
        desk = self._acting()
        session = name(request.form.get("session", ""), "session")
        self.service.schedule.put(desk.agent, session, self._content(), self._by(), None)
        return redirect("/console?done=scheduled", 303)

    def cancel(self) -> AnyResponse:
        """Cancel a session."""
        desk = self._acting()
        session = name(request.form.get("session", ""), "session")
        view = self.service.schedule.cancel(desk.agent, session, self._by(), None)
        return redirect(f"/console?done={'nothing' if view.outcome == 'nothing' else 'cancelled'}", 303)

    # --- what the forms say ---

    def _content(self) -> Content:
        local = self._zone()
        start = instant(f"{request.form.get('start', '')}:00", "start", local)
        minutes = request.form.get("minutes", "")
        if not minutes.isascii() or not minutes.isdigit() or not 1 <= int(minutes) <= _LONGEST:
            raise InvalidRequest("`minutes` has to be a whole number from 1 to 1440.", field="minutes")
        title = line(request.form.get("title", ""), "title")
        return Content(start, start + int(minutes) * MINUTE, local.key, title=title)

    def _by(self) -> By:
        return By.SYSTEM if request.form.get("by") == By.SYSTEM else By.AGENT

    def _zone(self) -> ZoneInfo:
        return zone(request.form.get("time_zone", ""), "time_zone")

    def _tomorrow(self) -> str:
        now = as_datetime(self.service.clock.now()).astimezone(ZoneInfo(ZONES[0]))
        return (now + timedelta(days=1)).strftime("%Y-%m-%dT10:00")

    def _sessions(self, agent: Agent) -> list[SessionView]:
        listed, _ = self.service.schedule.listed(agent, None, "")
        return [view for view in listed if view.status is not Status.CANCELLED]

    # --- whose browser this is ---

    def _desk(self) -> Desk:
        if self.service.config.is_production:
            raise NotFound("There is no stand-in console in production.")
        return Desk.of_cookie(
            request.cookies.get(guard_cookies.cookie_name(self.service.config, _COOKIE), "")
        )

    def _acting(self) -> Desk:
        desk = self._desk()
        guard.require_own_page(self.service.config)
        guard.require_token(desk.token)
        return desk

    def _keep(self, answer: AnyResponse, desk: Desk) -> None:
        guard_cookies.set_cookie(self.service.config, answer, _COOKIE, desk.to_cookie(), lax=False)
