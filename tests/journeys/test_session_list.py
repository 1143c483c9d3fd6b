"""The list of an agent's sessions, page by page."""

import pytest

from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
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
    client.hdel(key, "one")
    return service


def listed(service: TestService, status: Status | None, agent: Agent | None = None) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        views, cursor = service.parts.sessions.reader.listed(agent or service.agent, status, cursor)
        pages.append([view.session for view in views])
        if not cursor:
            return pages


def test_every_session_is_on_one_page_in_the_order_of_their_names(many: TestService) -> None:
    pages = listed(many, None)
    assert [len(page) for page in pages] == [100] * 10
    assert [name for page in pages for name in page] == [f"s{n:04}" for n in range(SESSIONS)]


def test_a_status_is_listed_across_ranges(many: TestService) -> None:
    assert listed(many, Status.PENDING) == [[f"s{n:04}" for n in range(0, SESSIONS, 10)]]
    assert listed(many, Status.LOST) == [[]]
    assert listed(many, None, Agent("acme", "never-seen")) == [[]]


def test_a_page_reads_the_records_of_its_range_alone(many: TestService) -> None:
    client = many.parts.store.database.client
    size = len(client.hget(many.key("sessions"), "s0001") or "")
    before = client.info("stats")["total_net_output_bytes"]
    many.parts.sessions.reader.listed(many.agent, None, "")
    sent = client.info("stats")["total_net_output_bytes"] - before
    assert 100 * size < sent < 200 * size
