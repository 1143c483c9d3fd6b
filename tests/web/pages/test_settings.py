"""The settings page in every state: its texts and its controls, in both languages."""

import json
import re
import time
from collections.abc import Callable

import pytest

from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import By
from calendar_service.rendering.language import Language
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.service import FIRST, SECOND, TestService
from tests.web.pages.visitor import ZONE, Visitor, words

REASONS = (
    "paced", "google_trouble", "quota_exceeded", "operator", "administrator", "paused", "calendar_missing",
    "reconsent_required", "google_refused", "session_over", "waited_too_long", "disconnected", "revoked", "reconnected",
)  # fmt: skip
"""Why a session is not in the calendar, wherever the service writes that down."""


def _paused(service: TestService, *actors: Actor) -> None:
    for actor in actors:
        service.parts.connection.pauses.set(service.agent, actor, paused=True)


def _facts_id(service: TestService) -> str:
    return service.parts.store.slots.read(service.agent).facts.connection_id


@shows("LU-0")
def test_before_anything_is_connected_the_page_says_all_that_has_to_be_known(
    visitor: Visitor, service: TestService
) -> None:
    page = visitor.enter()
    text = words(page)
    assert "Not connected" in text
    assert "the calendar updates" not in text, "there is none that could"
    assert "Connecting is optional" in text
    before_the_button = text.partition("Continue with Google")[0]
    stated = service.parts.operator.limited_use
    for sentence in (
        "We make one calendar, “Videsk · Scheduled Sessions”",
        "only if you ask for it",
        "Events in your other calendars are not read",
        "the identifiers are erased after 7 days",
        "within 30 days",
        "No titles or notes from Google, and nothing of your other calendars",
        "identifiers of your sessions' events, when one was moved or deleted in Google",
        "Our staff have no screen and no command that shows what is written in your events",
        "a keyed fingerprint of your main calendar's identifier: the account cannot be read from it",
        "Audit entries without your name stay 400 days",
        "train artificial intelligence",
        "“See, edit, share, and permanently delete all the calendars you can access using Google Calendar”",
        "without writing to anybody",
        stated.sentence,
    ):
        assert sentence in before_the_button, sentence
    assert f'href="{stated.link}"' in page.text.partition('action="/connect"')[0]
    assert "test-service.apps.local-google.test" in text  # what an administrator has to be sent
    assert "https://www.googleapis.com/auth/calendar" in text


