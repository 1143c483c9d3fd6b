"""Brings one connection to a state, lets one event happen to it, and reads what came of it: for `test_states`.

Every function of `EVENTS` is an event of the connection's table in docs/states.md, under the event's heading.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.errors import ConsentRefused, ServiceError
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.store.audit_log import Actor
from calendar_service.store.slots import Slot, TimedSlot
from tests.journeys.cells import (
    access,
    connections,
    dedicated_calendar,
    disconnect,
    erasure,
    holds,
    pauses,
    reconsent,
    settings_page,
    slot_of,
    status,
    teardowns,
    webhooks,
)
from tests.support.service import TestService

CALENDAR_LIST = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
CALENDARS = {"method": "POST", "path": "/calendar/v3/calendars"}
CALENDAR = {"method": "GET", "path": "/calendar/v3/calendars/*"}
TOKEN = {"method": "POST", "path": "/token"}
REVOKE = {"method": "POST", "path": "/revoke"}
TROUBLE = {"status": 503, "reason": "backendError"}
GONE = {"status": 404, "reason": "notFound"}

OF_SESSIONS_AND_WEBHOOKS = {
    TimerKind.SESSION,
    TimerKind.PURGE_SESSIONS,
    TimerKind.WEBHOOK,
    TimerKind.WEBHOOK_EXPIRY,
}
"""Kinds of timers that are not the connection's own."""


# --- what a slot says: where it stands in it is known here alone ---


def facts_of(slot: Slot) -> dict[str, str]:
    """Return the independent facts, in the words of the document."""
    facts = slot.facts
    return {
        "grant": facts.grant.state.value,
        "agent's pause": "on" if facts.pause.by_agent else "off",
        "organization's pause": "on" if facts.pause.by_organization else "off",
        "calendar": facts.calendar.status.replace("_", " "),
        "consent": "outdated" if facts.consent.required_since else "current",
        "erasure": "due" if facts.end.erase_due else "none",
        "revocation": facts.end.revocation or "none",
        "retention": "the agent's" if facts.end.agent_retention else "the operator's",
        "hold": "on" if facts.hold.stands(slot.now) else "off",
        "teardown": "open" if slot.teardowns else "none",
    }


def connection_id(slot: Slot) -> str:
    return slot.facts.connection_id


def calendar_id(slot: Slot) -> str:
    return slot.facts.calendar.id


def token_number(slot: Slot) -> int:
    """Return the number of the token that is passed_on; 0 = none is."""
    return int(json.loads(slot.grant or '{"number": 0}')["number"])


@dataclass
class Case:
    """One connection, and everybody who can do something to it."""

    test: TestService
    newer: TestService
    """The same service under a newer version of the policy."""
    agent: Agent
    account: str
    answer: str = "ok"
    """`ok`, or the code of the refusal."""
    consent: dict[str, Any] = field(default_factory=dict)
    """A consent that was begun: its browser, cookie and callback."""

    def connect(self, account: str = "") -> None:
        self.test.connect(self.agent, account or self.account)

    def pause(self, actor: Actor = Actor.AGENT, *, paused: bool = True) -> None:
        pauses(self.test).set(self.agent, actor, paused=paused)

    def fault(self, match: dict[str, str], do: dict[str, Any], times: int = 1) -> None:
        self.test.google.fault(match, do, times=times)

    def miss_calendar(self) -> None:
        """Let the agent's page find that Google has no such calendar."""
        self.fault(CALENDAR, GONE)
        settings_page(self.test).settings(self.agent)

    def ask_consent(self) -> None:
        """Let the agent's page find that the permission does not suffice."""
        self.fault(CALENDAR, {"status": 403, "reason": "insufficientPermissions"})
        settings_page(self.test).settings(self.agent)

    def end(self, actor: Actor = Actor.AGENT) -> None:
        """End the connection, and leave Google to the worker."""
        disconnect(self.test).end(self.agent, actor)

    def probe(self) -> None:
        access(self.test).probe(self.agent)

    def hold(self) -> None:
        until = self.test.parts.clock.now() + 30 * DAY
        holds(self.test).place(self.agent, Hold("Ana Rojas", "Luis Soto", "Court", "A dispute", until))

    # --- what came of it ---

    def slot(self) -> TimedSlot:
        return slot_of(self.test, self.agent)

    def state(self, test: TestService | None = None) -> str:
        return status(test or self.test).of(self.agent).state.value

    def reading(self) -> "Reading":
        """Return how the connection stands now."""
        slot = self.slot()
        kinds = {timer.partition(":")[0] for timer in slot.due}
        own = kinds - {kind.value for kind in OF_SESSIONS_AND_WEBHOOKS}
        return Reading(self.state(), facts_of(slot), frozenset(own))

    def webhooks(self) -> list[str]:
        """Return what the backend is to be told of the connection, in its order."""
        return [name for name, session in webhooks(self.test, self.agent) if not session]


