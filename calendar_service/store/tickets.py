"""One-time links, consents that Google has not answered, and browser sessions: each under the hash of its secret.

All of them expire, by the database's own expiry and by the process's clock, whichever comes first. An agent's links and
browser sessions are listed, so that they can be closed together. Must not know what a connection is.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.database import Database


def new_secret() -> str:
    """Return 256 bits from the system's generator, as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the hash under which a secret's record is stored; it does not lead back to the secret."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A one-time link from the agent console to the settings page."""

    organization: str
    agent: str
    locale: str
    time_zone: str
    return_url: str
    expires: Millis
    """An instant of the process's clock."""
    reviewer: bool = False
    """True for a test agent of the reviewer console."""

    @property
    def whose(self) -> Agent:
        """The agent whose settings the link opens."""
        return Agent(self.organization, self.agent)


@dataclass(frozen=True, slots=True)
class Pending:
    """A consent that Google has not answered: bound to one browser session and its agent."""

    organization: str
    agent: str
    browser: str
    """The hash of the cookie of the browser session that began it."""
    verifier: str
    """The PKCE verifier, sealed."""
    policy: str
    """The version of the policy that the agent was shown (SC-5)."""
    expires: Millis
    """An instant of the process's clock."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser session, which a ticket opened. Its instants are of the process's clock."""

    organization: str
    agent: str
    locale: str
    time_zone: str
    return_url: str
    csrf: str
    began: Millis
    seen: Millis
    notice: str = ""
    """What the next page says once; one of a closed list."""
    reviewer: bool = False
    """True for a test agent of the reviewer console, whose retention period is shorter."""

    @property
    def whose(self) -> Agent:
        """The agent that the ticket named. No URL or form can name another one."""
        return Agent(self.organization, self.agent)


