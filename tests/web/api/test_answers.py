"""The texts of every state, in both languages: each says what has to be done."""

from dataclasses import replace

import pytest

from calendar_service.domain.connection import (
    BlockFacts,
    CalendarFacts,
    ConsentFacts,
    EndFacts,
    Facts,
    GrantFacts,
    GrantState,
    PauseFacts,
    Revocation,
    State,
)
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.scope import SCOPE
from calendar_service.journeys.connection.status import connection_view
from calendar_service.web.api.answers import connection

TERMS = ConsentTerms(SCOPE, "1")
LIVE = Facts(
    grant=GrantFacts(GrantState.LIVE, since=1),
    calendar=CalendarFacts(since=1),
    consent=ConsentFacts(TERMS.scope, TERMS.policy),
)
RELEASED = replace(LIVE, grant=GrantFacts(GrantState.RELEASED, since=1))
OUTDATED = replace(LIVE, consent=replace(LIVE.consent, required_since=1))
EVERY = {
    "never seen": (Facts(), State.NOT_CONNECTED, "connect"),
    "disconnected": (RELEASED, State.DISCONNECTED, "connect_again"),
    "revoked at Google": (
        replace(LIVE, grant=GrantFacts(GrantState.DEAD, since=1)), State.REVOKED, "connect_again",
    ),
    "consent outdated": (OUTDATED, State.RECONSENT_REQUIRED, "review_consent"),
    "paused by the agent": (replace(LIVE, pause=PauseFacts(by_agent=1)), State.PAUSED, "resume"),
    "paused by the organization": (replace(LIVE, pause=PauseFacts(by_organization=1)), State.PAUSED, "resume"),
    "calendar gone": (
        replace(LIVE, calendar=CalendarFacts(lost_at=1)), State.CALENDAR_MISSING, "create_calendar",
    ),
    "calendar not made yet": (
        replace(LIVE, calendar=CalendarFacts()), State.CALENDAR_MISSING, "wait_for_calendar",
    ),
    "not made, at a limit": (
        replace(LIVE, calendar=CalendarFacts(), block=BlockFacts("quota_exceeded", 1)),
        State.CALENDAR_MISSING, "wait_for_quota",
    ),
    "blocked by the administrator": (
        replace(LIVE, block=BlockFacts("administrator", 1)), State.CONNECTED, "allow_calendar",
    ),
    "refused by Google": (
        replace(LIVE, block=BlockFacts("operator", 1)), State.CONNECTED, "mend_service",
    ),
    "paused and blocked": (
        replace(LIVE, pause=PauseFacts(by_agent=1), block=BlockFacts("administrator", 1)), State.PAUSED, "resume",
    ),
    "calendar gone and blocked": (
        replace(LIVE, calendar=CalendarFacts(lost_at=1), block=BlockFacts("administrator", 1)),
        State.CALENDAR_MISSING, "create_calendar",
    ),
    "connected": (LIVE, State.CONNECTED, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", EVERY)
def test_every_state_says_what_has_to_be_done_in_both_languages(case: str) -> None:
    facts, state, code = EVERY[case]
    shown = connection(connection_view(facts, TERMS, 10))
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
    facts = replace(RELEASED, end=EndFacts(revocation=revocation.value))
    assert connection(connection_view(facts, TERMS, 10)).revocation is revocation
