"""A worker counts connections, sessions and webhook events by state; every process tells the count. It names nobody."""

import json
import threading

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.operations.totals import COUNTED_EVERY
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.worker.loop import Worker
from tests.support.service import SECOND as SECOND_ACCOUNT
from tests.support.service import TestService

OTHER = Agent("acme", "agent-2")


def counted(service: TestService, prefix: str) -> dict[str, float]:
    """Count anew, and return the metrics that begin so, without those that are 0."""
    service.clock.advance((COUNTED_EVERY + SECOND) / 1000)
    assert service.parts.operations.totals.refresh()
    return {name: value for name, value in service.metrics().items() if name.startswith(prefix) and value}


def put(service: TestService, session: str = "s1", **changed: int) -> None:
    service.parts.sessions.schedule.put(service.agent, session, service.content(**changed), By.AGENT, None)


def test_connections_are_counted_by_state(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND_ACCOUNT)
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    assert counted(service, "calendar_connections") == {
        'calendar_connections{state="connected"}': 1,
        'calendar_connections{state="disconnected"}': 1,
    }
    assert service.metrics()['calendar_connections{state="revoked"}'] == 0


def test_sessions_are_counted_by_status_and_reason_with_the_age_of_the_oldest(service: TestService) -> None:
    service.connect()
    put(service, "applied")
    service.google.fault({"path": "/calendar/v3/calendars/*/events*"}, {"status": 503})
    put(service, "first")
    service.clock.advance(60)
    put(service, "second")
    numbers = counted(service, "calendar_sessions")
    assert numbers['calendar_sessions{status="scheduled",reason=""}'] == 1
    assert numbers['calendar_sessions{status="pending",reason="google_trouble"}'] == 2
    oldest = numbers['calendar_sessions_oldest_seconds{status="pending",reason="google_trouble"}']
    assert 60 + 301 <= oldest < 60 + 301 + 60
    assert [name for name in numbers if "oldest" in name and "pending" not in name] == []


def test_a_session_is_pending_since_its_first_change_that_google_does_not_have(service: TestService) -> None:
    service.connect()
    service.google.fault({"path": "/calendar/v3/calendars/*/events*"}, {"status": 503})
    put(service)
    since = service.parts.store.sessions.all(service.agent)[0].pending_since
    service.clock.advance(HOUR / 1000)
    put(service, days=4)
    service.work()
    (record,) = service.parts.store.sessions.all(service.agent)
    assert (record.pending_since, record.waiting_since) == (since, 0)
    service.google.clear_faults()
    service.clock.advance(HOUR / 1000)
    service.work()
    (record,) = service.parts.store.sessions.all(service.agent)
    assert (record.status, record.pending_since) == ("scheduled", 0)


def test_a_clock_that_was_ahead_lets_no_session_be_pending_since_the_future(service: TestService) -> None:
    service.connect()
    service.google.fault({"path": "/calendar/v3/calendars/*/events*"}, {"status": 503})
    put(service)
    client, key = service.parts.store.database.client, service.key("sessions")
    record = json.loads(client.hget(key, "s1"))
    client.hset(key, "s1", json.dumps(record | {"pending_since": record["pending_since"] + DAY}))
    assert counted(service, "calendar_sessions_oldest") == {}
    put(service, days=4)
    (record,) = service.parts.store.sessions.all(service.agent)
    assert record.pending_since <= service.parts.store.totals.now()


def test_a_session_that_waits_for_its_agent_has_the_age_of_its_wait(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    put(service)
    numbers = counted(service, "calendar_sessions")
    assert numbers['calendar_sessions{status="waiting",reason="paused"}'] == 1
    assert numbers['calendar_sessions_oldest_seconds{status="waiting",reason="paused"}'] >= 301


def test_every_process_tells_the_newest_count_until_it_is_too_old(service: TestService) -> None:
    service.connect()
    assert counted(service, "calendar_connections")
    replica = service.replica()
    service.clock.advance(10 * MINUTE / 1000)
    numbers = replica.metrics()
    replica.close()
    assert numbers['calendar_connections{state="connected"}'] == 1
    assert 600 <= numbers["calendar_totals_age_seconds"] < 660
    left = service.parts.store.database.client.pttl(keys.TOTALS)
    assert 0 < left <= keys.TOTALS_KEPT  # then the numbers are left out


def test_a_count_that_is_new_is_not_made_again(service: TestService) -> None:
    totals = service.parts.operations.totals
    assert (totals.refresh(), totals.refresh()) == (True, False)
    service.clock.advance(-HOUR / 1000)  # it lies in the future now, so it says nothing
    assert totals.refresh()


def test_a_worker_that_stops_keeps_no_half_count(service: TestService) -> None:
    service.connect()
    stop = threading.Event()
    stop.set()
    assert not service.parts.operations.totals.refresh(stop.is_set)
    assert service.parts.store.totals.newest() is None


def test_a_worker_counts_beside_its_other_walks(service: TestService) -> None:
    service.connect()
    Worker(service.parts).lanes.walks.run()
    assert service.metrics()['calendar_connections{state="connected"}'] == 1


@pytest.mark.parametrize("text", ["", "no count", '{"counted_at":1}'])
def test_a_count_of_another_form_counts_as_none(service: TestService, text: str) -> None:
    service.parts.store.database.client.set(keys.TOTALS, text)
    assert service.parts.store.totals.newest() is None
    assert "calendar_totals_age_seconds" not in service.metrics()
    assert service.parts.operations.totals.refresh()


def test_the_count_names_nobody(service: TestService) -> None:
    service.connect()
    put(service, "a-name-of-a-session")
    assert service.parts.operations.totals.refresh()
    text = service.parts.store.database.client.get(keys.TOTALS)
    for name in ("acme", service.agent.agent, "a-name-of", service.facts.connection_id):
        assert name not in text
