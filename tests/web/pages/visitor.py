"""A person's browser on Flask's test client: cookies, forms, Google's screens."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from calendar_service.domain.clock import MINUTE, Millis
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.calendar_now import KEPT
from calendar_service.store.tickets import Ticket
from tests.support.service import FIRST, PUBLIC_URL, TestService

OWN_PAGE = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
ZONE = "America/Santiago"


class Visitor:
    """One browser with its cookies."""

    def __init__(
        self, app: Flask, service: TestService, hear: Callable[[TestResponse], None] = lambda _: None
    ) -> None:
        """`hear`: is told every answer."""
        self.hear = hear
        self.client = app.test_client()
        self.service = service
        self.token = ""
        """The token of the page that was seen last."""
        self.policy = ""
        """The version of the policy that was shown last."""

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open an address; redirects are not followed."""
        return self._seen(self.client.get(path, base_url=PUBLIC_URL, headers=_names(headers)))

    def refused(self, path: str) -> TestResponse:
        """Open an answer of Google's that is not taken; return the page at the clean address to which it leads."""
        answer = self.get(path)
        assert answer.status_code == 303
        assert set(parse_qs(urlsplit(answer.location).query, keep_blank_values=True)) == {"refused"}
        page = self.get(answer.location)
        assert page.status_code == 400
        return page

    def reload(self, path: str = "/settings") -> TestResponse:
        """Open an address after the seconds for which the page keeps what Google answered."""
        self.service.clock.advance(KEPT / 1000)
        return self.get(path)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """Send a form as a page of ours does, with the token of the page that was seen last."""
        sent = {"csrf": self.token} | (form or {})
        return self.raw_post(path, sent, OWN_PAGE | _names(headers))

    def raw_post(self, path: str, form: dict[str, str], headers: dict[str, str]) -> TestResponse:
        """Send exactly this form."""
        return self._seen(self.client.post(path, base_url=PUBLIC_URL, data=form, headers=headers))

    def ticket(self, agent: Agent | None = None, *, lives: Millis = 5 * MINUTE, **fields: Any) -> str:
        """Return a one-time link's path."""
        who = agent or self.service.agent
        body = {"locale": "en", "time_zone": ZONE, "return_url": ""} | fields
        expires = self.service.parts.clock.now() + lives
        ticket = Ticket(who.organization, who.agent, expires=expires, **body)
        return f"/portal/{self.service.parts.store.tickets.issue(ticket)}"

    def enter(self, agent: Agent | None = None, **fields: Any) -> TestResponse:
        """Follow a fresh link to the settings."""
        assert self.get(self.ticket(agent, **fields)).location == "/settings"
        return self.get("/settings")

    def begin(self, **headers: str) -> TestResponse:
        """Press the connect button."""
        return self.post("/connect", {"policy": self.policy}, **headers)

    def consent(self, **how: Any) -> str:
        """Press the connect button and go through Google's screens; return the callback's path."""
        google = self.begin()
        assert google.status_code == 303, google.text
        return self.service.google.consent(google.location, **how).removeprefix(PUBLIC_URL)

    def connect(self, account: str = FIRST) -> TestResponse:
        """Enter, connect, and see the settings."""
        self.enter()
        assert self.get(self.consent(account=account)).location == "/settings"
        return self.get("/settings")

    def session_cookie(self) -> str:
        """Return the value of the session's cookie."""
        cookie = self.client.get_cookie("session", domain="localhost")
        return cookie.value if cookie else ""

    def _seen(self, answer: TestResponse) -> TestResponse:
        self.hear(answer)
        self.token = _hidden(answer, "csrf") or self.token
        self.policy = _hidden(answer, "policy") or self.policy
        return answer


def _hidden(answer: TestResponse, name: str) -> str:
    text = answer.text if answer.mimetype == "text/html" else ""
    field = re.search(rf'name="{name}" value="([^"]+)"', text)
    return field[1] if field else ""


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def words(answer: TestResponse) -> str:
    """Return the visible text of a page, in one line."""
    body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"</a>(?=[.,;:])", "", body))
    return re.sub(r"\s+", " ", plain.replace("&#39;", "'").replace("&amp;", "&")).strip()
