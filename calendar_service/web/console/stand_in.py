"""A stand-in for an agent console: for development, and behind a reviewer's link.

Must not do what a real console's server could not.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.clock import MINUTE, as_datetime
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent, name
from calendar_service.domain.session import By, Content, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store import keys
from calendar_service.store.tickets import Ticket
from calendar_service.web.api.text import line
from calendar_service.web.api.times import instant, zone
from calendar_service.web.console.call_log import SeenCalls
from calendar_service.web.console.desk import AGENTS, Desk, Desks, Reviewer, StandIn
from calendar_service.web.console.reviewer import ReviewerConsole
from calendar_service.web.pages.answers import Pages
from calendar_service.wiring import Service

ZONES = (
    "America/Santiago",
    "America/Bogota",
    "America/Mexico_City",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Oslo",
    "Europe/Warsaw",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "UTC",
)
DONE = frozenset({"scheduled", "cancelled", "nothing"})
_LONGEST = 24 * 60


def blueprint(service: Service) -> Blueprint:
    """Return the console's routes: the stand-in's own, and those that a reviewer has besides."""
    pages, desks, calls = Pages(service), Desks(service), SeenCalls(service.clock, service.google.call_log)
    reviewer = ReviewerConsole(service, pages, desks, calls)
    console = Console(service, pages, desks, reviewer)
    made = Blueprint("console", __name__)
    made.record_once(lambda state: state.app.extensions.update(reviewer_calls=calls))
    made.add_url_rule("/console", "home", console.show, methods=["GET"])
    made.add_url_rule("/console/agent", "agent", console.choose, methods=["POST"])
    made.add_url_rule("/console/settings", "settings", console.open_settings, methods=["POST"])
    made.add_url_rule("/console/sessions", "sessions", console.schedule, methods=["POST"])
    made.add_url_rule("/console/sessions/cancel", "cancel", console.cancel, methods=["POST"])
    made.add_url_rule("/console/video", "video", reviewer.video, methods=["GET"])
    made.add_url_rule("/reviewer/<secret>", "enter", reviewer.enter, methods=["GET"])
    for act in (reviewer.begin, reviewer.check, reviewer.verify, reviewer.reset, reviewer.leave):
        made.add_url_rule(f"/console/{act.__name__}", act.__name__, act, methods=["POST"])
    return made


@dataclass(frozen=True)
class Console:
    """Calls the journeys as the internal API does for a real console's server."""

    service: Service
    pages: Pages
    desks: Desks
    reviewer: ReviewerConsole

    def show(self) -> AnyResponse:
        """Show the agent's state, sessions and what can be done."""
        desk = self.desks.current()
        local = desk.zone if isinstance(desk, Reviewer) else ZONES[0]
        words = {
            "csrf": desk.token,
            "agent": desk.agent.agent,
            "organization": desk.agent.organization,
            "zones": ZONES,
            "start": self._tomorrow(local or "UTC"),
            "connection": self.service.connection.status.of(desk.agent),
            "sessions": self._sessions(desk.agent),
        }
        return self.reviewer.show(desk, words) if isinstance(desk, Reviewer) else self._stand_in(desk, words)

    def _stand_in(self, desk: Desk, words: dict[str, Any]) -> Response:
        chosen, done = request.args.get("session", ""), request.args.get("done", "")
        page = self.pages.show(
            "console.html",
            agents=sorted({*AGENTS, desk.agent.agent}),
            chosen=name(chosen, "session") if chosen else "",
            done=done if done in DONE else "",
            data_dir=str(self.service.config.data_dir),
            **words,
        )
        self.desks.keep(page, desk)
        return page

    def choose(self) -> AnyResponse:
        """Sit down as another agent: a developer may, a reviewer's desk has its own."""
        self.desks.acting_stand_in()
        answer = redirect("/console", 303)
        self.desks.keep(answer, StandIn.new(request.form.get("agent", "")))
        return answer

    def open_settings(self) -> AnyResponse:
        """Ask for a one-time link, as a console's server does, and follow it."""
        desk = self.desks.acting()
        ticket = Ticket(
            desk.agent.organization,
            desk.agent.agent,
            locale=self.pages.language().code,
            time_zone=_zone().key,
            return_url="",
            expires=self.service.clock.now() + keys.TICKET,
            reviewer=isinstance(desk, Reviewer),
        )
        return redirect(f"/portal/{self.service.store.tickets.issue(ticket)}", 303)

    def schedule(self) -> AnyResponse:
        """Schedule a session, or move it."""
        desk = self.desks.acting()
        session = name(request.form.get("session", ""), "session")
        self.service.sessions.schedule.put(desk.agent, session, _content(), _by(), None)
        return redirect("/console?done=scheduled", 303)

    def cancel(self) -> AnyResponse:
        """Cancel a session."""
        desk = self.desks.acting()
        session = name(request.form.get("session", ""), "session")
        view = self.service.sessions.schedule.cancel(desk.agent, session, _by(), None)
        return redirect(f"/console?done={'nothing' if view.outcome == 'nothing' else 'cancelled'}", 303)

    def _tomorrow(self, local: str) -> str:
        now = as_datetime(self.service.clock.now()).astimezone(zone(local, "time_zone"))
        return (now + timedelta(days=1)).strftime("%Y-%m-%dT10:00")

    def _sessions(self, agent: Agent) -> list[SessionView]:
        listed, _ = self.service.sessions.reader.listed(agent, None, "")
        return [view for view in listed if view.status is not Status.CANCELLED]


# --- what the forms say ---


def _content() -> Content:
    local = _zone()
    start = instant(f"{request.form.get('start', '')}:00", "start", local)
    minutes = request.form.get("minutes", "")
    if not minutes.isascii() or not minutes.isdigit() or not 1 <= int(minutes) <= _LONGEST:
        raise InvalidRequest("`minutes` has to be a whole number from 1 to 1440.", field="minutes")
    title = line(request.form.get("title", ""), "title")
    return Content(start, start + int(minutes) * MINUTE, local.key, title=title)


def _by() -> By:
    return By.SYSTEM if request.form.get("by") == By.SYSTEM else By.AGENT


def _zone() -> ZoneInfo:
    return zone(request.form.get("time_zone", ""), "time_zone")
