"""The reviewer console: every use of the permission, from the link alone, and closed to everybody else."""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calendar_service.config import Environment
from calendar_service.domain.clock import DAY, MINUTE
from calendar_service.domain.connection import State
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import CLAUSES
from calendar_service.domain.reviewer_links import ACTS_A_MINUTE
from calendar_service.google.transport import GoogleCall
from calendar_service.store.reviewer_links import Link
from calendar_service.web.app import create_app
from calendar_service.web.console.recorded_calls import RecordedCalls
from calendar_service.web.console.steps import STEPS
from tests.conftest import MovableClock
from tests.support.service import FIRST, PUBLIC_URL, TestService
from tests.web.pages.visitor import OWN_PAGE, Visitor, words

SESSION = {
    "session": "session-1", "title": "A private title", "start": "2999-05-03T14:00", "time_zone": "UTC",
    "minutes": "45", "by": "agent",
}  # fmt: skip


class Reviewer(Visitor):
    """A reviewer's browser, from the link on."""

    secret = ""
    link: Link

    def arrive(self) -> TestResponse:
        """Follow a fresh link to the console."""
        self.secret, self.link = self.service.parts.operations.reviewers.make(60)
        return self.enter_by(self.secret)

    def enter_by(self, secret: str) -> TestResponse:
        """Follow this link to the console."""
        assert self.get(f"/reviewer/{secret}").location == "/console"
        return self.get("/console")

    @property
    def agent(self) -> Agent:
        """The test agent of this browser, as the console shows it."""
        name = re.search(r"tester-[0-9a-f]+", self.get("/console").text)
        assert name
        return Agent(self.link.organization, name[0])

    def at(self, step: str) -> str:
        """Go to a step, and return what it says."""
        return words(self.get(f"/console?step={step}"))

    def act(self, path: str, form: dict[str, str] | None = None) -> str:
        """Send a form, and return what the console says then."""
        answer = self.post(path, form)
        assert answer.status_code == 303, answer.text
        return words(self.get(answer.location))

    def settings(self) -> TestResponse:
        """Open the agent's settings from the console."""
        self.get("/console")
        link = self.post("/console/settings", {"time_zone": "UTC"})
        assert self.get(link.location).location == "/settings"
        return self.get("/settings")

    def connect_here(self, account: str = FIRST) -> None:
        """Connect in the settings."""
        self.settings()
        assert self.get(self.consent(account=account)).location == "/settings"

    def in_settings(self, path: str, form: dict[str, str] | None = None) -> TestResponse:
        """Do something in the settings."""
        self.settings()
        return self.post(path, form)

    def calls(self, step: str) -> list[str]:
        """Return the methods that the console lists for this step."""
        page = self.get(f"/console?step={step}").text
        return re.findall(r"<code>([A-Za-z]+\.[A-Za-z]+)</code></td>", page)


@pytest.fixture
def reviewer(visitor: Visitor, service: TestService) -> Reviewer:
    """A reviewer who has just followed the link."""
    reviewer = Reviewer(visitor.client.application, service)
    reviewer.arrive()
    return reviewer


@pytest.fixture
def colleague(reviewer: Reviewer, service: TestService) -> Callable[[], Reviewer]:
    """Makes further browsers, without a link yet."""

    def _another() -> Reviewer:
        colleague = Reviewer(reviewer.client.application, service)
        colleague.link, colleague.secret = reviewer.link, reviewer.secret
        return colleague

    return _another


def _state(reviewer: Reviewer) -> State:
    return reviewer.service.parts.connection.status.of(reviewer.agent).state


# --- the journey ---


