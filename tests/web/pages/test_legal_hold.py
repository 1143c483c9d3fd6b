"""A legal hold on the agent's pages: shown with its end, unless telling is forbidden."""

import re

from calendar_service.domain.clock import DAY, HOUR, SECOND, Millis
from calendar_service.domain.legal_hold import Hold
from calendar_service.rendering.language import Language
from calendar_service.store.audit_log import Actor
from tests.support.service import TestService
from tests.web.pages.visitor import ZONE, Visitor, words


def held(visitor: Visitor, service: TestService, *, silent_for: int = 0) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    now = service.parts.clock.now()
    silent_until = now + silent_for * DAY if silent_for else 0
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", now + 30 * DAY, silent_until)
    service.parts.personal_data.holds.place(service.agent, hold)


def test_the_settings_say_until_when_and_not_who(visitor: Visitor, service: TestService) -> None:
    held(visitor, service)
    page = visitor.get("/settings")
    assert "a law obliges us to keep our record" in words(page)
    assert "The record is erased when that ends" in words(page)
    for name in ("Rojas", "Soto", "Court order", "dispute"):
        assert name not in page.text
    assert 'action="/erase"' not in page.text


def moments(page: str, instant: Millis) -> int:
    """Count how often the words before the timeline name this moment."""
    moment = re.escape(Language("en").moment(instant, ZONE))
    return len(re.findall(rf"(?<!\d){moment}", page.partition('<ol class="timeline"')[0]))


def test_a_hold_says_when_it_was_placed_and_each_date_stands_once(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.clock.advance(HOUR / SECOND)
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", service.parts.clock.now() + 30 * DAY)
    service.parts.personal_data.holds.place(service.agent, hold)
    visitor.enter()
    page, placed_at = visitor.get("/settings").text, service.facts.hold.placed_at
    assert (moments(page, placed_at), moments(page, hold.until)) == (1, 1)


def test_a_hold_that_ends_before_the_term_leaves_the_terms_day(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", service.parts.clock.now() + 2 * DAY)
    service.parts.personal_data.holds.place(service.agent, hold)
    page = visitor.get("/settings")
    assert "The record is erased when that ends" not in words(page)
    assert (moments(page.text, service.facts.end.erase_due), moments(page.text, hold.until)) == (1, 1)


def test_before_a_disconnect_under_a_hold_no_earlier_erasure_is_offered(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    assert "You may have it erased sooner" in words(visitor.get("/disconnect"))
    until = service.parts.clock.now() + 30 * DAY
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", until)
    service.parts.personal_data.holds.place(service.agent, hold)
    page = words(visitor.get("/disconnect"))
    assert "You may have it erased sooner" not in page
    assert "A law obliges us to keep it until then" in page


def test_erasing_is_refused_with_the_reason(visitor: Visitor, service: TestService) -> None:
    held(visitor, service)
    visitor.get("/settings")
    answer = visitor.post("/erase")
    assert answer.status_code == 409
    assert "This cannot be erased yet" in words(answer)
    assert service.parts.store.slots.read(service.agent).facts.calendar.id


def test_while_telling_is_forbidden_the_pages_say_nothing_of_it(
    visitor: Visitor, service: TestService
) -> None:
    held(visitor, service, silent_for=5)
    settings = visitor.get("/settings")
    assert "law" not in words(settings)
    assert 'action="/erase"' not in settings.text, "it would be refused"
    assert "You get a receipt" not in words(settings)
    answer = visitor.post("/erase")
    assert answer.status_code == 503
    assert "law" not in words(answer)
    assert "This isn't possible right now" in words(answer)
    assert "connection stays as it is" not in words(answer), "there is none"
    assert "in a moment" not in words(answer), "nobody knows when"
