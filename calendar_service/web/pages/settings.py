"""The agent's settings page, with a form for each action (RV-2, SC-4)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.errors import ConsentRefused
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.journeys.views import ConsentOutcome, SettingsView
from calendar_service.store.audit_log import Actor
from calendar_service.web import cookies, guard
from calendar_service.web.pages import json_file
from calendar_service.web.pages.answers import Pages, unbroken
from calendar_service.web.pages.portal import Portal
from calendar_service.web.pages.visits import Visit, Visits
from calendar_service.wiring import Service

RECEIPT = "receipt"
"""The cookie with the only whole copy of a receipt, for the page after the erasure. Its salt is not stored."""
_RECEIPT_SECONDS = 60 * 60
_PAGES = 1_000
"""The greatest number of a page of sessions that an address may name."""

CALLBACK = "/oauth/callback"
ONCE = frozenset({"/portal/<ticket>", CALLBACK})
"""Paths where a GET uses something up."""

REFUSED = "refused"
"""The one parameter of the address that shows a refused answer, without Google's code and our state (RFC 9700 4.2)."""
NOT_OURS = frozenset({"expired", "other_browser", "issuer"})
"""Refusals of callbacks that do not belong to a consent of this browser."""


def blueprint(service: Service) -> Blueprint:
    """Return the routes of the agent's settings."""
    pages, visits = Pages(service), Visits(service)
    show, actions = SettingsPages(service, pages, visits), SettingsActions(service, visits)
    entry, portal = Portal(service, pages, visits), Blueprint("portal", __name__)
    routes: list[tuple[str, str, Callable[..., AnyResponse]]] = [
        ("GET", "/portal/<ticket>", entry.portal),
        ("POST", "/portal", entry.go_on),
        ("GET", "/settings", show.settings),
        ("GET", "/disconnect", show.disconnect),
        ("GET", "/export", show.export),
        ("GET", CALLBACK, Callback(service, pages, visits).callback),
        ("POST", "/connect", actions.connect),
        ("POST", "/calendar", actions.calendar),
        ("POST", "/pause", actions.pause),
        ("POST", "/resume", actions.resume),
        ("POST", "/disconnect", actions.disconnect),
        ("POST", "/term", actions.retention),
        ("POST", "/erase", actions.erase),
        ("POST", "/logout", actions.logout),
    ]
    for method, path, view in routes:
        endpoint = f"{method.lower()}_{view.__name__}"
        portal.add_url_rule(path, endpoint, view, methods=[method], once=path in ONCE)
    return portal


@dataclass(frozen=True)
class SettingsPages:
    """Pages that only show. None changes a connection, because previews and link scanners open them too."""

    service: Service
    pages: Pages
    visits: Visits

    def settings(self) -> AnyResponse:
        """Show the connection's state, and the actions that are possible."""
        visit = self.visits.required()
        view = self.service.connection.settings_page.settings(
            visit.agent,
            agent_retention=RETENTION if visit.browser.reviewer else 0,
            sessions_page=whole_number(request.args.get("sessions", ""), _PAGES) or 1,
        )
        notice, _, detail = self.visits.take_notice(visit).partition(":")
        if request.args.get("answer") == "busy":
            notice, detail = "refused", "busy"
        words = {
            "notice": notice,
            "detail": detail,
            "terms": self.service.personal_data.retention.offered(visit.browser),
            "another": request.args.get("account") == "another",
        }
        return self._show(visit, "settings.html", view, **words)

    def disconnect(self) -> AnyResponse:
        """Ask for confirmation of a disconnect, and say what will happen."""
        visit = self.visits.required()
        self.visits.keep_alive(visit)
        view = self.service.connection.settings_page.leaving(visit.agent)
        if view.connection.state.value in {"not_connected", "disconnected", "revoked"}:
            return redirect("/settings", 303)
        return self._show(visit, "disconnect.html", view)

    def export(self) -> AnyResponse:
        """Send everything that is stored of this agent, as a file."""
        visit = self.visits.required()
        with self.service.caller_limits.long_calls.taken(visit.agent.organization):
            file = json_file.written(self.service.personal_data.export.members(visit.agent))
        return file_answer(file, "google-calendar-data.json")

    def _show(self, visit: Visit, template: str, view: SettingsView, **words: Any) -> Response:
        """Show a page; the calendar's name is the one at Google, else the one in the agent's language."""
        browser, operator = visit.browser, self.service.operator
        code = operator.language(view.calendar.language or browser.locale)
        words |= {"view": view, "csrf": browser.csrf, "agent": visit.agent.agent}
        words["calendar_name"] = unbroken(view.calendar.name or operator.calendar_name[code])
        allowed = operator.organization(browser.organization).return_urls
        if browser.return_url in allowed:
            words["console_url"] = browser.return_url
        return self.pages.show(template, zone=browser.time_zone, **words)


