"""One worker for all agents: a spoilt record of one agent delays nobody else."""

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
    UnknownRefusal,
)
from calendar_service.domain.session import By, Status
from calendar_service.journeys.throttle.backoff import pause
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.worker.maintenance import DailyCheckpoint, Repairs
from calendar_service.worker.periodic import Periodic
from calendar_service.worker.reports import DatabaseTrouble
from calendar_service.worker.session_queue import MOST_OF_AGENT, SessionQueue
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_throttle import OTHER as STRANGER
from tests.journeys.test_throttle import alarms
from tests.support.service import SECOND as OTHER_ACCOUNT
from tests.support.service import TestService


@pytest.mark.parametrize("spoilt", ["acme/agent-1", "acme/neighbour"])
def test_a_record_that_cannot_be_read_leaves_the_others_alone(
    service: TestService, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    service.connect()
    service.connect(NEIGHBOUR, OTHER_ACCOUNT)
    agents = {agent.member: agent for agent in (service.agent, NEIGHBOUR)}
    for agent in agents.values():
        service.parts.connection.disconnect.end(agent, Actor.ADMINISTRATOR)
    service.parts.store.database.client.hset(
        service.key("facts", agents[spoilt]), "grant_last_refresh_ok_at", "spoilt"
    )
    service.work(2)
    assert len(service.live_tokens()) == 1
    assert "worker.surprise" in capsys.readouterr().err


def test_a_worker_whose_clock_is_wrong_drops_no_session(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "applied", service.content(days=10), By.AGENT, None)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(service.agent, "waits", service.content(days=10), By.AGENT, None)
    service.clock.advance((DAY + MINUTE) / SECOND)
    ahead = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        **service.variables | {"CALENDAR_TEST_SKEW": str(60 * DAY // SECOND)},
    )  # fmt: skip
    ahead.work(2)
    ahead.close()
    sessions = service.parts.store.sessions
    assert {record.session for record in sessions.all(service.agent)} == {"applied", "waits"}
    assert {name for name, sealed in sessions.waiting(service.agent, ["waits", "s1"]).items() if sealed} == {
        "waits"
    }
    assert set(alarms(capsys)) == {"erasure.clocks_differ"}
    due = service.parts.store.slots.timed(service.agent).due
    assert due["purge_sessions"] <= service.parts.clock.now() + 11 * MINUTE


def test_what_a_clock_that_was_ahead_put_far_off_is_checked_once_it_is_right(service: TestService) -> None:
    """While a server's clock runs ahead, due times are written that lie a month too far off.

    Nothing would be done until then, so they are reset.
    """
    service.connect()
    service.clock.advance(31 * DAY / SECOND)
    service.work(3)
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=1)
    desired = service.content(days=60)
    assert (
        service.parts.sessions.schedule.put(service.agent, "s1", desired, By.AGENT, None).status
        is Status.PENDING
    )
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(service.agent, "waits", desired, By.AGENT, None)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=False)
    service.clock.advance(-31 * DAY / SECOND)
    slot = service.parts.store.slots.timed(service.agent)
    assert slot.due["probe"] > slot.now + 30 * DAY
    assert service.parts.operations.far_timers.reset() >= 4
    service.work(3)
    slot = service.parts.store.slots.timed(service.agent)
    assert max(slot.due.values()) < slot.now + 2 * DAY
    assert len(service.events()) == 2
    assert service.parts.operations.far_timers.reset() == 0