@dataclass(frozen=True)
class Reading:
    """How a connection stands at one moment, in the words of the document."""

    state: str
    facts: dict[str, str]
    timers: frozenset[str]
    """The kinds of the connection's own timers."""


# --- how a connection comes to each state ---


def not_connected(_: Case) -> None:
    """Nothing was ever connected."""


def connected(case: Case) -> None:
    case.connect()


def paused(case: Case) -> None:
    case.connect()
    case.pause()


def never_made(case: Case) -> None:
    case.fault(CALENDARS, TROUBLE)
    case.connect()


def missing(case: Case) -> None:
    case.connect()
    case.miss_calendar()


def reconsent_required(case: Case) -> None:
    case.connect()
    case.ask_consent()


def disconnected(case: Case) -> None:
    case.connect()
    case.end()


def revoked(case: Case) -> None:
    case.connect()
    _refused_refresh(case)


def erased(case: Case) -> None:
    case.connect()
    case.end()
    erasure(case.test).erase_now(case.agent, Actor.AGENT)


STATES: dict[str, Callable[[Case], None]] = {
    "not_connected": not_connected,
    "connected": connected,
    "paused": paused,
    "calendar_missing, never made": never_made,
    "calendar_missing": missing,
    "reconsent_required": reconsent_required,
    "disconnected": disconnected,
    "revoked": revoked,
    "not_connected, teardown open": erased,
}
"""Each state of the table, with how a connection comes to it."""

Act = Callable[[Case], object]


@dataclass(frozen=True)
class Event:
    """Something that can happen to a connection."""

    act: Act
    first: Act
    """What is done before; state, facts and timers are read after it."""
    states: tuple[str, ...]
    """The states in which it is looked at."""
    own_account: bool
    """It ends the permission or the calendar at Google: the connection is an own one."""


EVENTS: dict[str, Event] = {}
"""By its heading in docs/states.md."""


ENDED = ("not_connected", "disconnected", "revoked", "not_connected, teardown open")
WITH_CALENDAR = ("connected", "paused", "calendar_missing", "reconsent_required")
"""States in which a calendar stands in the account, or may."""


def event(
    heading: str,
    first: Act = not_connected,
    *,
    states: tuple[str, ...] = tuple(STATES),
    own_account: bool = False,
) -> Callable[[Act], Act]:
    """Enter a function as the event of this heading."""

    def enter(act: Act) -> Act:
        EVENTS[heading] = Event(act, first, states, own_account)
        return act

    return enter


def happen(case: Case, act: Act) -> None:
    """Let it happen, and note how it was refused."""
    try:
        act(case)
    except ConsentRefused as refusal:
        case.answer = refusal.reason
    except ServiceError as refusal:
        case.answer = refusal.code


# --- consent ---


@event("The agent consents")
def consents(case: Case) -> None:
    case.connect()


@event("The agent consents with another account")
def consents_elsewhere(case: Case) -> None:
    case.connect(f"other-{case.account}")


@event("The agent consents, and Google does not say whose account it is")
def consents_in_trouble(case: Case) -> None:
    case.fault(CALENDAR_LIST, TROUBLE, times=2)
    case.connect()


def _begin(case: Case) -> None:
    cookie, browser = case.test.browser(case.agent)
    callback = case.test.google.consent(case.test.begin(browser, cookie), account=case.account)
    case.consent |= {"cookie": cookie, "browser": browser, "callback": callback}


def _call_back(case: Case) -> None:
    case.test.call_back(case.consent["browser"], case.consent["cookie"], case.consent["callback"])


def _begin_twice(case: Case) -> None:
    _begin(case)
    cookie, browser = case.test.browser(case.agent)
    case.test.begin(browser, cookie)


@event("The agent's consent was overtaken by a later one", _begin_twice)
def superseded(case: Case) -> None:
    _call_back(case)


def _begin_and_end(case: Case) -> None:
    _begin(case)
    case.end()


@event("The agent's consent was overtaken by a disconnect", _begin_and_end, states=ENDED)
def overtaken_by_disconnect(case: Case) -> None:
    _call_back(case)


@event("Google says that the permission does not suffice")
def insufficient(case: Case) -> None:
    _insufficient(case, token_number(case.slot()))


def _insufficient(case: Case, number: int) -> None:
    connections(case.test).consent_needed(case.agent, connection_id(case.slot()), number)


@event("Google says so of an older token")
def insufficient_older(case: Case) -> None:
    _insufficient(case, token_number(case.slot()) - 1)


@event("The policy gets a newer version")
def newer_policy(case: Case) -> None:
    reconsent(case.newer).tell()


# --- pause ---


@event("The agent pauses")
def agent_pauses(case: Case) -> None:
    case.pause()


@event("The agent resumes")
def agent_resumes(case: Case) -> None:
    case.pause(paused=False)