def test_sessions_are_booked_moved_and_cancelled_from_the_link_alone(
    reviewer: Reviewer, service: TestService
) -> None:
    assert "Step 1 of 14" in reviewer.act("/console/begin", {"time_zone": "Asia/Kolkata"})
    reviewer.connect_here()
    assert reviewer.calls("connect")[:3] == [
        "oauth.exchange", "calendarList.list", "calendars.insert",
    ]  # fmt: skip
    reviewer.at("agent")
    text = reviewer.act("/console/sessions", SESSION)
    assert "Booked." in text
    assert "session-1 in the calendar" in text
    reviewer.at("system")
    reviewer.act("/console/sessions", SESSION | {"session": "session-2", "by": "system"})
    reviewer.at("reschedule")
    reviewer.act("/console/sessions", SESSION | {"start": "2999-05-04T09:00"})
    reviewer.at("cancel")
    assert "Cancelled." in reviewer.act("/console/sessions/cancel", {"session": "session-2", "by": "system"})
    assert "nothing to cancel" in reviewer.act("/console/sessions/cancel", {"session": "session-2"})
    assert [reviewer.calls(step) for step in ("agent", "system", "reschedule", "cancel")] == [
        ["events.insert"], ["events.insert"], ["events.patch"], ["events.delete"],
    ]  # fmt: skip
    (event,) = service.events()
    assert event["start"]["dateTime"].startswith("2999-05-04T09:00")
    google = service.parts.google.oauth.consent_origin
    assert f'href="{google}/calendar"' in reviewer.get("/console?step=calendar").text


def test_a_pause_and_a_revocation_at_google_are_shown(reviewer: Reviewer, service: TestService) -> None:
    reviewer.connect_here()
    calendars = service.calendars()
    reviewer.at("pause")
    reviewer.in_settings("/pause")
    assert "Paused" in reviewer.at("pause")
    assert "waits for the agent" in reviewer.act("/console/sessions", SESSION)
    reviewer.in_settings("/resume")
    assert _state(reviewer) is State.CONNECTED
    reviewer.at("revoke")
    assert "the permission stands" in reviewer.act("/console/check")
    service.google.fault("/token", {"invalid_grant": True}, times=1)
    assert "Google says that the permission is gone" in reviewer.act("/console/check")
    assert _state(reviewer) is State.REVOKED
    assert "There is no permission to ask about" in reviewer.act("/console/check")
    assert reviewer.calls("revoke") == ["oauth.refresh", "oauth.refresh"]
    reviewer.connect_here()
    assert service.calendars() == calendars


def test_disconnecting_reconnecting_deleting_and_erasing_are_shown(
    reviewer: Reviewer, service: TestService
) -> None:
    reviewer.connect_here()
    calendars = service.calendars()
    reviewer.at("keep")
    reviewer.in_settings("/disconnect", {"delete_calendar": "no"})
    assert reviewer.calls("keep")[-1] == "oauth.revoke"
    assert "10 minutes" in reviewer.at("keep")
    reviewer.at("reconnect")
    reviewer.in_settings("/erase")
    assert _state(reviewer) is State.NOT_CONNECTED
    reviewer.connect_here()
    assert "calendarList.list" in reviewer.calls("reconnect")
    assert "calendars.insert" not in reviewer.calls("reconnect")
    assert service.calendars() == calendars
    reviewer.at("delete")
    reviewer.in_settings("/disconnect", {"delete_calendar": "yes"})
    assert reviewer.calls("delete")[-2:] == ["calendars.delete", "oauth.revoke"]
    assert service.calendars() == []
    reviewer.at("erase")
    receipt = reviewer.in_settings("/erase").location
    assert _state(reviewer) is State.NOT_CONNECTED
    assert "oauth.revoke" not in reviewer.calls("erase")
    file = reviewer.get(f"{receipt}?download=1").data
    reviewer.at("receipt")
    assert "it is about your test agent" in _checked(reviewer, file)
    assert "An open settings page" in reviewer.at("stored")
    reviewer.in_settings("/logout")
    assert "Of your test agent there is no connection and no open page" in reviewer.at("stored")


def _checked(reviewer: Reviewer, file: bytes) -> str:
    form: dict[str, Any] = {"csrf": reviewer.token, "receipt": (io.BytesIO(file), "receipt.json")}
    answer = reviewer.client.post("/console/verify", base_url=PUBLIC_URL, data=form, headers=OWN_PAGE)
    assert answer.status_code == 303, answer.text
    return words(reviewer.get(answer.location))


