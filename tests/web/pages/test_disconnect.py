"""Disconnect, erase, receipt: the agent's way out (RV-2, SC-4, ST-5, ST-6)."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.connection.receipts import concerns, verify
from calendar_service.rendering.language import Language
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.service import TestService
from tests.web.pages.visitor import ZONE, Visitor, words

Visitors = Callable[[], Visitor]


@shows("SC-4", "RV-2")
def test_the_page_says_what_will_happen_and_stands_on_cancel(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    for number in range(2):
        service.parts.sessions.schedule.put(
            service.agent, f"s{number}", service.content(days=number + 1), By.AGENT, None
        )
    page = visitor.get("/disconnect")
    text = words(page)
    assert "nothing can be read or changed" in text
    assert "is erased on" in text
    assert "Your sessions in the console are not affected" in text
    assert "with its 2 coming sessions, and is no longer updated" in text
    assert "past ones too" in text
    assert "cannot be undone" in text
    assert 'href="/settings" autofocus' in page.text
    assert 'value="no" checked' in page.text


def test_the_number_is_googles_and_events_that_are_not_ours_are_warned_of(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    views = [
        service.parts.sessions.schedule.put(service.agent, f"s{n}", service.content(days=n), By.AGENT, None)
        for n in (1, 2)
    ]
    assert "not ours" not in words(visitor.get("/disconnect"))
    service.as_person("DELETE", views[0])
    theirs = {name: {"dateTime": "2031-05-05T10:00:00Z"} for name in ("start", "end")}
    service.as_person("POST", None, theirs, calendar=service.facts.calendar.id)
    page = words(visitor.reload("/disconnect"))
    assert "with its 1 coming session, and" in page
    assert "It holds events that are not ours. They would be deleted too." in page


def test_without_googles_answer_the_page_says_what_it_does_not_know(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    page = words(visitor.get("/disconnect"))
    assert "with its 1 coming session, and" in page
    assert "Google does not say just now whether it holds anything else" in page


def test_a_calendar_that_is_gone_is_neither_offered_nor_said_to_stay(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.as_person("DELETE", None, calendar=service.calendars()[0]["id"])
    page = visitor.get("/disconnect")
    assert "delete_calendar" not in page.text
    visitor.post("/disconnect")
    assert "was no longer in your account when the connection ended" in words(visitor.get("/settings"))


def test_a_calendar_that_was_never_made_is_not_said_to_stay(visitor: Visitor, service: TestService) -> None:
    service.google.fault(
        {"path": "/calendar/v3/calendars", "method": "POST"}, {"status": 503, "reason": "backendError"}
    )
    visitor.connect()
    visitor.get("/disconnect")
    visitor.post("/disconnect")
    assert "had not been made yet when the connection ended" in words(visitor.get("/settings"))


@shows("SC-4", "ST-6")
def test_the_calendar_is_kept_unless_its_deletion_is_chosen(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    for form in ({}, {"delete_calendar": "no"}, {"delete_calendar": "off"}):
        service.connect()
        visitor.enter()
        assert visitor.post("/disconnect", form).location == "/settings"
        assert len(service.calendars()) == 1
    shown = visitor.get("/settings")
    page = words(shown)
    assert "Your sessions in the console haven't changed" in page
    assert "Google confirmed on" in page
    assert "We left “Videsk · Scheduled Sessions” in your account" in page
    assert f'href="{service.google.url}/calendar"' in shown.text  # where it is kept, or deleted
    assert "Erase now (otherwise on" in page


def test_the_calendar_is_deleted_when_that_was_chosen(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.post("/disconnect", {"delete_calendar": "yes"})
    assert service.calendars() == []
    assert "The calendar “Videsk · Scheduled Sessions” is deleted" in words(visitor.get("/settings"))


@shows("RV-2")
def test_a_disconnect_without_googles_answer_says_so_and_where_to_do_it_oneself(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    visitor.post("/disconnect")
    page = visitor.get("/settings")
    assert "Google has not answered yet" in words(page)
    assert "Google confirmed" not in words(page)
    assert '/permissions"' in page.text


def test_every_end_is_told_by_its_date(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    now = service.parts.clock.now()
    before = words(visitor.get("/disconnect"))
    assert f"as soon as it confirms, by {Language('en').day(now + 7 * DAY, ZONE)}" in before
    visitor.post("/disconnect")
    last = service.facts.grant.since + 7 * DAY
    after = words(visitor.get("/settings"))
    assert f"to remove the permission until {Language('en').moment(last, ZONE)}" in after
    assert "7 days at" not in before.partition("From connecting")[0] + after.partition("From connecting")[0]


def test_a_deletion_that_is_under_way_is_the_one_thing_still_done(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.google.fault("/calendar/v3/calendars/*", {"status": 503, "reason": "backendError"})
    visitor.post("/disconnect", {"delete_calendar": "yes"})
    page = words(visitor.get("/settings"))
    until = Language("en").moment(service.facts.grant.since + HOUR, ZONE)
    assert "from here. We're still deleting “Videsk · Scheduled Sessions”, as you asked" in page
    assert f"We keep trying until {until}" in page
    assert "What we started at Google when you disconnected continues." in page
    for untrue in ("Erasing changes nothing", "We left", "when the connection ended"):
        assert untrue not in page
    visitor.post("/erase")
    service.google.clear_faults()
    service.work()
    assert service.calendars() == [], "it goes on after the erasure"
    assert service.live_tokens() == []


def test_a_receipt_that_comes_before_googles_answer_says_what_is_left_and_until_when(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    visitor.post("/disconnect")
    ended = service.facts.grant.since
    test_clock.advance(3600)
    visitor.enter()
    address = visitor.post("/erase").location
    page = words(visitor.get(address))
    language = Language("en")
    assert "Erased; one key is left until Google answers" in page
    assert "the rest of the connection's record are erased" in page
    assert f"encrypted, until {language.moment(ended + 7 * DAY, ZONE)} at the latest" in page
    assert f"gone by {language.day(ended + 23 * DAY, ZONE)} at the latest" in page
    receipt = verify(visitor.get(f"{address}?download=1").data, service.parts.audit.public_keys)
    assert receipt["rest_erased_by"] == rfc3339(ended + 7 * DAY)
    assert receipt["erased"] == ["event identifiers", "bookkeeping"]


def test_a_receipt_of_an_end_that_google_confirmed_leaves_nothing_open(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    address = visitor.post("/erase").location
    gone = service.parts.clock.now() + 16 * DAY
    assert f"gone by {Language('en').day(gone, ZONE)} at the latest" in words(visitor.get(address))
    receipt = verify(visitor.get(f"{address}?download=1").data, service.parts.audit.public_keys)
    assert "rest_erased_by" not in receipt
    assert "tokens" in receipt["erased"]


def test_a_shared_account_keeps_googles_permission_and_that_is_told(
    visitor: Visitor, service: TestService
) -> None:
    service.connect(Agent("other", "agent-9"))
    visitor.connect()
    page = visitor.get("/disconnect")
    assert "Another connection here uses the same Google account" in words(page)
    assert "agent-9" not in page.text
    assert '/permissions"' in page.text
    visitor.post("/disconnect")
    assert "removing it would end that one too" in words(visitor.get("/settings"))


def test_disconnecting_twice_is_one_disconnect(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.get("/disconnect")
    assert visitor.post("/disconnect").location == "/settings"
    assert visitor.post("/disconnect").location == "/settings"
    assert visitor.get("/disconnect").location == "/settings"


def test_nothing_to_disconnect_leads_back_to_the_settings(visitor: Visitor) -> None:
    visitor.enter()
    assert visitor.get("/disconnect").location == "/settings"


@shows("deletion")
def test_erasing_now_hands_out_a_receipt_that_verifies(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    visitor.get("/settings")
    answer = visitor.post("/erase")
    assert answer.location.startswith("/receipts/")
    cookie = answer.headers["Set-Cookie"]
    assert len(cookie) < 4096
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    page = visitor.get(answer.location)
    assert "Erased; our database's files follow" in words(page)
    assert "Files of our database gone by" in words(page)
    files = service.parts.store.file_rewrites
    service.clock.advance(60)
    request = files.take()
    assert request
    files.done(request)
    page = visitor.get(answer.location)
    assert "Your connection is erased" in words(page)
    assert "Files of our database gone Back-up copies" in words(page)
    file = visitor.get(f"{answer.location}?download=1")
    assert "attachment" in file.headers["Content-Disposition"]
    receipt = verify(file.data, service.parts.audit.public_keys)
    assert concerns(receipt, service.agent)
    assert service.parts.connection.status.of(service.agent).state.value == "not_connected"
    assert "Not connected" in words(visitor.get("/settings"))


def test_the_key_under_which_receipts_verify_is_published(visitor: Visitor, service: TestService) -> None:
    published = visitor.get("/receipts/public-key")
    assert published.mimetype == "text/plain"
    assert tuple(published.text.split()) == service.parts.audit.public_keys
    visitor.connect()
    visitor.post("/disconnect")
    address = visitor.post("/erase").location
    assert verify(visitor.get(f"{address}?download=1").data, published.text.split())
    for page in (address, "/google-user-data"):
        assert 'href="/receipts/public-key"' in visitor.get(page).text


def test_others_see_the_receipt_without_its_secret(
    visitor: Visitor, another_visitor: Visitors, service: TestService
) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    address = visitor.post("/erase").location
    stranger = another_visitor()
    assert "A connection was erased" in words(stranger.get(address))
    file = stranger.get(f"{address}?download=1")
    assert file.json is not None
    assert "salt" not in file.json
    assert verify(file.data, service.parts.audit.public_keys)["number"] == address.removeprefix("/receipts/")
    assert file.json["subject"] not in service.agent.member


def test_a_made_up_copy_of_a_receipt_is_not_shown_for_another(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    address = visitor.post("/erase").location
    for copy in ("nonsense", "[]", '{"number": "1-x"}', "null", "[" * 4_000):
        visitor.client.set_cookie("receipt", copy, domain="localhost")
        assert "A connection was erased" in words(visitor.get(address))


@pytest.mark.parametrize("shard", ["256", "0" * 4, "1" * 4301, "\u0663", "-1", ""])
def test_a_number_that_no_receipt_can_have_finds_none(visitor: Visitor, shard: str) -> None:
    assert visitor.get(f"/receipts/{quote(shard)}-{'a' * 24}").status_code == 404


def test_erasing_twice_says_that_nothing_was_left(visitor: Visitor) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    visitor.post("/erase")
    again = visitor.post("/erase")
    assert again.status_code == 409
    assert "there was nothing left to do" in words(again)


def test_a_living_connection_is_not_erased(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    assert visitor.post("/erase").status_code == 409
    assert service.parts.connection.status.of(service.agent).state.value == "connected"


def test_what_an_administrator_ended_is_shown_to_the_agent(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.ADMINISTRATOR)
    assert "Disconnected" in words(visitor.get("/settings"))


def test_connecting_again_after_an_erasure_finds_the_same_calendar(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    before = [calendar["id"] for calendar in service.calendars()]
    visitor.post("/disconnect")
    visitor.post("/erase")
    visitor.connect()
    assert [calendar["id"] for calendar in service.calendars()] == before
