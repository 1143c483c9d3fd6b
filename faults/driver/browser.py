"""What an agent does in a browser: open the settings page, submit its forms, consent at Google, come back."""

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from faults.cluster import ClusterClock
from faults.driver.administrator import AdministratorDriver
from faults.driver.backend import BackendDriver
from faults.driver.client import ServiceClient, ServiceResponse
from faults.driver.google import GoogleDriver
from faults.driver.journal import DriverJournal


@dataclass(frozen=True)
class PortalVisit:
    """An open settings page."""

    cookie: str
    form: Mapping[str, str]
    """The hidden fields that every form sends: the token against forged requests, the policy's version."""


@dataclass(frozen=True)
class PendingConsent:
    """The person has consented at Google, and the browser has not yet come back."""

    visit: PortalVisit
    callback: str
    """The address that Google redirects the browser to."""


class BrowserDriver:
    """Acts as the agents in their browsers."""

    def __init__(
        self,
        client: ServiceClient,
        journal: DriverJournal,
        backend: BackendDriver,
        administrator: AdministratorDriver,
        google: GoogleDriver,
        clock: ClusterClock,
        rng: random.Random,
    ) -> None:
        self._client, self._journal, self._google = client, journal, google
        self._backend, self._administrator = backend, administrator
        self._clock, self._rng = clock, rng

    def visit(self, agent: str, web: str) -> PortalVisit | None:
        """Open the agent's settings page; None if it does not open."""
        link = self._backend.portal_link(agent, web)
        if link is None:
            return None
        first = self._client.request(web, "GET", urlsplit(link).path)
        cookie = first.headers.get("Set-Cookie", "").partition(";")[0]
        if not cookie:
            return None
        # This page shows the connect button in every state.
        page = self._client.request(web, "GET", "/settings?account=another", headers={"Cookie": cookie})
        hidden = dict(re.findall(r'type="hidden" name="(csrf|policy)" value="([^"]+)"', str(page.body)))
        return PortalVisit(cookie, hidden) if "csrf" in hidden else None

    def submit(self, agent: str, web: str, path: str, visit: PortalVisit, **fields: str) -> ServiceResponse:
        """Submit one form of the agent's pages."""
        request = self._journal.write("request", op=path, agent=agent, web=web)
        form = {"csrf": visit.form["csrf"], **fields}
        response = self._client.request(web, "POST", path, headers={"Cookie": visit.cookie}, form=form)
        self._journal.write(
            "response", request=request, op=path, agent=agent, web=web, status=response.status
        )
        return response

    def consent(self, agent: str, web: str | None = None) -> PendingConsent | None:
        """Go to Google and consent, and do not come back yet; None if the service does not send the browser there."""
        web = web or self._client.any_web()
        visit = self.visit(agent, web)
        if visit is None:
            return None
        redirect = self.submit(agent, web, "/connect", visit, policy=visit.form.get("policy", ""))
        if redirect.status != 303:
            return None
        account = self._google.account(agent)
        callback = self._google.server.consent(redirect.headers["Location"], account=account)
        return PendingConsent(visit, callback)

    def come_back(self, agent: str, consent: PendingConsent, web: str | None = None) -> ServiceResponse:
        """Follow Google's redirect to the service's callback."""
        web = web or self._client.any_web()
        parts = urlsplit(consent.callback)
        request = self._journal.write(
            "request", op="connect", agent=agent, web=web, account=self._google.accounts[agent],
            state=parse_qs(parts.query).get("state", [""])[0][:8],
        )  # fmt: skip
        response = self.open_callback(web, consent)
        self._journal.write(
            "response", request=request, op="connect", agent=agent, web=web, status=response.status
        )
        return response

    def open_callback(self, web: str, consent: PendingConsent) -> ServiceResponse:
        """Open the callback's address without a line in the journal: a consent that must have no effect."""
        parts = urlsplit(consent.callback)
        path = f"{parts.path}?{parts.query}"
        return self._client.request(web, "GET", path, headers={"Cookie": consent.visit.cookie})

    def connect(self, agent: str, web: str | None = None) -> ServiceResponse | None:
        """Go through one whole consent; None if it ends before Google."""
        consent = self.consent(agent, web)
        return self.come_back(agent, consent, web) if consent else None

    def ensure_connected(self, agent: str, seconds: float = 90.0) -> None:
        """Do what an agent can do until the connection's state is `connected`; `TimeoutError` after so many seconds."""
        actions: dict[str, Callable[[str], object]] = {
            "": lambda _: time.sleep(0.2),  # no answer
            "paused": self._administrator.resume,
            "calendar_missing": self._create_calendar,
        }
        end = time.monotonic() + seconds
        while (state := self._backend.state(agent)) != "connected":
            if time.monotonic() > end:
                raise TimeoutError(f"{agent} does not get connected: {state or 'no answer'}")
            actions.get(state, self.connect)(agent)

    def _create_calendar(self, agent: str) -> None:
        """Let time go by, and in half of the cases ask for a new calendar in the settings page."""
        self._clock.advance(31)
        time.sleep(0.3)
        web = self._client.any_web()
        visit = self.visit(agent, web) if self._rng.random() < 0.5 else None
        if visit:
            self.submit(agent, web, "/calendar", visit, create="yes")
