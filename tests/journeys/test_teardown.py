"""The teardown's calls at Google count for breaker and budget, and what Google refuses proves no more than it says."""

import json

import pytest

from calendar_service.store.journal import Actor
from tests.household import FIRST, SECURE_URL, Household

DOWN = {"status": 503, "reason": "backendError"}
DELETION = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}
TOKEN_LIFE = 3599


def alarms(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["level"] == "alarm"]


def disconnect(house: Household) -> None:
    """Disconnect as an agent who wants the calendar deleted, for which the teardown needs an access token."""
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)


def test_a_teardowns_failed_calls_open_the_breaker(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.google.fault(DELETION, DOWN)
    disconnect(house)
    for _ in range(4):
        assert not house.service.flow.book.look().opened
        house.service.teardowns.run(house.agent)
    assert house.service.flow.book.look().opened
    assert alarms(capsys) == ["google.breaker_opened"]


def test_a_teardowns_failed_refreshes_open_the_breaker(house: Household) -> None:
    house.connect()
    house.clock.advance(TOKEN_LIFE)
    house.google.fault("/token", DOWN)
    before = len(house.calls())
    disconnect(house)
    for _ in range(4):
        assert not house.service.flow.book.look().opened
        house.service.teardowns.run(house.agent)
    assert house.calls(before) == ["oauth2.token"] * 5
    assert house.service.flow.book.look().opened


def test_a_refusal_of_a_teardowns_call_for_the_rate_halves_the_allowance(house: Household) -> None:
    house.connect()
    house.google.fault(DELETION, {"status": 429, "reason": "rateLimitExceeded"}, times=1)
    disconnect(house)
    assert house.service.metrics()["calendar_google_allowance"] == 0.5


def test_while_our_credentials_are_refused_a_teardown_asks_for_no_token(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.clock.advance(TOKEN_LIFE)
    house.google.fault("/token", {"invalid_client": True})
    before = len(house.calls())
    disconnect(house)
    house.service.teardowns.run(house.agent)
    assert house.calls(before) == ["oauth2.token"]
    assert alarms(capsys) == ["google.client_rejected"]
    house.google.clear_faults()
    house.clock.advance(60)
    house.work(2)
    assert (house.calendars(), house.live_tokens()) == ([], [])


def test_a_refused_refresh_that_proves_nothing_leaves_the_channel_to_another_try(house: Household) -> None:
    served = house.served_from(SECURE_URL)
    served.connect()
    served.work()
    served.clock.advance(TOKEN_LIFE)
    served.google.fault("/token", {"status": 400, "reason": "invalid_request"}, times=1)
    before = len(served.calls())
    served.service.disconnect.disconnect(served.agent, Actor.AGENT)
    assert served.calls(before) == ["oauth2.token"]
    served.clock.advance(31)
    served.work()
    assert served.calls(before)[-3:] == ["oauth2.token", "calendar.channels.stop", "oauth2.revoke"]
    served.close()


def test_a_teardown_refreshes_a_token_that_would_end_under_way(house: Household) -> None:
    house.connect()
    house.clock.advance(TOKEN_LIFE - 60)
    before = len(house.calls())
    disconnect(house)
    assert house.calls(before) == ["oauth2.token", "calendar.calendars.delete", "oauth2.revoke"]


def test_a_teardowns_refresh_is_not_stored(house: Household) -> None:
    house.connect()
    house.clock.advance(TOKEN_LIFE)
    house.service.disconnect.end(house.agent, Actor.AGENT)
    before = house.stored()
    (teardown,) = house.service.connections.slot(house.agent).errands
    grant = house.service.access.grants.open(house.agent, teardown.connection_id, teardown.grant)
    tokens = [house.service.access.with_released_token(grant, lambda token: token.reveal()) for _ in range(2)]
    assert grant.access_token.reveal() not in tokens
    assert house.stored() == before


def test_a_grant_that_died_meanwhile_is_no_news_to_a_teardown(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.clock.advance(TOKEN_LIFE)
    house.google.fault("/token", {"invalid_grant": True})
    disconnect(house)
    view = house.service.overview.connection(house.agent)
    assert (view.state.value, view.revocation) == ("disconnected", "confirmed")
    assert house.facts.calendar_fate == "refused"
    assert FIRST not in house.live_tokens()
    assert alarms(capsys) == []
