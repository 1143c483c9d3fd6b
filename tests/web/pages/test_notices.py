"""What the settings say once about the last act, over each state that may stand below when it is shown."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from calendar_service.store.audit_log import Actor
from tests.support.service import CLIENT_ID, TestService
from tests.web.pages.visitor import Visitor, words

STANDS = "How it stands now is written below."
WRITTEN_NOW = "What changed meanwhile is written now."
PAUSED = {"paused", "paused_by_both", "paused_by_the_organization"}
ENDED = {"revoked", "disconnected", "not_connected"}
CLAIMS = {
    "connected": {"Google gave the permission": {"missing", *PAUSED, *ENDED, "reconsent_required"}},
    "connected:shared": {"already connected for somebody else here": {"connected", "administrator", *PAUSED}},
    "connected:moved": {"A new calendar is made there": {"connected", "administrator", *PAUSED}},
    "resumed": {
        WRITTEN_NOW: {"connected"},
        "Your own pause is lifted": {
            "administrator", "never_made", "missing", "paused_by_the_organization", "reconsent_required",
        },
    },
    "term": {
        "Applies when you disconnect": {
            "connected", "administrator", "never_made", "missing", *PAUSED, "reconsent_required",
        },
    },
    "calendar_ready": {"Waiting sessions are written now": {"connected"}},
    "calendar_later": {"Google has not answered that yet": {"never_made", "missing"}},
    "calendar_none": {"There is no other calendar of ours": {"never_made", "missing"}},
}  # fmt: skip
"""Each notice, what it claims, and the states of which that is true."""
SAID_BY_THE_CARD = {
    "connected": {"connected", "administrator", "never_made"},
    "disconnected": {"disconnected"},
    "deleted": {"disconnected"},
    "paused": PAUSED,
}
"""Notices that say nothing over these states, whose card says the same."""


def _nothing(service: TestService) -> None:
    del service


def _connect(service: TestService) -> None:
    service.connect()


def _block(service: TestService) -> None:
    service.connect()
    service.google.switch(not_calendar_users=["*"])


def _never_made(service: TestService) -> None:
    trouble = {"status": 503, "reason": "backendError"}
    service.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, trouble)
    service.connect()


def _miss(service: TestService) -> None:
    service.connect()
    service.as_person("DELETE", None, calendar=service.calendars()[0]["id"])


def _pause(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)


def _pause_twice(service: TestService) -> None:
    _pause(service)
    service.parts.connection.pauses.set(service.agent, Actor.ADMINISTRATOR, paused=True)


def _pause_by_the_organization(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.ADMINISTRATOR, paused=True)


def _narrow(service: TestService) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 403, "reason": "insufficientPermissions"})


def _revoke(service: TestService) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 401, "reason": "authError"})
    service.google.fault("/token", {"invalid_grant": True})


def _disconnect(service: TestService) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)


STATES: dict[str, Callable[[TestService], None]] = {
    "connected": _connect,
    "administrator": _block,
    "never_made": _never_made,
    "missing": _miss,
    "paused": _pause,
    "paused_by_both": _pause_twice,
    "paused_by_the_organization": _pause_by_the_organization,
    "reconsent_required": _narrow,
    "revoked": _revoke,
    "disconnected": _disconnect,
    "not_connected": _nothing,
}


def _after(visitor: Visitor, notice: str) -> str:
    cookie = visitor.session_cookie()
    browser = visitor.service.parts.store.tickets.browser(cookie)
    assert browser is not None
    visitor.service.parts.store.tickets.save_browser(cookie, replace(browser, notice=notice))
    page = visitor.get("/settings").text
    _, _, rest = page.partition('<section class="notice')
    inside, _, below = rest.partition("</section>")
    return inside if STANDS not in inside else inside + ("" if below else "nothing below")


@pytest.mark.parametrize("state", STATES)
def test_a_notice_claims_only_what_the_state_below_it_says(
    visitor: Visitor, service: TestService, state: str
) -> None:
    STATES[state](service)
    visitor.enter()
    for notice, silent_over in SAID_BY_THE_CARD.items():
        assert (_after(visitor, notice) == "") == (state in silent_over), notice
    for notice, claims in CLAIMS.items():
        shown = _after(visitor, notice)
        assert shown or state in SAID_BY_THE_CARD.get(notice, ())
        for claim, true_of in claims.items():
            assert (claim in shown) == (state in true_of), (notice, claim, shown)


def test_a_consent_that_google_finds_too_narrow_is_not_called_trouble(
    visitor: Visitor, service: TestService
) -> None:
    service.google.fault("/calendar/v3/*", {"status": 403, "reason": "insufficientPermissions"})
    page = words(visitor.connect())
    assert f"Google gave the permission. {STANDS}" in page
    assert "Your agreement is needed" in page
    assert "Google has a problem" not in page


def test_a_pause_of_the_organization_outlasts_the_agents_own(visitor: Visitor, service: TestService) -> None:
    _pause_twice(service)
    visitor.enter()
    visitor.post("/resume")
    page = words(visitor.get("/settings"))
    assert f"Your own pause is lifted. {STANDS}" in page
    assert "Only an administrator of your organization can lift that pause" in page
    assert WRITTEN_NOW not in page


def test_who_is_blocked_with_another_account_is_told_what_to_send(visitor: Visitor) -> None:
    visitor.connect()
    visitor.get("/settings?account=another")
    state = parse_qs(urlsplit(visitor.begin().location).query)["state"][0]
    visitor.get(f"/oauth/callback?error=admin_policy_enforced&state={state}")
    page = visitor.get("/settings")
    notice = page.text.partition('<section class="notice')[2].partition("</section>")[0]
    assert "Your organization does not allow it" in notice
    assert "below the button" not in page.text
    assert 'href="#administrator"' in notice
    assert CLIENT_ID in page.text.partition('id="administrator"')[2]
