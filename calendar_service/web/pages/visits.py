"""The agent's browser session, from ticket to logout."""

from dataclasses import dataclass, replace

from flask import g, request
from werkzeug.wrappers import Response

from calendar_service.domain.errors import Unauthenticated
from calendar_service.domain.names import Agent
from calendar_service.store.tickets import Browser, Ticket
from calendar_service.web import cookies, guard, limits
from calendar_service.web.console.visitors import ConsoleVisitors
from calendar_service.wiring import Service

SESSION = "session"


@dataclass(frozen=True, slots=True)
class Visit:
    """A live browser session: its cookie and its record."""

    cookie: str
    browser: Browser

    @property
    def agent(self) -> Agent:
        """The agent whose settings are shown."""
        return self.browser.whose


@dataclass(frozen=True)
class Visits:
    """Reads, begins and ends visits."""

    service: Service

    def current(self) -> Visit | None:
        """Return the live visit of this request, if there is one; raise `TooManyRequests` if it asks for too much."""
        cookie = request.cookies.get(cookies.cookie_name(self.service.config, SESSION), "")
        browser = self.service.store.tickets.browser(cookie) if cookie else None
        if browser is None:
            return None
        g.agent_language = browser.locale
        if browser.reviewer:
            self._note_reviewer(browser)
        guard.allow_frames(self.service.operator.organization(browser.organization).frame_ancestors)
        self.service.caller_limits.known_visits.note(cookie, browser.organization)
        limits.count(self.service.caller_limits.visit, cookie)
        return Visit(cookie, browser)

    def required(self) -> Visit:
        """Return the visit, or raise `Unauthenticated`."""
        visit = self.current()
        if visit is None:
            raise Unauthenticated("This page is closed; open it again from the console.")
        return visit

    def acting(self) -> Visit:
        """Return the visit of a form that changes something. Checks origin, session and token."""
        guard.require_own_page(self.service.config)
        visit = self.required()
        guard.require_token(visit.browser.csrf)
        return visit

    def begin(self, ticket: Ticket, response: Response) -> None:
        """Begin a visit with a new id, and end the browser's former one."""
        self._close_former()
        cookie, _ = self.service.store.tickets.open_browser(ticket)
        cookies.set_cookie(self.service.config, response, SESSION, cookie)

    def end(self, visit: Visit, response: Response) -> None:
        """End the visit in the store and in the browser."""
        self.service.store.tickets.close_browser(visit.cookie)
        cookies.drop_cookie(self.service.config, response, SESSION)

    def set_notice(self, visit: Visit, notice: str) -> None:
        """Set the notice that the next page shows once."""
        # Read again: a call to Google may have taken minutes, and the session may have ended.
        browser = self.service.store.tickets.browser(visit.cookie)
        if browser is not None:
            self._save(visit.cookie, replace(browser, notice=notice))

    def keep_alive(self, visit: Visit) -> None:
        """Prolong the visit."""
        self._save(visit.cookie, visit.browser)

    def take_notice(self, visit: Visit) -> str:
        """Return the notice and delete it, and prolong the visit."""
        self._save(visit.cookie, replace(visit.browser, notice=""))
        return visit.browser.notice

    def _note_reviewer(self, browser: Browser) -> None:
        """Attach the reviewer to the request, if the console's visitor in this browser is this agent."""
        visitors = ConsoleVisitors(self.service)
        visitor = visitors.reviewer()
        if visitor is not None and visitor.agent == browser.whose:
            visitors.attach_to_request(visitor)

    def _save(self, cookie: str, browser: Browser) -> None:
        self.service.store.tickets.save_browser(cookie, replace(browser, seen=self.service.clock.now()))

    def _close_former(self) -> None:
        former = request.cookies.get(cookies.cookie_name(self.service.config, SESSION), "")
        if former:
            self.service.store.tickets.close_browser(former)
