"""Links and pages that are open bear the agent's name: they end with the erasure, except the page that asked (ST-5)."""

from collections.abc import Callable

import pytest

from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

Visitors = Callable[[], Visitor]
SOMEBODY_ELSE = Agent("acme", "somebody-else")


def _by_an_administrator(service: TestService) -> None:
    service.parts.connection.erasure.erase_now(service.agent, Actor.ADMINISTRATOR)


def _by_the_worker(service: TestService) -> None:
    service.work(3)


def _names(service: TestService) -> list[str]:
    """Return the keys outside the slots that bear the agent's name, in key or value."""
    client = service.parts.store.database.client
    outside = [key for key in client.scan_iter("*") if not key.startswith("{")]
    texts = {key: client.get(key) if client.type(key) == "string" else "" for key in outside}
    return sorted(
        key.partition(":")[0] for key, text in texts.items() if service.agent.agent in f"{key} {text}"
    )


@shows("ST-5", "deletion")
@pytest.mark.parametrize("erase", [_by_an_administrator, _by_the_worker])
def test_an_erasure_closes_every_page_and_link_of_the_agent_and_of_nobody_else(
    visitor: Visitor, another_visitor: Visitors, service: TestService, erase: Callable[[TestService], None]
) -> None:
    other = another_visitor()
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.clock.advance(8 * DAY / 1000)
    other.enter(SOMEBODY_ELSE)
    visitor.enter()
    link = visitor.ticket()
    erase(service)
    assert _names(service) == []
    assert visitor.get("/settings").status_code == 401
    assert "when your connection is erased elsewhere" in words(visitor.get("/settings"))
    assert visitor.get(link).status_code == 410
    assert other.get("/settings").status_code == 200


@shows("ST-5")
def test_the_page_that_asked_for_the_erasure_stays_open_and_the_others_close(
    visitor: Visitor, another_visitor: Visitors, service: TestService
) -> None:
    elsewhere = another_visitor()
    elsewhere.enter()
    visitor.connect()
    visitor.post("/disconnect")
    visitor.get("/settings")
    receipt = visitor.post("/erase").location
    assert "Receipt of the erasure" in words(visitor.get(receipt))
    assert visitor.get("/settings").status_code == 200
    assert elsewhere.get("/settings").status_code == 401
    assert _names(service) == ["browser", "open-pages"]


def test_a_refused_erasure_closes_no_page(visitor: Visitor, another_visitor: Visitors) -> None:
    elsewhere = another_visitor()
    elsewhere.enter()
    visitor.connect()
    assert visitor.post("/erase").status_code == 409
    assert elsewhere.get("/settings").status_code == 200


def test_the_list_of_open_pages_ends_with_the_last_of_them(visitor: Visitor, service: TestService) -> None:
    client, listed = service.parts.store.database.client, f"open-pages:{service.agent.member}"
    visitor.ticket()
    assert 0 < client.pttl(listed) <= 5 * 60 * 1000
    visitor.enter()
    visitor.enter()
    assert 7 * 3600 * 1000 < client.pttl(listed) <= 8 * 3600 * 1000
    assert client.zcard(listed) == 2, "a link that was used and a page that was closed are taken out"
    service.clock.advance(6 * 60)
    visitor.ticket()
    assert client.zcard(listed) == 2, "a link that has expired is taken out"
    visitor.get("/settings")
    visitor.post("/logout")
    assert client.zcard(listed) == 1