@dataclass(frozen=True)
class Callback:
    """Google's answer to a consent."""

    service: Service
    pages: Pages
    visits: Visits

    def callback(self) -> AnyResponse:
        """Handle the answer, and redirect to an address without the code."""
        if guard.is_prefetch():
            return Response(status=503)
        visit = self.visits.current()
        if REFUSED in request.args:
            return self._dead_end(request.args[REFUSED], again=visit is not None)
        try:
            outcome = self._finish(visit)
        except ConsentRefused as refused:
            return self._refused(visit, refused.reason)
        if visit is not None:
            self.visits.set_notice(visit, _connected(outcome))
        return redirect("/settings", 303)

    def _finish(self, visit: Visit | None) -> ConsentOutcome:
        return self.service.connection.consent.finish(
            visit.browser if visit else None,
            visit.cookie if visit else "",
            state=_single("state"),
            code=_single("code"),
            error=_single("error"),
            issuers=request.args.getlist("iss"),
        )

    def _refused(self, visit: Visit | None, reason: str) -> AnyResponse:
        if reason in NOT_OURS:
            self.service.security_events.record("state.refused", request_id=g.request_id)
        if visit is None or reason in NOT_OURS:
            return redirect(f"{CALLBACK}?{urlencode({REFUSED: reason if reason in NOT_OURS else ''})}", 303)
        self.visits.set_notice(visit, f"refused:{reason}")
        return redirect("/settings", 303)

    def _dead_end(self, reason: str, *, again: bool) -> Response:
        """Show why an answer was not taken. Anybody may open this address: it reads and changes nothing."""
        return self.pages.show("dead_end.html", status=400, reason=reason, again=again, languages=[])


def after_busy_callback() -> AnyResponse:
    """Redirect to an address without Google's code; a notice there asks to connect again (RFC 9700 4.2)."""
    return redirect("/settings?answer=busy", 303)


@dataclass(frozen=True)
class SettingsActions:
    """The agent's actions. Each first checks that it comes from a page of this visit."""

    service: Service
    visits: Visits

    def connect(self) -> AnyResponse:
        """Redirect to Google's consent page."""
        visit = self.visits.acting()
        policy = request.form.get("policy", "")
        try:
            address = self.service.connection.consent.begin(visit.browser, visit.cookie, policy)
        except ConsentRefused as refused:
            return self._back(visit, f"refused:{refused.reason}")
        return redirect(address, 303)

    def calendar(self) -> AnyResponse:
        """Create the calendar again, or use one of ours that exists."""
        visit = self.visits.acting()
        create = request.form.get("create") == "yes"
        outcome = self.service.connection.dedicated_calendar.ensure_for_page(visit.agent, create=create)
        return self._back(visit, f"calendar_{outcome}")

    def pause(self) -> AnyResponse:
        """Pause writing to the calendar."""
        return self._pause(paused=True)

    def resume(self) -> AnyResponse:
        """Resume writing to the calendar."""
        return self._pause(paused=False)

    def disconnect(self) -> AnyResponse:
        """End the connection; delete the calendar only if the agent chose that (SC-4)."""
        visit = self.visits.acting()
        delete = request.form.get("delete_calendar") in {"yes", "on", "true", "1"}
        self.service.connection.disconnect.disconnect(visit.agent, Actor.AGENT, delete_calendar=delete)
        return self._back(visit, "deleted" if delete else "disconnected")

    def retention(self) -> AnyResponse:
        """Store the agent's retention period."""
        visit = self.visits.acting()
        offered = {
            str(retention): retention
            for retention in self.service.personal_data.retention.offered(visit.browser)
        }
        self.service.personal_data.retention.choose(
            visit.browser, offered.get(request.form.get("term", ""), 0)
        )
        return self._back(visit, "term")

    def erase(self) -> AnyResponse:
        """Erase what is stored, and give the only whole copy of the receipt to this browser."""
        visit = self.visits.acting()
        receipt = self.service.connection.erasure.erase_now(visit.agent, Actor.AGENT, visit.cookie)
        answer = redirect(f"/receipts/{receipt['number']}", 303)
        copy = json.dumps(receipt, separators=(",", ":"))
        cookies.set_cookie(self.service.config, answer, RECEIPT, copy, lax=False, seconds=_RECEIPT_SECONDS)
        return answer

    def logout(self) -> AnyResponse:
        """End the visit in the store and in the browser."""
        visit = self.visits.acting()
        answer = redirect("/settings", 303)
        self.visits.end(visit, answer)
        cookies.drop_cookie(self.service.config, answer, RECEIPT)
        return answer

    def _pause(self, *, paused: bool) -> AnyResponse:
        visit = self.visits.acting()
        self.service.connection.pauses.set(visit.agent, Actor.AGENT, paused=paused)
        return self._back(visit, "paused" if paused else "resumed")

    def _back(self, visit: Visit, notice: str) -> AnyResponse:
        self.visits.set_notice(visit, notice)
        return redirect("/settings", 303)


def file_answer(content: str | bytes, name: str) -> Response:
    """Return JSON that the browser saves as a file."""
    return Response(
        content,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _single(name: str) -> str:
    """Return a parameter that is given once, else "": a repeated one is an attacker's."""
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 else ""


def _connected(outcome: ConsentOutcome) -> str:
    if not outcome.calendar_ready:
        return "connected"
    if outcome.moved_account:
        return "connected:moved_back" if outcome.calendar_found else "connected:moved"
    return "connected:shared" if outcome.other_agents else "connected"
