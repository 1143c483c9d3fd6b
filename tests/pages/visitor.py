"""An agent at a fresh browser, with a language of its own and an empty service behind it."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Route

from calendar_service.domain.clock import DAY, MINUTE
from calendar_service.domain.errors import AccessRevoked
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.connection.calendar_now import KEPT
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Browser, Ticket
from tests.pages.browser_context import ReusableContext
from tests.pages.fixture import PageFixture
from tests.support.service import TestService

ZONE = "America/Santiago"
ACCOUNT = "ana.rojas@example.com"
OTHER_ACCOUNT = "ana@example.org"


class PageVisitor:
    """An agent at a browser; what the browser fetches and complains about is noted."""

    def __init__(self, browser_context: ReusableContext, fixture: PageFixture) -> None:
        self.context = browser_context.context
        self.page = browser_context.page
        self.requests = browser_context.requests
        self.complaints = browser_context.complaints
        self.language = browser_context.language
        self.fixture = fixture

    @property
    def refused(self) -> bool:
        """Tell whether the page shown now is the answer of an error."""
        answer = self.requests[0].response()
        return answer is not None and answer.status >= 400

    @property
    def service(self) -> TestService:
        return self.fixture.service

    @property
    def agent(self) -> Agent:
        return Agent("acme", "ana.rojas")

    # --- ways through the pages ---

    def open(self, path: str) -> None:
        """Open an address of the service."""
        self.page.goto(self.fixture.url + path)

    def as_in_a_frame(self, path: str) -> None:
        """Show, in the whole tab, what the service answers to a frame."""

        def asked_by_a_frame(route: Route) -> None:
            headers = route.request.headers | {"sec-fetch-dest": "iframe"}
            route.fulfill(response=route.fetch(headers=headers))

        self.page.route(self.fixture.url + path, asked_by_a_frame)
        self.open(path)

    def link(self, agent: Agent | None = None) -> str:
        """Return a fresh one-time link's path."""
        who = agent or self.agent
        expires = self.service.parts.clock.now() + 5 * MINUTE
        ticket = Ticket(who.organization, who.agent, self.language, ZONE, "", expires)
        return f"/portal/{self.service.parts.store.tickets.issue(ticket)}"

    def settings(self) -> None:
        """Come from the console to the settings, after the seconds for which a page keeps what Google answered."""
        self.fixture.clock.advance(KEPT / 1000)
        self.open(self.link())

    def press(self, action: str, **chosen: str) -> None:
        """Press the button of a form, by where it leads; `chosen` names the form by a hidden field."""
        fields = "".join(f":has(input[name={name}][value={value}])" for name, value in chosen.items())
        self.page.click(f"form[action='{action}']{fields} button")
        self.page.wait_for_load_state()

    def consent(self, account: str = ACCOUNT, **how: Any) -> str:
        """Return Google's answer to a consent that this browser began."""
        return self.fixture.google.consent(self.begin(), account, **how)

    def begin(self) -> str:
        """Begin a consent as the connect button does; return Google's address."""
        cookie = next(each["value"] for each in self.context.cookies() if each["name"] == "session")
        browser = self.service.parts.store.tickets.browser(cookie)
        assert isinstance(browser, Browser)
        return self.service.begin(browser, cookie)

    def connected(self, account: str = ACCOUNT, **how: Any) -> None:
        """See the settings after Google's answer."""
        self.settings()
        self.page.goto(self.consent(account, **how))

    def reconnected(self, account: str = ACCOUNT, **how: Any) -> None:
        """See the settings after another of Google's answers, in the same visit."""
        self.page.goto(self.consent(account, **how))

    # --- what happened before ---

    def connect(self, account: str = ACCOUNT) -> None:
        """Be connected already, in this visitor's language."""
        now = self.service.parts.clock.now()
        who = self.agent
        ticket = Ticket(who.organization, who.agent, self.language, ZONE, "", now + 5 * MINUTE)
        cookie, browser = self.service.parts.store.tickets.open_browser(ticket)
        url = self.service.begin(browser, cookie)
        self.service.call_back(browser, cookie, self.fixture.google.consent(url, account))

    def schedule(self, *titles: str) -> None:
        """Have sessions from tomorrow on."""
        for day, title in enumerate(titles, 1):
            content = self.service.content(title, days=day, time_zone=ZONE)
            self.service.parts.sessions.schedule.put(self.agent, f"session-{day}", content, By.AGENT, None)

    def paused(self, *actors: Actor) -> None:
        """Have it paused."""
        for actor in actors:
            self.service.parts.connection.pauses.set(self.agent, actor, paused=True)

    def disconnect(self, *, delete: bool = False, by: Actor = Actor.AGENT) -> None:
        """Have disconnected, or been disconnected."""
        self.service.parts.connection.disconnect.disconnect(self.agent, by, delete_calendar=delete)

    def shared(self) -> None:
        """Have a colleague on the same account."""
        self.service.connect(Agent("other", "luis"), ACCOUNT)

    @contextmanager
    def trouble(self, path: str, do: dict[str, Any] | None = None) -> Iterator[None]:
        """Let Google fail at these addresses."""
        self.fixture.google.fault(path, do or {"status": 503, "reason": "backendError"})
        try:
            yield
        finally:
            self.fixture.google.clear_faults()

    def later(self, *, days: float) -> None:
        """Let time go by, and the worker do what is due."""
        self.fixture.clock.advance(days * 86_400)
        self.service.work()

    def resumed(self, actor: Actor) -> None:
        """Have a pause lifted."""
        self.service.parts.connection.pauses.set(self.agent, actor, paused=False)

    def schedule_without_permission(self, title: str) -> None:
        """Have a session that Google refused, because its permission no longer suffices."""
        refusal = {"status": 403, "reason": "insufficientPermissions"}
        with self.trouble("/calendar/v3/calendars/*", refusal):
            self.schedule(title)

    def outdated_consents(self) -> None:
        """Have a consent under an older policy than the one in force."""
        connections = self.service.parts.store.connections
        facts = self.service.parts.store.slots.read(self.agent).facts
        assert connections.consent_outdated_by_policy(self.agent, facts.connection_id, facts.consent.policy)
        older = {"consent_policy": "0"}
        self.service.parts.store.database.client.hset(self.service.key("facts", self.agent), mapping=older)

    def schedule_in(self, title: str, *, days: int) -> None:
        """Have one session, some days from now."""
        content = self.service.content(title, days=days, time_zone=ZONE)
        self.service.parts.sessions.schedule.put(self.agent, "session-1", content, By.AGENT, None)

    def hold(self, *, silent_for: int = 0) -> None:
        """Be under a legal hold, of which nothing may be told for some days."""
        now = self.service.parts.clock.now()
        silent_until = now + silent_for * DAY if silent_for else 0
        hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", now + 60 * DAY, silent_until)
        self.service.parts.personal_data.holds.place(self.agent, hold)

    def revoke_at_google(self) -> None:
        """Have the permission removed there, and noticed by a probe here."""
        self.fixture.clock.advance(2 * 3600)
        with self.trouble("/token", {"invalid_grant": True}), contextlib.suppress(AccessRevoked):
            self.service.parts.connection.access.probe(self.agent)

    def delete_calendar(self) -> None:
        """Have the calendar deleted by hand at Google."""
        calendar = self.service.calendars(ACCOUNT)[0]["id"]
        self.service.as_person("DELETE", None, calendar=calendar, account=ACCOUNT)

    def change_in_google(self, *sessions: str) -> None:
        """Have moved the events of these sessions elsewhere by hand, which was noticed."""
        for session in sessions:
            view = self.service.parts.sessions.reader.get(self.agent, session, read_google=False)
            self.service.as_person("PATCH", view, {"location": "Elsewhere"}, account=ACCOUNT)
        self.service.parts.sessions.change_detector.once(self.agent)

    def delete_in_google(self, session: str) -> None:
        """Have deleted the event of a session by hand, which was noticed."""
        view = self.service.parts.sessions.reader.get(self.agent, session, read_google=False)
        self.service.as_person("DELETE", view, account=ACCOUNT)
        self.service.parts.sessions.change_detector.once(self.agent)

    def copy_in_google(self, session: str) -> None:
        """Have made a copy of a session's event by hand, with all that it carries."""
        view = self.service.parts.sessions.reader.get(self.agent, session, read_google=False)
        event = next(each for each in self.service.events(ACCOUNT) if each["id"] == view.event_id)
        copied = {name: event[name] for name in ("summary", "start", "end", "extendedProperties")}
        calendar = self.service.calendar_of(view)
        self.service.as_person("POST", None, copied, calendar=calendar, account=ACCOUNT)

    def write_by_hand(self) -> None:
        """Have written an event of one's own into the calendar at Google."""
        theirs = {name: {"dateTime": "2031-05-05T10:00:00Z"} for name in ("start", "end")}
        calendar = self.service.calendars(ACCOUNT)[0]["id"]
        self.service.as_person("POST", None, theirs, calendar=calendar, account=ACCOUNT)

    def answer_with_error(self, error: str) -> None:
        """Come back from Google with an error."""
        state = parse_qs(urlsplit(self.begin()).query)["state"][0]
        self.open(f"/oauth/callback?{urlencode({'state': state, 'error': error})}")

    @contextmanager
    def database_full(self) -> Iterator[None]:
        """Let the database be out of memory."""
        client = self.service.parts.store.database.client
        client.config_set("maxmemory", "1")
        try:
            yield
        finally:
            client.config_set("maxmemory", "0")

    def break_records(self) -> None:
        """Let the agent's records hold nonsense."""
        client = self.service.parts.store.database.client
        for key in client.scan_iter("{*"):
            if client.type(key) == "hash":
                client.delete(key)
                client.set(key, "nonsense")

    # --- the console and the local Google ---

    def at_google(self, path: str) -> None:
        """Open an address of the local Google."""
        self.page.goto(self.fixture.google.url + path)

    def choose_agent(self) -> None:
        """Choose this agent at the console."""
        self.open("/console")
        self.page.fill("#agent", self.agent.agent)
        self.press("/console/agent")

    def connect_from_console(self) -> None:
        """Connect, and come back to the console."""
        self.press("/console/settings")
        self.page.goto(self.consent())
        self.open("/console")

    def book(self, session: str, title: str) -> None:
        """Schedule a session at the console."""
        self.page.fill("#session", session)
        self.page.fill("#title", title)
        self.press("/console/sessions")

    # --- the reviewer console ---

    def review(self, step: str = "start") -> None:
        """Follow a reviewer's link, and go to a step."""
        secret, _ = self.service.parts.operations.reviewers.make(60)
        self.open(f"/reviewer/{secret}")
        self.open(f"/console?step={step}")

    def review_connected(self, step: str = "connect") -> None:
        """Be a reviewer whose test agent is connected, at a step."""
        self.review("connect")
        self.connect_from_console()
        self.open(f"/console?step={step}")

    def check_receipt(self, content: bytes) -> None:
        """Have a file checked as a receipt."""
        file = {"name": "receipt.json", "mimeType": "application/json", "buffer": content}
        self.page.set_input_files("#receipt", file)
        self.press("/console/verify")


class VisitorPool:
    """Gives visitors, one after another; each language has one browser context, wiped for the next visitor."""

    def __init__(self, chromium: Chromium, fixture: PageFixture) -> None:
        self._chromium = chromium
        self._fixture = fixture
        self._free: dict[str, ReusableContext] = {}

    @contextmanager
    def visitor(self, language: str) -> Iterator[PageVisitor]:
        """Give a new visitor to an empty service. If the block raises, its browser context is closed, not reused."""
        self._fixture.clear()
        browser_context = self._free.pop(language, None) or ReusableContext(self._chromium, language)
        with contextlib.ExitStack() as given_up:
            given_up.callback(browser_context.close)
            yield PageVisitor(browser_context, self._fixture)
            browser_context.wipe()
            given_up.pop_all()
        self._free[language] = browser_context

    def close(self) -> None:
        """Close the browser contexts that are free."""
        while self._free:
            self._free.popitem()[1].close()
