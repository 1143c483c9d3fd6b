"""One-time links, consents under way and browsers' sessions: kept by the hash of their secret, with an end.

Must not know what a connection is. Each one-time value is taken by one atomic command.
"""

import json
import secrets
from collections.abc import Callable
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
    """Return what is stored of a secret."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A one-time link from the console."""

    organization: str
    agent: str
    locale: str
    time_zone: str
    return_url: str
    expires: Millis
    reviewer: bool = False
    """It came from the reviewer console, for a test agent."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A consent under way: bound to browser, agent and organization."""

    organization: str
    agent: str
    browser: str
    """The hash of the browser session that began it."""
    verifier: str
    """The PKCE verifier, sealed."""
    policy: str
    """The version of the policy that the agent was shown (SC-5)."""
    expires: Millis


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser's session after the ticket."""

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
    """A reviewer's, for a test agent: what is kept has a shorter term."""

    @property
    def whose(self) -> Agent:
        """The agent whom the ticket named; never read again from a URL or form."""
        return Agent(self.organization, self.agent)


class Tickets:
    """One-time values and browser sessions, each under the hash of its secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, ticket: Ticket) -> str:
        """Keep a ticket and return its secret."""
        return self._keep(keys.ticket, asdict(ticket), keys.TICKET)

    def take(self, secret: str) -> Ticket | None:
        """Take the ticket: once, by whoever comes first; None if used, expired or unknown alike."""
        fields = self._take(keys.ticket(digest(secret)))
        ticket = Ticket(**fields) if fields else None
        return ticket if ticket and ticket.expires > self._database.clock.now() else None

    def keep_pending(self, state: str, pending: Pending) -> None:
        """Keep a consent under way."""
        text = json.dumps(asdict(pending))
        self._database.write("SET", keys.oauth_state(digest(state)), text, "PX", keys.OAUTH_STATE)

    def take_pending(self, unverified_state: str) -> Pending | None:
        """Take the consent under way, once; None if used, expired or unknown alike."""
        fields = self._take(keys.oauth_state(digest(unverified_state)))
        pending = Pending(**fields) if fields else None
        return pending if pending and pending.expires > self._database.clock.now() else None

    def open_browser(self, ticket: Ticket) -> tuple[str, Browser]:
        """Begin a browser's session; return its cookie and itself."""
        now = self._database.clock.now()
        browser = Browser(
            ticket.organization,
            ticket.agent,
            ticket.locale,
            ticket.time_zone,
            ticket.return_url,
            csrf=new_secret(),
            began=now,
            seen=now,
            reviewer=ticket.reviewer,
        )
        return self._keep(keys.browser, asdict(browser), keys.BROWSER_IDLE), browser

    def browser(self, cookie: str) -> Browser | None:
        """Return the browser's session and count it as seen; None once idle or too old."""
        name = keys.browser(digest(cookie))
        text = self._database.ask(lambda client: client.get(name))
        if not text:
            return None
        browser, now = Browser(**json.loads(text)), self._database.clock.now()
        if now - browser.seen > keys.BROWSER_IDLE or now - browser.began > keys.BROWSER_ABSOLUTE:
            self.close_browser(cookie)
            return None
        return browser

    def save_browser(self, cookie: str, browser: Browser) -> None:
        """Write the browser's session back if it still exists."""
        name, text = keys.browser(digest(cookie)), json.dumps(asdict(browser))
        self._database.write("SET", name, text, "PX", keys.BROWSER_IDLE, "XX")

    def close_browser(self, cookie: str) -> None:
        """End the browser's session on this side."""
        self._database.write("DEL", keys.browser(digest(cookie)))

    def _keep(self, key: Callable[[str], str], fields: dict[str, object], lifetime: Millis) -> str:
        secret = new_secret()
        self._database.write("SET", key(digest(secret)), json.dumps(fields), "PX", lifetime)
        return secret

    def _take(self, name: str) -> dict[str, Any]:
        text = self._database.write("GETDEL", name)
        return cast(dict[str, Any], json.loads(text)) if text else {}
