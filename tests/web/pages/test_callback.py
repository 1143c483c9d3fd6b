"""The OAuth callback: accepted once, in the browser that began it, and every refusal explained."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from calendar_service.domain.errors import TooManyRequests
from calendar_service.domain.names import Agent
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.service import FIRST, PUBLIC_URL, TestService
from tests.web.pages.visitor import Visitor, words

Visitors = Callable[[], Visitor]


def _state(visitor: Visitor, service: TestService) -> str:
    return service.parts.connection.status.of(service.agent).state.value


def _token_calls(service: TestService) -> int:
    return sum(call["path"] == "/token" for call in service.google.journal())


def test_the_answer_leads_to_a_clean_address_at_once(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    answer = visitor.get(visitor.consent())
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert _state(visitor, service) == "connected"


def test_an_answer_counts_once(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    callback = visitor.consent()
    visitor.get(callback)
    calls = _token_calls(service)
    again = visitor.refused(callback)
    assert "if you connected a moment ago, that stands" in words(again)
    assert 'href="/settings"' in again.text
    assert (_token_calls(service), _state(visitor, service)) == (calls, "connected")


def test_an_answer_in_another_browser_binds_nothing(
    visitor: Visitor, another_visitor: Visitors, service: TestService
) -> None:
    visitor.enter()
    callback = visitor.consent()
    stranger = another_visitor().refused(callback)
    assert "another browser" in words(stranger)
    assert "Set-Cookie" not in stranger.headers
    visitor.refused(callback)
    assert (_token_calls(service), _state(visitor, service)) == (0, "not_connected")


def test_an_attackers_answer_binds_nothing_for_the_victim(
    visitor: Visitor, another_visitor: Visitors, service: TestService
) -> None:
    victim = another_visitor()
    victim.enter(Agent("acme", "victim"))
    visitor.enter()
    victim.refused(visitor.consent())
    for agent in (Agent("acme", "victim"), service.agent):
        assert service.parts.connection.status.of(agent).state.value == "not_connected"
    assert _token_calls(service) == 0


def test_an_answer_is_too_old_after_ten_minutes(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.enter()
    callback = visitor.consent()
    test_clock.advance(601)
    visitor.refused(callback)
    assert _token_calls(service) == 0


@pytest.mark.parametrize(
    "issuers", [["https://evil.example"], ["{own}", "https://evil.example"], ["{own}", "{own}"]]
)
@pytest.mark.parametrize("allow", [True, False])
def test_an_answer_of_another_issuer_is_refused(
    visitor: Visitor,
    service: TestService,
    issuers: list[str],
    allow: bool,  # noqa: FBT001
) -> None:
    visitor.enter()
    callback = visitor.consent(allow=allow)
    query = parse_qs(urlsplit(callback).query)
    own = service.parts.google.oauth.consent_origin
    query["iss"] = [issuer.replace("{own}", own) for issuer in issuers]
    visitor.refused(f"/oauth/callback?{urlencode(query, doseq=True)}")
    assert (_token_calls(service), _state(visitor, service)) == (0, "not_connected")


def test_a_cancelled_consent_stores_nothing_and_says_so(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    assert visitor.get(visitor.consent(allow=False)).location == "/settings"
    page = words(visitor.get("/settings"))
    assert "You cancelled at Google" in page
    assert "Nothing was stored" in page
    assert "Continue with Google" in page
    assert _state(visitor, service) == "not_connected"


def test_what_google_describes_is_never_repeated(visitor: Visitor) -> None:
    visitor.enter()
    for trick in (
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "{{7*7}}",
        "admin\r\nSet-Cookie: x=1",
    ):
        state = parse_qs(urlsplit(visitor.begin().location).query)["state"][0]
        query = urlencode(
            {"state": state, "error": "server_error", "error_description": trick, "error_uri": trick}
        )
        answer = visitor.get(f"/oauth/callback?{query}")
        page = visitor.get("/settings")
        for text in (answer.text, page.text, str(answer.headers)):
            assert trick not in text
            assert "alert(1)" not in text
            assert "49" not in words(page)


REASONS = {
    "cancelled": "You cancelled at Google",
    "blocked": "has blocked the app",
    "policy_changed": "Our policy changed meanwhile",
    "superseded": "Another attempt came in between",
    "scope_less": "Google gave less than is needed",
    "scope_more": "and gave the permission back at once",
    "scope_more_pending": "We go on asking for 7 days at most",
    "scope_more_shared": "We could not give it back",
    "no_refresh_token": "Google's answer was incomplete",
    "code_refused": "Google did not complete the connection",
    "operator": "The service isn't set up correctly",
    "google_trouble": "Google has a problem right now",
    "busy": "Google's answer came at a busy moment",
    "google_error": "Google did not complete the connection",
}


@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_has_its_words(visitor: Visitor, service: TestService, reason: str) -> None:
    visitor.enter()
    cookie = visitor.session_cookie()
    browser = service.parts.store.tickets.browser(cookie)
    assert browser is not None
    service.parts.store.tickets.save_browser(cookie, replace(browser, notice=f"refused:{reason}"))
    page = words(visitor.get("/settings"))
    assert REASONS[reason] in page
    assert "Continue with Google" in page
    assert REASONS[reason] not in words(visitor.get("/settings"))


def test_less_than_asked_is_refused_and_told(visitor: Visitor, service: TestService) -> None:
    service.google.switch(granted_scope="less")
    visitor.enter()
    visitor.get(visitor.consent())
    page = words(visitor.get("/settings"))
    assert "Google gave less than is needed" in page
    assert _state(visitor, service) == "not_connected"


@shows("SC-1")
def test_more_than_asked_is_refused_given_back_and_told(visitor: Visitor, service: TestService) -> None:
    service.google.switch(granted_scope="more")
    visitor.enter()
    visitor.get(visitor.consent())
    assert "and gave the permission back at once" in words(visitor.get("/settings"))
    assert service.live_tokens() == []


def test_google_down_at_the_exchange_is_told(visitor: Visitor, service: TestService) -> None:
    service.google.fault("/token", {"status": 503, "reason": "backendError"})
    visitor.enter()
    visitor.get(visitor.consent())
    assert "Google has a problem right now" in words(visitor.get("/settings"))


@pytest.mark.parametrize("fault", ["full", "visit", "store"])
def test_an_answer_that_could_not_be_taken_leads_to_a_clean_address(
    visitor: Visitor, service: TestService, fault: str
) -> None:
    visitor.enter()
    callback = visitor.consent()
    if fault == "full":
        answer = visitor.client.get(
            callback, base_url=PUBLIC_URL, environ_overrides={"calendar_service.is_full": True}
        )
    elif fault == "visit":
        cookie = visitor.client.get_cookie("session")
        assert cookie is not None
        with suppress(TooManyRequests):
            while True:
                service.parts.caller_limits.visit.take(cookie.value)
        answer = visitor.get(callback)
    else:
        service.parts.store.database.client.config_set("maxmemory", 1)
        try:
            answer = visitor.get(callback)
        finally:
            service.parts.store.database.client.config_set("maxmemory", 0)
    assert (answer.status_code, answer.location) == (303, "/settings?answer=busy")
    assert "code=" not in answer.text
    assert _state(visitor, service) == "not_connected"


def test_a_newer_attempt_wins(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    older = visitor.consent()
    visitor.get("/settings")
    newer = visitor.consent(account=FIRST)
    visitor.get(older)
    assert "Another attempt came in between" in words(visitor.get("/settings"))
    visitor.get(newer)
    assert _state(visitor, service) == "connected"


def test_a_callback_without_anything_is_a_dead_end_with_a_way_back(visitor: Visitor) -> None:
    for path in ("/oauth/callback", "/oauth/callback?state=a&state=b&code=c", "/oauth/callback?code=x"):
        assert 'href="/console"' in visitor.refused(path).text


@pytest.mark.parametrize("reason", ["", "expired", "link", "<script>", "x" * 2_000])
def test_the_address_of_a_refused_answer_shows_words_of_ours_alone_and_changes_nothing(
    visitor: Visitor, service: TestService, reason: str
) -> None:
    visitor.enter()
    callback = visitor.consent()
    page = visitor.get(f"/oauth/callback?{urlencode({'refused': reason})}")
    assert page.status_code == 400
    assert reason not in page.text or reason in {"", "expired", "link"}
    visitor.get(callback)  # the consent under way goes on
    assert _state(visitor, service) == "connected"


def test_looking_at_the_answer_ahead_does_not_use_it_up(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    callback = visitor.consent()
    assert visitor.client.head(callback, base_url=PUBLIC_URL).status_code == 405
    assert visitor.get(callback, Sec_Purpose="prefetch").status_code == 503
    visitor.get(callback)
    assert _state(visitor, service) == "connected"


def test_an_off_boarded_organization_cannot_be_connected_and_that_is_told(
    visitor: Visitor, service: TestService
) -> None:
    visitor.enter()
    callback = visitor.consent()
    service.parts.operations.organizations.off_board("acme")
    for answer in (visitor.get(callback), visitor.begin()):
        assert answer.status_code == 409
        assert "Your organization has ended this service" in words(answer)
    assert _state(visitor, service) == "not_connected"
