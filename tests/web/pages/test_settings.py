"""The agent's page in every state: what it says, and what it offers (words of the promise, in both languages)."""

from collections.abc import Callable

from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store.journal import Actor
from tests.conftest import MovableClock
from tests.household import FIRST, SECOND, Household
from tests.web.pages.visitor import Visitor, words


def _paused(household: Household, *actors: Actor) -> None:
    for actor in actors:
        household.service.organizations.pause(household.agent, actor, paused=True)


def _facts_id(household: Household) -> str:
    return household.service.connections.slot(household.agent).facts.connection_id


def test_before_anything_is_connected_the_page_says_all_that_has_to_be_known(
    visitor: Visitor, household: Household
) -> None:
    page = visitor.enter()
    said = words(page)
    assert "Not connected" in said
    assert "Connecting is up to you" in said
    before_the_button = said.partition("Continue with Google")[0]
    stated = household.service.operator.limited_use
    for sentence in (
        "We make one calendar, “Videsk · Scheduled Sessions”",
        "only if you ask for it",
        "Events in your other calendars are not read",
        "erased 7 days later",
        "within 30 days",
        "Nobody here can read your events",
        "train artificial intelligence",
        "“see, edit, share and permanently delete all calendars”",
        "without writing to anybody",
        stated.sentence,
    ):
        assert sentence in before_the_button, sentence
    assert f'href="{stated.link}"' in page.text
    assert "household.apps.local-google.test" in said  # what an administrator has to be sent
    assert "https://www.googleapis.com/auth/calendar" in said


def test_connected_names_calendar_account_and_coming_sessions(visitor: Visitor, household: Household) -> None:
    visitor.connect()
    household.service.schedule.put(household.agent, "s1", household.content(), By.AGENT, None)
    page = words(visitor.get("/settings"))
    assert "“Videsk · Scheduled Sessions”, in the account ag•••@example.com" in page
    assert "1 coming session is in the calendar" in page
    assert FIRST not in page
    assert "Not your account?" in page
    assert all(offer in page for offer in ("Open Google Calendar", "Pause", "Disconnect…"))


def test_a_notice_is_said_once(visitor: Visitor) -> None:
    assert "From now on your video sessions appear" in words(visitor.connect())
    assert "From now on your video sessions appear" not in words(visitor.get("/settings"))


def test_an_account_that_serves_two_is_told_without_naming_the_other(
    visitor: Visitor, household: Household
) -> None:
    household.connect(Agent("other", "agent-9"))
    page = words(visitor.connect())
    assert "already connected for somebody else here" in page
    assert "agent-9" not in page
    assert "other" not in page.replace("another", "")
    assert "also connected for somebody else" in words(visitor.get("/settings"))


def test_another_account_than_before_is_told(visitor: Visitor, household: Household) -> None:
    household.connect(account=FIRST)
    household.service.disconnect.disconnect(household.agent, Actor.AGENT)
    page = words(visitor.connect(SECOND))
    assert "You chose another Google account than before" in page
    assert "You changed to another Google account" in words(visitor.get("/settings"))


def test_waiting_sessions_are_shown_to_their_agent_with_title_and_time(
    visitor: Visitor, household: Household
) -> None:
    visitor.connect()
    household.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    content = household.content("Revisión <b>con</b> Ana")
    household.service.schedule.put(household.agent, "s1", content, By.AGENT, None)
    page = visitor.get("/settings")
    assert "1 session is on its way" in words(page)
    assert "Revisión &lt;b&gt;con&lt;/b&gt; Ana" in page.text
    assert ", Santiago" in words(page).partition("Ana")[2]
    assert "Google does not answer just now. Your connection is fine" in words(page)


def test_my_pause_can_be_lifted_by_me(visitor: Visitor, household: Household) -> None:
    visitor.connect()
    assert visitor.post("/pause").location == "/settings"
    page = words(visitor.get("/settings"))
    assert "You paused the connection on" in page
    assert "may show sessions that were moved or cancelled" in page
    assert visitor.post("/resume").location == "/settings"
    assert household.service.overview.connection(household.agent).state.value == "connected"


def test_the_organizations_pause_is_told_and_cannot_be_lifted_here(
    visitor: Visitor, household: Household
) -> None:
    visitor.connect()
    _paused(household, Actor.ADMINISTRATOR)
    page = visitor.get("/settings")
    assert "Your organization paused the connection" in words(page)
    assert 'action="/resume"' not in page.text
    visitor.post("/resume")
    assert household.service.overview.connection(household.agent).state.value == "paused"


def test_two_pauses_are_told_apart(visitor: Visitor, household: Household) -> None:
    visitor.connect()
    _paused(household, Actor.AGENT, Actor.ADMINISTRATOR)
    page = words(visitor.get("/settings"))
    assert "by you and by your organization" in page
    assert "Resuming lifts your own pause" in page


def test_agreement_is_asked_again_with_everything_before_the_button(
    visitor: Visitor, household: Household
) -> None:
    visitor.connect()
    household.service.connections.consent_needed(household.agent, _facts_id(household))
    page = words(visitor.get("/settings"))
    assert "Until you agree, we do nothing in your account" in page
    assert "Review and continue" in page
    assert "What Google will say" in page


def test_a_calendar_that_is_gone_is_made_again_only_when_asked(
    visitor: Visitor, household: Household
) -> None:
    visitor.connect()
    household.service.connections.calendar_missing(household.agent, _facts_id(household))
    page = visitor.get("/settings")
    assert "We make no other unless you ask" in words(page)
    assert page.text.count('action="/calendar"') == 2
    assert visitor.post("/calendar", {"create": "yes"}).location == "/settings"
    assert "The calendar is there" in words(visitor.get("/settings"))


def test_a_calendar_that_was_never_made_follows_by_itself(visitor: Visitor, household: Household) -> None:
    household.google.fault(
        {"path": "/calendar/v3/calendars", "method": "POST"}, {"status": 503, "reason": "backendError"}
    )
    page = words(visitor.connect())
    assert "We are still trying" in page
    assert "There is nothing for you to do" in page


def test_a_permission_removed_at_google_is_told_with_its_day(
    visitor: Visitor, household: Household, test_clock: MovableClock
) -> None:
    visitor.connect()
    household.google.fault("/token", {"invalid_grant": True})
    test_clock.advance(7200)
    page = words(visitor.enter())  # asking for the account is what finds out
    assert "Google told us on" in page
    assert "We can see nothing in your account and change nothing there" in page
    assert "Connect again" in page
    assert "Erase now" in page


def test_trouble_while_making_the_calendar_is_told_and_leads_back(
    visitor: Visitor, household: Household
) -> None:
    visitor.connect()
    household.service.connections.calendar_missing(household.agent, _facts_id(household))
    visitor.get("/settings")
    household.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    answer = visitor.post("/calendar", {"create": "yes"})
    assert answer.status_code == 503
    assert "Your connection is fine" in words(answer)
    assert 'href="/settings"' in answer.text


def test_the_export_is_a_file_with_everything_but_the_keys(visitor: Visitor, household: Household) -> None:
    visitor.connect()
    household.service.schedule.put(household.agent, "s1", household.content(), By.AGENT, None)
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


def test_times_are_told_in_the_agents_own_zone(visitor: Visitor, household: Household) -> None:
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


def test_the_days_of_a_term_are_those_of_the_profile(visitor: Visitor, household: Household) -> None:
    assert household.service.operator.promises.erase_after == 7 * DAY
    assert "7 días después" in words(visitor.get("/google-user-data?lang=es")) or "7 días" in words(
        visitor.enter(locale="es")
    )
