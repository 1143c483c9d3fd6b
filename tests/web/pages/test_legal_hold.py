"""A legal hold on the agent's pages: shown with its end, unless telling is forbidden."""

from calendar_service.domain.clock import DAY
from calendar_service.domain.legal_hold import Hold
from calendar_service.store.audit_log import Actor
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words


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
    assert "A law obliges us to keep the record" in words(page)
    for name in ("Rojas", "Soto", "Court order", "dispute"):
        assert name not in page.text
    assert 'action="/erase"' not in page.text


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
    assert "law" not in words(visitor.get("/settings"))
    answer = visitor.post("/erase")
    assert answer.status_code == 503
    assert "law" not in words(answer)
    assert "This is not possible just now" in words(answer)
    assert "connection stays as it is" not in words(answer), "there is none"
    assert "in a moment" not in words(answer), "nobody knows when"
