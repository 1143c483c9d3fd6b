"""The grant between connect and disconnect: refreshed once, dead only on proof, paused, unreadable."""

import threading

import pytest

from calendar_service.domain.clock import DAY, HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.errors import NotConnected, StoreUnavailable
from calendar_service.domain.session import By, Status
from calendar_service.store.journal import Actor
from tests.household import Household


def refreshes(house: Household) -> int:
    return sum(call["path"] == "/token" for call in house.google.journal())


def test_an_expired_token_is_refreshed_once_for_many_callers(house: Household) -> None:
    house.connect()
    before = refreshes(house)
    house.clock.advance(3599)
    replica = house.replica()
    failures: list[Exception] = []

    def put(number: int) -> None:
        service = (house if number % 2 else replica).service
        try:
            service.schedule.put(house.agent, f"s{number}", house.content(), By.AGENT, None)
        except Exception as error:  # looked at below
            failures.append(error)
        finally:
            service.transport.close()

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    replica.close()
    assert failures == []
    assert refreshes(house) - before == 1
    assert len(house.events()) == 8


def test_a_token_that_google_no_longer_takes_is_refreshed_once_and_used(house: Household) -> None:
    house.connect()
    before = refreshes(house)
    house.google.fault("/calendar/v3/*", {"status": 401, "reason": "authError"}, times=1)
    assert (
        house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None).status
        is Status.SCHEDULED
    )
    assert refreshes(house) - before == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"html": 502},
        {"status": 500, "reason": "backendError"},
        {"status": 400, "reason": "invalid_request"},
        {"invalid_client": True},
        {"cut": "before_commit"},
    ],
)
def test_no_answer_but_invalid_grant_touches_the_grant(house: Household, answer: dict[str, object]) -> None:
    house.connect()
    house.clock.advance(3599)
    house.google.fault("/token", answer, times=1)
    accepted = house.service.schedule.put(house.agent, "s1", house.content("Waits"), By.AGENT, None)
    assert accepted.status is not Status.SCHEDULED
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert ":grant" in house.stored()


@pytest.mark.parametrize("subtype", [None, "invalid_rapt"])
def test_invalid_grant_ends_the_connection_and_destroys_what_waited(
    house: Household, subtype: str | None
) -> None:
    house.connect()
    house.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}, times=1
    )
    house.service.schedule.put(house.agent, "s1", house.content("Waits"), By.AGENT, None)
    house.clock.advance(3599)
    rule: dict[str, object] = {"invalid_grant": True}
    house.google.fault("/token", rule | ({"subtype": subtype} if subtype else {}), times=1)
    house.work()
    view = house.service.overview.connection(house.agent)
    assert (view.state, view.revocation) == (State.REVOKED, "at_google")
    record = house.service.schedule.get(house.agent, "s1", read_google=False)
    assert (record.status, record.reason) == (Status.FAILED, "revoked")
    kept = house.stored()
    assert ":grant" not in kept
    assert ":waiting" not in kept
    calls = len(house.calls())
    house.clock.advance(3600)
    house.work(2)
    with pytest.raises(NotConnected):
        house.service.schedule.put(house.agent, "s2", house.content(), By.AGENT, None)
    assert len(house.calls()) == calls


def test_a_revocation_at_google_is_noticed_by_the_daily_probe_and_erased_by_its_date(
    house: Household,
) -> None:
    house.connect()
    proof = house.service.slots.read(house.agent).facts.proof_at
    house.google.control("POST", "switches", {"deleted_accounts": ["agent-one@example.com"]})
    house.clock.advance(26 * 3600)
    house.work()
    view = house.service.overview.connection(house.agent)
    assert view.state is State.REVOKED
    assert view.erase_due == proof + 7 * DAY
    house.clock.advance(6 * 86400)
    house.work(2)
    assert house.service.overview.connection(house.agent).state is State.NOT_CONNECTED


