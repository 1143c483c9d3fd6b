"""A legal hold on the agent's pages: told until when, unless telling is forbidden."""

from calendar_service.domain.clock import DAY
from calendar_service.domain.hold import Hold
from calendar_service.store.journal import Actor
from tests.household import Household
from tests.web.pages.visitor import Visitor, words


def held(visitor: Visitor, household: Household, *, silent_for: int = 0) -> None:
    visitor.connect()
    household.service.disconnect.disconnect(household.agent, Actor.AGENT)
    now = household.service.clock.now()
    told_from = now + silent_for * DAY if silent_for else 0
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", now + 30 * DAY, told_from)
    household.service.holds.place(household.agent, hold)


def test_the_settings_say_until_when_and_not_who(visitor: Visitor, household: Household) -> None:
    held(visitor, household)
    page = visitor.get("/settings")
    assert "A law obliges us to keep the record" in words(page)
    for name in ("Rojas", "Soto", "Court order", "dispute"):
        assert name not in page.text
    assert 'action="/erase"' not in page.text


def test_erasing_is_refused_with_the_reason(visitor: Visitor, household: Household) -> None:
    held(visitor, household)
    visitor.get("/settings")
    answer = visitor.post("/erase")
    assert answer.status_code == 409
    assert "This cannot be erased yet" in words(answer)
    assert household.service.slots.read(household.agent).facts.calendar_id


def test_while_telling_is_forbidden_the_pages_say_nothing_of_it(
    visitor: Visitor, household: Household
) -> None:
    held(visitor, household, silent_for=5)
    assert "law" not in words(visitor.get("/settings"))
    answer = visitor.post("/erase")
    assert answer.status_code == 503
    assert "law" not in words(answer)
    assert "This is not possible just now" in words(answer)
    assert "connection is fine" not in words(answer), "there is none"
    assert "in a moment" not in words(answer), "nobody knows when"
