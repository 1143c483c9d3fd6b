"""The agent's browser between ticket and logout. Must not know what the pages do."""

from dataclasses import dataclass, replace

from flask import g, request
from werkzeug.wrappers import Response

from calendar_service.domain.errors import Unauthenticated
from calendar_service.domain.names import Agent
from calendar_service.store.tickets import Browser, Ticket
from calendar_service.web import cookies, guard
from calendar_service.web.console.desk import Desks
from calendar_service.wiring import Service

SESSION = "session"


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser whose session is alive: its cookie, and what is known of it."""

    cookie: str
    browser: Browser

    @property
    def agent(self) -> Agent:
        """Whose settings these are."""
        return self.browser.whose


@dataclass(frozen=True)
class Visits:
    """Finds, begins and ends visits."""

    service: Service

    def current(self) -> Visit | None:
        """Return the visit that this request belongs to, if it has one that is still alive."""
        cookie = request.cookies.get(cookies.cookie_name(self.service.config, SESSION), "")
        browser = self.service.tickets.browser(cookie) if cookie else None
        if browser is None:
            return None
        g.agent_language = browser.locale
        if browser.reviewer:
            self._note_reviewer(browser)
        guard.allow_frames(self.service.operator.organization(browser.organization).frame_ancestors)
        return Visit(cookie, browser)

    def required(self) -> Visit:
        """Return the visit, or refuse."""
        visit = self.current()
        if visit is None:
            raise Unauthenticated("This page is closed; open it again from the console.")
        return visit

    def acting(self) -> Visit:
        """Return the visit of a form that may change something: own page, live session, its own token."""
        guard.require_own_page(self.service.config)
        visit = self.required()
        guard.require_token(visit.browser.csrf)
        return visit

    def begin(self, ticket: Ticket, response: Response) -> None:
        """Begin a visit with a new id; a former one of this browser ends."""
        self._close_former()
        cookie, _ = self.service.tickets.open_browser(ticket)
        cookies.set_cookie(self.service.config, response, SESSION, cookie)

    def end(self, visit: Visit, response: Response) -> None:
        """End the visit on both sides."""
        self.service.tickets.close_browser(visit.cookie)
        cookies.drop_cookie(self.service.config, response, SESSION)

    def say_next(self, visit: Visit, notice: str) -> None:
        """Let the next page say once how an act ended."""
        # Read again: Google may have taken minutes, and the session's last use counts.
        browser = self.service.tickets.browser(visit.cookie)
        if browser is not None:
            self._save(visit.cookie, replace(browser, notice=notice))

    def keep_alive(self, visit: Visit) -> None:
        """Count the visit as seen."""
        self._save(visit.cookie, visit.browser)

    def hear(self, visit: Visit) -> str:
        """Return what is to be said now, and count the visit as seen."""
        self._save(visit.cookie, replace(visit.browser, notice=""))
        return visit.browser.notice

    def _note_reviewer(self, browser: Browser) -> None:
        """Let the request be known as a reviewer's, if the desk at the console is this agent's."""
        desks = Desks(self.service)
        desk = desks.reviewer()
        if desk is not None and desk.agent == browser.whose:
            desks.serve(desk)

    def _save(self, cookie: str, browser: Browser) -> None:
        self.service.tickets.save_browser(cookie, replace(browser, seen=self.service.clock.now()))

    def _close_former(self) -> None:
        former = request.cookies.get(cookies.cookie_name(self.service.config, SESSION), "")
        if former:
            self.service.tickets.close_browser(former)
