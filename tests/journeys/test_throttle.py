"""Which calls go to Google and which wait: breaker, budget, order; and what the operator is told."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.health.doctor import examine
from calendar_service.journeys.sessions.queue import DueSession, fair_order
from calendar_service.worker.loop import Worker
from tests.support.service import FIRST, TestService
from tests.support.service import SECOND as SECOND_ACCOUNT

OTHER = Agent("other", "agent-9")
DOWN = {"status": 503, "reason": "backendError"}


def put(service: TestService, session: str, agent: Agent | None = None, **changed: object) -> Status:
    content = service.content(session, **changed)  # type: ignore[arg-type]
    return service.parts.sessions.schedule.put(
        agent or service.agent, session, content, By.AGENT, None
    ).status


def outage(service: TestService) -> None:
    """Let Google answer every call with 503."""
    for path in ("/calendar/*", "/token"):
        service.google.fault(path, DOWN)


def opened(service: TestService, sessions: int = 5) -> None:
    """Let the breaker be open, with some sessions waiting."""
    outage(service)
    for number in range(sessions):
        put(service, f"first{number}")
    assert service.parts.google.throttle.breaker.state().is_breaker_open


def alarms(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["level"] == "alarm"]


# --- the breaker ---


def test_five_failures_in_a_row_stop_every_replica_and_one_success_starts_them(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    replica, before = service.replica(), len(service.calls())
    opened(service)
    assert len(service.calls()) - before == 5
    assert alarms(capsys) == ["google.breaker_opened"]
    assert put(replica, "s1") is Status.PENDING
    service.clock.advance(6)
    replica.work(3)
    assert len(service.calls()) - before == 5
    service.google.clear_faults()
    service.clock.advance(31)  # until what one worker looked at is another's again
    service.work()
    assert not service.parts.google.throttle.breaker.state().is_breaker_open
    service.clock.advance(60)
    replica.work()
    assert len(service.events()) == 6
    assert put(replica, "s2") is Status.SCHEDULED
    replica.close()


def test_while_it_is_open_one_call_each_ten_seconds_asks_whether_google_is_back(service: TestService) -> None:
    """Only a call can show that Google answers again.

    One trial request for all processes is enough, and more would load a Google in trouble.
    """
    service.connect()
    opened(service, 20)
    service.clock.advance(60)
    before, worker = len(service.calls()), service.worker
    for _ in range(30):
        worker.round()
        service.clock.advance(4)
    assert 8 <= len(service.calls()) - before <= 12


def test_an_answer_between_failures_keeps_it_closed(service: TestService) -> None:
    service.connect()
    service.google.fault({"method": "POST", "path": "/calendar/*"}, DOWN, times=4)
    for number in range(4):
        put(service, f"s{number}")
    assert service.parts.google.throttle.breaker.state().failures == 4
    assert put(service, "good") is Status.SCHEDULED
    assert service.parts.google.throttle.breaker.state().failures == 0
    service.google.fault({"method": "POST", "path": "/calendar/*"}, DOWN, times=4)
    for number in range(4, 8):
        put(service, f"s{number}")
    assert not service.parts.google.throttle.breaker.state().is_breaker_open


def test_a_refusal_is_an_answer(service: TestService) -> None:
    service.connect()
    service.google.fault({"method": "POST", "path": "/calendar/*"}, {"status": 400, "reason": "invalid"})
    assert {put(service, f"s{number}") for number in range(7)} == {Status.FAILED}
    assert service.parts.google.throttle.breaker.state().failures == 0


def test_a_project_without_the_calendar_api_is_told_and_stops_all(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.google.fault("/calendar/*", {"status": 403, "reason": "accessNotConfigured"})
    assert {put(service, f"s{number}") for number in range(7)} == {Status.PENDING}
    assert alarms(capsys) == ["google.breaker_opened", "google.project_refused"]
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    service.google.clear_faults()
    for _ in range(4):
        service.clock.advance(600)
        service.work()
    assert len(service.events()) == 7


def test_a_clock_that_went_back_does_not_keep_it_open(service: TestService) -> None:
    service.connect()
    service.clock.advance(31 * 86400)
    opened(service)
    service.clock.advance(-31 * 86400)
    service.google.clear_faults()
    put(service, "now")
    service.work()
    assert not service.parts.google.throttle.breaker.state().is_breaker_open


def test_proofs_of_life_wait_until_google_is_back_and_what_is_over_is_told_in_time(
    service: TestService,
) -> None:
    """An outage is no proof that a permission ended, so probes only wait.

    A session that passes meanwhile is reported without Google's answer.
    """
    service.connect()
    soon = service.parts.clock.now() + HOUR
    opened(service)
    put(service, "over", start=soon, end=soon + HOUR)
    for _ in range(6):
        service.clock.advance(5 * 3600)
        service.work()
    calls = service.calls()
    assert (
        service.parts.sessions.reader.get(service.agent, "over", read_google=False).reason == "session_over"
    )
    assert sum(name == "oauth2.token" for name in calls) <= 1 + 6
    service.google.clear_faults()
    for _ in range(3):
        service.clock.advance(60)
        service.work()
    slot = service.parts.store.slots.timed(service.agent)
    assert service.parts.clock.now() - slot.facts.grant.last_refresh_ok_at < HOUR
    assert slot.due["probe"] > slot.now


# --- our own credentials ---


def test_refused_credentials_stop_refreshes_but_nothing_else_and_touch_no_grant(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong client secret is the operator's fault and says nothing about any agent's permission.

    Access tokens that are still valid are used on.
    """
    service.connect()
    service.clock.advance(3000)
    service.connect(OTHER, SECOND_ACCOUNT)
    service.clock.advance(700)
    service.google.fault("/token", {"invalid_client": True})
    before = service.calls().count("oauth2.token")
    assert {put(service, f"s{number}") for number in range(6)} == {Status.PENDING}
    assert service.calls().count("oauth2.token") - before == 1
    assert alarms(capsys) == ["google.client_rejected"]
    assert put(service, "fresh", OTHER) is Status.SCHEDULED
    assert service.metrics()["calendar_google_client_rejected"] == 1.0
    record = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert (record.status, record.reason) == (Status.PENDING, "operator")
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    for _ in range(10):
        service.clock.advance(61)
        service.work()
    assert service.calls().count("oauth2.token") - before <= 11
    service.google.clear_faults()
    for _ in range(12):
        service.clock.advance(180)
        service.work()
    assert len(service.events()) == 6
    assert service.metrics()["calendar_google_client_rejected"] == 0.0


