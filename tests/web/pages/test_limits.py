"""How much one browser session may ask for: beyond it a page says so, and the others go on."""

from collections.abc import Callable

import pytest

from calendar_service.domain.caller_limits import CallLimit
from calendar_service.domain.names import Agent
from calendar_service.domain.token_bucket import Rate
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor

VISIT = CallLimit("visit", shared=Rate(10, 10_000), own=Rate(2, 100_000))


@pytest.fixture
def slow(service: TestService) -> Callable[[], Visitor]:
    """Makes browsers at one process whose visits may ask for less."""
    process = service.allowing(visit=VISIT)
    app = create_app(process.parts)
    return lambda: Visitor(app, process)


def test_a_visit_that_asks_for_too_much_gets_a_page_and_another_one_goes_on(
    slow: Callable[[], Visitor], test_clock: MovableClock
) -> None:
    one, other = slow(), slow()
    one.connect()
    other.enter(Agent("acme", "agent-2"))
    answers = [one.post("/pause" if number % 2 else "/resume") for number in range(14)]
    refused = answers[-1]
    assert [answer.status_code for answer in answers[:6]] == [303] * 6
    assert refused.status_code == 429
    assert 500 < int(refused.headers["Retry-After"]) <= 1_000
    assert "Too much was asked in a short time. Nothing was changed." in refused.text
    assert "Se pidió" in one.get("/settings?lang=es").text
    assert other.get("/settings").status_code == 200
    test_clock.advance(1_001)
    assert one.get("/settings").status_code == 200


def test_a_loop_of_pause_and_resume_in_a_browser_comes_to_its_end(
    slow: Callable[[], Visitor], service: TestService
) -> None:
    visitor = slow()
    visitor.connect()
    statuses = [visitor.post("/resume" if number % 2 else "/pause").status_code for number in range(40)]
    assert statuses.count(303) <= VISIT.shared.burst + VISIT.own.burst
    assert statuses[-20:] == [429] * 20
