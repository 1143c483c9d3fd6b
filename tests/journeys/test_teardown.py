"""The teardown's Google calls count for breaker and budget, and a refusal proves no more than it says."""

import json

import pytest

from calendar_service.domain.clock import MINUTE, SECOND, Millis
from calendar_service.domain.connection import Revocation
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.support.service import FIRST, SECURE_URL, TestService

DOWN = {"status": 503, "reason": "backendError"}
DELETION = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}
TOKEN_LIFE = 3599


def alarms(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["level"] == "alarm"]


def disconnect(service: TestService) -> None:
    """Disconnect as an agent who asks to delete the calendar, which needs an access token."""
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)


def test_a_teardowns_failed_calls_open_the_breaker(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.google.fault(DELETION, DOWN)
    disconnect(service)
    for _ in range(4):
        assert not service.parts.google.throttle.breaker.state().is_breaker_open
        service.parts.connection.teardowns.run(service.agent)
    assert service.parts.google.throttle.breaker.state().is_breaker_open
    assert alarms(capsys) == ["google.breaker_opened"]


def test_a_teardowns_failed_refreshes_open_the_breaker(service: TestService) -> None:
    service.connect()
    service.clock.advance(TOKEN_LIFE)
    service.google.fault("/token", DOWN)
    before = len(service.calls())
    disconnect(service)
    for _ in range(4):
        assert not service.parts.google.throttle.breaker.state().is_breaker_open
        service.parts.connection.teardowns.run(service.agent)
    assert service.calls(before) == ["oauth2.token"] * 5
    assert service.parts.google.throttle.breaker.state().is_breaker_open


def test_a_refusal_of_a_teardowns_call_for_the_rate_counts_towards_the_halving(service: TestService) -> None:
    service.connect()
    service.google.fault(DELETION, {"status": 429, "reason": "rateLimitExceeded"}, times=1)
    for connection_id in ("another", "a third"):
        service.parts.google.throttle.budget.refused(connection_id)
    assert service.metrics()["calendar_google_rate_budget"] == 1.0
    disconnect(service)
    assert service.metrics()["calendar_google_rate_budget"] == 0.5


def test_while_our_credentials_are_refused_a_teardown_asks_for_no_token(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.clock.advance(TOKEN_LIFE)
    service.google.fault("/token", {"invalid_client": True})
    before = len(service.calls())
    disconnect(service)
    service.parts.connection.teardowns.run(service.agent)
    assert service.calls(before) == ["oauth2.token"]
    assert alarms(capsys) == ["google.client_rejected"]
    service.google.clear_faults()
    service.clock.advance(60)
    service.work(2)
    assert (service.calendars(), service.live_tokens()) == ([], [])


def test_a_refused_refresh_that_proves_nothing_leaves_the_channel_to_another_try(
    service: TestService,
) -> None:
    served = service.served_from(SECURE_URL)
    served.connect()
    served.work()
    served.clock.advance(TOKEN_LIFE)
    served.google.fault("/token", {"status": 400, "reason": "invalid_request"}, times=1)
    before = len(served.calls())
    served.parts.connection.disconnect.disconnect(served.agent, Actor.AGENT)
    assert served.calls(before) == ["oauth2.token"]
    served.clock.advance(31)
    served.work()
    assert served.calls(before)[-3:] == ["oauth2.token", "calendar.channels.stop", "oauth2.revoke"]
    served.close()


def test_a_teardown_refreshes_a_token_that_would_end_under_way(service: TestService) -> None:
    service.connect()
    service.clock.advance(TOKEN_LIFE - 60)
    before = len(service.calls())
    disconnect(service)
    assert service.calls(before) == ["oauth2.token", "calendar.calendars.delete", "oauth2.revoke"]


def test_a_teardowns_refresh_is_not_stored(service: TestService) -> None:
    service.connect()
    service.clock.advance(TOKEN_LIFE)
    service.parts.connection.disconnect.end(service.agent, Actor.AGENT)
    before = service.stored()
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    grant = service.parts.connection.access.grants.open(service.agent, teardown.connection_id, teardown.grant)
    tokens = [
        service.parts.connection.access.with_released_token(grant, lambda token: token.reveal())
        for _ in range(2)
    ]
    assert grant.access_token.reveal() not in tokens
    assert service.stored() == before


def test_a_grant_that_died_meanwhile_is_no_news_to_a_teardown(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.clock.advance(TOKEN_LIFE)
    service.google.fault("/token", {"invalid_grant": True})
    disconnect(service)
    view = service.parts.connection.status.of(service.agent)
    assert (view.state.value, view.revocation) == ("disconnected", "confirmed")
    assert service.facts.calendar.deletion == "refused"
    assert FIRST not in service.live_tokens()
    assert alarms(capsys) == []


REFUSED = {"status": 403, "reason": "forbidden"}
GONE = {"status": 404, "reason": "notFound"}


@pytest.mark.parametrize(
    ("answer", "seconds", "outcome"),
    [
        (None, 0, "deleted"),
        (GONE, 0, "deleted"),
        (REFUSED, 0, "refused"),
        (DOWN, 0, "requested"),
        (DOWN, 59 * 60, "requested"),
        (DOWN, 61 * 60, "refused"),
        (DOWN, 8 * 24 * 60 * 60, "refused"),
    ],
)
def test_what_became_of_the_calendar_is_told_to_the_agent(
    service: TestService, answer: dict[str, object] | None, seconds: int, outcome: str
) -> None:
    service.connect()
    if answer:
        service.google.fault(DELETION, answer)
    disconnect(service)
    if seconds:
        service.clock.advance(seconds)
        service.parts.connection.teardowns.run(service.agent)
    assert service.facts.by_name()["calendar_deletion"] == outcome
    assert bool(service.parts.store.slots.read(service.agent).teardowns) is (outcome == "requested")
    assert len(service.calendars()) == (outcome != "deleted" or answer is not None)


def test_a_teardown_that_has_ended_is_not_run_again(service: TestService) -> None:
    service.connect()
    connection_id = service.facts.connection_id
    disconnect(service)
    before = len(service.calls())
    assert service.parts.connection.teardowns.run_one(service.agent, connection_id) is Revocation.PENDING
    assert service.calls(before) == []


@pytest.mark.parametrize("limit", [keys.CALENDAR_DELETION_MAX, keys.CHANNEL_STOP_MAX, keys.TEARDOWN_MAX])
def test_the_next_try_comes_right_behind_the_next_limit_at_the_latest(
    service: TestService, limit: Millis
) -> None:
    service.connect()
    service.google.fault("/revoke", DOWN)
    service.google.fault(DELETION, DOWN)
    disconnect(service)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    service.clock.advance((teardown.started + limit - MINUTE - service.parts.clock.now()) / 1000)
    for _ in range(12):  # so many that the pause alone would be longer
        service.parts.connection.teardowns.run(service.agent)
    due = service.parts.store.slots.timed(service.agent).due[f"teardown:{teardown.connection_id}"]
    assert teardown.started + limit < due <= teardown.started + limit + 2 * SECOND


def test_after_a_revocation_at_google_nothing_is_asked_and_the_account_is_left(service: TestService) -> None:
    service.connect()
    account, connection_id = service.facts.account.ref, service.facts.connection_id
    assert connection_id in dict(service.parts.store.scan.account_refs())[account].joined
    service.google.fault("/token", {"invalid_grant": True}, times=1)
    service.clock.advance(TOKEN_LIFE)
    service.parts.connection.settings_page.settings(service.agent)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    assert not teardown.grant
    before = len(service.calls())
    service.parts.connection.teardowns.run(service.agent)
    assert service.calls(before) == []
    assert service.parts.store.slots.read(service.agent).teardowns == ()
    assert service.facts.end.revocation == Revocation.BY_GOOGLE
    assert account not in dict(service.parts.store.scan.account_refs())