@event("The organization pauses")
def organization_pauses(case: Case) -> None:
    case.pause(Actor.ADMINISTRATOR)


@event("The organization resumes")
def organization_resumes(case: Case) -> None:
    case.pause(Actor.ADMINISTRATOR, paused=False)


# --- calendar ---


@event("The calendar is found missing")
def calendar_missing(case: Case) -> None:
    case.miss_calendar()
    case.test.google.clear_faults()


@event("The calendar is made or found again")
def calendar_made(case: Case) -> None:
    dedicated_calendar(case.test).ensure(case.agent, create=True)


@event("The calendar is replaced", states=WITH_CALENDAR, own_account=True)
def calendar_replaced(case: Case) -> None:
    case.test.as_person("DELETE", None, calendar=calendar_id(case.slot()), account=case.account)
    dedicated_calendar(case.test).ensure(case.agent, create=True)


# --- proof ---


@event("The probe succeeds")
def probe_succeeds(case: Case) -> None:
    case.probe()


@event("The probe is not answered")
def probe_unanswered(case: Case) -> None:
    case.fault(TOKEN, TROUBLE)
    case.probe()


def _refused_refresh(case: Case) -> None:
    case.fault(TOKEN, {"invalid_grant": True})
    happen(case, Case.probe)
    case.test.google.clear_faults()


@event("Google proves that the permission is gone")
def permission_gone(case: Case) -> None:
    case.fault(TOKEN, {"invalid_grant": True})
    case.probe()


@event("Google proves so of an older token")
def older_token_gone(case: Case) -> None:
    slot = case.slot()
    connections(case.test).mark_revoked(case.agent, connection_id(slot), token_number(slot) - 1, 7 * DAY)


# --- the end ---

TORN_DOWN = ("disconnected", "revoked", "not_connected, teardown open")


@event("The agent disconnects")
def agent_disconnects(case: Case) -> None:
    case.end()


@event("The organization disconnects or is off-boarded")
def organization_disconnects(case: Case) -> None:
    case.end(Actor.ADMINISTRATOR)


@event("The teardown gets Google's confirmation", states=TORN_DOWN, own_account=True)
def teardown_confirmed(case: Case) -> None:
    teardowns(case.test).run(case.agent)


@event("The teardown finds another connection on the account", states=TORN_DOWN, own_account=True)
def teardown_shared(case: Case) -> None:
    case.test.connect(Agent("acme", "shares-the-account"), case.account)
    teardowns(case.test).run(case.agent)


@event("The teardown is not answered", states=TORN_DOWN, own_account=True)
def teardown_unanswered(case: Case) -> None:
    case.fault(REVOKE, TROUBLE)
    teardowns(case.test).run(case.agent)
    case.test.google.clear_faults()


@event("Seven days of teardown have passed", states=TORN_DOWN, own_account=True)
def teardown_given_up(case: Case) -> None:
    case.test.clock.advance(7 * DAY / SECOND + 1)
    teardowns(case.test).run(case.agent)


@event("The agent chooses a shorter retention period")
def retention_chosen(case: Case) -> None:
    if connections(case.test).choose_retention(case.agent, DAY) != "ok":
        case.answer = "not_connected"


@event("The erasure is asked for")
def erase_now(case: Case) -> None:
    erasure(case.test).erase_now(case.agent, Actor.AGENT)


@event("The worker looks before the erasure is due")
def erase_early(case: Case) -> None:
    erasure(case.test).erase_due(case.agent)


@event("The erasure is due")
def erase_due(case: Case) -> None:
    case.test.clock.advance((7 * DAY + HOUR) / SECOND)
    erasure(case.test).erase_due(case.agent)


# --- legal hold ---


@event("A legal hold is placed")
def hold_placed(case: Case) -> None:
    case.hold()


def _hold(case: Case) -> None:
    happen(case, Case.hold)
    case.answer = "ok"


@event("The erasure is asked for under a hold", _hold)
def erase_held(case: Case) -> None:
    erasure(case.test).erase_now(case.agent, Actor.ADMINISTRATOR)


@event("The erasure is due under a hold", _hold)
def erase_due_held(case: Case) -> None:
    case.test.clock.advance((7 * DAY + HOUR) / SECOND)
    erasure(case.test).erase_due(case.agent)


@event("The hold is released", _hold)
def hold_released(case: Case) -> None:
    holds(case.test).release(case.agent)


@event("The hold is released after the erasure's day", _hold)
def hold_released_late(case: Case) -> None:
    case.test.clock.advance(9 * DAY / SECOND)
    holds(case.test).release(case.agent)
    erasure(case.test).erase_due(case.agent)


@event("The hold is over", _hold)
def hold_over(case: Case) -> None:
    case.test.clock.advance(30 * DAY / SECOND + 1)
    erasure(case.test).erase_due(case.agent)  # both timers are due; the worker takes this one first
    holds(case.test).end(case.agent)
