"""A session that waits for a person's act: 30 days from the wait's beginning, whoever looks at it meanwhile."""

from collections.abc import Callable

import pytest

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.session import By, Status
from calendar_service.journeys.views import SessionView
from calendar_service.journeys.wishes import next_revision
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from tests.household import Household

DAYS = DAY // SECOND


def pause(house: Household, actor: Actor = Actor.AGENT, *, paused: bool = True) -> None:
    house.service.organizations.pause(house.agent, actor, paused=paused)


def organization_pauses(house: Household) -> None:
    pause(house, Actor.ADMINISTRATOR)


def calendar_is_deleted(house: Household) -> None:
    view = house.service.schedule.put(house.agent, "s0", house.content(days=100), By.AGENT, None)
    house.as_person("DELETE", None, calendar=view.calendar_id)
    put(house, "notices")


def policy_is_renewed(house: Household) -> None:
    house.service.database.policy = "2"


def put(house: Household, session: str = "s1", title: str = "Waits", days: int = 90) -> SessionView:
    content = house.content(title, days=days)
    return house.service.schedule.put(house.agent, session, content, By.AGENT, None)


def seen(house: Household, session: str = "s1") -> tuple[Status, str]:
    view = house.service.schedule.get(house.agent, session, read_google=False)
    return view.status, view.reason


def kept(house: Household, session: str = "s1") -> bool:
    """Tell whether its content lies sealed in the database."""
    return bool(house.service.database.client.hexists(house.key("waiting"), session))


def live(house: Household, days: int) -> None:
    """Let days pass, and a worker look in."""
    house.clock.advance(days * DAYS)
    house.work()


def look_at(house: Household, session: str = "s1") -> None:
    """Let the session be looked at now, whatever it waits for."""
    due = house.key("due")
    house.service.database.client.zadd(due, {f"session:{session}": 1})
    house.service.schedule.resume(house.agent, session)


WAITS: dict[str, Callable[[Household], None]] = {
    "paused": pause,
    "calendar_missing": calendar_is_deleted,
    "reconsent_required": policy_is_renewed,
}


@pytest.mark.parametrize("state", [*WAITS, "organization"])
def test_it_ends_after_thirty_days_in_all_and_its_content_with_it(house: Household, state: str) -> None:
    house.connect()
    WAITS.get(state, organization_pauses)(house)
    assert put(house).status is Status.WAITING
    since = house.service.clock.now()
    for _ in range(2):
        live(house, 14)
        look_at(house)  # a look does not begin the wait anew
    live(house, 1)
    assert seen(house) == (Status.WAITING, "paused" if state == "organization" else state)
    assert kept(house)
    house.clock.advance((since + keys.WAITING_MAX - house.service.clock.now()) / SECOND - 60)
    house.work()
    assert kept(house)
    house.clock.advance(61)
    house.work()
    assert seen(house) == (Status.FAILED, "waited_too_long")
    assert not kept(house)
    assert not any(event["summary"] == "Waits" for event in house.events())


def test_two_waits_on_end_are_one(house: Household) -> None:
    house.connect()
    pause(house)
    pause(house, Actor.ADMINISTRATOR)
    put(house)
    live(house, 20)
    pause(house, paused=False)
    live(house, 9)
    assert seen(house) == (Status.WAITING, "paused")
    live(house, 2)
    assert seen(house) == (Status.FAILED, "waited_too_long")


def test_a_newer_wish_begins_a_wait_of_its_own(house: Household) -> None:
    house.connect()
    pause(house)
    put(house)
    live(house, 20)
    assert put(house, title="Newer").outcome == "accepted"
    live(house, 29)
    assert seen(house) == (Status.WAITING, "paused")
    live(house, 2)
    assert seen(house) == (Status.FAILED, "waited_too_long")


def test_a_repeated_wish_does_not(house: Household) -> None:
    house.connect()
    pause(house)
    wish = house.content("Waits", days=90)
    for version in (1, 2):
        house.service.schedule.put(house.agent, "s1", wish, By.SYSTEM, version)
        live(house, 16)
    assert seen(house) == (Status.FAILED, "waited_too_long")


def test_what_waited_too_long_is_made_whole_by_the_next_wish(house: Household) -> None:
    house.connect()
    pause(house)
    put(house)
    live(house, 31)
    pause(house, paused=False)
    house.work()
    assert house.events() == []
    assert put(house).outcome == "changed"
    assert [event["summary"] for event in house.events()] == ["Waits"]


def test_a_cancel_that_waits_is_carried_out_when_the_pause_ends(house: Household) -> None:
    house.connect()
    put(house)
    pause(house)
    house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert seen(house) == (Status.WAITING, "paused")
    pause(house, paused=False)
    house.work()
    assert seen(house) == (Status.CANCELLED, "")
    assert house.events() == []


def test_an_act_in_the_midst_of_a_look_is_not_missed(house: Household) -> None:
    house.connect()
    pause(house)
    put(house)
    sessions = house.service.schedule.sessions
    live(house, 1)
    house.service.database.client.zadd(house.key("due"), {"session:s1": 1})
    taken = sessions.take(house.agent, "s1")
    assert taken
    pause(house, paused=False)
    sessions.settle(
        house.agent, house.facts.connection_id, taken[0],
        again=keys.WAITING_MAX, latest=None, destroy_content=False,
    )  # fmt: skip
    house.clock.advance(2)
    house.work()
    assert [event["summary"] for event in house.events()] == ["Waits"]