def test_a_live_grant_is_probed_at_least_daily_also_while_paused(house: Household) -> None:
    house.connect()
    house.service.organizations.pause(house.agent, Actor.ADMINISTRATOR, paused=True)
    before = refreshes(house)
    for _ in range(5):
        house.clock.advance(24 * 3600)
        house.work()
    assert 5 <= refreshes(house) - before <= 8


def test_a_pause_keeps_sessions_waiting_and_each_lifts_only_its_own(house: Household) -> None:
    house.connect()
    organizations, schedule = house.service.organizations, house.service.schedule
    organizations.pause(house.agent, Actor.AGENT, paused=True)
    organizations.pause(house.agent, Actor.ADMINISTRATOR, paused=True)
    calls = len(house.calls())
    waits = schedule.put(house.agent, "s1", house.content("Waits"), By.AGENT, None)
    assert (waits.status, waits.outcome) == (Status.WAITING, "accepted")
    organizations.pause(house.agent, Actor.AGENT, paused=False)
    house.work()
    assert house.service.overview.connection(house.agent).state is State.PAUSED
    assert len(house.calls()) == calls
    organizations.pause(house.agent, Actor.ADMINISTRATOR, paused=False)
    house.work()
    assert [event["summary"] for event in house.events()] == ["Waits"]


def test_a_session_that_waited_until_it_was_over_is_reported_failed(house: Household) -> None:
    house.connect()
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "s1", house.content(days=1), By.AGENT, None)
    house.clock.advance(3 * 86400)
    house.work()
    view = house.service.schedule.get(house.agent, "s1", read_google=False)
    assert (view.status, view.reason) == (Status.FAILED, "session_over")
    assert ":waiting" not in house.stored()


def test_a_permission_that_does_not_suffice_asks_for_consent_again(house: Household) -> None:
    house.connect()
    house.google.switch(enforced_scope="https://www.googleapis.com/auth/calendar.readonly")
    house.clock.advance(3599)
    view = house.service.schedule.put(house.agent, "s1", house.content("Waits"), By.AGENT, None)
    assert view.status is Status.WAITING
    assert house.service.overview.connection(house.agent).state is State.RECONSENT_REQUIRED
    house.google.switch(enforced_scope=None)
    house.connect()
    house.work()
    assert [event["summary"] for event in house.events()] == ["Waits"]


def test_a_record_that_does_not_open_is_the_operators_matter_and_changes_nothing(house: Household) -> None:
    house.connect()
    client = house.service.database.client
    name = house.key("grant")
    client.set(name, client.get(name).replace("cs1.", "cs2.", 1))
    before = house.stored()
    for attempt in (
        lambda: house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None),
        lambda: house.service.access.probe(house.agent),
    ):
        with pytest.raises(StoreUnavailable):
            attempt()
    assert house.stored() == before
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert house.service.overview.settings(house.agent).account == ""
    view = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert (view.state, view.revocation) == (State.DISCONNECTED, "pending")
    house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    house.clock.advance(8 * 86400)
    house.work(2)
    assert ":errands" not in house.stored()


def test_a_revocation_that_google_never_answers_ends_after_seven_days_without_the_token(
    house: Household,
) -> None:
    house.connect()
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    for _ in range(30):
        house.clock.advance(6 * 3600)
        house.work()
    assert ":errands" not in house.stored()
    view = house.service.overview.connection(house.agent)
    assert view.revocation in {"given_up", ""}


def test_a_refused_deletion_of_the_calendar_is_told_and_the_permission_ends_all_the_same(
    house: Household,
) -> None:
    house.connect()
    house.google.fault(
        {"method": "DELETE", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}
    )
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    assert house.live_tokens() != []
    for _ in range(8):
        house.clock.advance(HOUR / 1000 / 4)
        house.work()
    assert house.live_tokens() == []
    assert len(house.calendars()) == 1
    assert house.service.overview.settings(house.agent).calendar_fate == "refused"


def test_the_settings_page_shows_the_account_masked_and_keeps_it_nowhere(house: Household) -> None:
    house.connect()
    assert house.service.overview.settings(house.agent).account == "ag•••@example.com"
    assert "example.com" not in house.stored()
