"""Lists: pages of at most `limit` entries, days, cursors, and what is refused."""

import pytest

from calendar_service.domain.names import Agent
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import ACME, AGENT

SESSIONS = f"{AGENT}/sessions"


@pytest.fixture
def filled(api: Api, connected: TestService) -> Api:
    """An agent with a session on each of five days."""
    for day in range(10, 15):
        body = {"start": f"2031-01-{day}T10:00:00Z", "end": f"2031-01-{day}T11:00:00Z", "by": "system"}
        assert api.put(f"{SESSIONS}/s-{24 - day}", body).status_code == 201
    return api


def names(api: Api, query: str) -> list[str]:
    listed, cursor = [], ""
    while True:
        answer = api.get(f"{SESSIONS}?{query}&cursor={cursor}").json
        listed += [one["session"] for one in answer["sessions"]]
        cursor = answer.get("cursor", "")
        if not cursor:
            return listed


def test_sessions_come_by_the_day_of_their_end_within_the_days_that_are_named(filled: Api) -> None:
    for limit in (1, 2, 100):
        assert names(filled, f"limit={limit}") == ["s-14", "s-13", "s-12", "s-11", "s-10"]
        assert names(filled, f"limit={limit}&from=2031-01-11&to=2031-01-13") == ["s-13", "s-12", "s-11"]
        assert names(filled, f"limit={limit}&from=2031-01-14") == ["s-10"]
        assert names(filled, f"limit={limit}&to=2031-01-09") == []
    assert len(filled.get(f"{SESSIONS}?limit=2").json["sessions"]) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=01", "limit"),
        ("from=2031-13-01", "from"),
        ("to=2031-01-01T00:00:00Z", "to"),
        ("from=2031-01-02&to=2031-01-01", "to"),
        ("cursor=eA==", "cursor"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_by_name(filled: Api, query: str, field: str) -> None:
    answer = filled.get(f"{SESSIONS}?{query}")
    assert answer.status_code in {400, 422}
    assert answer.json["field"] == field


def test_agents_come_page_by_page_each_once(api: Api, service: TestService) -> None:
    agents = {f"agent-{number}" for number in range(12)}
    for agent in agents:
        cookie, browser = service.browser(Agent("acme", agent))
        service.begin(browser, cookie)  # a consent that was begun makes no member
        service.connect(Agent("acme", agent))
    admin, listed, cursor = api.by("admin"), [], ""
    while True:
        answer = admin.get(f"{ACME}/connections?limit=5&cursor={cursor}").json
        assert len(answer["connections"]) <= 5
        listed += [one["agent"] for one in answer["connections"]]
        cursor = answer.get("cursor", "")
        if not cursor:
            break
    assert sorted(listed) == sorted(agents)


def test_a_page_of_agents_is_read_in_a_few_round_trips(api: Api, service: TestService) -> None:
    for number in range(6):
        service.connect(Agent("acme", f"agent-{number}"))
    before = service.parts.store.database.round_trips
    assert len(api.by("admin").get(f"{ACME}/connections").json["connections"]) == 6
    assert (
        service.parts.store.database.round_trips - before <= 10
    )  # 8 for 256 shards, 1 for all agents' facts
    before = service.parts.store.database.round_trips
    assert api.by("admin").get(f"{ACME}/connections?state=revoked&limit=1").json["connections"] == []
    assert service.parts.store.database.round_trips - before <= 10
