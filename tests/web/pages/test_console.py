"""The stand-in console: connect, schedule, move and cancel as a new user does."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.test import TestResponse

from calendar_service.config import Environment
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Content
from calendar_service.web.app import create_app
from calendar_service.web.console.booked_sessions import AGENTS, SESSIONS, BookedSessions
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

SANTIAGO = ZoneInfo("America/Santiago")
SESSION = {
    "session": "s-1", "title": "A talk", "start": "2999-05-03T14:00", "time_zone": "America/Santiago",
    "minutes": "45", "by": "agent",
}  # fmt: skip


def _connected(visitor: Visitor) -> None:
    visitor.get("/console")
    link = visitor.post("/console/settings", {"time_zone": "Europe/Madrid"})
    assert link.location.startswith("/portal/")
    assert visitor.get(link.location).location == "/settings"
    assert "Settings of ana" in words(visitor.get("/settings"))
    visitor.get(visitor.consent())
    visitor.get("/console")


def _starts(service: TestService) -> str:
    """Return when the one event begins, by a clock in Santiago."""
    event: dict[str, Any] = service.events()[0]
    return datetime.fromisoformat(event["start"]["dateTime"]).astimezone(SANTIAGO).strftime("%Y-%m-%d %H:%M")


def test_a_newcomer_connects_schedules_moves_and_cancels(visitor: Visitor, service: TestService) -> None:
    _connected(visitor)
    assert visitor.post("/console/sessions", SESSION).location == "/console?done=scheduled"
    page = words(visitor.get("/console?done=scheduled"))
    assert "Booked." in page
    assert "A talk in the calendar 3 May 2999, 14:00, Santiago · 45 minutes · s-1 Move" in page
    assert [event["summary"] for event in service.events()] == ["A talk"]
    assert _starts(service) == "2999-05-03 14:00"
    visitor.post("/console/sessions", SESSION | {"start": "2999-05-04T09:30"})
    assert _starts(service) == "2999-05-04 09:30"
    assert visitor.post("/console/sessions/cancel", SESSION).location == "/console?done=cancelled"
    assert service.events() == []
    assert "No sessions." in words(visitor.get("/console"))


def test_a_change_that_google_refuses_is_said_to_be_refused(visitor: Visitor, service: TestService) -> None:
    _connected(visitor)
    visitor.post("/console/sessions", SESSION)
    for method, path in (("PATCH", "/console/sessions"), ("DELETE", "/console/sessions/cancel")):
        refusal = {"status": 400, "reason": "invalid"}
        service.google.fault({"method": method, "path": "/calendar/v3/*"}, refusal, times=1)
        answer = visitor.post(path, SESSION | {"title": "Another talk"})
        assert answer.location == "/console?done=refused"
        page = words(visitor.get(answer.location))
        assert "Google refused this change. What stands in the calendar stays as it was." in page
        assert "A talk not written" in page
        assert [event["summary"] for event in service.events()] == ["A talk"]


def test_a_session_without_title_has_the_neutral_one(visitor: Visitor, service: TestService) -> None:
    _connected(visitor)
    visitor.post("/console/sessions", SESSION | {"title": "", "by": "system"})
    assert [event["summary"] for event in service.events()] == ["Scheduled video session"]


def test_somebody_else_can_sit_down(visitor: Visitor) -> None:
    visitor.get("/console")
    assert visitor.post("/console/agent", {"agent": "maria@example.com"}).location == "/console"
    assert "maria@example.com of acme" in words(visitor.get("/console"))


def test_nonsense_is_refused_by_name_and_leads_back(visitor: Visitor, service: TestService) -> None:
    _connected(visitor)
    for wrong in (
        {"session": ""},
        {"session": "../x"},
        {"start": "yesterday"},
        {"start": "2999-02-30T10:00"},
        {"time_zone": "Mars/Base"},
        {"minutes": "0"},
        {"minutes": "1441"},
        {"minutes": "1" * 4301},
        {"minutes": "٣"},
        {"title": "two\nlines"},
        {"start": "2001-01-01T10:00"},
    ):
        answer = visitor.post("/console/sessions", SESSION | wrong)
        assert answer.status_code == 422, wrong
        assert "The session was not accepted. What you typed is still there." in words(answer)
        assert "`" not in words(answer)
    assert service.events() == []


def test_what_was_wrong_with_a_form_is_said_in_the_readers_language(visitor: Visitor) -> None:
    _connected(visitor)
    spanish = {"Accept_Language": "es"}
    past = visitor.post("/console/sessions", SESSION | {"start": "2001-01-01T10:00"}, **spanish)
    assert "Elija un inicio posterior" in words(past)
    odd = visitor.post("/console/sessions", SESSION | {"minutes": "0"}, **spanish)
    assert "Minutos: un número entero de 1 a 1440." in words(odd)


def test_without_a_connection_the_console_says_so(visitor: Visitor) -> None:
    visitor.get("/console")
    answer = visitor.post("/console/sessions", SESSION)
    assert answer.status_code == 409
    assert "the session was not accepted. Connect it first" in words(answer)
    assert "`" not in words(answer)
    assert 'href="/settings"' not in answer.text, "a page that this browser may not open"


def _typed(answer: TestResponse) -> dict[str, str]:
    """Return what stands in the form of a session."""
    form = re.findall(
        r'<form method="post" action="/console/sessions" class="grid">.*?</form>', answer.text, re.DOTALL
    )[0]
    inputs = dict(re.findall(r'<input [^>]*name="(\w+)"[^>]* value="([^"]*)"', form))
    lists = re.findall(r'<select[^>]* name="(\w+)".*?</select>', form)
    for name in lists:
        chosen = re.findall(rf'<select[^>]* name="{name}".*?<option[^>]* selected>([^<]+)<', form)
        inputs[name] = chosen[0] if chosen else ""
    return inputs


def test_what_was_typed_survives_a_refusal(visitor: Visitor) -> None:
    _connected(visitor)
    wrong = SESSION | {"session": "mine", "minutes": "9999", "time_zone": "Asia/Tokyo", "by": "system"}
    typed = _typed(visitor.post("/console/sessions", wrong))
    assert {name: typed[name] for name in ("session", "title", "start", "minutes", "time_zone")} == {
        "session": "mine", "title": "A talk", "start": "2999-05-03T14:00", "minutes": "9999", "time_zone": "Asia/Tokyo",
    }  # fmt: skip
    assert typed["by"] == "the system"


def test_each_booking_is_offered_an_id_of_its_own(visitor: Visitor) -> None:
    _connected(visitor)
    assert _typed(visitor.get("/console"))["session"] == "s-1"
    visitor.post("/console/sessions", SESSION)
    assert _typed(visitor.get("/console"))["session"] == "s-2"
    visitor.post("/console/sessions", SESSION | {"session": "s-2"})
    visitor.post("/console/sessions/cancel", SESSION)
    assert _typed(visitor.get("/console"))["session"] == "s-3", "a cancelled one keeps its id"


def test_a_session_is_moved_from_its_own_values(visitor: Visitor) -> None:
    _connected(visitor)
    visitor.post("/console/sessions", SESSION | {"time_zone": "Europe/Oslo", "minutes": "20"})
    page = visitor.get("/console?session=s-1")
    assert "Move “A talk”" in words(page)
    typed = _typed(page)
    assert (typed["session"], typed["title"], typed["start"]) == ("s-1", "A talk", "2999-05-03T14:00")
    assert (typed["time_zone"], typed["minutes"]) == ("Europe/Oslo", "20")


def test_the_forms_zone_is_the_operators_home_until_another_was_chosen(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, visitor: Visitor
) -> None:
    assert _typed(visitor.get("/console"))["time_zone"] == "America/Santiago"
    visitor.post("/console/settings", {"time_zone": "Asia/Tokyo"})
    assert _typed(visitor.get("/console"))["time_zone"] == "Asia/Tokyo"
    visitor.post("/console/agent", {"agent": "luis"})
    assert _typed(visitor.get("/console"))["time_zone"] == "Asia/Tokyo"
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR="vclerk")
    other = Visitor(create_app(service.parts), service)
    assert _typed(other.get("/console"))["time_zone"] == "Europe/Oslo"
    service.close()


def test_a_zone_that_was_made_up_is_not_taken(visitor: Visitor) -> None:
    visitor.get("/console")
    visitor.client.set_cookie("console", f"{'t' * 43}/ana/Mars/Base", domain="localhost")
    assert _typed(visitor.get("/console"))["time_zone"] == "America/Santiago"


def test_the_memory_of_bookings_is_bounded() -> None:
    booked, content = BookedSessions(), Content(0, 1, "UTC")
    for number in range(SESSIONS + 1):
        booked.remember(Agent("acme", "ana"), f"s-{number}", content)
    assert list(booked.of(Agent("acme", "ana"))) == [f"s-{number}" for number in range(1, SESSIONS + 1)]
    for number in range(AGENTS):
        booked.remember(Agent("acme", f"agent-{number}"), "s-1", content)
    assert booked.of(Agent("acme", "ana")) == {}


def test_the_calls_of_a_server_are_shown(visitor: Visitor, service: TestService) -> None:
    page = words(visitor.get("/console"))
    assert "/v1/organizations/acme/agents/ana" in page
    assert f"{service.config.data_dir}/api-key" in page


def test_there_is_no_stand_in_console_in_production(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock
) -> None:
    service = TestService.of(clean_store, google_process, test_clock)
    parts = replace(service.parts, config=replace(service.config, environment=Environment.PRODUCTION))
    visitor = Visitor(create_app(parts), service)
    assert visitor.get("/console").status_code == 404
    for path in ("agent", "settings", "sessions", "sessions/cancel"):
        assert visitor.post(f"/console/{path}", SESSION | {"agent": "a"}).status_code == 404
    assert 'href="/console"' not in visitor.get("/").text
    service.close()