def test_resetting_timers_leaves_told_ends_alone(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(service.agent, "waits", service.content(days=20), By.AGENT, None)
    service.connect(NEIGHBOUR, OTHER_ACCOUNT)
    service.parts.connection.disconnect.end(NEIGHBOUR, Actor.AGENT)
    before = [service.parts.store.slots.timed(agent).due for agent in (service.agent, NEIGHBOUR)]
    assert service.parts.operations.far_timers.reset() == 0
    assert [service.parts.store.slots.timed(agent).due for agent in (service.agent, NEIGHBOUR)] == before


def test_a_teardown_waits_for_google_no_longer_than_it_is_this_workers(service: TestService) -> None:
    """A Google that hangs must not hold a worker past its lease.

    Another worker takes the teardown then, and both would revoke.
    """
    service.connect()
    service.parts.connection.disconnect.end(service.agent, Actor.ADMINISTRATOR)
    hurried = service.limited(worker_seconds=0.3)
    service.google.fault("/revoke", {"hang": True})
    began = monotonic()
    hurried.work()
    assert monotonic() - began < 4  # a call by itself may last twice as long
    assert service.facts.end.revocation == "pending"
    service.google.clear_faults()
    service.clock.advance(60)
    service.work()
    assert service.facts.end.revocation == "confirmed"
    hurried.close()


def test_after_seven_days_the_token_is_destroyed_however_rarely_it_was_tried(service: TestService) -> None:
    """The pause between two tries grows to hours.

    The last try must not be later than the term after which a token may not be kept.
    """
    service.connect()
    service.parts.connection.disconnect.end(service.agent, Actor.ADMINISTRATOR)
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    connections = service.parts.store.connections
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    connections.teardown_step(service.agent, replace(teardown, tries=30), 0)  # as after days of trouble
    service.clock.advance((7 * DAY - 10 * MINUTE) / SECOND)
    service.work()
    assert service.facts.end.revocation == "pending"
    service.clock.advance(11 * 60)
    service.work()
    assert service.parts.store.slots.read(service.agent).teardowns == ()
    assert teardown.grant not in service.stored()


def test_after_an_hour_the_permission_ends_whatever_the_pause_and_whatever_became_of_the_calendar(
    service: TestService,
) -> None:
    """Deleting the calendar needs the permission, so the revocation waits for it.

    It waits an hour at most, even where the next try is due later.
    """
    service.connect()
    deletion = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}
    service.google.fault(deletion, {"status": 503, "reason": "backendError"})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    service.parts.store.connections.teardown_step(service.agent, replace(teardown, tries=30), 0)
    service.work()
    service.clock.advance((HOUR + 2 * SECOND) / SECOND)
    service.work()
    assert service.live_tokens() == []
    assert service.facts.calendar.deletion == "refused"


# --- what does not open ---


def put(service: TestService, session: str, days: int = 3) -> None:
    service.parts.sessions.schedule.put(
        service.agent, session, service.content(session, days=days), By.AGENT, None
    )


def seen(service: TestService, session: str) -> tuple[Status, str]:
    view = service.parts.sessions.reader.get(service.agent, session, read_google=False)
    return view.status, view.reason


@pytest.fixture
def spoilt(service: TestService) -> TestService:
    """Two sessions that wait for Google; the content of the first cannot be decrypted."""
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(service, "spoilt")
    put(service, "good")
    service.parts.store.database.client.hset(service.key("waiting"), "spoilt", "cs2.data.garbage")
    return service