def test_each_step_says_what_to_do_what_to_expect_and_which_promise_it_shows(
    reviewer: Reviewer, service: TestService
) -> None:
    for step in STEPS:
        assert set(step.clauses) <= set(CLAUSES)
        for language in ("en", "es"):
            page = reviewer.get(f"/console?step={step.name}&lang={language}")
            assert page.status_code == 200
            assert f'<html lang="{language}">' in page.text
            for clause in step.clauses:
                assert service.parts.operator.clauses[clause].text[language] in words(page)
        if step not in (STEPS[0], STEPS[-1]):
            text = reviewer.get(f"/console?step={step.name}&lang=en").text
            assert "What to do" in text
            assert "What to expect" in text


def test_limited_use_and_the_keeping_of_keys_are_named_at_some_step() -> None:
    named = {clause for step in STEPS for clause in step.clauses}
    assert {*(f"LU-{number}" for number in range(7)), "ST-1", "ST-2"} <= named
    assert {step.call for step in STEPS} - {""} <= set(METHODS)
    assert "RV-2" not in next(step for step in STEPS if step.name == "pause").clauses


def _ticked(page: str) -> list[str]:
    """Return the steps that are ticked in the list of steps."""
    shown = re.findall(r'<li class="done">.*?<span class="label">([^<]+)<', page, re.DOTALL)
    return [unescape(each) for each in shown]


def test_what_was_done_is_ticked_and_next_is_then_the_first_button(reviewer: Reviewer) -> None:
    before = reviewer.get("/console?step=connect").text
    assert _ticked(before) == ["Welcome"]
    assert '<a class="button" href="/console?step=agent">' in before
    reviewer.connect_here()
    after = reviewer.get("/console?step=connect").text
    assert _ticked(after) == ["Welcome", "Connect Google Calendar"]
    assert '<a class="button primary" href="/console?step=agent">' in after
    assert after.count("button primary") == 1
    reviewer.at("agent")
    location = reviewer.post("/console/sessions", SESSION).location
    booked = reviewer.get(location).text
    assert '<a class="button primary" href="/console?step=system">' in booked
    assert booked.count("button primary") == 1
    assert "<details><summary>Once more</summary>" in booked, "the form is folded"
    assert words(reviewer.get(location)).count("Booked.") == 1
    reviewer.at("cancel")
    reviewer.act("/console/sessions/cancel", {"session": "session-2"})
    assert "Cancel a session" not in _ticked(reviewer.get("/console?step=cancel").text), (
        "nothing was cancelled"
    )


def test_calls_are_listed_with_the_place_of_their_time(reviewer: Reviewer) -> None:
    reviewer.post("/console/begin", {"time_zone": "America/Santiago"})
    reviewer.connect_here()
    assert "When (UTC)" in reviewer.at("connect"), "the settings were opened in another zone"
    reviewer.post("/console/begin", {"time_zone": "America/Santiago"})
    assert "When (Santiago)" in reviewer.at("connect")


def test_what_was_typed_survives_a_refusal(reviewer: Reviewer) -> None:
    reviewer.connect_here()
    reviewer.at("agent")
    answer = reviewer.post("/console/sessions", SESSION | {"title": "My own", "minutes": "0"})
    assert answer.status_code == 422
    assert "Minutes: a whole number from 1 to 1440." in words(answer)
    assert 'value="My own"' in answer.text


def test_a_step_that_needs_a_connection_says_so(reviewer: Reviewer) -> None:
    assert "is not connected just now" in reviewer.at("agent")
    reviewer.connect_here()
    assert "is not connected just now" not in reviewer.at("agent")


def test_an_unknown_step_is_the_first(reviewer: Reviewer) -> None:
    assert "Begin" in reviewer.at("nonsense")


# --- receipts ---


