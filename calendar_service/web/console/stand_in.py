"""A stand-in for an agent console, for development and for reviewers.

It does only what a real console's server could do over the API.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.clock import MINUTE, as_datetime
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent, session_name
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.session import By, Content, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store import keys
from calendar_service.store.tickets import Ticket
from calendar_service.web.api.text import line
from calendar_service.web.api.times import instant, zone
from calendar_service.web.console.recorded_calls import RecordedCalls
from calendar_service.web.console.reviewer import ReviewerConsole
from calendar_service.web.console.visitors import AGENTS, ConsoleVisitor, ConsoleVisitors, Developer, Reviewer
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
DONE = frozenset({"scheduled", "cancelled", "nothing", "refused"})
_LONGEST = 24 * 60


def blueprint(service: Service) -> Blueprint:
    """Return the console's routes, also those for reviewers only."""
    pages, visitors, calls = (
        Pages(service),
        ConsoleVisitors(service),
        RecordedCalls(service.clock, service.google.call_log),
    )
    reviewer = ReviewerConsole(service, pages, visitors, calls)
    console = Console(service, pages, visitors, reviewer)
    routes = Blueprint("console", __name__)
    routes.record_once(lambda state: state.app.extensions.update(reviewer_calls=calls))
    routes.add_url_rule("/console", "home", console.show, methods=["GET"])
    routes.add_url_rule("/console/agent", "agent", console.choose, methods=["POST"])
    routes.add_url_rule("/console/settings", "settings", console.open_settings, methods=["POST"])
    routes.add_url_rule("/console/sessions", "sessions", console.schedule, methods=["POST"])
    routes.add_url_rule("/console/sessions/cancel", "cancel", console.cancel, methods=["POST"])
    routes.add_url_rule("/console/video", "video", reviewer.video, methods=["GET"])
    routes.add_url_rule("/reviewer/<secret>", "enter", reviewer.enter, methods=["GET"], once=True)
    for action in (reviewer.begin, reviewer.check, reviewer.verify, reviewer.reset, reviewer.leave):
        routes.add_url_rule(f"/console/{action.__name__}", action.__name__, action, methods=["POST"])
    return routes


@dataclass(frozen=True)
class Console:
    """Calls the same journeys as the internal API."""

    service: Service
    pages: Pages
    visitors: ConsoleVisitors
    reviewer: ReviewerConsole

    def show(self) -> AnyResponse:
        """Show the agent's state and sessions, and the actions that are possible."""
        visitor = self.visitors.current()
        local = visitor.zone if isinstance(visitor, Reviewer) else ZONES[0]
        words = {
            "csrf": visitor.token,
            "agent": visitor.agent.agent,
            "organization": visitor.agent.organization,
            "zones": ZONES,
            "start": self._tomorrow(local or "UTC"),
            "connection": self.service.connection.status.of(visitor.agent),
            "sessions": self._sessions(visitor.agent),
        }
        return (
            self.reviewer.show(visitor, words)
            if isinstance(visitor, Reviewer)
            else self._stand_in(visitor, words)
        )

    def _stand_in(self, visitor: ConsoleVisitor, words: dict[str, Any]) -> Response:
        chosen, done = request.args.get("session", ""), request.args.get("done", "")
        page = self.pages.show(
            "console.html",
            agents=sorted({*AGENTS, visitor.agent.agent}),
            chosen=session_name(chosen, "session") if chosen else "",
            done=done if done in DONE else "",
            data_dir=str(self.service.config.data_dir),
            **words,
        )
        self.visitors.store(page, visitor)
        return page

    def choose(self) -> AnyResponse:
        """Act for another agent; only a developer may."""
        self.visitors.acting_developer()
        answer = redirect("/console", 303)
        self.visitors.store(answer, Developer.new(request.form.get("agent", "")))
        return answer

    def open_settings(self) -> AnyResponse:
        """Create a one-time link, as a console's server does, and redirect to it."""
        visitor = self.visitors.acting()
        ticket = Ticket(
            visitor.agent.organization,
            visitor.agent.agent,
            locale=self.pages.language().code,
            time_zone=_zone().key,
            return_url="",
            expires=self.service.clock.now() + keys.TICKET,
            reviewer=isinstance(visitor, Reviewer),
        )
        return redirect(f"/portal/{self.service.store.tickets.issue(ticket)}", 303)

    def schedule(self) -> AnyResponse:
        """Schedule or reschedule a session."""
        visitor = self.visitors.acting()
        session = session_name(request.form.get("session", ""), "session")
        view = self.service.sessions.schedule.put(visitor.agent, session, _content(), _by(), None)
        return redirect(f"/console?done={'refused' if view.outcome == 'refused' else 'scheduled'}", 303)

    def cancel(self) -> AnyResponse:
        """Cancel a session."""
        visitor = self.visitors.acting()
        session = session_name(request.form.get("session", ""), "session")
        view = self.service.sessions.schedule.cancel(visitor.agent, session, _by(), None)
        done = view.outcome if view.outcome in DONE else "cancelled"
        return redirect(f"/console?done={done}", 303)

    def _tomorrow(self, local: str) -> str:
        now = as_datetime(self.service.clock.now()).astimezone(zone(local, "time_zone"))
        return (now + timedelta(days=1)).strftime("%Y-%m-%dT10:00")

    def _sessions(self, agent: Agent) -> list[SessionView]:
        views, _ = self.service.sessions.reader.listed(agent, None, "")
        return [view for view in views if view.status is not Status.CANCELLED]


# --- fields of the forms ---


def _content() -> Content:
    local = _zone()
    start = instant(f"{request.form.get('start', '')}:00", "start", local)
    minutes = whole_number(request.form.get("minutes", ""), _LONGEST)
    if not minutes:
        raise InvalidRequest("`minutes` has to be a whole number from 1 to 1440.", field="minutes")
    shown = line(request.form.get("title", ""), "title")
    return Content(start, start + minutes * MINUTE, local.key, title=shown)


def _by() -> By:
    return By.SYSTEM if request.form.get("by") == By.SYSTEM else By.AGENT


def _zone() -> ZoneInfo:
    return zone(request.form.get("time_zone", ""), "time_zone")
