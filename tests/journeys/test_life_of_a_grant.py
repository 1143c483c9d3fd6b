"""The grant between connect and disconnect: refreshes, revocation only on proof, pauses, unreadable records."""

import threading

import pytest

from calendar_service.domain.clock import DAY, HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.errors import NotConnected, StoreUnavailable
from calendar_service.domain.session import By, Status
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import TestService


def refreshes(service: TestService) -> int:
    return sum(call["path"] == "/token" for call in service.google.journal())


def test_an_expired_token_is_refreshed_once_for_many_callers(service: TestService) -> None:
    service.connect()
    before = refreshes(service)
    service.clock.advance(3599)
    replica = service.replica()
    failures: list[Exception] = []

    def put(number: int) -> None:
        parts = (service if number % 2 else replica).parts
        try:
            parts.sessions.schedule.put(service.agent, f"s{number}", service.content(), By.AGENT, None)
        except Exception as error:  # looked at below
            failures.append(error)
        finally:
            parts.google.transport.close()

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    replica.close()
    assert failures == []
    assert refreshes(service) - before == 1
    assert len(service.events()) == 8


def test_a_token_that_google_no_longer_takes_is_refreshed_once_and_used(service: TestService) -> None:
    service.connect()
    before = refreshes(service)
    service.google.fault("/calendar/v3/*", {"status": 401, "reason": "authError"}, times=1)
    assert (
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None).status
        is Status.SCHEDULED
    )
    assert refreshes(service) - before == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"html": 502},
        {"status": 500, "reason": "backendError"},
        {"status": 400, "reason": "invalid_request"},
        {"invalid_client": True},
        {"status": 401, "reason": "unauthorized_client"},
        {"cut": "before_commit"},
    ],
)
def test_no_answer_but_invalid_grant_touches_the_grant(
    service: TestService, answer: dict[str, object]
) -> None:
    service.connect()
    service.clock.advance(3599)
    service.google.fault("/token", answer, times=1)
    accepted = service.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Waits"), By.AGENT, None
    )
    assert accepted.status is not Status.SCHEDULED
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert ":grant" in service.stored()


@pytest.mark.parametrize("subtype", [None, "invalid_rapt"])
def test_invalid_grant_ends_the_connection_and_destroys_what_waited(
    service: TestService, subtype: str | None
) -> None:
    service.connect()
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}, times=1
    )
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Waits"), By.AGENT, None)
    service.clock.advance(3599)
    rule: dict[str, object] = {"invalid_grant": True}
    service.google.fault("/token", rule | ({"subtype": subtype} if subtype else {}), times=1)
    service.work()
    view = service.parts.connection.status.of(service.agent)
    assert (view.state, view.revocation) == (State.REVOKED, "at_google")
    record = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert (record.status, record.reason) == (Status.FAILED, "revoked")
    stored = service.stored()
    assert ":grant" not in stored
    assert ":waiting" not in stored
    calls = len(service.calls())
    service.clock.advance(3600)
    service.work(2)
    with pytest.raises(NotConnected):
        service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)
    assert len(service.calls()) == calls


@shows("RV-1")
def test_a_revocation_at_google_is_noticed_by_the_daily_probe_and_erased_by_its_date(
    service: TestService,
) -> None:
    service.connect()
    proof = service.parts.store.slots.read(service.agent).facts.grant.last_refresh_ok_at
    service.google.control("POST", "switches", {"deleted_accounts": ["agent-one@example.com"]})
    service.clock.advance(26 * 3600)
    service.work()
    view = service.parts.connection.status.of(service.agent)
    assert view.state is State.REVOKED
    assert view.erase_due == proof + 7 * DAY
    service.clock.advance(6 * 86400)
    service.work(2)
    assert service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED


@shows("RV-1")
def test_a_live_grant_is_probed_at_least_daily_also_while_paused(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.ADMINISTRATOR, paused=True)
    before = refreshes(service)
    for _ in range(5):
        service.clock.advance(24 * 3600)
        service.work()
    assert 5 <= refreshes(service) - before <= 8


