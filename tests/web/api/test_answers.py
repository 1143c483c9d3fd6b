"""The texts of every state, in both languages: each says what has to be done."""

from dataclasses import replace

import pytest

from calendar_service.domain.connection import Facts, GrantState, Revocation, State
from calendar_service.domain.scope import SCOPE
from calendar_service.journeys.connection.status import connection_view
from calendar_service.web.api.answers import connection

LIVE = Facts(grant=GrantState.LIVE, grant_since=1, calendar_since=1, consent_scope=SCOPE)
EVERY = {
    "never seen": (Facts(), State.NOT_CONNECTED, "connect"),
    "disconnected": (replace(LIVE, grant=GrantState.RELEASED), State.DISCONNECTED, "connect_again"),
    "revoked at Google": (replace(LIVE, grant=GrantState.DEAD), State.REVOKED, "connect_again"),
    "consent outdated": (replace(LIVE, consent_needed=1), State.RECONSENT_REQUIRED, "review_consent"),
    "paused by the agent": (replace(LIVE, paused_by_agent=1), State.PAUSED, "resume"),
    "paused by the organization": (replace(LIVE, paused_by_organization=1), State.PAUSED, "resume"),
    "calendar gone": (
        replace(LIVE, calendar_since=0, calendar_lost_at=1), State.CALENDAR_MISSING, "create_calendar",
    ),
    "calendar not made yet": (replace(LIVE, calendar_since=0), State.CALENDAR_MISSING, ""),
    "connected": (LIVE, State.CONNECTED, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", EVERY)
def test_every_state_says_what_has_to_be_done_in_both_languages(case: str) -> None:
    facts, state, code = EVERY[case]
    shown = connection(connection_view(facts, 10))
    assert shown.state is state
    if code:
        assert shown.action
        assert shown.action.code == code
        assert shown.action.text.en
        assert shown.action.text.es != shown.action.text.en
    else:
        assert not shown.action


def test_every_state_is_among_the_cases() -> None:
    assert {state for _, state, _ in EVERY.values()} == set(State)


@pytest.mark.parametrize("revocation", Revocation)
def test_every_way_a_revocation_ends_can_be_told(revocation: Revocation) -> None:
    facts = replace(LIVE, grant=GrantState.RELEASED, revocation=revocation.value)
    assert connection(connection_view(facts, 10)).revocation is revocation