def test_receipts_are_told_apart(
    reviewer: Reviewer, colleague: Callable[[], Reviewer], service: TestService
) -> None:
    reviewer.connect_here()
    reviewer.in_settings("/disconnect", {"delete_calendar": "no"})
    receipt = reviewer.in_settings("/erase").location
    file = reviewer.get(f"{receipt}?download=1").data
    other = colleague()
    other.enter_by(other.secret)
    assert "it is not about this test agent" in _checked(other, file)
    reviewer.get("/console")
    assert "was changed after it was signed" in _checked(reviewer, file.replace(b"Videsk SpA", b"Somebody"))
    assert "was changed after it was signed" in _checked(reviewer, b"\xff\x00 not JSON")
    odd = json.dumps(json.loads(file) | {"salt": 5}).encode()
    assert "it is not about this test agent" in _checked(reviewer, odd)
    nothing = reviewer.raw_post("/console/verify", {"csrf": reviewer.token}, OWN_PAGE)
    assert nothing.status_code == 422


# --- what is stored, what is seen ---


def test_what_is_stored_is_told_by_name_and_never_by_value(reviewer: Reviewer, service: TestService) -> None:
    reviewer.connect_here()
    reviewer.at("agent")
    reviewer.act("/console/sessions", SESSION)
    page = reviewer.get("/console?step=stored")
    text = words(page)
    named = [
        item for item in INVENTORY if item.place in {"grant", "sessions", "timers", "org", "account-ref"}
    ]
    for item in named:
        assert item.end in text
    assert "facts: calendar_id" in text
    assert "copy_id" in text
    (calendar,) = service.calendars()
    facts = service.parts.store.slots.read(reviewer.agent).facts
    values = (
        calendar["id"],
        facts.connection_id,
        facts.account.ref,
        FIRST,
        "A private title",
        "ya29.",
        "1//",
    )
    assert not any(value in page.text for value in values)


def test_the_list_of_calls_holds_no_content_and_is_for_one_browser(
    reviewer: Reviewer, colleague: Callable[[], Reviewer], service: TestService
) -> None:
    reviewer.connect_here()
    reviewer.at("agent")
    reviewer.act("/console/sessions", SESSION)
    page = reviewer.get("/console?step=agent").text
    (calendar,) = service.calendars()
    assert not any(value in page for value in (calendar["id"], "A private title", FIRST, "ya29."))
    other = colleague()
    other.enter_by(other.secret)
    assert other.calls("agent") == []
    service.connect()
    assert other.calls("stored") == []
    assert len(reviewer.calls("stored")) >= 4
    assert "private title" not in service.stored()


def test_calls_are_listened_to_while_a_reviewers_request_is_served_and_at_no_other_time(
    reviewer: Reviewer, service: TestService
) -> None:
    call_log, during = service.parts.google.call_log, list[int]()

    def count() -> None:
        during.append(len(call_log.listeners))

    service.at_call("oauth.exchange", count)
    service.connect()
    service.at_call("oauth.exchange", count)
    reviewer.connect_here()
    assert during == [0, 1]
    reviewer.at("agent")
    service.google.fault("/token", {"status": 500, "reason": "backendError"})
    assert "That proves nothing" in reviewer.act("/console/check")
    assert reviewer.post("/console/agent", {"agent": "somebody"}).status_code == 404
    assert reviewer.client.post("/console/check", base_url=PUBLIC_URL).status_code == 403
    assert call_log.listeners == ()


def test_a_request_that_was_killed_leaves_nothing_of_the_next_one_in_its_list(
    reviewer: Reviewer, service: TestService
) -> None:
    app, call_log = reviewer.client.application, service.parts.google.call_log
    calls: RecordedCalls = app.extensions["reviewer_calls"]
    call = GoogleCall(METHODS["calendar.events.insert"], 200, None, 0.25)
    with app.test_request_context("/console"):
        calls.record(service.agent, "agent")
        call_log.observe(call)
    assert call_log.listeners  # nobody came to detach it
    with app.test_request_context("/settings"):
        call_log.observe(call)
    call_log.observe(call)
    assert len(calls.of(service.agent)) == 1


