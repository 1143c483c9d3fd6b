"""A stand-in for an agent console, for development and for reviewers.

It does only what a real console's server could do over the API.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.clock import MINUTE, as_datetime
from calendar_service.domain.errors import InvalidRequest, NotConnected, ServiceError, SessionOver
from calendar_service.domain.names import session_name
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.session import By, Content, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store import keys
from calendar_service.store.tickets import Ticket
from calendar_service.web import problems
from calendar_service.web.api.text import line
from calendar_service.web.api.times import instant, zone
from calendar_service.web.console.booked_sessions import BookedSessions
from calendar_service.web.console.recorded_calls import RecordedCalls
from calendar_service.web.console.reviewer import ReviewerConsole
from calendar_service.web.console.visitors import AGENTS, ConsoleVisitor, ConsoleVisitors, Developer, Reviewer
from calendar_service.web.pages.answers import Pages
from calendar_service.wiring import Service

ZONES = {
    "America/Santiago": "CL",
    "America/Bogota": "CO",
    "America/Mexico_City": "MX",
    "America/Sao_Paulo": "BR",
    "America/New_York": "US",
    "America/Chicago": "US",
    "America/Denver": "US",
    "America/Los_Angeles": "US",
    "Europe/London": "GB",
    "Europe/Madrid": "ES",
    "Europe/Oslo": "NO",
    "Europe/Warsaw": "PL",
    "Asia/Kolkata": "IN",
    "Asia/Singapore": "SG",
    "Asia/Tokyo": "JP",
    "Australia/Sydney": "AU",
    "UTC": "",
}
"""The time zones that the forms offer, each with its country (ISO 3166)."""
DONE = frozenset({"scheduled", "cancelled", "nothing", "refused"})
_SHOWN = {
    "minutes": re.compile("[0-9]{1,9}"),
    "start": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"),
}
_FIELDS = ("session", "title", "start", "minutes", "time_zone", "by")
_LONGEST = 24 * 60


def blueprint(service: Service) -> Blueprint:
    """Return the console's routes, also those for reviewers only."""
    pages, visitors, calls = (
        Pages(service),
        ConsoleVisitors(service),
        RecordedCalls(service.clock, service.google.call_log),
    )
    reviewer = ReviewerConsole(service, pages, visitors, calls)
    console = Console(service, pages, visitors, reviewer, BookedSessions())
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
    booked: BookedSessions

    def show(self) -> AnyResponse:
        """Show the agent's state and sessions, and the actions that are possible."""
        return self._page(self.visitors.current())

    def _page(self, visitor: ConsoleVisitor, refusal: ServiceError | None = None) -> Response:
        """Show the page; with a refusal, what was typed stands in the form again."""
        zone_name = visitor.zone if visitor.zone in ZONES else self._home_zone()
        views, _ = self.service.sessions.reader.listed(visitor.agent, None, "")
        words = {
            "csrf": visitor.token,
            "agent": visitor.agent.agent,
            "organization": visitor.agent.organization,
            "zones": ZONES,
            "local_zone": zone_name,
            "start": self._tomorrow(zone_name),
            "typed": _typed() if refusal else {},
            "refusal": refusal.code if refusal else "",
            "field": (refusal.field or "") if refusal else "",
            "connection": self.service.connection.status.of(visitor.agent),
            "sessions": [view for view in views if view.status is not Status.CANCELLED],
            "free_session": _free_session(views),
        }
        status = problems.kind_of(refusal).status if refusal else 200
        return (
            self.reviewer.show(visitor, words, status)
            if isinstance(visitor, Reviewer)
            else self._stand_in(visitor, words, status)
        )

    def _stand_in(self, visitor: ConsoleVisitor, words: dict[str, Any], status: int) -> Response:
        chosen, done = request.args.get("session", ""), request.args.get("done", "")
        booked = self.booked.of(visitor.agent)
        form = {
            "session": session_name(chosen, "session") if chosen else words["free_session"],
            "start": words["start"], "time_zone": words["local_zone"], "minutes": "45", "title": "", "by": "agent",
        }  # fmt: skip
        if chosen in booked:
            form |= _as_typed(booked[chosen])
        page = self.pages.show(
            "console.html",
            status=status,
            zone=words["local_zone"],
            agents=sorted({*AGENTS, visitor.agent.agent}),
            booked=booked,
            form=words["typed"] or form,
            done=done if done in DONE else "",
            data_dir=str(self.service.config.data_dir),
            **words,
        )
        self.visitors.store(page, visitor)
        return page

    def _home_zone(self) -> str:
        """Return the first time zone of the operator's country, where it has one in the list."""
        country = self.service.operator.identity.country
        return next((name for name, place in ZONES.items() if place == country), next(iter(ZONES)))

    def choose(self) -> AnyResponse:
        """Act for another agent; only a developer may."""
        visitor = self.visitors.acting_developer()
        answer = redirect("/console", 303)
        self.visitors.store(answer, Developer.new(request.form.get("agent", ""), visitor.zone))
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
        answer = redirect(f"/portal/{self.service.store.tickets.issue(ticket)}", 303)
        self.visitors.store(answer, replace(visitor, zone=ticket.time_zone))
        return answer

    def schedule(self) -> AnyResponse:
        """Schedule or reschedule a session."""
        visitor = self.visitors.acting()
        try:
            session, content = session_name(request.form.get("session", ""), "session"), _content()
            view = self.service.sessions.schedule.put(visitor.agent, session, content, _by(), None)
        except (InvalidRequest, SessionOver, NotConnected) as refusal:
            return self._page(visitor, refusal)
        refused = view.outcome == "refused"
        if isinstance(visitor, Developer) and not refused:
            self.booked.remember(visitor.agent, session, content)
        answer = redirect(f"/console?done={'refused' if refused else 'scheduled'}", 303)
        self.visitors.store(answer, replace(visitor, zone=content.time_zone))
        return answer

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


# --- fields of the forms ---


def _free_session(views: Iterable[SessionView]) -> str:
    taken = {view.session for view in views}
    return next(name for number in count(1) if (name := f"s-{number}") not in taken)


def _typed() -> dict[str, str]:
    """Return what was typed. A browser shows nothing else than a number or a time in the fields for these."""
    typed = {name: request.form.get(name, "") for name in _FIELDS}
    return typed | {name: "" for name, form in _SHOWN.items() if not form.fullmatch(typed[name])}


def _as_typed(content: Content) -> dict[str, str]:
    begins = as_datetime(content.start).astimezone(ZoneInfo(content.time_zone))
    return {
        "title": content.title, "start": begins.strftime("%Y-%m-%dT%H:%M"), "time_zone": content.time_zone,
        "minutes": str((content.end - content.start) // MINUTE),
    }  # fmt: skip


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
