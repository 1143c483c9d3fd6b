"""How much one caller may ask for: beyond it 429, nothing changes, and the others go on."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calendar_service.domain.caller_limits import CallerLimits, CallLimit
from calendar_service.domain.errors import TooManyRequests
from calendar_service.domain.token_bucket import Rate
from calendar_service.store import keys
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import ACME, AGENT

Allowing = Callable[..., TestService]
EMPTY_PLAN = {"from": "2030-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z", "sessions": []}
BETA = "/v1/organizations/beta/agents/agent-1"

CALLS = CallLimit("calls", shared=Rate(10, 1_000), own=Rate(2, 100_000))
"""Twelve calls at once in one process, then one each hundred seconds: more than any test takes."""
CONNECTION = f"{AGENT}/connection"


@pytest.fixture
def allowing(service: TestService) -> Iterator[Allowing]:
    """Makes processes whose callers may ask for less."""
    with ExitStack() as processes:

        def make(**numbers: Any) -> TestService:
            process = service.allowing(**numbers)
            processes.callback(process.close)
            return process

        yield make


def quota(answer: TestResponse, name: str) -> tuple[int, int]:
    """Return what is left by the RateLimit field, and after how many seconds."""
    match = re.search(rf'"{name}";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert match
    return int(match[1]), int(match[2])


def entries(service: TestService) -> int:
    """Return how many entries the audit log has."""
    client = service.parts.store.database.client
    return sum(client.xlen(keys.audit_log(shard)) for shard in keys.all_shards())


# --- calls of a key, changes of an agent ---


def test_calls_beyond_a_keys_limit_are_refused_and_its_other_organizations_go_on(
    allowing: Allowing, test_clock: MovableClock
) -> None:
    api = Api(create_app(allowing(calls=CALLS).parts))
    answers = [api.get(CONNECTION) for _ in range(14)]
    assert [answer.status_code for answer in answers] == [200] * 12 + [429] * 2
    refused = answers[-1]
    assert (refused.json["code"], refused.json["retryable"]) == ("too_many_requests", True)
    assert 50 < int(refused.headers["Retry-After"]) <= 100
    assert refused.headers["RateLimit-Policy"] == '"calls";q=10;w=1000'
    assert quota(refused, "calls") == (0, int(refused.headers["Retry-After"]))
    assert api.get(f"{BETA}/connection").status_code == 200
    assert api.by("acme-admin").get(CONNECTION).status_code == 200
    test_clock.advance(201)
    assert [api.get(CONNECTION).status_code for _ in range(3)] == [200, 200, 429]


def test_a_thread_that_read_the_clock_before_another_gets_no_calls_more(
    allowing: Allowing, test_clock: MovableClock
) -> None:
    api = Api(create_app(allowing(calls=CALLS).parts))
    assert [api.get(CONNECTION).status_code for _ in range(13)] == [200] * 12 + [429]
    test_clock.advance(-0.5)
    assert api.get(CONNECTION).status_code == 429


def test_two_processes_share_what_a_key_may_call(allowing: Allowing) -> None:
    apis = [Api(create_app(allowing(calls=CALLS).parts)) for _ in range(2)]
    statuses = [api.get(CONNECTION).status_code for api in apis for _ in range(14)]
    assert statuses.count(200) == 10 + 2 + 2


def test_whoever_guesses_organizations_is_counted_before_they_are_looked_at(allowing: Allowing) -> None:
    api = Api(create_app(allowing(calls=CALLS).parts), "acme-backend")
    statuses = [api.get(f"/v1/organizations/guess-{n}").status_code for n in range(13)]
    assert statuses == [404] * 12 + [429]


def test_a_refused_change_changes_nothing_and_another_agents_goes_on(
    connected: TestService, session: dict[str, Any], allowing: Allowing
) -> None:
    changes = CallLimit("changes", shared=Rate(3, 3_000), own=Rate(1, 1_000))
    api = Api(create_app(allowing(changes=changes).parts))
    statuses = [api.put(f"{AGENT}/sessions/s-{n}", session).status_code for n in range(5)]
    assert statuses == [201] * 4 + [429]
    assert len(connected.events()) == 4
    assert api.get(f"{AGENT}/sessions/s-4").status_code == 404
    assert api.post(f"{ACME}/agents/agent-2/portal-sessions").status_code == 201


def test_a_loop_of_pause_and_resume_writes_no_more_entries_than_the_limit_allows(
    connected: TestService, allowing: Allowing
) -> None:
    changes = CallLimit("changes", shared=Rate(8, 3_600), own=Rate(2, 3_600))
    api = Api(create_app(allowing(changes=changes).parts), "admin")
    before = entries(connected)
    for number in range(40):
        api.post(f"{CONNECTION}/{('pause', 'resume')[number % 2]}")
    assert entries(connected) - before == 10


def test_every_answer_to_a_key_says_what_is_left(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    first, second = api.get(CONNECTION), api.put(f"{AGENT}/sessions/s-1", session)
    assert first.headers["RateLimit-Policy"] == '"calls";q=1000;w=10'
    assert second.headers["RateLimit-Policy"] == '"calls";q=1000;w=10, "changes";q=1000;w=300'
    assert all(quota(second, name)[0] > 900 for name in ("calls", "changes"))
    assert "RateLimit" not in api.by("").get(CONNECTION).headers


def test_an_ordinary_call_costs_no_round_trip_for_its_limits(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    database, counts = connected.parts.store.database, []
    api.put(f"{AGENT}/sessions/s-0", session)  # scripts are loaded once
    for number in range(1, 9):
        before = database.round_trips
        assert api.put(f"{AGENT}/sessions/s-{number}", session).status_code == 201
        counts.append(database.round_trips - before)
    assert counts == [3] * 8


def test_tokens_are_leased_in_blocks_and_a_refusal_asks_the_database_nothing(allowing: Allowing) -> None:
    limit = CallLimit("calls", shared=Rate(100, 100_000), own=Rate(1, 1_000))
    process = allowing(calls=limit)
    api, database = Api(create_app(process.parts)), process.parts.store.database
    process.parts.connection.status.of(process.agent)  # the first use also asks whose database it is
    costs = []
    for _ in range(120):
        before = database.round_trips
        costs.append((api.get(CONNECTION).status_code, database.round_trips - before))
    # One trip reads the connection; each lease is one more.
    assert [status for status, _ in costs] == [200] * 101 + [429] * 19
    assert sum(trips - 1 for status, trips in costs if status == 200) == 10
    assert sum(trips for status, trips in costs if status == 429) == 1


def test_a_process_whose_database_does_not_answer_goes_on_with_its_own_part(service: TestService) -> None:
    nowhere = TestService.of("redis://127.0.0.1:1/0", service.google, service.clock)
    alone = nowhere.allowing(calls=CALLS)
    for _ in range(CALLS.own.burst):
        alone.parts.caller_limits.calls.take("tests acme")
    with pytest.raises(TooManyRequests):
        alone.parts.caller_limits.calls.take("tests acme")
    alone.close()
    nowhere.close()


def test_callers_that_are_idle_are_forgotten(allowing: Allowing, test_clock: MovableClock) -> None:
    quick = CallLimit("calls", shared=Rate(10, 10), own=Rate(2, 10))
    rate = allowing(calls=quick).parts.caller_limits.calls
    for number in range(5_000):
        rate.take(f"caller-{number}")
        if number == 4_095:
            test_clock.advance(1_000)
    assert len(rate._callers) < 1_000


def test_benches_lift_every_limit(service: TestService) -> None:
    lifted = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        CALENDAR_API_KEYS=service.variables["CALENDAR_API_KEYS"], CALENDAR_TEST_LIMITS="off",
    )  # fmt: skip
    api, database = Api(create_app(lifted.parts)), lifted.parts.store.database
    api.get(CONNECTION)  # the first use also asks whose database it is
    before = database.round_trips
    assert {api.get(CONNECTION).status_code for _ in range(80)} == {200}
    assert database.round_trips - before == 80
    with under_way(lifted, 10):
        assert api.post(f"{AGENT}/sessions/reconcile", EMPTY_PLAN).status_code == 409
    limits = lifted.parts.google.throttle.limits
    assert min(limits.inline, limits.drain, limits.account, limits.least_drain) > 1_000_000
    assert min(CallerLimits.lifted().long_calls, limits.own) > 1_000_000
    lifted.close()


def test_refusals_are_counted_by_limit(service: TestService, allowing: Allowing) -> None:
    process = allowing(calls=CALLS)
    api = Api(create_app(process.parts))
    for _ in range(15):
        api.get(CONNECTION)
    text = create_app(process.parts).test_client().get("/metrics").text
    assert 'calendar_requests_refused_total{limit="calls"} 3.0' in text.splitlines()


# --- long calls ---


@contextmanager
def under_way(service: TestService, count: int, organization: str = "acme") -> Iterator[None]:
    """So many long calls of the organization are being served."""
    with ExitStack() as calls:
        for _ in range(count):
            calls.enter_context(service.parts.caller_limits.long_calls.taken(organization))
        yield


def test_a_fifth_long_call_of_one_organization_is_refused_and_others_go_on(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    api.put(f"{AGENT}/sessions/s-1", session)
    calls = len(connected.calls())
    with under_way(connected, 4):
        for answer in (
            api.post(f"{AGENT}/sessions/reconcile", EMPTY_PLAN),
            api.get(f"{AGENT}/sessions/s-1?read=google"),
        ):
            assert (answer.status_code, answer.json["code"]) == (429, "too_many_requests")
            assert (answer.json["retryable"], answer.headers["Retry-After"]) == (True, "5")
        assert len(connected.calls()) == calls
        assert api.get(f"{AGENT}/sessions/s-1").status_code == 200
        assert api.get(f"{ACME}/agents/agent-2/connection").status_code == 200
        other = api.post(f"{BETA}/sessions/reconcile", EMPTY_PLAN)
        assert (other.status_code, other.json["code"]) == (409, "not_connected")
    assert api.get(f"{AGENT}/sessions/s-1?read=google").status_code == 200


def test_a_long_call_that_fails_leaves_its_place(api: Api, service: TestService) -> None:
    for _ in range(5):
        assert api.post(f"{AGENT}/sessions/reconcile", EMPTY_PLAN).status_code == 409