def test_a_call_that_failed_is_listed_with_its_answer(reviewer: Reviewer, service: TestService) -> None:
    reviewer.connect_here()
    reviewer.at("agent")
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    text = reviewer.act("/console/sessions", SESSION)
    assert "events.insert 503" in text
    service.google.fault("/token", {"status": 500, "reason": "backendError"})
    assert "That proves nothing" in reviewer.act("/console/check")


# --- visitors of the console ---


def test_each_browser_has_an_agent_of_its_own_and_keeps_it(
    reviewer: Reviewer, colleague: Callable[[], Reviewer]
) -> None:
    first = reviewer.agent
    other = colleague()
    other.enter_by(other.secret)
    assert other.agent != first
    assert other.agent.organization == first.organization
    reviewer.enter_by(reviewer.secret)
    assert reviewer.agent == first


@pytest.mark.parametrize("place", ["", "/", "//", "/x", "/x/agent/Nowhere", "/x/agent/../..", "/x//\0"])
def test_a_place_that_was_made_up_opens_nothing_else(reviewer: Reviewer, place: str) -> None:
    before = reviewer.agent
    reviewer.client.set_cookie("reviewer", f"{reviewer.secret}{place}", domain="localhost")
    answer = reviewer.get("/console")
    assert answer.status_code in {200, 422}
    assert before.agent not in answer.text


def test_an_agent_cannot_be_chosen(reviewer: Reviewer) -> None:
    assert reviewer.post("/console/agent", {"agent": "somebody"}).status_code == 404


def test_beginning_anew_erases_and_gives_another_agent(reviewer: Reviewer, service: TestService) -> None:
    before = reviewer.agent
    reviewer.connect_here()
    reviewer.get("/console")
    assert "erased, and you have a new one" in reviewer.act("/console/reset")
    assert reviewer.agent != before
    assert service.parts.connection.status.of(before).state is State.NOT_CONNECTED
    assert service.live_tokens() == []
    assert reviewer.calls("stored") == []
    assert len(service.calendars()) == 1


def test_leaving_forgets_the_desk_in_this_browser(reviewer: Reviewer) -> None:
    assert reviewer.post("/console/leave").location == "/"
    assert "Stand-in agent console" in words(reviewer.get("/console"))


def test_the_settings_of_a_reviewer_lead_back_and_tell_the_shorter_term(reviewer: Reviewer) -> None:
    page = words(reviewer.settings())
    assert "the identifiers are erased after 10 minutes" in page
    assert 'href="/console"' in reviewer.get("/settings").text


def test_the_stand_in_of_a_developer_has_none_of_it(visitor: Visitor) -> None:
    visitor.get("/console")
    for act in ("begin", "check", "verify", "reset", "leave"):
        assert visitor.post(f"/console/{act}").status_code == 404


def test_nothing_is_used_up_by_a_preview_of_the_link(reviewer: Reviewer) -> None:
    answer = reviewer.get(f"/reviewer/{reviewer.secret}", Sec_Purpose="prefetch")
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers


