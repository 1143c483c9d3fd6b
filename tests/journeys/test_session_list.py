"""The list of an agent's sessions, page by page."""

import json

import pytest

from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from calendar_service.store.sessions import DayRange
from tests.support.service import TestService

SESSIONS = 1_000


@pytest.fixture
def many(service: TestService) -> TestService:
    """An agent with a thousand sessions; each tenth is pending."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "one", service.content(), By.AGENT, None)
    client, key = service.parts.store.database.client, service.key("sessions")
    text = client.hget(key, "one") or ""
    pending = text.replace('"scheduled"', '"pending"')
    client.hset(key, mapping={f"s{n:04}": text if n % 10 else pending for n in range(SESSIONS)})
    client.zadd(service.key("days"), {f"s{n:04}": json.loads(text)["end_day"] for n in range(SESSIONS)})
    for part in ("sessions", "days"):
        getattr(client, "hdel" if part == "sessions" else "zrem")(service.key(part), "one")
    return service


def listed(service: TestService, status: Status | None, agent: Agent | None = None) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        views, cursor = service.parts.sessions.reader.listed(agent or service.agent, status, cursor)
        pages.append([view.session for view in views])
        if not cursor:
            return pages


def on_days(service: TestService, first: int, last: int, limit: int = 100) -> list[str]:
    """List all pages of the sessions that end on these days."""
    names, cursor = [], ""
    while True:
        views, cursor = service.parts.sessions.reader.listed(
            service.agent, None, cursor, days=DayRange(first, last), limit=limit
        )
        assert len(views) <= limit
        names += [view.session for view in views]
        if not cursor:
            return names


@pytest.fixture
def few(service: TestService) -> TestService:
    """An agent with two sessions on each of three days; their names are in another order than their days."""
    service.connect()
    for name, days in (("a", 3), ("b", 1), ("c", 2), ("d", 1), ("e", 3), ("f", 2)):
        service.parts.sessions.schedule.put(service.agent, name, service.content(days=days), By.AGENT, None)
    return service


def day_of(service: TestService, days: int) -> int:
    return service.content(days=days).end // DAY


def test_every_session_is_on_one_page_in_the_order_of_days_and_names(many: TestService) -> None:
    pages = listed(many, None)
    assert [len(page) for page in pages] == [100] * 10
    assert [name for page in pages for name in page] == [f"s{n:04}" for n in range(SESSIONS)]


def test_sessions_are_listed_by_the_day_of_their_end(few: TestService) -> None:
    first, second, third = (day_of(few, days) for days in (1, 2, 3))
    for limit in (1, 2, 3, 100):
        assert on_days(few, 0, third, limit) == ["b", "d", "c", "f", "a", "e"]
        assert on_days(few, second, third, limit) == ["c", "f", "a", "e"]
        assert on_days(few, first, second, limit) == ["b", "d", "c", "f"]
        assert on_days(few, second, second, limit) == ["c", "f"]
        assert on_days(few, third + 1, third + 9, limit) == []


def test_a_list_goes_on_where_its_last_session_was_also_if_that_has_moved(few: TestService) -> None:
    views, cursor = few.parts.sessions.reader.listed(few.agent, None, "", limit=3)
    assert [view.session for view in views] == ["b", "d", "c"]
    few.parts.sessions.schedule.put(few.agent, "c", few.content(days=9), By.AGENT, None)
    views, _ = few.parts.sessions.reader.listed(few.agent, None, cursor, limit=3)
    assert [view.session for view in views] == ["f", "a", "e"]


def test_sessions_that_are_purged_or_erased_leave_no_name_behind(few: TestService) -> None:
    days, client = few.key("days"), few.parts.store.database.client
    few.clock.advance(33 * DAY / 1000)
    few.work(2)
    assert client.zrange(days, 0, -1) == ["a", "e"]
    few.parts.connection.disconnect.disconnect(few.agent, Actor.AGENT)
    few.parts.connection.erasure.erase_now(few.agent, Actor.AGENT)
    assert client.exists(days) == 0


def test_a_status_is_listed_across_ranges(many: TestService) -> None:
    # The last of them stands on the first page; whether another one follows is not looked at.
    assert listed(many, Status.PENDING) == [[f"s{n:04}" for n in range(0, SESSIONS, 10)], []]
    assert listed(many, Status.LOST) == [[]]
    assert listed(many, None, Agent("acme", "never-seen")) == [[]]


def test_a_page_costs_the_page_and_not_the_agents_sessions(many: TestService) -> None:
    client = many.parts.store.database.client
    size = len(client.hget(many.key("sessions"), "s0001") or "")

    def cost(cursor: str) -> tuple[int, int, str]:
        trips = many.parts.store.database.round_trips
        before = client.info("stats")["total_net_output_bytes"]
        _, following = many.parts.sessions.reader.listed(many.agent, None, cursor, limit=10)
        sent = client.info("stats")["total_net_output_bytes"] - before
        return many.parts.store.database.round_trips - trips, sent, following

    round_trips, sent, cursor = cost("")
    assert (round_trips, sent < 30 * size) == (4, True)
    assert cost(cursor)[:2][0] == 5


def test_a_short_page_of_a_rare_status_is_read_in_whole_pages(many: TestService) -> None:
    trips = many.parts.store.database.round_trips
    assert many.parts.sessions.reader.listed(many.agent, Status.LOST, "", limit=1) == ((), "")
    assert many.parts.store.database.round_trips - trips < 60


def test_one_page_of_a_rare_status_looks_at_a_thousand_sessions_at_most(many: TestService) -> None:
    client, key = many.parts.store.database.client, many.key("sessions")
    text = client.hget(key, "s0001") or ""
    more = {f"t{n:04}": text for n in range(200)}
    client.hset(key, mapping=more)
    client.zadd(many.key("days"), dict.fromkeys(more, json.loads(text)["end_day"]))
    views, cursor = many.parts.sessions.reader.listed(many.agent, Status.LOST, "")
    assert (views, bool(cursor)) == ((), True)
    assert many.parts.sessions.reader.listed(many.agent, Status.LOST, cursor) == ((), "")