class Tickets:
    """Stores one-time values and browser sessions, and hands out their secrets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, ticket: Ticket) -> str:
        """Store a ticket and return its secret, which is stored nowhere."""
        secret = new_secret()
        self._keep(ticket.whose, keys.ticket(digest(secret)), asdict(ticket), keys.TICKET)
        return secret

    def unused(self, secret: str) -> Ticket | None:
        """Return the ticket and leave it unused; None if it is used, expired or unknown."""
        name = keys.ticket(digest(secret))
        text = self._database.ask(lambda client: client.get(name))
        return self._unexpired(Ticket(**json.loads(text))) if text else None

    def take(self, secret: str) -> Ticket | None:
        """Take the ticket, which works once; None if it is used, expired or unknown."""
        name = keys.ticket(digest(secret))
        fields = self._take(name)
        if not fields:
            return None
        ticket = Ticket(**fields)
        self._unlist(ticket.whose, name)
        return self._unexpired(ticket)

    def keep_pending(self, state: str, pending: Pending) -> None:
        """Store a consent that begins, under the hash of its OAuth state, for ten minutes."""
        text = json.dumps(asdict(pending))
        self._database.write("SET", keys.oauth_state(digest(state)), text, "PX", keys.OAUTH_STATE)

    def take_pending(self, unverified_state: str) -> Pending | None:
        """Take the consent of this state, which works once; None if it is used, expired or unknown."""
        fields = self._take(keys.oauth_state(digest(unverified_state)))
        pending = Pending(**fields) if fields else None
        return pending if pending and pending.expires > self._database.clock.now() else None

    def open_browser(self, ticket: Ticket) -> tuple[str, Browser]:
        """Begin a browser session; return its cookie and the session."""
        now = self._database.clock.now()
        browser = Browser(
            ticket.organization,
            ticket.agent,
            ticket.locale,
            ticket.time_zone,
            ticket.return_url,
            # A secret of its own: the form's token appears in pages, and must not be worth as much as the cookie.
            csrf=new_secret(),
            began=now,
            seen=now,
            reviewer=ticket.reviewer,
        )
        # Always a new cookie: one that an attacker planted before is never raised to a session (fixation).
        cookie = new_secret()
        self._keep(
            browser.whose,
            keys.browser(digest(cookie)),
            asdict(browser),
            keys.BROWSER_IDLE,
            keys.BROWSER_ABSOLUTE,
        )
        return cookie, browser

    def browser(self, cookie: str) -> Browser | None:
        """Return the session of this cookie; None if it is unknown, idle for too long or too old."""
        name = keys.browser(digest(cookie))
        text = self._database.ask(lambda client: client.get(name))
        if not text:
            return None
        browser, now = Browser(**json.loads(text)), self._database.clock.now()
        if _is_over(browser, now):
            self.close_browser(cookie)
            return None
        return browser

    def save_browser(self, cookie: str, browser: Browser) -> None:
        """Write the session back, which renews its idle time; nothing is written if it has ended."""
        name, text = keys.browser(digest(cookie)), json.dumps(asdict(browser))
        # XX: a request that was slow must not bring back a session that a logout ended meanwhile.
        self._database.write("SET", name, text, "PX", keys.BROWSER_IDLE, "XX")

    def close_browser(self, cookie: str) -> None:
        """End the session: its cookie opens nothing any more."""
        name = keys.browser(digest(cookie))
        fields = self._take(name)
        if fields:
            self._unlist(Browser(**fields).whose, name)

    def open_pages(self, agent: Agent) -> tuple[list[Ticket], list[Browser]]:
        """Return the agent's unused links and open settings pages."""
        records = {name: text for name, text in self._listed(agent).items() if text}
        now = self._database.clock.now()
        tickets = [
            Ticket(**json.loads(text)) for name, text in records.items() if name.startswith(keys.ticket(""))
        ]
        browsers = [
            Browser(**json.loads(text)) for name, text in records.items() if name.startswith(keys.browser(""))
        ]
        return (
            [ticket for ticket in tickets if ticket.expires > now],
            [browser for browser in browsers if not _is_over(browser, now)],
        )

    def close_pages(self, agent: Agent, but: str = "") -> None:
        """End the agent's unused links and open settings pages, except the page whose cookie is `but`."""
        own = keys.browser(digest(but))
        for name in self._listed(agent):
            if name != own:
                self._database.write("DEL", name)
                self._unlist(agent, name)

    def _unexpired(self, ticket: Ticket) -> Ticket | None:
        # The database's expiry follows its real clock; this comparison follows the process's, which tests can move.
        return ticket if ticket.expires > self._database.clock.now() else None

    def _unlist(self, agent: Agent, name: str) -> None:
        self._database.write("ZREM", keys.open_pages(agent.member), name)

    def _listed(self, agent: Agent) -> dict[str, str | None]:
        """Return the records of the agent's list by their keys; None where one has ended by itself."""
        names: list[str] = self._database.ask(
            lambda client: client.zrange(keys.open_pages(agent.member), 0, -1)
        )
        return (
            dict(zip(names, self._database.read(("GET", name) for name in names), strict=True))
            if names
            else {}
        )

    def _keep(
        self, agent: Agent, name: str, fields: dict[str, object], lifetime: Millis, longest: Millis = 0
    ) -> None:
        """Store a record under its name, which holds a hash, for `lifetime`, renewed up to `longest` in all."""
        # Listed first: a record that no list names would outlive an erasure; a name without a record does no harm.
        listed = {"open_pages": keys.open_pages(agent.member)}
        self._database.script("add_open_page", listed, page=name, lifetime=longest or lifetime)
        # Under its hash: a copy of the database holds no secret with which somebody could come in.
        self._database.write("SET", name, json.dumps(fields), "PX", lifetime)

    def _take(self, name: str) -> dict[str, Any]:
        text = self._database.take(name)
        return cast(dict[str, Any], json.loads(text)) if text else {}


def _is_over(browser: Browser, now: Millis) -> bool:
    return now - browser.seen > keys.BROWSER_IDLE or now - browser.began > keys.BROWSER_ABSOLUTE