def test_the_link_leaves_no_trace_in_address_referrer_or_log(
    reviewer: Reviewer, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = reviewer.get(f"/reviewer/{reviewer.secret}")
    written = capfd.readouterr().err
    assert '"path":"/reviewer/<secret>"' in written
    assert reviewer.secret not in written
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert reviewer.secret not in reviewer.get("/console").text


# --- the end, and the limit ---


def test_expired_ended_and_unknown_links_are_answered_alike(
    reviewer: Reviewer, colleague: Callable[[], Reviewer], service: TestService, test_clock: MovableClock
) -> None:
    reviewers = service.parts.operations.reviewers
    (expired, _), (ended, link) = reviewers.make(1), reviewers.make(60)
    reviewers.end(link.organization)
    test_clock.advance(DAY / 1000)
    answers = [colleague().get(f"/reviewer/{secret}") for secret in (expired, ended, "x" * 43, "nonsense")]
    assert [answer.status_code for answer in answers] == [410] * 4
    assert len({answer.data for answer in answers}) == 1
    assert not any("Set-Cookie" in answer.headers for answer in answers)
    assert "This link no longer opens" in words(answers[0])


def test_too_much_within_a_minute_is_refused_and_changes_nothing(
    reviewer: Reviewer, colleague: Callable[[], Reviewer], service: TestService
) -> None:
    reviewer.connect_here()
    for _ in range(ACTS_A_MINUTE):
        service.parts.store.database.write("INCR", f"reviewer-acts:{reviewer.link.organization}")
    reviewer.get("/console")
    refused = reviewer.post("/console/sessions", SESSION)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert service.events() == []
    assert colleague().get(f"/reviewer/{reviewer.secret}").status_code == 429
    assert reviewer.get("/console").status_code == 200


@pytest.fixture
def full_store(reviewer: Reviewer, service: TestService) -> Iterator[None]:
    """A database out of memory, so that acts cannot be counted."""
    client = service.parts.store.database.client
    client.config_set("maxmemory", "1")
    yield
    client.config_set("maxmemory", "0")


def test_what_cannot_be_counted_is_refused(reviewer: Reviewer, full_store: None) -> None:
    reviewer.get("/console")
    assert reviewer.post("/console/check").status_code == 503


# --- in production ---


@pytest.fixture
def production(service: TestService) -> Reviewer:
    """A reviewer of a service in production."""
    config = replace(service.config, environment=Environment.PRODUCTION)
    parts = replace(service.parts, config=config)
    return Reviewer(create_app(parts), replace(service, parts=parts))


def test_the_link_opens_the_console_in_production(production: Reviewer) -> None:
    assert production.get("/console").status_code == 404
    assert production.get("/console/video").status_code == 404
    production.arrive()
    production.connect_here()
    assert _state(production) is State.CONNECTED
    assert "For development" not in words(production.get("/console"))
    assert production.get("/console/video").status_code == 200
    assert production.post("/console/leave").location == "/"
    assert production.get("/console").status_code == 404


def test_when_the_link_is_over_console_and_settings_close(
    production: Reviewer, test_clock: MovableClock
) -> None:
    production.arrive()
    production.connect_here()
    production.get("/settings")
    production.service.parts.operations.reviewers.end(production.link.organization)
    assert production.get("/console").status_code == 410
    assert production.get("/settings").status_code == 401, "the erasure has closed the page"
    assert production.post("/disconnect").status_code == 401
    assert production.post("/console/check").status_code == 410


def test_a_disconnect_names_the_moment_ten_minutes_ahead(reviewer: Reviewer, service: TestService) -> None:
    reviewer.connect_here()
    reviewer.in_settings("/disconnect", {"delete_calendar": "no"})
    view = service.parts.connection.status.of(reviewer.agent)
    assert 9 * MINUTE < view.erase_due - service.parts.clock.now() <= 10 * MINUTE


# --- the script of the video ---


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_video_script_names_what_google_looks_for(
    reviewer: Reviewer, service: TestService, language: str
) -> None:
    page = words(reviewer.get(f"/console/video?lang={language}"))
    for fact in (service.config.google.client_id, "https://www.googleapis.com/auth/calendar", "Videsk"):
        assert fact in page


def test_another_link_opens_in_a_browser_whose_former_one_is_over(production: Reviewer) -> None:
    production.arrive()
    production.service.parts.operations.reviewers.end(production.link.organization)
    assert production.get("/console").status_code == 410
    assert production.arrive().status_code == 200
    assert _state(production) is State.NOT_CONNECTED


def test_a_receipt_is_shown_also_when_the_link_is_over(production: Reviewer) -> None:
    production.arrive()
    production.connect_here()
    production.in_settings("/disconnect", {"delete_calendar": "no"})
    receipt = production.in_settings("/erase").location
    production.service.parts.operations.reviewers.end(production.link.organization)
    assert production.get("/settings").status_code == 410
    assert production.get(receipt).status_code == 200
