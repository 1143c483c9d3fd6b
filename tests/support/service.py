"""The whole service in this process, over a real Valkey and the local Google."""

import json
import re
import secrets
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from calendar_service import config as configuration
from calendar_service.config import Config
from calendar_service.domain.caller_limits import CallerLimits
from calendar_service.domain.clock import HOUR, Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import Content
from calendar_service.google.transport import GoogleCall
from calendar_service.health.metrics import registry
from calendar_service.journeys.views import ConsentOutcome, SessionView
from calendar_service.store.throttle import Limits
from calendar_service.store.tickets import Browser, Ticket
from calendar_service.wiring import Service, build
from calendar_service.worker.loop import Worker
from calendar_service.worker.webhook_queue import Start, at_once
from local_google.state.clients import RegisteredClient
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle

IDENTITY_KEY = b64encode(sha256(b"identity of the tests 0").digest()).decode()
"""Always the same, so that the agents of a test lie in different shards in each run."""
CLIENT_ID = "test-service.apps.local-google.test"
CLIENT_SECRET = "test-service-secret"
OTHER_CLIENT_ID = "other-project.apps.local-google.test"
PERSON_ID = "person.apps.local-google.test"
PUBLIC_URL = "http://localhost:8080"
SECURE_URL = "https://localhost:9"
"""An address that Google takes for notifications; nobody listens there, so that tests deliver them in any order."""
BACKEND_KEY = "backend-key-of-the-tests"
ADMIN_KEY = "admin-key-of-the-tests"
ACME_KEY = "backend-key-of-acme-alone"
CLIENTS = (
    RegisteredClient(
        CLIENT_ID,
        CLIENT_SECRET,
        "test-service",
        tuple(f"{url}/oauth/callback" for url in (PUBLIC_URL, SECURE_URL)),
    ),
    RegisteredClient(OTHER_CLIENT_ID, CLIENT_SECRET, "other-project", (f"{PUBLIC_URL}/oauth/callback",)),
    RegisteredClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",)),
)
"""The service, the same in another Google project, and its agents as themselves."""
FIRST, SECOND = "agent-one@example.com", "agent-two@example.com"


def _fresh() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def _api_key(name: str, organization: str, role: str, key: str) -> str:
    return f"{name}:{organization}:{role}:{sha256(key.encode()).hexdigest()}"


def environment(redis_url: str, google: LocalGoogle, clock: MovableClock | None = None) -> dict[str, str]:
    """Return the variables of a development service over this database and Google."""
    variables = {
        "CALENDAR_ENVIRONMENT": "development",
        "CALENDAR_PUBLIC_URL": PUBLIC_URL,
        "CALENDAR_OPERATOR": "videsk",
        "CALENDAR_REDIS_URL": redis_url,
        "CALENDAR_KEYRING": f"k1:{_fresh()}",
        "CALENDAR_IDENTITY_KEY": IDENTITY_KEY,
        "CALENDAR_SIGNING_KEY": _fresh(),
        "CALENDAR_API_KEYS": ",".join(
            [
                _api_key("tests", "*", "backend", BACKEND_KEY),
                _api_key("tests-admin", "*", "admin", ADMIN_KEY),
                _api_key("acme", "acme", "backend", ACME_KEY),
            ]
        ),
        "CALENDAR_GOOGLE_CLIENT_ID": CLIENT_ID,
        "CALENDAR_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "CALENDAR_GOOGLE_AUTH_URI": google.auth_uri,
        "CALENDAR_GOOGLE_TOKEN_URI": google.token_uri,
        "CALENDAR_GOOGLE_REVOKE_URI": google.revoke_uri,
        "CALENDAR_GOOGLE_API_ENDPOINT": google.api_endpoint,
    }
    if clock:
        variables["CALENDAR_TEST_CLOCK"] = str(clock.path)
    return variables