@shows("restriction")
def test_a_pause_keeps_sessions_waiting_and_each_lifts_only_its_own(service: TestService) -> None:
    service.connect()
    pauses, schedule = service.parts.connection.pauses, service.parts.sessions.schedule
    pauses.set(service.agent, Actor.AGENT, paused=True)
    pauses.set(service.agent, Actor.ADMINISTRATOR, paused=True)
    calls = len(service.calls())
    waits = schedule.put(service.agent, "s1", service.content("Waits"), By.AGENT, None)
    assert (waits.status, waits.outcome) == (Status.WAITING, "accepted")
    pauses.set(service.agent, Actor.AGENT, paused=False)
    service.work()
    assert service.parts.connection.status.of(service.agent).state is State.PAUSED
    assert len(service.calls()) == calls
    pauses.set(service.agent, Actor.ADMINISTRATOR, paused=False)
    service.work()
    assert [event["summary"] for event in service.events()] == ["Waits"]


@shows("ST-4")
def test_a_session_that_waited_until_it_was_over_is_reported_failed(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(days=1), By.AGENT, None)
    service.clock.advance(3 * 86400)
    service.work()
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert (view.status, view.reason) == (Status.FAILED, "session_over")
    assert ":waiting" not in service.stored()


def test_a_permission_that_does_not_suffice_asks_for_consent_again(service: TestService) -> None:
    service.connect()
    service.google.switch(enforced_scope="https://www.googleapis.com/auth/calendar.readonly")
    service.clock.advance(3599)
    view = service.parts.sessions.schedule.put(service.agent, "s1", service.content("Waits"), By.AGENT, None)
    assert view.status is Status.WAITING
    assert service.parts.connection.status.of(service.agent).state is State.RECONSENT_REQUIRED
    service.google.switch(enforced_scope=None)
    service.connect()
    service.work()
    assert [event["summary"] for event in service.events()] == ["Waits"]


def test_a_record_that_does_not_open_is_the_operators_concern_and_changes_nothing(
    service: TestService,
) -> None:
    """A record that cannot be opened is no proof that the permission ended.

    Nothing is changed, and the agent can disconnect and erase without it.
    """
    service.connect()
    client = service.parts.store.database.client
    name = service.key("grant")
    client.set(name, client.get(name).replace("cs2.", "cs3.", 1))
    before = service.stored()
    for attempt in (
        lambda: service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None),
        lambda: service.parts.connection.access.probe(service.agent),
    ):
        with pytest.raises(StoreUnavailable):
            attempt()
    assert service.stored() == before
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert service.parts.connection.settings_page.settings(service.agent).account.address == ""
    view = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert (view.state, view.revocation) == (State.DISCONNECTED, "pending")
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.clock.advance(8 * 86400)
    service.work(2)
    assert ":teardowns" not in service.stored()


@shows("ST-5")
def test_a_revocation_that_google_never_answers_ends_after_seven_days_without_the_token(
    service: TestService,
) -> None:
    service.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    for _ in range(30):
        service.clock.advance(6 * 3600)
        service.work()
    assert ":teardowns" not in service.stored()
    view = service.parts.connection.status.of(service.agent)
    assert view.revocation in {"given_up", ""}


def test_a_refused_deletion_of_the_calendar_is_told_and_the_permission_ends_all_the_same(
    service: TestService,
) -> None:
    service.connect()
    service.google.fault(
        {"method": "DELETE", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}
    )
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    assert service.live_tokens() != []
    for _ in range(8):
        service.clock.advance(HOUR / 1000 / 4)
        service.work()
    assert service.live_tokens() == []
    assert len(service.calendars()) == 1
    assert service.parts.connection.settings_page.settings(service.agent).calendar.deletion == "refused"


def test_the_settings_page_shows_the_account_masked_and_keeps_it_nowhere(service: TestService) -> None:
    service.connect()
    assert (
        service.parts.connection.settings_page.settings(service.agent).account.address == "ag•••@example.com"
    )
    assert "example.com" not in service.stored()