def test_an_act_in_the_midst_of_an_acceptance_is_not_missed(house: Household) -> None:
    house.connect()
    pause(house)
    wish, sessions = house.content("Waits"), house.service.schedule.sessions
    loaded = sessions.load(house.agent, "s1")
    grant = house.service.schedule.grants.open(house.agent, loaded.facts.connection_id, loaded.grant)
    record = next_revision(loaded, grant, "s1", grant.digest("s1", wish), wish, None, State.PAUSED)
    pause(house, paused=False)
    sealed = grant.seal_content("s1", wish)
    answer, _ = sessions.accept(loaded, record, sealed, Actor.BACKEND, here=True, end=wish.end)
    assert answer == "waiting"
    house.clock.advance(2)
    house.work()
    assert [event["summary"] for event in house.events()] == ["Waits"]


@pytest.mark.parametrize("seconds", [0, 31])
def test_a_holder_that_died_before_the_pause_keeps_nobody_asleep_behind_it(
    house: Household, seconds: int
) -> None:
    house.connect()
    house.work(2)
    wish, sessions = house.content("Waits", days=1), house.service.schedule.sessions
    loaded = sessions.load(house.agent, "s1")
    grant = house.service.schedule.grants.open(house.agent, loaded.facts.connection_id, loaded.grant)
    record = next_revision(loaded, grant, "s1", grant.digest("s1", wish), wish, None, State.CONNECTED)
    sealed = grant.seal_content("s1", wish)
    assert sessions.accept(loaded, record, sealed, Actor.BACKEND, here=True, end=wish.end)[0] == "leased"
    house.clock.advance(seconds)  # within its lease, or behind it
    pause(house)
    assert put(house, title="Newer", days=1).status is Status.WAITING
    pause(house, paused=False)
    house.clock.advance(31)
    house.work()
    assert [event["summary"] for event in house.events()] == ["Newer"]


def test_a_consent_that_was_outgrown_unnoticed_is_noted_once_and_looked_at_no_more(house: Household) -> None:
    house.connect()
    house.work(2)
    policy_is_renewed(house)
    worker = house.worker
    worker.renewal_owed = False  # everybody else was told before
    assert put(house).status is Status.WAITING
    for _ in range(3):
        house.clock.advance(2)
        worker.round()
    assert house.facts.consent_needed
    due = house.service.slots.read(house.agent).due["session:s1"]
    assert due > house.service.clock.now() + 29 * DAY


def test_google_that_misses_a_calendar_which_was_replaced_meanwhile_says_nothing_of_the_new_one(
    house: Household,
) -> None:
    house.connect()
    former = house.facts
    house.as_person("DELETE", None, calendar=former.calendar_id)
    house.service.connections.calendar_missing(house.agent, former)
    house.service.connect.make_calendar(house.agent, create=True)
    put(house)
    house.service.connections.calendar_missing(house.agent, former)  # who asked before hears of it only now
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert seen(house) == (Status.SCHEDULED, "")


def test_a_permission_that_did_not_suffice_says_nothing_of_the_one_given_since(house: Household) -> None:
    house.connect()
    former = house.token_number
    house.service.connections.consent_needed(house.agent, house.facts.connection_id, former)
    assert house.service.overview.connection(house.agent).state is State.RECONSENT_REQUIRED
    house.connect()
    house.service.connections.consent_needed(house.agent, house.facts.connection_id, former)
    assert house.service.overview.connection(house.agent).state is State.CONNECTED


def test_a_permission_that_does_not_suffice_after_a_refresh_asks_for_consent_too(house: Household) -> None:
    house.connect()
    events = {"method": "POST", "path": "*/events"}
    house.google.fault(events, {"status": 401, "reason": "authError"}, times=1)
    house.google.fault(events, {"status": 403, "reason": "insufficientPermissions"}, times=1)
    assert put(house).status is Status.WAITING
    assert house.service.overview.connection(house.agent).state is State.RECONSENT_REQUIRED


def test_trouble_at_google_after_a_wait_is_no_wait_and_is_tried_until_the_end(house: Household) -> None:
    house.connect()
    pause(house)
    put(house)
    live(house, 20)
    house.google.fault("/calendar/v3/*", {"status": 403, "reason": "quotaExceeded"})
    pause(house, paused=False)
    house.work()
    assert seen(house) == (Status.PENDING, "quota_exceeded")
    live(house, 25)
    assert seen(house) == (Status.PENDING, "quota_exceeded")
    house.google.clear_faults()
    live(house, 2)
    assert seen(house) == (Status.SCHEDULED, "")


@pytest.mark.parametrize("ahead", [31, -31])
def test_a_worker_whose_clock_is_wrong_ends_no_wait_and_hurries_none(house: Household, ahead: int) -> None:
    house.connect()
    pause(house)
    put(house, days=20)
    wrong = Household.of(
        house.variables["CALENDAR_REDIS_URL"],
        house.google,
        house.clock,
        **house.variables | {"CALENDAR_TEST_SKEW": str(ahead * DAYS)},
    )
    look_at(wrong)
    assert seen(house) == (Status.WAITING, "paused")
    assert wrong.service.overview.connection(house.agent).state is State.PAUSED
    assert kept(house)
    scored = house.service.database.client.zscore(house.key("due"), "session:s1")
    assert 19 * DAY < scored - house.service.clock.now() < 21 * DAY
    wrong.close()


def test_trouble_is_tried_again_as_soon_by_a_worker_whose_clock_is_wrong(house: Household) -> None:
    house.connect()
    wrong = Household.of(
        house.variables["CALENDAR_REDIS_URL"],
        house.google,
        house.clock,
        **house.variables | {"CALENDAR_TEST_SKEW": str(31 * DAYS)},
    )
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(house)
    house.clock.advance(60)
    look_at(wrong)
    scored = house.service.database.client.zscore(house.key("due"), "session:s1")
    assert 0 < scored - house.service.clock.now() < HOUR
    wrong.close()
