"""Which of Google's narrower scopes would do (SC-6), found out by running: `make scopes` writes docs/scopes.md.

The local Google names the full scope in its token answer and enforces a narrower one. Each method is called, and each
feature of the agent's is lived through, under each of them; all is prepared under the full scope.
"""

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.domain.clock import HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.errors import InsufficientScope, ServiceError
from calendar_service.domain.methods import METHODS
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import By, Status
from calendar_service.google.calendar import stamp
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENTS, TestService

PREFIX: Final = "https://www.googleapis.com/auth/"
FULL: Final = "calendar"
SCOPES: Final = (
    FULL,
    "calendar.app.created",
    "calendar.app.created + calendar.calendarlist.readonly",
    "calendar.calendars + calendar.events.owned + calendar.calendarlist.readonly",
    "calendar.calendars",
    "calendar.events",
    "calendar.events.owned",
    "calendar.calendarlist",
    "calendar.calendarlist.readonly",
)
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "scopes.md"
BEGIN, END = "<!-- made by `make scopes` -->", "<!-- to here -->"


@contextmanager
def narrow(service: TestService, scope: str) -> Iterator[None]:
    """Let the local Google enforce this scope for every token it issues in the block, whatever scope it names."""
    enforced = " ".join(PREFIX + name for name in scope.split(" + "))
    service.google.switch(enforced_scope=None if scope == FULL else enforced)
    service.clock.advance(3600)  # access tokens that were given before are over
    yield
    service.google.switch(enforced_scope=None)


@dataclass(frozen=True)
class Someone:
    """One agent with an account of its own, connected under the full scope, with one session in its calendar."""

    service: TestService
    name: str

    @property
    def agent(self) -> Agent:
        return Agent("acme", self.name)

    @property
    def account(self) -> str:
        return f"{self.name}@example.com"

    def connect(self) -> bool:
        ready = self.service.connect(self.agent, self.account).calendar_ready
        state = self.service.parts.connection.status.of(self.agent).state
        return ready and state is State.CONNECTED

    def put(self, session: str, **content: Any) -> bool:
        wanted = self.service.content(**content)
        view = self.service.parts.sessions.schedule.put(self.agent, session, wanted, By.AGENT, None)
        return view.status is Status.SCHEDULED

    def live(self) -> int:
        return len(self.service.events(self.account))

    def erased(self) -> None:
        self.service.parts.connection.disconnect.disconnect(self.agent, Actor.AGENT)
        self.service.parts.connection.erasure.erase_now(self.agent, Actor.AGENT)


# --- what the agent sees ---


def _connects(one: Someone) -> bool:
    newcomer = Someone(one.service, f"{one.name}-new")
    return newcomer.connect() and len(one.service.calendars(newcomer.account)) == 1


def _connects_again(one: Someone) -> bool:
    return one.connect() and len(one.service.calendars(one.account)) == 1


def _sees_the_account(one: Someone) -> bool:
    return one.service.parts.connection.settings_page.settings(one.agent).account.address != ""


def _schedules(one: Someone) -> bool:
    return one.put("new") and one.live() == 2


def _reschedules(one: Someone) -> bool:
    return one.put("s1", days=5)


def _cancels(one: Someone) -> bool:
    one.service.parts.sessions.schedule.cancel(one.agent, "s1", By.AGENT, None)
    return one.live() == 0


def _asks_for_the_time(one: Someone) -> bool:
    return one.service.parts.sessions.reader.get(one.agent, "s1", read_google=True).start > 0


def _compares(one: Someone) -> bool:
    now = one.service.parts.clock.now()
    wanted = {"s1": DesiredSession(one.service.content(), None)}
    plan = one.service.parts.sessions.reconcile.reconcile(
        one.agent, now, now + 200 * HOUR, wanted, apply=False
    )
    return not plan.unknown_events


def _has_the_calendar_deleted(one: Someone) -> bool:
    one.service.parts.connection.disconnect.disconnect(one.agent, Actor.AGENT, delete_calendar=True)
    return one.service.calendars(one.account) == []


def _disconnects(one: Someone) -> bool:
    one.service.parts.connection.disconnect.disconnect(one.agent, Actor.AGENT)
    return one.account not in one.service.live_tokens()


AGAIN: Final = "Connect again after everything was erased, and have the same calendar"
FEATURES: Final[Mapping[str, Callable[[Someone], bool]]] = {
    "Connect, and have a calendar for the sessions": _connects,
    AGAIN: _connects_again,
    "See in whose account the calendar is": _sees_the_account,
    "Schedule a session": _schedules,
    "Reschedule it": _reschedules,
    "Cancel it": _cancels,
    "See in the console at what time it is in Google": _asks_for_the_time,
    "Have the console's list compared with the calendar": _compares,
    "Disconnect and have the calendar deleted": _has_the_calendar_deleted,
    "Disconnect": _disconnects,
}


