"""One worker for everybody: what is spoilt of one agent keeps nobody else waiting."""

import json
from dataclasses import replace
from time import monotonic

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import (
    AccessForbidden,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    QuotaExceeded,
    RateLimited,
    RefreshRefused,
    RequestRefused,
)
from calendar_service.domain.session import By, Status
from calendar_service.journeys.pauses import pause
from calendar_service.store.journal import Actor
from tests.household import SECOND as OTHER_ACCOUNT
from tests.household import Household
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_flow import alarms


@pytest.mark.parametrize("spoilt", ["acme/agent-1", "acme/neighbour"])
def test_a_record_that_cannot_be_read_leaves_the_others_alone(
    house: Household, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    house.connect()
    house.connect(NEIGHBOUR, OTHER_ACCOUNT)
    agents = {agent.member: agent for agent in (house.agent, NEIGHBOUR)}
    for agent in agents.values():
        house.service.disconnect.end(agent, Actor.ADMINISTRATOR)
    house.service.database.client.hset(house.key("facts", agents[spoilt]), "proof_at", "spoilt")
    house.work(2)
    assert len(house.live_tokens()) == 1
    assert "worker.surprise" in capsys.readouterr().err


def test_a_worker_whose_clock_is_wrong_drops_no_session(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "applied", house.content(days=10), By.AGENT, None)
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", house.content(days=10), By.AGENT, None)
    house.clock.advance((DAY + MINUTE) / SECOND)
    ahead = Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock,
        **house.variables | {"CALENDAR_TEST_SKEW": str(60 * DAY // SECOND)},
    )  # fmt: skip
    ahead.work(2)
    ahead.close()
    sessions = house.service.register.sessions
    assert {record.session for record in sessions.all(house.agent)} == {"applied", "waits"}
    assert sessions.waiting(house.agent).keys() == {"waits"}
    assert set(alarms(capsys)) == {"erasure.clocks_differ"}
    due = house.service.slots.read(house.agent).due
    assert due["purge_sessions"] <= house.service.clock.now() + 11 * MINUTE


def test_what_a_clock_that_was_ahead_put_far_off_is_looked_at_once_it_is_right(house: Household) -> None:
    house.connect()
    house.clock.advance(31 * DAY / SECOND)
    house.work(3)
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=1)
    wish = house.content(days=60)
    assert house.service.schedule.put(house.agent, "s1", wish, By.AGENT, None).status is Status.PENDING
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", wish, By.AGENT, None)
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=False)
    house.clock.advance(-31 * DAY / SECOND)
    slot = house.service.slots.read(house.agent)
    assert slot.due["probe"] > slot.now + 30 * DAY
    assert house.service.register.realign() >= 4
    house.work(3)
    slot = house.service.slots.read(house.agent)
    assert max(slot.due.values()) < slot.now + 2 * DAY
    assert len(house.events()) == 2
    assert house.service.register.realign() == 0


def test_realigning_leaves_told_ends_alone(house: Household) -> None:
    house.connect()
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", house.content(days=20), By.AGENT, None)
    house.connect(NEIGHBOUR, OTHER_ACCOUNT)
    house.service.disconnect.end(NEIGHBOUR, Actor.AGENT)
    before = [house.service.slots.read(agent).due for agent in (house.agent, NEIGHBOUR)]
    assert house.service.register.realign() == 0
    assert [house.service.slots.read(agent).due for agent in (house.agent, NEIGHBOUR)] == before


def test_an_errand_waits_for_google_no_longer_than_it_is_this_workers(house: Household) -> None:
    house.connect()
    house.service.disconnect.end(house.agent, Actor.ADMINISTRATOR)
    hurried = house.limited(worker_seconds=0.3)
    house.google.fault("/revoke", {"hang": True})
    began = monotonic()
    hurried.work()
    assert monotonic() - began < 4  # a call by itself may last twice as long
    assert house.facts.revocation == "pending"
    house.google.clear_faults()
    house.clock.advance(60)
    house.work()
    assert house.facts.revocation == "confirmed"
    hurried.close()


def test_after_seven_days_the_token_is_destroyed_however_rarely_it_was_tried(house: Household) -> None:
    house.connect()
    house.service.disconnect.end(house.agent, Actor.ADMINISTRATOR)
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    connections = house.service.connections
    (errand,) = house.service.slots.read(house.agent).errands
    connections.errand_step(house.agent, replace(errand, tries=30), 0)  # as after days of trouble
    house.clock.advance((7 * DAY - 10 * MINUTE) / SECOND)
    house.work()
    assert house.facts.revocation == "pending"
    house.clock.advance(11 * 60)
    house.work()
    assert house.service.slots.read(house.agent).errands == ()
    assert errand.grant not in house.stored()


def test_after_an_hour_the_permission_ends_whatever_the_pause_and_whatever_became_of_the_calendar(
    house: Household,
) -> None:
    house.connect()
    deletion = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}
    house.google.fault(deletion, {"status": 503, "reason": "backendError"})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    (errand,) = house.service.slots.read(house.agent).errands
    house.service.connections.errand_step(house.agent, replace(errand, tries=30), 0)
    house.work()
    house.clock.advance((HOUR + 2 * SECOND) / SECOND)
    house.work()
    assert house.live_tokens() == []
    assert house.facts.calendar_fate == "refused"


# --- what does not open ---


def put(house: Household, session: str, days: int = 3) -> None:
    house.service.schedule.put(house.agent, session, house.content(session, days=days), By.AGENT, None)


def seen(house: Household, session: str) -> tuple[Status, str]:
    view = house.service.schedule.get(house.agent, session, read_google=False)
    return view.status, view.reason