def test_connected_names_calendar_account_and_coming_sessions(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    answer = visitor.get("/settings")
    page = words(answer)
    assert "“Videsk\u00a0· Scheduled Sessions”" in answer.text, "no line begins with the dot"
    assert "“Videsk · Scheduled Sessions”, in the account ag•••@example.com" in page
    assert "1 coming session is in the calendar" in page
    assert FIRST not in page
    assert "Not your account?" in page
    assert all(offer in page for offer in ("Open Google Calendar", "Pause", "Disconnect…"))


def test_a_notice_is_said_once(visitor: Visitor) -> None:
    visitor.connect()
    visitor.post("/pause")
    visitor.post("/resume")
    assert "What changed meanwhile is written now" in words(visitor.get("/settings"))
    assert "What changed meanwhile is written now" not in words(visitor.get("/settings"))


def test_an_account_that_serves_two_is_told_without_naming_the_other(
    visitor: Visitor, service: TestService
) -> None:
    service.connect(Agent("other", "agent-9"))
    page = words(visitor.connect())
    assert "already connected for somebody else here" in page
    assert "agent-9" not in page
    assert "other" not in page.replace("another", "")
    assert "also connected for somebody else" in words(visitor.get("/settings"))


def test_another_account_than_before_is_told(visitor: Visitor, service: TestService) -> None:
    service.connect(account=FIRST)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    page = words(visitor.connect(SECOND))
    assert "You chose another Google account than before" in page
    assert "You changed to another Google account" in words(visitor.get("/settings"))


def test_waiting_sessions_are_shown_to_their_agent_with_title_and_time(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    content = service.content("Revisión <b>con</b> Ana")
    service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)
    page = visitor.reload()
    assert "1 session is waiting" in words(page)
    assert "Revisión &lt;b&gt;con&lt;/b&gt; Ana" in page.text
    assert ", Santiago" in words(page).partition("Ana")[2]
    assert (
        "Google isn't answering right now. Your connection here stays as it is"
        in words(page).partition("Pause")[0]
    )


def test_a_session_that_may_wait_too_long_is_told_with_its_last_day(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    _paused(service, Actor.AGENT)
    for session, days in (("soon", 20), ("late", 40)):
        service.parts.sessions.schedule.put(
            service.agent, session, service.content(session, days=days), By.AGENT, None
        )
    last = service.parts.store.sessions.all(service.agent)[0].waiting_since + 30 * DAY
    page = words(visitor.get("/settings"))
    assert page.count("Until ") == 1
    assert f"Waits until the pause ends. Until {Language('en').moment(last, ZONE)} at the latest." in page
    assert "for 30 days at most" in page


def test_the_calendar_is_said_to_follow_only_where_it_does(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    assert "corrected in the console, and the calendar updates" in words(visitor.get("/settings"))
    _paused(service, Actor.AGENT)
    page = words(visitor.get("/settings"))
    assert "Have it corrected in the console" in page
    assert "the calendar updates" not in page


def test_a_block_of_the_administrators_comes_with_what_to_send_them(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    test_clock.advance(7200)
    service.google.switch(admin_block=True)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    page = words(visitor.enter())
    assert "1 session is waiting" in page
    assert "What to send to the administrator" in page
    assert page.index("Your data") < page.index("App: Videsk")  # last on the page
    assert service.config.google.client_id in page
    assert "nothing for you to do" not in page


def test_a_session_that_failed_is_named_by_id_and_day_with_what_went_wrong(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    _paused(service, Actor.AGENT)
    content = service.content("Sealed until it fails", days=1)
    service.parts.sessions.schedule.put(service.agent, "s-17", content, By.AGENT, None)
    test_clock.advance(3 * 24 * 3600)
    service.work(2)
    page = words(visitor.enter())
    assert "1 session could not be written" in page
    failed = page.partition("could not be written")[2]
    assert f"Video session s-17 {Language('en').day(content.end, 'UTC')}" in failed
    assert "It's still in the console" in failed
    assert "When the console changes a session, we try again." in failed
    assert "The session was over before it could be written" in failed
    assert "Sealed until it fails" not in page


@pytest.mark.parametrize("locale", ["en", "es"])
def test_every_reason_has_its_plain_words(visitor: Visitor, service: TestService, locale: str) -> None:
    visitor.connect()
    _paused(service, Actor.AGENT)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    database, key = service.parts.store.database.client, service.key("sessions")
    record = json.loads(database.hget(key, "s1"))
    for reason in REASONS:
        database.hset(key, "s1", json.dumps(record | {"status": "failed", "reason": reason}))
        assert 'class="why"' in visitor.enter(locale=locale).text, reason


def test_trouble_is_told_by_who_can_end_it(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    for fault, sentence in (
        ({"status": 403, "reason": "forbidden", "domain": "usageLimits"}, ""),
        ({"status": 503, "reason": "backendError"}, "Google isn't answering right now"),
        ({"html": 502}, "Google isn't answering right now"),
    ):
        service.google.clear_faults()
        service.google.fault("/calendar/v3/*", fault)
        assert sentence in words(visitor.reload())


def test_our_own_trouble_is_not_called_googles(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    service.google.fault("/token", {"invalid_client": True})
    test_clock.advance(3600)
    page = words(visitor.enter())
    assert "There's a problem on our side right now. Your connection stays as it is" in page
    assert "Google does not answer" not in page
    assert "ag•••" not in page


def test_a_google_that_hangs_keeps_no_page_waiting(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.google.fault("/calendar/v3/*", {"hang": True})
    began = time.monotonic()
    page = words(visitor.reload())
    assert time.monotonic() - began < 4
    assert "Google isn't answering right now" in page
    assert "ag•••" not in page


def test_another_account_can_be_chosen_with_everything_said_before_the_button(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    assert 'href="/settings?account=another#connect"' in visitor.get("/settings").text
    page = visitor.get("/settings?account=another")
    assert "the one in the present account stays as it is" in words(page)
    assert "What Google will say" in words(page).partition("Continue with Google")[0]
    assert "Keep the present account" in words(page)
    assert "Connecting is optional" not in words(page)
    assert page.text.count("button primary") == 1
    visitor.get(visitor.consent(account=SECOND))
    assert "You chose another Google account than before" in words(visitor.get("/settings"))
    assert service.calendars(SECOND)


def test_whoever_shares_an_account_is_told_as_long_as_it_is_so(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    other = Agent("other", "agent-9")
    assert "somebody else" not in words(visitor.get("/settings"))
    service.connect(other)
    assert "also connected for somebody else" in words(visitor.get("/settings"))
    service.parts.connection.disconnect.disconnect(other, Actor.AGENT)
    assert "somebody else" not in words(visitor.get("/settings"))


def test_what_the_organization_did_is_told_with_its_day(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    _paused(service, Actor.ADMINISTRATOR)
    service.parts.connection.pauses.set(service.agent, Actor.ADMINISTRATOR, paused=False)
    assert "Your organization had paused the connection, and lifted its pause on" in words(
        visitor.get("/settings")
    )
    service.parts.connection.disconnect.disconnect(service.agent, Actor.ADMINISTRATOR)
    page = words(visitor.get("/settings"))
    assert "Your organization ended the connection on" in page
    assert "lifted its pause" not in page


def test_what_the_operator_did_is_told(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.operations.all_connections.revoke(service.agent)
    assert "Videsk SpA ended the connection on" in words(visitor.get("/settings"))


def test_ones_own_acts_are_not_told_as_others(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.post("/pause")
    visitor.post("/resume")
    visitor.post("/disconnect")
    page = words(visitor.get("/settings"))
    assert "Since" in page
    assert "Your organization" not in page.partition("Connect Google Calendar")[0]


def test_an_off_boarded_organizations_agents_are_told_and_offered_nothing_that_fails(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.operations.organizations.off_board("acme")
    page = visitor.get("/settings")
    assert "Your organization has ended Google Calendar for its agents" in words(page)
    assert 'action="/connect"' not in page.text
    assert "#connect" not in page.text
    assert visitor.post("/erase").location.startswith("/receipts/")


@pytest.mark.parametrize(
    ("consented", "sentence"),
    [
        ("another", "needs another permission at Google than the one you gave"),
        (SCOPE, "the permission on record no longer covers"),
    ],
)
def test_what_changed_is_told_where_agreement_is_needed(
    visitor: Visitor, service: TestService, consented: str, sentence: str
) -> None:
    visitor.connect()
    service.parts.store.connections.consent_needed(service.agent, _facts_id(service), service.token_number)
    facts = service.key("facts")
    service.parts.store.database.client.hset(facts, "consent_scope", consented)
    assert sentence in words(visitor.get("/settings"))


@shows("restriction")
def test_my_pause_can_be_lifted_by_me(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    assert visitor.post("/pause").location == "/settings"
    page = words(visitor.get("/settings"))
    assert "You paused the connection on" in page
    assert "may show sessions that were moved or cancelled" in page
    assert visitor.post("/resume").location == "/settings"
    assert service.parts.connection.status.of(service.agent).state.value == "connected"


def test_the_organizations_pause_is_told_and_cannot_be_lifted_here(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    _paused(service, Actor.ADMINISTRATOR)
    page = visitor.get("/settings")
    assert "Your organization paused the connection" in words(page)
    assert 'action="/resume"' not in page.text
    visitor.post("/resume")
    assert service.parts.connection.status.of(service.agent).state.value == "paused"


def test_two_pauses_are_told_apart(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    _paused(service, Actor.AGENT, Actor.ADMINISTRATOR)
    page = words(visitor.get("/settings"))
    assert "You paused the connection on" in page
    assert "Your organization paused the connection on" in page
    assert "Resuming lifts your own pause" in page


def test_agreement_is_asked_again_with_everything_before_the_button(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.store.connections.consent_needed(service.agent, _facts_id(service), service.token_number)
    page = words(visitor.get("/settings"))
    assert "Until you agree, we do nothing in your account" in page
    assert "Review and continue" in page
    assert "Agree and continue" in page
    assert "Connect Google Calendar" not in page
    assert "What Google will say" in page


def test_a_calendar_that_is_gone_is_made_again_only_when_asked(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    page = visitor.get("/settings")
    assert "We make no other unless you ask" in words(page)
    assert page.text.count('action="/calendar"') == 2
    assert visitor.post("/calendar", {"create": "yes"}).location == "/settings"
    assert "The calendar is there" in words(visitor.get("/settings"))


REFUSED_ACCOUNTS = [
    ({"status": 403, "reason": "notACalendarUser"}, "Only that administrator can end it"),
    ({"status": 403, "reason": "aReasonOfTomorrow"}, "There's a problem on our side right now"),
    ({"status": 403, "reason": "quotaExceeded"}, "has reached one of Google's limits"),
]


@pytest.mark.parametrize(("refusal", "sentence"), REFUSED_ACCOUNTS)
def test_who_keeps_the_first_calendar_from_being_made_is_said_at_once(
    visitor: Visitor, service: TestService, refusal: dict[str, object], sentence: str
) -> None:
    service.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, refusal)
    page = words(visitor.connect())
    assert sentence in page
    assert "nothing for you to do" not in page
    answer = visitor.post("/calendar", {"create": "yes"})
    assert (answer.status_code, answer.location) == (303, "/settings")
    page = words(visitor.get("/settings"))
    assert "Google refused that for now" in page
    assert sentence in page
    service.google.clear_faults()
    visitor.post("/calendar", {"create": "yes"})
    page = words(visitor.get("/settings"))
    assert "The calendar is there" in page
    assert sentence not in page


@pytest.mark.parametrize("create", ["yes", "no"])
def test_a_lost_calendar_that_google_refuses_to_replace_is_answered_with_the_page(
    visitor: Visitor, service: TestService, create: str
) -> None:
    visitor.connect()
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    service.google.fault("/calendar/v3/*", REFUSED_ACCOUNTS[0][0])
    visitor.get("/settings")
    assert visitor.post("/calendar", {"create": create}).status_code == 303
    page = words(visitor.get("/settings"))
    assert "Google refused that for now" in page
    assert REFUSED_ACCOUNTS[0][1] in page


def test_try_now_while_google_does_not_answer_is_answered_with_the_page(
    visitor: Visitor, service: TestService
) -> None:
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars"}, {"status": 503, "reason": "backendError"}
    )
    assert "sessions follow as soon as it is there" in words(visitor.connect())
    assert visitor.post("/calendar", {"create": "yes"}).status_code == 303
    page = words(visitor.get("/settings"))
    assert "Google has not answered that yet" in page
    assert "There's nothing for you to do" in page


@pytest.mark.parametrize(("refusal", "sentence"), REFUSED_ACCOUNTS[:1])
def test_an_account_without_calendar_is_told_who_has_to_act(
    visitor: Visitor, service: TestService, refusal: dict[str, object], sentence: str
) -> None:
    visitor.connect()
    service.google.fault("/calendar/v3/*", refusal)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    page = words(visitor.get("/settings"))
    assert sentence in page
    assert "turned off Google Calendar for your account" in page
    assert "nothing for you to do" not in page


def test_going_back_to_a_former_account_says_that_its_calendar_is_used_again(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    visitor.get("/settings?account=another")
    visitor.get(visitor.consent(account=SECOND))
    page = words(visitor.get("/settings"))
    assert "A new calendar is made there" in page
    visitor.get("/settings?account=another")
    visitor.get(visitor.consent(account=FIRST))
    page = words(visitor.get("/settings"))
    assert "The calendar that we made there earlier is used again" in page
    assert "A new calendar is made there" not in page
    assert len(service.calendars(FIRST)) == 1


def test_a_search_that_found_no_calendar_is_not_offered_again_at_once(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.as_person("DELETE", None, calendar=service.calendars()[0]["id"])
    assert "Use one of ours" in words(visitor.reload())
    visitor.post("/calendar", {"create": "no"})
    page = visitor.get("/settings")
    assert "There is no other calendar of ours in your account" in words(page)
    assert 'class="notice warn"' in page.text
    assert "Use one of ours" not in words(page)
    assert "Create it again" in words(page)


def test_a_calendar_that_was_never_made_follows_by_itself(visitor: Visitor, service: TestService) -> None:
    service.google.fault(
        {"path": "/calendar/v3/calendars", "method": "POST"}, {"status": 503, "reason": "backendError"}
    )
    page = words(visitor.connect())
    assert "We are still trying" in page
    assert "There's nothing for you to do" in page
    assert "The calendar is on its way since" in page
    assert "The calendar is missing" not in page


def test_a_permission_removed_at_google_is_told_with_its_day(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    service.google.fault("/token", {"invalid_grant": True})
    test_clock.advance(7200)
    page = words(visitor.enter())  # asking for the account is what finds out
    assert "Google told us on" in page
    assert "We can see nothing in your account and change nothing there" in page
    assert "Connect again" in page
    assert "Erase now" in page


def test_trouble_while_making_the_calendar_is_told_and_leads_back(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    visitor.get("/settings")
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    answer = visitor.post("/calendar", {"create": "yes"})
    assert (answer.status_code, answer.location) == (303, "/settings")
    page = words(visitor.get("/settings"))
    assert "Google has not answered that yet" in page
    assert "The calendar is missing" in page


def test_an_export_is_for_the_agents_own_browser_alone(
    visitor: Visitor, another_visitor: Callable[[], Visitor], service: TestService
) -> None:
    visitor.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    stranger = another_visitor()
    assert stranger.get("/export").status_code == 401
    stranger.enter(Agent("acme", "agent-2"))
    answer = stranger.get("/export?agent=agent-1")
    assert (answer.json or {})["agent"] == "agent-2"
    assert "s1" not in answer.text
    visitor.post("/logout")
    assert visitor.get("/export").status_code == 401


@shows("access")
def test_the_export_is_a_file_with_everything_but_the_keys(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    answer = visitor.get("/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="google-calendar-data.json"'
    assert answer.json is not None
    assert answer.json["sessions"][0]["session"] == "s1"
    assert not any(prefix in answer.text for prefix in ("ya29.", "1//"))


def test_a_page_is_in_the_language_of_the_link_then_the_cookie_then_the_console_then_the_browser(
    visitor: Visitor, another_visitor: Callable[[], Visitor]
) -> None:
    assert 'lang="es"' in visitor.enter(locale="es-CL").text
    chosen = visitor.get("/settings?lang=en")
    assert '<html lang="en">' in chosen.text
    assert chosen.headers["Content-Language"] == "en"
    assert '<html lang="en">' in visitor.get("/settings").text
    stranger = another_visitor()
    assert '<html lang="es">' in stranger.get("/", Accept_Language="es-MX, en;q=0.5").text
    assert '<html lang="en">' in stranger.get("/", Accept_Language="fr").text
    assert '<html lang="en">' in stranger.get("/?lang=xx").text


def test_the_calendar_is_called_by_the_name_that_it_has_there(visitor: Visitor, service: TestService) -> None:
    assert "«Videsk · Sesiones programadas»" in words(visitor.enter(locale="es"))
    visitor.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    assert "«Videsk · Scheduled Sessions»" in words(visitor.get("/settings?lang=es"))
    assert "«Videsk · Scheduled Sessions»" in words(visitor.get("/disconnect"))
    visitor.post("/disconnect")
    assert "Dejamos «Videsk · Scheduled Sessions» en su cuenta" in words(visitor.get("/settings"))


def test_times_are_told_in_the_agents_own_zone(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    visitor.enter(time_zone="Europe/Oslo", locale="es")
    assert ", Oslo" in words(visitor.get("/settings"))


def test_the_way_back_is_one_that_the_profile_allows(visitor: Visitor) -> None:
    page = visitor.enter(return_url="https://evil.example/")
    assert "evil.example" not in page.text
    assert 'href="/console"' in page.text


def test_an_agents_name_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.enter(Agent("acme", "ana.perez@videsk.io"))
    assert "Settings of ana.perez@videsk.io" in words(page)


def test_the_days_of_a_term_are_those_of_the_profile(visitor: Visitor, service: TestService) -> None:
    assert service.parts.operator.promises.erase_after == 7 * DAY
    assert "7 días después" in words(visitor.get("/google-user-data?lang=es")) or "7 días" in words(
        visitor.enter(locale="es")
    )


def test_what_the_agent_did_in_google_is_counted_and_left_alone(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    views = [
        service.parts.sessions.schedule.put(service.agent, f"s{number}", service.content(), By.AGENT, None)
        for number in range(3)
    ]
    assert "in Google Calendar. " not in words(visitor.get("/settings"))
    service.as_person("PATCH", views[0], {"location": "Elsewhere"})
    service.as_person("DELETE", views[1])
    service.parts.sessions.change_detector.once(service.agent)
    text = words(visitor.get("/settings"))
    assert "2 coming sessions are in the calendar." in text
    assert "1 session was changed in Google Calendar. The console keeps its own version" in text
    assert "1 session was deleted in Google Calendar. It's still in the console" in text


def _many_waiting(service: TestService, count: int) -> None:
    """Let the agent have so many waiting sessions."""
    _paused(service, Actor.AGENT)
    service.parts.sessions.schedule.put(service.agent, "s0000", service.content("Talk"), By.AGENT, None)
    client = service.parts.store.database.client
    text = client.hget(service.key("sessions"), "s0000") or ""
    names = [f"s{number:04}" for number in range(count)]
    client.hset(service.key("sessions"), mapping=dict.fromkeys(names, text))
    client.zadd(service.key("days"), dict.fromkeys(names, json.loads(text)["end_day"]))


def test_many_waiting_sessions_are_shown_page_by_page(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    _many_waiting(service, 120)
    shown = []
    for number in (1, 2, 3):
        page = visitor.get(f"/settings?sessions={number}")
        assert "120 sessions are waiting" in words(page)
        assert (f"/settings?sessions={number + 1}" in page.text) == (number < 3)
        assert (f"/settings?sessions={number - 1}" in page.text) == (number > 1)
        shown.append(len(re.findall(r"<li><strong>", page.text)))
    assert sum(shown) == 120
    assert max(shown) == 50


def test_what_a_settings_page_reads_does_not_grow_with_the_sessions(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    _many_waiting(service, 1_000)
    client = service.parts.store.database.client

    def sent() -> int:
        before = int(client.info("stats")["total_net_output_bytes"])
        visitor.get("/settings")
        return int(client.info("stats")["total_net_output_bytes"]) - before

    # The least of three: the suite's own listener may still be sent what was written before.
    thousand = min(sent() for _ in range(3))
    _many_waiting(service, 4_000)
    assert min(sent() for _ in range(3)) < 1.2 * thousand
    assert "This page counts the next 1000 and the last 1000" in words(visitor.get("/settings"))


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999", "7"])
def test_a_page_of_sessions_that_does_not_exist_is_no_error(
    visitor: Visitor, service: TestService, number: str
) -> None:
    visitor.connect()
    assert visitor.get(f"/settings?sessions={number}").status_code == 200