def features(service: TestService, scope: str, number: int) -> dict[str, bool]:
    """Return which features work for agents who connected under the full scope, from now on under this one."""
    people = {}
    for place, feature in enumerate(FEATURES):
        people[feature] = one = Someone(service, f"agent-{number}-{place}")
        one.connect()
        one.put("s1")
        if feature == AGAIN:
            one.erased()
    with narrow(service, scope):
        return {feature: _works(FEATURES[feature], one) for feature, one in people.items()}


def _works(feature: Callable[[Someone], bool], one: Someone) -> bool:
    try:
        return feature(one)
    except ServiceError:
        return False


# --- the methods ---


def methods(service: TestService, scope: str, number: int) -> dict[str, bool]:
    """Return which methods Google carries out under this scope."""
    one = Someone(service, f"methods-{number}")
    one.connect()
    one.put("s1")
    one.put("s2")
    (book,) = service.calendars(one.account)
    first, second = [event["id"] for event in book["events"]]
    refresh = next(
        t["token"] for t in service.google.state()["refresh_tokens"] if t["account"] == one.account
    )
    calendar, oauth = service.parts.google.calendar, service.parts.google.oauth
    token = oauth.refresh(Secret(refresh)).access_token
    channel = {"channel_token": Secret("t"), "address": "https://localhost:9/google/notifications"}
    stands = calendar.watch(token, book["id"], channel_id=f"stands-{number}", **channel)
    start = datetime.now(UTC) + timedelta(days=30)
    event = {
        "id": "another1",
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        **stamp("m", 1, "nonce", "hash"),
    }
    with narrow(service, scope):
        token = oauth.refresh(Secret(refresh)).access_token
        calls: dict[str, Callable[[], object]] = {
            "calendarList.list": lambda: calendar.find_ours(token, "marker"),
            "calendars.insert": lambda: calendar.create(token, summary="s", description="d", time_zone="UTC"),
            "calendars.get": lambda: calendar.get_calendar(token, book["id"]),
            "events.insert": lambda: calendar.insert(token, book["id"], event),
            "events.get": lambda: calendar.get(token, book["id"], first),
            "events.patch": lambda: calendar.patch(
                token, book["id"], first, stamp("m", 2, "nonce", "hash"), etag=None
            ),
            "events.delete": lambda: calendar.delete(token, book["id"], second, etag=None),
            "events.list": lambda: calendar.list_by_marker(token, book["id"], "m"),
            "events.watch": lambda: calendar.watch(token, book["id"], channel_id=f"new-{number}", **channel),
            "channels.stop": lambda: calendar.stop_channel(token, stands.id, stands.resource_id),
            "calendars.delete": lambda: calendar.delete_calendar(token, book["id"]),
        }
        return {name: _is_allowed(call) for name, call in calls.items()}


def _is_allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except InsufficientScope:
        return False
    return True


# --- the document ---


Found = dict[str, dict[str, bool]]


def run(service: TestService, say: Callable[[str], object] = len) -> tuple[Found, Found]:
    """Return by scope what works: the methods, and the features."""
    by_method: Found = {}
    by_feature: Found = {}
    for number, scope in enumerate(SCOPES):
        say(f"{number + 1} of {len(SCOPES)}: {scope}")
        by_method[scope] = methods(service, scope, number)
        by_feature[scope] = features(service, scope, number)
    return by_method, by_feature


def tables(by_method: Found, by_feature: Found) -> str:
    """Return the tables of the document."""
    outbox = {scope: "ABCDEFGHI"[number] for number, scope in enumerate(SCOPES)}
    return "\n".join(
        [
            "| | enforced by Google |\n|---|---|",
            *(f"| {outbox[scope]} | `{scope.replace(' + ', '` + `')}` |" for scope in SCOPES),
            "",
            "| the agent can | " + " | ".join(outbox.values()) + " |",
            "|---|" + "---|" * len(outbox),
            *(_row(feature, by_feature, feature) for feature in FEATURES),
            "",
            "| method | feature the agent sees | " + " | ".join(outbox.values()) + " |",
            "|---|---|" + "---|" * len(outbox),
            *(
                _row(name, by_method, f"`{name}` | {METHODS[f'calendar.{name}'].feature}")
                for name in by_method[FULL]
            ),
        ]
    )


def _row(name: str, outcomes: Found, label: str) -> str:
    return (
        f"| {label} | " + " | ".join("yes" if outcomes[scope][name] else "**no**" for scope in SCOPES) + " |"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as valkey:
        clock = MovableClock(Path(folder) / "clock")
        clock.path.write_text("0", "ascii")
        with LocalGoogle.start(CLIENTS, clock_file=clock.path) as google, redirect_stderr(io.StringIO()):
            outcomes = run(TestService.of(valkey.url, google, clock), lambda line: print(line, flush=True))
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    text = f"Made by running, {datetime.now(UTC):%Y-%m-%d}.\n\n{tables(*outcomes)}"
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", "utf-8")
    print(f"docs/{DOCUMENT.name} is written.")


if __name__ == "__main__":
    main()