def test_a_refresh_refused_for_another_reason_is_tried_again(service: TestService) -> None:
    service.connect()
    service.clock.advance(3599)
    service.google.fault("/token", {"status": 400, "reason": "invalid_request"}, times=1)
    assert put(service, "s1") is Status.PENDING
    service.clock.advance(300)
    service.work()
    assert [event["summary"] for event in service.events()] == ["s1"]


# --- the budget ---


def test_what_the_budget_has_no_room_for_is_accepted_and_done_by_the_worker(service: TestService) -> None:
    service.connect()
    small = service.limited(inline=12, drain=12, leased_tokens=2)
    before = len(service.calls())
    states = [put(small, f"s{number}") for number in range(6)]
    assert states == [Status.SCHEDULED] * 2 + [Status.PENDING] * 4
    small.work()
    assert len(service.calls()) - before == 5  # the worker's own burst is three
    for _ in range(2):
        service.clock.advance(60)
        small.work()
    assert len(service.events()) == 6
    assert len(service.calls()) - before == 6
    assert put(small, "later") is Status.SCHEDULED
    small.close()


def test_a_patch_counts_three(service: TestService) -> None:
    service.connect()
    small = service.limited(inline=30, leased_tokens=5)
    assert put(small, "s1") is Status.SCHEDULED
    assert put(small, "s1", days=4) is Status.SCHEDULED
    assert put(small, "s1", days=5) is Status.PENDING
    assert put(small, "s2") is Status.SCHEDULED
    small.close()