@pytest.fixture
def spoilt(house: Household) -> Household:
    """Two sessions that wait for Google; what is kept of the first does not open."""
    house.connect()
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(house, "spoilt")
    put(house, "good")
    house.service.database.client.hset(house.key("waiting"), "spoilt", "cs1.data.garbage")
    return house


def test_content_that_does_not_open_keeps_no_other_session_waiting(
    spoilt: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt.clock.advance(60)
    spoilt.work(2)
    assert [event["summary"] for event in spoilt.events()] == ["good"]
    assert seen(spoilt, "spoilt")[0] is Status.PENDING
    assert "worker.record_trouble" in capsys.readouterr().err


def test_content_that_does_not_open_is_told_as_failed_when_its_day_is_over(spoilt: Household) -> None:
    spoilt.clock.advance(3 * DAY / SECOND)
    spoilt.work()
    assert seen(spoilt, "spoilt")[0] is Status.PENDING  # the keys may come back
    spoilt.clock.advance(DAY / SECOND)
    spoilt.work()
    assert seen(spoilt, "spoilt") == (Status.FAILED, "session_over")
    assert "garbage" not in spoilt.stored()


def test_content_that_does_not_open_waits_for_a_person_no_longer_than_any_other(house: Household) -> None:
    house.connect()
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    put(house, "spoilt", days=90)
    house.service.database.client.hset(house.key("waiting"), "spoilt", "cs1.data.garbage")
    house.clock.advance(30 * DAY / SECOND)
    house.work()
    assert seen(house, "spoilt") == (Status.FAILED, "waited_too_long")


def test_what_a_newer_version_keeps_of_one_session_keeps_no_other_waiting(house: Household) -> None:
    house.connect()
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(house, "newer")
    put(house, "good")
    client, key = house.service.database.client, house.key("sessions")
    newer = json.dumps(json.loads(client.hget(key, "newer") or "") | {"shade": "blue"})
    client.hset(key, "newer", newer)
    house.clock.advance(60)
    house.work(2)
    assert [event["summary"] for event in house.events()] == ["good"]
    assert client.hget(key, "newer") == newer


# --- pauses by class of trouble ---


def calls_in(house: Household, hours: int) -> int:
    """Return how often Google was asked in so many hours, a worker looking in every ten minutes."""
    before = len(house.calls())
    for _ in range(hours * 6):
        house.clock.advance(600)
        house.work()
    return len(house.calls()) - before


def test_a_calendar_that_the_quota_refuses_is_tried_again_after_hours(house: Household) -> None:
    house.google.switch(calendar_quota=0)
    assert not house.connect().calendar_ready
    house.clock.advance(61)
    house.work()
    asked = calls_in(house, 1)
    assert asked == 0
    house.google.switch(calendar_quota=None)
    calls_in(house, 4)
    assert len(house.calendars()) == 1


def test_who_connects_while_the_calendar_is_refused_to_the_worker_waits_no_hours_for_it(
    house: Household,
) -> None:
    house.google.switch(calendar_quota=0)
    house.connect()
    house.clock.advance(61)
    person = house.replica()

    def connect_again() -> None:
        assert not person.connect().calendar_ready  # the worker is making it
        house.google.switch(calendar_quota=None)

    house.at_call("calendar.calendars.insert", connect_again)
    house.work()
    person.close()
    assert house.calendars() == []
    house.clock.advance(61)
    house.work()
    assert len(house.calendars()) == 1


@pytest.mark.parametrize("reason", ["forbidden", "invalid"])
def test_a_calendar_that_is_refused_is_tried_again_after_hours(house: Household, reason: str) -> None:
    status = {"forbidden": 403, "invalid": 400}[reason]
    house.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars"}, {"status": status, "reason": reason}
    )
    house.connect()
    house.clock.advance(61)
    house.work()
    assert calls_in(house, 1) == 0


def test_an_administrators_block_is_proved_after_hours(house: Household) -> None:
    house.connect()
    house.google.switch(admin_block=True)
    house.clock.advance(DAY / SECOND)
    house.work()
    assert house.calls()[-1] == "oauth2.token"
    assert calls_in(house, 1) == 0
    house.google.switch(admin_block=False)
    calls_in(house, 4)
    assert house.facts.proof_at > house.service.clock.now() - 5 * HOUR


def test_passing_trouble_is_looked_at_again_within_a_minute(house: Household) -> None:
    house.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars"},
        {"status": 503, "reason": "backendError"},
        times=2,
    )
    house.connect()
    for _ in range(2):
        house.clock.advance(61)
        house.work()
    assert len(house.calendars()) == 1


@pytest.mark.parametrize(
    ("trouble", "first", "longest"),
    [
        (QuotaExceeded("q"), HOUR, 8 * HOUR),
        (AdminBlocked("a"), HOUR, 8 * HOUR),
        (RequestRefused("r"), HOUR, 8 * HOUR),
        (AccessForbidden("f"), HOUR, 8 * HOUR),
        (RefreshRefused("r"), MINUTE, 8 * MINUTE),
        (ClientRejected("c"), MINUTE, 8 * MINUTE),
        (GoogleUnavailable("u", ambiguous=True), SECOND, 5 * MINUTE),
        (RateLimited("l"), SECOND, 5 * MINUTE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_pause_grows_from_the_first_to_the_longest_of_its_class(
    trouble: GoogleError, first: int, longest: int
) -> None:
    assert first // 2 <= pause(trouble, 0) <= first
    assert longest // 2 <= pause(trouble, 60) <= longest
