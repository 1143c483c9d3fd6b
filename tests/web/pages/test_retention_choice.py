"""The agent's own, shorter retention period: offered where the operator allows it, and nowhere else."""

from collections.abc import Iterator

import pytest

from calendar_service.domain.clock import DAY
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words


@pytest.fixture
def offered(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[Visitor]:
    """A visitor of the operator whose profile offers shorter terms."""
    google_process.clear_faults()
    google_process.reset()
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR="cticontrol")
    yield Visitor(create_app(service.parts), service)
    service.close()


@shows("own-term")
def test_a_shorter_term_is_chosen_and_counts_at_the_disconnect(offered: Visitor) -> None:
    page = offered.connect()
    for term in (DAY, 3 * DAY):
        assert f'name="term" value="{term}"' in page.text
    assert f'value="{7 * DAY}" checked' in page.text
    assert offered.post("/term", {"term": str(DAY)}).location == "/settings"
    page = offered.get("/settings?lang=en")
    assert "Saved. Applies when you disconnect." in words(page)
    assert f'value="{DAY}" checked' in page.text
    assert "Our record erased 1 day after you disconnect" in words(page)
    assert "Gone from backups within 23 days of disconnecting" in words(page), "the keys' copies, too"
    offered.post("/disconnect")
    facts = offered.service.parts.store.slots.read(offered.service.agent).facts
    assert facts.end.erase_due - facts.grant.since == DAY
    assert 'action="/term"' not in offered.get("/settings").text


@pytest.mark.parametrize("term", ["", "0", "-1", "86400001", "9" * 5000, "a", str(30 * DAY)])
def test_a_term_that_is_not_offered_changes_nothing(offered: Visitor, term: str) -> None:
    offered.connect()
    answer = offered.post("/term", {"term": term})
    assert answer.status_code == 422
    assert 'href="/settings"' in answer.text
    assert offered.service.parts.store.slots.read(offered.service.agent).facts.end.agent_retention == 0


def test_where_no_term_is_offered_there_is_no_control(visitor: Visitor) -> None:
    assert 'action="/term"' not in visitor.connect().text
    assert visitor.post("/term", {"term": str(DAY)}).status_code == 422


def test_a_reviewer_is_offered_no_term(offered: Visitor) -> None:
    offered.enter(reviewer=True)
    offered.get(offered.consent())
    assert 'action="/term"' not in offered.get("/settings").text
    assert offered.post("/term", {"term": str(7 * DAY)}).status_code == 422
    assert offered.service.facts.end.agent_retention == RETENTION