def test_one_account_that_is_used_too_much_waits_alone(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    small = service.limited(own=2, account=3)
    states = [put(small, f"s{number}") for number in range(8)]
    assert states == [Status.SCHEDULED] * 5 + [Status.PENDING] * 3
    assert put(small, "s1", OTHER) is Status.SCHEDULED
    for _ in range(3):
        service.clock.advance(61)
        small.work()
    assert len(service.events()) == 8
    small.close()


def test_the_sessions_of_an_account_that_waits_cost_one_round_trip_a_round(service: TestService) -> None:
    """Thousands of them may wait, and each worker looks at all of them each half second (F46)."""
    service.connect()
    small = service.limited(own=0, account=1)
    account, database = small.facts.account.ref, small.parts.store.database
    admissions, trips = [], []
    for _ in range(2):
        before = database.round_trips
        admissions.append({small.parts.google.throttle.admit(account, 3) for _ in range(50)})
        trips.append(database.round_trips - before)
        service.clock.advance(1)
    assert admissions == [{"skip"}] * 2
    assert 2 <= sum(trips) <= 3  # once more where a minute ends meanwhile
    small.close()


@pytest.mark.parametrize("form", ["403", "429"])
def test_a_refusal_for_the_rate_halves_the_rate_budget_for_a_minute_and_it_comes_back_in_steps(
    service: TestService, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Going back to the full rate at once would be refused again.

    A burst of refusals halves once, or a busy second would stop all calls.
    """
    agents = [Agent("acme", f"agent-{number}") for number in range(4)]
    for number, agent in enumerate(agents):
        service.connect(agent, f"person-{number}@example.com")
    rule = {"status": int(form), "reason": "rateLimitExceeded"}
    service.google.fault({"method": "POST", "path": "/calendar/*"}, rule, times=4)
    before = len(service.calls())
    assert {put(service, "s1", agent) for agent in agents} == {Status.PENDING}
    assert len(service.calls()) - before == 4
    assert alarms(capsys) == ["google.rate_halved"]  # once for a burst
    levels = []
    for _ in range(5):
        service.clock.advance(59)
        levels.append(service.metrics()["calendar_google_rate_budget"])
    assert levels == [0.5, 0.625, 0.75, 0.875, 1.0]
    service.work()
    assert [len(service.events(f"person-{number}@example.com")) for number in range(4)] == [1] * 4


@pytest.mark.parametrize("form", ["403", "429"])
def test_refusals_of_one_account_for_the_rate_let_it_alone_wait_for_ten_seconds(
    service: TestService, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Google says "rateLimitExceeded" for a limit of the user or the calendar as well as for the project's."""
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    rule = {"status": int(form), "reason": "rateLimitExceeded"}
    service.google.fault({"method": "POST", "path": "/calendar/*"}, rule, times=2)
    put(service, "s1")
    replica = service.replica()
    before = len(service.calls())
    assert {put(service, f"more{number}") for number in range(3)} == {Status.PENDING}
    assert len(service.calls()) == before
    service.clock.advance(9)
    service.work()
    assert len(service.calls()) == before
    assert put(replica, "there") is Status.PENDING  # refused once: its own tokens are left
    assert put(service, "theirs", OTHER) is Status.SCHEDULED
    assert service.parts.google.throttle.budget.level() == 1.0
    assert alarms(capsys) == []
    service.clock.advance(62)
    service.work()
    assert len(service.events()) == 5
    replica.close()


def test_a_backlog_goes_on_at_once_after_two_refusals(service: TestService) -> None:
    """Two refusals among two hundred inserts cost five minutes: the smallest rate of a backlog was halved twice."""
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    service.google.fault({"method": "POST", "path": "/calendar/*"}, {"status": 429, "reason": "x"}, times=2)
    put(service, "s1")
    put(service, "s1", OTHER)
    admitted = 0
    for _ in range(60):
        admitted += sum(service.parts.google.throttle.admit("", 1) == "go" for _ in range(20))
        service.clock.advance(1)
    assert admitted >= 600


WAITING = 2_000


def waiting_sessions(service: TestService, count: int) -> None:
    """Let so many sessions of the agent be due, as after a long pause; each starts sooner than `content` says."""
    loaded = service.parts.sessions.schedule.sessions.load(service.agent, "model")
    assert loaded.record
    grant, client = service.parts.connection.access.open(loaded), service.parts.store.database.client
    content = service.content(days=1)
    names = [f"w{number:05}" for number in range(count)]
    record = replace(loaded.record, must_exist=True, status=Status.PENDING).to_json()
    client.hset(service.key("sessions"), mapping=dict.fromkeys(names, record))
    client.hset(service.key("waiting"), mapping={name: grant.seal_content(name, content) for name in names})
    client.zadd(service.key("due"), {f"session:{name}": 1 for name in names})


def round_trips(service: TestService, worker: Worker) -> int:
    """Return the median of the store's round trips in each of twenty rounds of ten seconds."""
    database, trips = service.parts.store.database, []
    for _ in range(20):
        before = database.round_trips
        worker.round()
        trips.append(database.round_trips - before)
        service.clock.advance(0.5)
    return sorted(trips)[10]


def test_thousands_of_sessions_of_an_account_at_its_limit_cost_the_others_nothing(
    service: TestService,
) -> None:
    """They start sooner than everything else (F46): a question at Google each ten seconds, one of the store a round."""
    neighbour = Agent("acme", "neighbour")
    service.connect()
    service.connect(neighbour, SECOND_ACCOUNT)
    put(service, "model")
    worker = service.worker
    idle = round_trips(service, worker)
    limit = {"status": 403, "reason": "userRateLimitExceeded"}
    calendar = service.facts.calendar.id.partition("@")[0]
    service.google.fault(f"/calendar/v3/calendars/{calendar}*", limit)
    waiting_sessions(service, WAITING)
    put(service, "wakes")  # refused: the account has to wait
    clash = {"status": 409, "reason": "conflict"}
    service.google.fault({"method": "POST", "path": "/calendar/*"}, clash, times=3)
    for number in range(3):
        put(service, f"theirs{number}", neighbour, days=20)
    service.clock.advance(3)
    worker.round()
    assert len(service.events(SECOND_ACCOUNT)) == 3
    before = len(service.calls())
    assert round_trips(service, worker) <= idle + 1
    assert len(service.calls()) - before <= 2


def test_a_refusal_for_one_accounts_rate_leaves_the_project_alone(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    service.google.switch(per_minute_user=2, rate_limit_form="front_end")
    before = len(service.calls())
    states = [put(service, f"s{number}") for number in range(6)]
    assert states == [Status.SCHEDULED] * 2 + [Status.PENDING] * 4
    assert len(service.calls()) - before == 3
    assert put(service, "s1", OTHER) is Status.SCHEDULED
    assert service.parts.google.throttle.budget.level() == 1.0


def test_a_request_waits_for_google_no_longer_than_its_seconds_and_goes_on_by_the_worker(
    service: TestService,
) -> None:
    """The backend's request must be answered in time, also when Google hangs in a refresh or in the write.

    The session is accepted and written later.
    """
    service.connect()
    service.clock.advance(3599)
    service.google.fault("/token", {"hang": True}, times=1)
    hurried = service.limited(inline_seconds=0.2)
    assert put(hurried, "s1") is Status.PENDING
    service.google.fault({"method": "POST", "path": "/calendar/*"}, {"hang": True}, times=1)
    assert put(hurried, "s2") is Status.PENDING
    service.clock.advance(5)
    hurried.work()
    assert len(service.events()) == 2
    hurried.close()


# --- by class of reason ---


def test_a_spent_quota_is_tried_again_after_hours_and_says_so(service: TestService) -> None:
    service.connect()
    service.google.fault(
        {"method": "POST", "path": "/calendar/*"}, {"status": 403, "reason": "quotaExceeded"}, times=1
    )
    assert put(service, "s1") is Status.PENDING
    assert (
        service.parts.sessions.reader.get(service.agent, "s1", read_google=False).reason == "quota_exceeded"
    )
    calls = len(service.calls())
    service.clock.advance(1800)
    service.work()
    assert len(service.calls()) == calls
    service.clock.advance(2 * 3600)
    service.work()
    assert [event["summary"] for event in service.events()] == ["s1"]


def test_retry_after_is_honoured_up_to_an_hour(service: TestService) -> None:
    service.connect()
    for name, seconds, waits in (("s1", 600, 600), ("s2", 10**9, 3600)):
        rule = {"status": 429, "reason": "rateLimitExceeded", "retry_after": seconds}
        service.google.fault({"method": "POST", "path": "/calendar/*"}, rule, times=1)
        put(service, name)
        due = service.parts.store.slots.timed(service.agent).due[f"session:{name}"]
        assert waits * SECOND <= due - service.parts.clock.now() + 5 * SECOND <= waits * SECOND + 6 * SECOND
        service.clock.advance(15)  # the account itself waits no longer than that


def test_what_cannot_be_written_before_its_end_is_told_at_its_end(service: TestService) -> None:
    service.connect()
    start = service.parts.clock.now()
    service.google.fault(
        {"method": "POST", "path": "/calendar/*"}, {"status": 403, "reason": "quotaExceeded"}
    )
    put(service, "s1", start=start, end=start + 10 * MINUTE)
    service.clock.advance(601)
    service.work()
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert (view.status, view.reason) == (Status.FAILED, "session_over")


def test_a_cancel_is_tried_until_a_week_after_its_day(service: TestService) -> None:
    service.connect()
    put(service, "s1", days=1)
    service.google.fault(
        {"method": "DELETE", "path": "/calendar/*"}, {"status": 403, "reason": "quotaExceeded"}
    )
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    service.clock.advance(7 * 86400)
    service.work()
    assert service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.PENDING
    service.clock.advance(4 * 86400)
    service.work()
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert (view.status, view.reason) == (Status.FAILED, "session_over")


# --- the order ---


def due_item(organization: str, start: int, cost: int = 1) -> DueSession:
    return DueSession(Agent(organization, "a"), f"s{start}", start, cost, "")


def test_soonest_start_first_and_the_organizations_in_turn() -> None:
    flood = [due_item("acme", start) for start in (5, 1, 3, 2, 4)]
    others = [due_item("other", 9), due_item("third", 2)]
    free = due_item("acme", 99, cost=0)
    ordered = [(session.agent.organization, session.start) for session in fair_order([*flood, *others, free])]
    assert ordered[0] == ("acme", 99)
    assert ordered[1:4] == [("acme", 1), ("third", 2), ("other", 9)]
    assert ordered[4:] == [("acme", 2), ("acme", 3), ("acme", 4), ("acme", 5)]


def test_a_dear_operation_waits_no_longer_than_the_cheap_ones_behind_it(service: TestService) -> None:
    """A reschedule whose answer was lost costs five units: two looks and a patch.

    With the rate lowered, the bucket never holds so many, and later sessions took each token that came.
    """
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    put(service, "soonest", days=1)
    service.google.fault({"method": "PATCH", "path": "/calendar/*"}, {"cut": "after_commit"}, times=1)
    assert put(service, "soonest", days=2) is Status.PENDING
    clash = {"status": 409, "reason": "conflict"}
    service.google.fault({"method": "POST", "path": "/calendar/*"}, clash, times=3)
    for number in range(3):
        put(service, f"later{number}", OTHER, days=20)
    slow = service.limited(least_drain=60)
    for burst in range(5):
        for number in range(3):
            slow.parts.google.throttle.budget.refused(f"connection-{burst}-{number}")
        service.clock.advance(11)
    slow.parts.google.throttle.admit("", 3)  # what the burst still held
    assert service.parts.google.throttle.budget.level() < 0.1
    sessions, worker = service.parts.store.sessions, slow.worker

    def settled() -> list[str]:
        records = [*sessions.all(service.agent), *sessions.all(OTHER)]
        return [record.session for record in records if record.status is Status.SCHEDULED]

    for _ in range(40):  # one unit takes 16 seconds, five take 80
        worker.round()
        service.clock.advance(1)
    assert settled() == ["soonest"]
    for _ in range(240):
        worker.round()
        service.clock.advance(1)
    assert len(settled()) == 4
    slow.close()


def test_the_worker_sends_no_more_than_its_rate_although_it_may_owe_units(service: TestService) -> None:
    small = service.limited(drain=12, least_drain=12)
    admissions = 0
    for _ in range(300):
        admissions += small.parts.google.throttle.admit("", 5) == "go"
        service.clock.advance(1)
    small.close()
    assert 12 <= admissions <= 13  # 60 units in five minutes, and the burst of three


def test_one_organizations_flood_leaves_the_others_alone(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    small = service.limited(inline=6, leased_tokens=1, drain=18, least_drain=18)
    put(small, "uses the leased token")
    for number in range(12):
        assert put(small, f"flood{number}", days=2) is Status.PENDING
    assert put(small, "theirs", OTHER, days=20) is Status.PENDING
    small.work()
    assert len(service.events(SECOND_ACCOUNT)) == 1
    assert len(service.events(FIRST)) == 1 + 2
    small.close()


def test_an_organization_over_its_share_leaves_the_rest_of_a_low_budget_to_others(
    service: TestService,
) -> None:
    """All organizations share one Google quota. When it is low, one that floods it must not make the others wait."""
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    small = service.limited(inline=60, leased_tokens=8)  # a burst of ten: the budget is low
    assert put(small, "theirs", OTHER) is Status.SCHEDULED
    states = [put(small, f"flood{number}") for number in range(7)]
    assert Status.PENDING in states
    assert put(small, "theirs too", OTHER) is Status.SCHEDULED
    small.close()


class Load:
    """Two agents of two organizations with an operation each half hour, two web processes, two workers."""

    def __init__(self, service: TestService) -> None:
        service.connect()
        service.connect(OTHER, SECOND_ACCOUNT)
        self.service = service
        self.sides = [service.limited(least_drain=0)]
        self.sides.append(self.sides[0].replica())
        self.operations, self.before = 0, 0
        self.before = self.writes()
        self.wanted: dict[tuple[Agent, str], int] = {}

    def step(self) -> str:
        """Let half an hour pass; every sixth operation moves what was wanted shortly before. Return its session."""
        number = self.operations
        agent = (self.service.agent, OTHER)[number % 2]
        name = f"s{number - 4}" if number % 6 == 5 else f"s{number}"
        start = self.service.content(days=5 + number * 7 % 20).start
        put(self.sides[number // 2 % 2], name, agent, start=start, end=start + HOUR)
        self.wanted[agent, name] = start
        self.sides[(number + 1) % 2].work()
        self.operations += 1
        self.service.clock.advance(30 * 60)
        return name

    def writes(self) -> int:
        # A call that met a fault is known by its path alone; an unanswered refresh stands for its write.
        return sum(not name.startswith("oauth2.") for name in self.service.calls()) - self.before

    def waiting(self, agent: Agent) -> set[str]:
        records = self.service.parts.store.sessions.all(agent)
        return {record.session for record in records if record.status is Status.PENDING}

    def in_google(self) -> dict[tuple[Agent, str], int]:
        starts = {
            event["id"]: int(datetime.fromisoformat(event["start"]["dateTime"]).timestamp() * SECOND)
            for account in (FIRST, SECOND_ACCOUNT)
            for event in self.service.events(account)
        }
        return {
            (agent, record.session): starts[record.copy.id]
            for agent in (self.service.agent, OTHER)
            for record in self.service.parts.store.sessions.all(agent)
        }

    def close(self) -> None:
        for side in self.sides:
            side.close()


def test_a_day_without_google_costs_few_calls_and_drains_slowly_soonest_first(service: TestService) -> None:
    """Two operations an hour, before, during and after: each is written once, as it was wanted last."""
    load = Load(service)
    for _ in range(6):
        load.step()
    assert load.writes() == 6
    outage(service)
    for _ in range(48):
        load.step()
    assert load.writes() <= 6 + 5 + 48  # five until it opens, then one trial request each time somebody looks
    service.google.clear_faults()
    calls_until_then, hours = load.writes(), []
    while any(load.waiting(agent) for agent in (service.agent, OTHER)) and len(hours) < 30:
        before = load.writes()
        for _ in range(2):
            left = {agent: load.waiting(agent) for agent in (service.agent, OTHER)}
            put_now = load.step()
            for agent, names in left.items():
                still = load.waiting(agent) | {put_now}
                done = [load.wanted[agent, name] for name in names - still]
                later = [load.wanted[agent, name] for name in names & still - {put_now}]
                assert max(done, default=0) <= min(later, default=max(done, default=0))
        hours.append(load.writes() - before)
    assert max(hours) <= 2 + 1.5 * 2 + 3  # what comes in, what may be drained, the smallest burst
    assert 11 <= len(hours) <= 20
    assert load.writes() - calls_until_then <= 1.1 * (load.operations - 6)
    assert load.in_google() == load.wanted
    assert len(service.events(FIRST)) + len(service.events(SECOND_ACCOUNT)) == len(load.wanted)
    load.close()


# --- a project in testing mode ---


def test_permissions_that_all_end_at_seven_days_are_told_as_a_project_in_testing_mode(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """Google ends refresh tokens after seven days while a project is in testing mode.

    It looks like agents who revoked, so the operator is told the cause.
    """
    agents = [Agent("acme", f"agent-{number}") for number in range(4)]
    service.google.switch(testing_mode=True)
    for agent in agents:
        service.connect(agent)
    capsys.readouterr()
    for _ in range(9):
        service.clock.advance(86400)
        service.work()
    assert {service.parts.connection.status.of(agent).state for agent in agents} == {State.REVOKED}
    assert [one for one in alarms(capsys) if one.startswith("google.")] == ["google.testing_mode_suspected"]
    assert service.metrics()["calendar_google_testing_mode_suspected"] == 1.0
    (suspected,) = [finding for finding in examine(service.config) if finding.check == "google"]
    assert (suspected.level, suspected.texts()[0]) == (
        "fault",
        "permissions that ended at seven days of age: 4",
    )


def test_permissions_that_people_take_back_are_no_such_cluster(service: TestService) -> None:
    agents = [Agent("acme", f"agent-{number}") for number in range(4)]
    for agent in agents:
        service.connect(agent)
    service.clock.advance(2 * DAY / 1000)
    service.google.control("POST", "switches", {"deleted_accounts": [FIRST]})
    service.work()
    assert {service.parts.connection.status.of(agent).state for agent in agents} == {State.REVOKED}
    numbers = service.metrics()
    assert numbers["calendar_google_deaths_on_seventh_day"] == 0.0
    assert numbers["calendar_google_testing_mode_suspected"] == 0.0