class SteppedWorker(Worker):
    """A worker that has been running, whose threads take turns: a round ends with one turn of each lane."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        del self.lanes.walks.tasks["far_timers"]  # done at its start
        del self.lanes.walks.tasks["totals"]  # it reads everything; tests that need it ask for it

    def round(self, each: Callable[..., Iterable[None]] = map, start: Start = at_once) -> int:
        count = super().round(each, start)
        for lane in self.lanes.each().values():
            lane.run()
        return count


@dataclass
class TestService:
    """The service under test with its local Google and clock, and the acts of agents and persons."""

    __test__ = False  # not a class of tests

    parts: Service
    """What `wiring` builds: the journeys, stores and adapters of one process."""
    google: LocalGoogle
    clock: MovableClock
    variables: dict[str, str] = field(repr=False)
    agent: Agent = field(default_factory=lambda: Agent("acme", "agent-1"))
    limits: Limits = field(default_factory=Limits)
    caller_limits: CallerLimits | None = None

    @classmethod
    def of(cls, redis_url: str, google: LocalGoogle, clock: MovableClock, **changed: str) -> "TestService":
        """Return a test service over this database and Google; `changed` overrides variables."""
        variables = environment(redis_url, google, clock) | changed
        parts = build(configuration.load(variables))
        with suppress(StoreUnavailable):
            parts.store.ownership.begin()  # as the first `serve` or `work` does
        return cls(parts, google, clock, variables)

    def limited(self, **numbers: Any) -> "TestService":
        """Return another process's service with a smaller rate budget."""
        return replace(self, limits=replace(self.limits, **numbers)).replica()

    def allowing(self, **numbers: Any) -> "TestService":
        """Return another process's service, whose callers may ask for less."""
        return replace(self, caller_limits=CallerLimits(**numbers)).replica()

    def replica(self) -> "TestService":
        """Return another process's service over the same database and Google (in this process)."""
        parts = build(self.config, limits=self.limits, caller_limits=self.caller_limits)
        return replace(self, parts=parts)

    def served_from(self, public_url: str) -> "TestService":
        """Return another process's service over the same database and Google, whose public address is another one."""
        changed = self.variables | {"CALENDAR_PUBLIC_URL": public_url}
        return TestService(build(configuration.load(changed)), self.google, self.clock, changed, self.agent)

    @property
    def config(self) -> Config:
        return self.parts.config

    @property
    def worker(self) -> Worker:
        return SteppedWorker(self.parts)

    def browser(self, agent: Agent | None = None) -> tuple[str, Browser]:
        """Open a browser's session for the agent, as the one-time link does."""
        who = agent or self.agent
        now = self.parts.clock.now()
        ticket = Ticket(who.organization, who.agent, "en", "America/Santiago", "", now + HOUR)
        return self.parts.store.tickets.open_browser(ticket)

    def connect(self, agent: Agent | None = None, account: str = FIRST) -> ConsentOutcome:
        """Connect as a person does: consent at Google, then the callback."""
        cookie, browser = self.browser(agent)
        url = self.begin(browser, cookie)
        return self.call_back(browser, cookie, self.google.consent(url, account=account))

    def begin(self, browser: Browser, cookie: str) -> str:
        """Press the connect button under the policy that is shown; return Google's address."""
        return self.parts.connection.consent.begin(browser, cookie, self.parts.operator.policy.version)

    def call_back(self, browser: Browser | None, cookie: str, callback: str) -> ConsentOutcome:
        """Handle the callback address as the web does."""
        query = parse_qs(urlsplit(callback).query)
        return self.parts.connection.consent.finish(
            browser,
            cookie,
            state=query.get("state", [""])[0],
            code=query.get("code", [""])[0],
            error=query.get("error", [""])[0],
            issuers=query.get("iss", []),
        )

    def content(self, title: str = "A talk", days: int = 3, **changed: Any) -> Content:
        """Return the content of a session some days from now."""
        start: Millis = self.parts.clock.now() + days * 24 * HOUR
        start -= start % HOUR
        fields = {"start": start, "end": start + HOUR, "time_zone": "America/Santiago", "title": title}
        return Content(**(fields | changed))

    def work(self, rounds: int = 1) -> None:
        """Run rounds of the worker."""
        for _ in range(rounds):
            self.worker.round()

    def at_call(self, name: str, act: Callable[[], object]) -> None:
        """Do something once, at the moment at which Google has answered the next call of this name."""

        def listener(call: GoogleCall) -> None:
            if call.method.name == name:
                self.parts.google.call_log.detach(listener)
                act()

        self.parts.google.call_log.attach(listener)

    def events(self, account: str = FIRST) -> list[dict[str, Any]]:
        """Return the live events of the account's secondary calendars, as Google has them."""
        return [event for event in self.all_events(account) if event["status"] != "cancelled"]

    def all_events(self, account: str = FIRST) -> list[dict[str, Any]]:
        """Return all events of the account's secondary calendars, deleted ones too."""
        return [event for calendar in self.calendars(account) for event in calendar["events"]]

    def calendars(self, account: str = FIRST) -> list[dict[str, Any]]:
        """Return the account's calendars besides its primary one."""
        books = self.google.state()["calendars"]
        return [book for book in books if book["owner"] == account and book["id"] != account]

    def calendar_of(self, view: SessionView | None) -> str:
        """Return the id of the calendar that holds the session's event; "" without a session."""
        books = self.google.state()["calendars"] if view else []
        holding = (
            book["id"] for book in books if view and view.event_id in {one["id"] for one in book["events"]}
        )
        return next(holding, "")

    def as_person(
        self,
        method: str,
        view: SessionView | None,
        body: Any = None,
        *,
        calendar: str = "",
        account: str = FIRST,
        move_to: str = "",
    ) -> Any:
        """Do something to an event (or a whole calendar) as its owner does in Google's own pages.

        With a body and without an event it is a new one. ``move_to`` names the calendar that the event moves to.
        """
        path = f"calendars/{quote(calendar or self.calendar_of(view))}"
        if view:
            path += f"/events/{view.event_id}" + (f"/move?destination={move_to}" if move_to else "")
        elif body:
            path += "/events"
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.google.api_endpoint + path,
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {self._person(account)}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def _person(self, account: str) -> str:
        """Return an access token of the account's owner, under a client that is not the service's."""
        redirect = "http://localhost:9/person"
        query = {
            "client_id": PERSON_ID, "redirect_uri": redirect, "response_type": "code", "scope": SCOPE, "state": "p",
        }  # fmt: skip
        callback = self.google.consent(f"{self.google.auth_uri}?{urlencode(query)}", account=account)
        code = parse_qs(urlsplit(callback).query)["code"][0]
        form = {
            "client_id": PERSON_ID, "client_secret": CLIENT_SECRET, "grant_type": "authorization_code",
            "code": code, "redirect_uri": redirect,
        }  # fmt: skip
        with urllib.request.urlopen(  # noqa: S310
            self.google.token_uri, urlencode(form).encode(), timeout=5
        ) as answer:
            return str(json.loads(answer.read())["access_token"])

    def export(self) -> dict[str, Any]:
        """Return the agent's export, read to its end."""
        members = self.parts.personal_data.export.members(self.agent)
        whole = {name: list(value) if isinstance(value, Iterator) else value for name, value in members}
        return dict(json.loads(json.dumps(whole)))

    def live_tokens(self) -> list[str]:
        """Return the accounts of the refresh tokens that still work at Google."""
        return [
            token["account"]
            for token in self.google.state()["refresh_tokens"]
            if token["alive"] and token["client_id"] == CLIENT_ID
        ]

    def metrics(self) -> dict[str, float]:
        """Return the numbers of this process and of all by their series, as /metrics has them."""
        samples = (sample for family in registry(self.parts).collect() for sample in family.samples)
        return {series(sample.name, sample.labels): sample.value for sample in samples}

    def close(self) -> None:
        """Close its connections."""
        self.parts.close()

    def shard_of(self, agent: Agent | None = None) -> int:
        """Return the shard in which an agent's slot lies; of this service's own where none is named."""
        return self.parts.store.database.slot_keys(agent or self.agent).shard

    def key(self, part: str, agent: Agent | None = None) -> str:
        """Return one key of an agent's slot."""
        return self.parts.store.database.slot_keys(agent or self.agent).part(part)

    @property
    def facts(self) -> Facts:
        """Return the connection's facts."""
        return self.parts.store.slots.read(self.agent).facts

    @property
    def token_number(self) -> int:
        """Return the number of the stored token."""
        return int(json.loads(self.parts.store.slots.read(self.agent).grant)["number"])

    def calls(self, since: int = 0) -> list[str]:
        """Return the names of the service's calls at Google, the first `since` left out."""
        entries = [
            call
            for call in self.google.journal()
            if call.get("client_id") == CLIENT_ID and call.get("direction") != "out"
        ]
        return [call["api_method"] or call["path"] for call in entries][since:]

    def stored(self) -> str:
        """Return everything the database holds, as text, but the marker of a check that it can be written."""
        client = self.parts.store.database.client
        parts = []
        for key in sorted(key for key in client.scan_iter("*") if not key.endswith(":copied")):
            kind = client.type(key)
            value = {
                "string": client.get,
                "hash": client.hgetall,
                "set": client.smembers,
                "zset": lambda name: client.zrange(name, 0, -1, withscores=True),
                "stream": client.xrange,
            }[kind](key)
            parts.append(f"{key} = {value}")
        return "\n".join(parts)


def without_times(dump: str) -> str:
    """Return a dump without timestamps."""
    return re.sub(r"\d{13}", "T", dump)


def series(name: str, labels: Mapping[str, str]) -> str:
    """Return a metric's name with its labels in the order of its description."""
    shown = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{shown}}}" if labels else name