def test_content_that_does_not_open_keeps_no_other_session_waiting(
    spoilt: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt.clock.advance(60)
    spoilt.work(2)
    assert [event["summary"] for event in spoilt.events()] == ["good"]
    assert seen(spoilt, "spoilt")[0] is Status.PENDING
    assert "worker.record_trouble" in capsys.readouterr().err


def test_trouble_of_the_database_delays_a_session_by_seconds_and_is_alarmed_once_by_its_name(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database without memory is no record that does not open, and nobody has to look for a key (F40)."""
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=3)
    for number in range(3):
        put(service, f"s{number}")
    client, worker = service.parts.store.database.client, service.worker
    client.config_set("maxmemory", "1")
    try:
        for _ in range(3):
            service.clock.advance(4)
            worker.round()
    finally:
        client.config_set("maxmemory", "0")
    assert alarms(capsys) == ["worker.database_trouble"]
    assert service.events() == []
    for _ in range(4):  # the rate budget of the tries that failed is spent
        service.clock.advance(4)
        worker.round()
    assert len(service.events()) == 3
    assert alarms(capsys) == []


def test_the_next_trouble_of_the_database_is_alarmed_again(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    trouble = DatabaseTrouble(service.parts.log, service.parts.clock)
    for minutes in (0, 4, 4, 6, -60, 1):
        service.clock.advance(60 * minutes)
        trouble.happened("session")
    assert alarms(capsys) == ["worker.database_trouble"] * 3


def test_content_that_does_not_open_is_told_as_failed_when_its_day_is_over(spoilt: TestService) -> None:
    record = spoilt.parts.store.sessions.load(spoilt.agent, "spoilt").record
    assert record
    its_day_is_over = (record.end_day + 1) * DAY
    spoilt.clock.advance((its_day_is_over - spoilt.parts.clock.now()) / SECOND - 600)
    spoilt.work()
    assert seen(spoilt, "spoilt")[0] is Status.PENDING  # the keys may come back
    spoilt.clock.advance(1200)
    spoilt.work()
    assert seen(spoilt, "spoilt") == (Status.FAILED, "session_over")
    assert "garbage" not in spoilt.stored()


def test_content_that_does_not_open_waits_for_a_person_no_longer_than_any_other(service: TestService) -> None:
    """A wait ends after 30 days by the record alone.

    Content that no key opens must not be kept longer for that reason.
    """
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    put(service, "spoilt", days=90)
    service.parts.store.database.client.hset(service.key("waiting"), "spoilt", "cs2.data.garbage")
    service.clock.advance(30 * DAY / SECOND)
    service.work()
    assert seen(service, "spoilt") == (Status.FAILED, "waited_too_long")


def test_what_a_newer_version_keeps_of_one_session_keeps_no_other_waiting(service: TestService) -> None:
    """During a rolling upgrade an older worker meets a record with a field it does not know.

    It leaves that session alone and does the others.
    """
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(service, "newer")
    put(service, "good")
    client, key = service.parts.store.database.client, service.key("sessions")
    newer = json.dumps(json.loads(client.hget(key, "newer") or "") | {"shade": "blue"})
    client.hset(key, "newer", newer)
    service.clock.advance(60)
    service.work(2)
    assert [event["summary"] for event in service.events()] == ["good"]
    assert client.hget(key, "newer") == newer


# --- what has to wait for Google ---


@pytest.fixture
def queue(service: TestService) -> SessionQueue:
    """A worker's queue, and one session that has to be written."""
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=1)
    put(service, "s1")
    return SessionQueue(
        service.parts.sessions.due_sessions, service.parts.google.throttle, service.parts.clock
    )


def queued(service: TestService, queue: SessionQueue) -> None:
    """Put the session into the queue while its account has to wait."""
    slot = service.parts.store.slots.read(service.agent)
    service.parts.google.throttle.account_limited(slot.facts.account.ref)
    assert queue.add(slot, ["s1"]) == set()
    assert list(queue.admitted()) == []


def test_a_session_is_kept_until_its_account_may_be_used_and_then_taken_once(
    service: TestService, queue: SessionQueue
) -> None:
    queued(service, queue)
    service.clock.advance(15)
    assert [session.session for session in queue.admitted()] == ["s1"]
    assert list(queue.admitted()) == []


@pytest.mark.parametrize("seconds", [26, -26])
def test_a_session_is_kept_no_longer_than_its_agent_is_this_workers_nor_behind_a_clock_set_back(
    service: TestService, queue: SessionQueue, seconds: int
) -> None:
    queued(service, queue)
    service.clock.advance(seconds)
    assert list(queue.admitted()) == []
    service.clock.advance(10)
    assert list(queue.admitted()) == []


def test_a_session_that_is_queued_is_not_read_again(service: TestService, queue: SessionQueue) -> None:
    """Its agent is claimed anew after each session that is settled, with thousands behind it (F46)."""
    queued(service, queue)
    slot, database = service.parts.store.slots.read(service.agent), service.parts.store.database
    before = database.round_trips
    assert queue.add(slot, ["s1"]) == set()
    assert database.round_trips == before
    service.clock.advance(26)
    assert list(queue.admitted()) == []
    assert queue.add(slot, ["s1"]) == set()
    assert [session.session for session in queue.admitted()] == ["s1"]


def test_of_thousands_of_sessions_that_wait_some_hundred_are_read_those_of_the_earliest_days_first(
    service: TestService, queue: SessionQueue
) -> None:
    """Their agent is claimed every half minute while its account is at its limit (F46)."""
    client = service.parts.store.database.client
    names = [f"w{number:04}" for number in range(3 * MOST_OF_AGENT)]
    record, content = (client.hget(service.key(part), "s1") for part in ("sessions", "waiting"))
    client.hset(service.key("sessions"), mapping=dict.fromkeys(names, record))
    client.hset(service.key("waiting"), mapping=dict.fromkeys(names, content))
    client.zadd(service.key("days"), {name: 90_000 - number for number, name in enumerate(names)})
    slot = service.parts.store.slots.read(service.agent)
    service.parts.google.throttle.account_limited(slot.facts.account.ref)
    for _ in range(3):
        assert queue.add(slot, names) == set()
    assert sorted(session.session for session in queue._ends) == names[-MOST_OF_AGENT:]
    service.clock.advance(26)
    assert list(queue.admitted()) == []  # their agent's lease has ended
    assert queue.add(slot, names) == set()
    assert sorted(session.session for session in queue._ends) == names[-MOST_OF_AGENT:]


def test_an_account_that_waits_is_asked_about_once_a_round(service: TestService) -> None:
    """Thousands of its sessions may wait (F46), and a cheap one must not pass the dear one before it."""
    service.connect()
    service.connect(STRANGER, OTHER_ACCOUNT)
    put(service, "dear", days=1)
    clash = {"status": 409, "reason": "conflict"}
    service.google.fault({"path": "/calendar/v3/*"}, clash, times=3)
    put(service, "dear", days=2)  # a patch: three units
    put(service, "cheap", days=5)
    service.parts.sessions.schedule.put(STRANGER, "theirs", service.content(days=3), By.AGENT, None)
    small = service.limited(own=1, account=2)
    queue = SessionQueue(small.parts.sessions.due_sessions, small.parts.google.throttle, small.parts.clock)
    queue.add(small.parts.store.slots.read(small.agent), ["dear", "cheap"])
    queue.add(small.parts.store.slots.read(STRANGER), ["theirs"])
    assert [session.session for session in queue.admitted()] == ["theirs"]
    small.close()


# --- the maintenance ---


@pytest.fixture
def checkpoint(service: TestService) -> DailyCheckpoint:
    """The daily checkpoint task of a worker that has sealed nothing yet."""
    service.connect()
    sealing = Periodic(MINUTE, service.parts.audit.sealer.seal)
    parts = service.parts
    repairs = Repairs(parts.operations, parts.log, lambda: False)
    return DailyCheckpoint(parts.audit.sealer, sealing, repairs, parts.clock)


def test_the_checkpoint_waits_until_everything_is_sealed(
    service: TestService, checkpoint: DailyCheckpoint
) -> None:
    sealing, audit_chain = checkpoint.sealing, service.parts.audit.chain
    rounds = 0
    while sealing.is_due(service.parts.clock.now()):
        assert checkpoint.run()
        assert audit_chain.newest_checkpoint() is None
        sealing.run(service.parts.clock.now())
        rounds += 1
    assert rounds > 1
    assert not checkpoint.run()
    assert audit_chain.newest_checkpoint()


def test_trouble_with_one_repair_keeps_no_other_back(
    service: TestService, checkpoint: DailyCheckpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    service.work(3)
    client, due = service.parts.store.database.client, service.key("due")
    client.zincrby(due, 31 * DAY, "probe")
    # Put right from a record that cannot be read.
    client.delete(keys.account_ref(service.facts.account.ref))
    client.hset(service.key("facts"), "calendar_since", "spoilt")
    service.clock.advance(DAY / SECOND)
    checkpoint.sealing.run(service.parts.clock.now())
    checkpoint.run()
    checkpoint.repairs.run()
    assert '"event":"worker.surprise"' in capsys.readouterr().err
    assert int(client.zscore(due, "probe") or 0) < service.parts.clock.now() + MINUTE


# --- pauses by class of trouble ---


def calls_in(service: TestService, hours: int) -> int:
    """Return the number of calls at Google in so many hours, with a round of the worker every ten minutes."""
    before = len(service.calls())
    for _ in range(hours * 6):
        service.clock.advance(600)
        service.work()
    return len(service.calls()) - before


def test_a_calendar_that_the_quota_refuses_is_tried_again_after_hours(service: TestService) -> None:
    service.google.switch(calendar_quota=0)
    assert not service.connect().calendar_ready
    service.clock.advance(61)
    service.work()
    calls = calls_in(service, 1)
    assert calls == 0
    service.google.switch(calendar_quota=None)
    calls_in(service, 4)
    assert len(service.calendars()) == 1


def test_who_connects_while_the_calendar_is_refused_to_the_worker_waits_no_hours_for_it(
    service: TestService,
) -> None:
    """A refused quota puts the next try hours away.

    That pause must not count for a consent given while the worker was being refused.
    """
    service.google.switch(calendar_quota=0)
    service.connect()
    service.clock.advance(61)
    person = service.replica()

    def connect_again() -> None:
        assert not person.connect().calendar_ready  # the worker is making it
        service.google.switch(calendar_quota=None)

    service.at_call("calendar.calendars.insert", connect_again)
    service.work()
    person.close()
    assert service.calendars() == []
    service.clock.advance(61)
    service.work()
    assert len(service.calendars()) == 1


@pytest.mark.parametrize("reason", ["forbidden", "invalid"])
def test_a_calendar_that_is_refused_is_tried_again_after_hours(service: TestService, reason: str) -> None:
    status = {"forbidden": 403, "invalid": 400}[reason]
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars"}, {"status": status, "reason": reason}
    )
    service.connect()
    service.clock.advance(61)
    service.work()
    assert calls_in(service, 1) == 0


def test_an_administrators_block_is_proved_after_hours(service: TestService) -> None:
    service.connect()
    service.google.switch(admin_block=True)
    service.clock.advance(DAY / SECOND)
    service.work()
    assert service.calls()[-1] == "oauth2.token"
    assert calls_in(service, 1) == 0
    service.google.switch(admin_block=False)
    calls_in(service, 4)
    assert service.facts.grant.last_refresh_ok_at > service.parts.clock.now() - 5 * HOUR


def test_passing_trouble_is_tried_again_within_a_minute(service: TestService) -> None:
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars"},
        {"status": 503, "reason": "backendError"},
        times=2,
    )
    service.connect()
    for _ in range(2):
        service.clock.advance(61)
        service.work()
    assert len(service.calendars()) == 1


@pytest.mark.parametrize(
    ("trouble", "first", "longest"),
    [
        (QuotaExceeded("q"), HOUR, 8 * HOUR),
        (AdminBlocked("a"), HOUR, 8 * HOUR),
        (RequestRefused("r"), HOUR, 8 * HOUR),
        (AccessForbidden("f"), HOUR, 8 * HOUR),
        (UnknownRefusal("u"), HOUR, 8 * HOUR),
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
