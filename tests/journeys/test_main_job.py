"""The main job: connect, schedule, reschedule, cancel, disconnect, erase; checked at Google and in the store."""

import json
from dataclasses import replace

import pytest

from calendar_service.domain.clock import DAY, HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.errors import NotConnected, SessionOver, StaleVersion
from calendar_service.domain.session import By, Status
from calendar_service.journeys.connection.receipts import ReceiptInvalid, concerns, verify
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import TestService


@shows("SC-2")
def test_connecting_makes_one_dedicated_calendar_in_the_agents_zone(service: TestService) -> None:
    outcome = service.connect()
    assert (outcome.calendar_ready, outcome.other_agents, outcome.moved_account) == (True, False, False)
    (calendar,) = service.calendars()
    assert calendar["summary"] == "Videsk · Scheduled Sessions"
    assert calendar["timeZone"] == "America/Santiago"
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED


@shows("SC-3", "correction")
def test_a_session_is_created_moved_and_cancelled_with_one_call_each(service: TestService) -> None:
    service.connect()
    schedule, before = service.parts.sessions.schedule, len(service.calls())
    first = service.content("First talk")
    created = schedule.put(service.agent, "s1", first, By.AGENT, None)
    assert (created.outcome, created.status) == ("created", Status.SCHEDULED)
    (event,) = service.events()
    assert (event["summary"], event["id"]) == ("First talk", created.event_id)
    assert event["visibility"] == "private"
    moved = schedule.put(service.agent, "s1", service.content("First talk", days=4), By.SYSTEM, None)
    assert (moved.outcome, moved.event_id) == ("changed", created.event_id)
    same = schedule.put(service.agent, "s1", service.content("First talk", days=4), By.SYSTEM, None)
    assert same.outcome == "unchanged"
    gone = schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert (gone.outcome, gone.status) == ("cancelled", Status.CANCELLED)
    assert service.events() == []
    assert schedule.cancel(service.agent, "s1", By.AGENT, None).outcome == "nothing"
    assert service.calls(before) == [
        "calendar.events.insert",
        "calendar.events.patch",
        "calendar.events.delete",
    ]


def test_each_operation_takes_three_round_trips_to_the_store(service: TestService) -> None:
    service.connect()
    schedule, database = service.parts.sessions.schedule, service.parts.store.database
    schedule.put(
        service.agent, "warm", service.content(), By.AGENT, None
    )  # scripts are loaded once a process
    schedule.put(service.agent, "warm", service.content(days=4), By.AGENT, None)
    schedule.cancel(service.agent, "warm", By.AGENT, None)
    counts = []
    for step in (
        lambda: schedule.put(service.agent, "s1", service.content(), By.AGENT, None),
        lambda: schedule.put(service.agent, "s1", service.content(days=4), By.AGENT, None),
        lambda: schedule.cancel(service.agent, "s1", By.AGENT, None),
    ):
        before = database.round_trips
        step()
        counts.append(database.round_trips - before)
    assert counts == [3, 3, 3]


def test_an_operation_computes_the_shard_of_its_agent_once_and_the_next_ones_not_at_all(
    service: TestService,
) -> None:
    service.connect()
    process = service.replica()  # which has seen no agent
    computed = []
    for days in (3, 4):
        before = process.parts.store.database.slot_keys.cache_info().misses
        process.parts.sessions.schedule.put(service.agent, "s1", service.content(days=days), By.AGENT, None)
        computed.append(process.parts.store.database.slot_keys.cache_info().misses - before)
    assert computed == [1, 0]


def test_a_cancelled_session_can_be_wanted_again_under_its_own_id(service: TestService) -> None:
    service.connect()
    schedule = service.parts.sessions.schedule
    first = schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    schedule.cancel(service.agent, "s1", By.AGENT, None)
    again = schedule.put(service.agent, "s1", service.content("Again"), By.AGENT, None)
    assert (again.outcome, again.event_id) == ("created", first.event_id)
    assert [event["summary"] for event in service.events()] == ["Again"]


def test_where_google_refuses_to_revive_the_next_generation_is_written(service: TestService) -> None:
    """Some deleted events cannot be revived, and their id stays taken. The session needs another one."""
    service.connect()
    schedule = service.parts.sessions.schedule
    first = schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    schedule.cancel(service.agent, "s1", By.AGENT, None)
    service.google.switch(revive_forbidden=True)
    again = schedule.put(service.agent, "s1", service.content("Again"), By.AGENT, None)
    assert again.status is Status.SCHEDULED
    assert again.event_id != first.event_id
    assert [event["summary"] for event in service.events()] == ["Again"]


def test_an_event_that_its_person_moved_to_another_calendar_is_made_again(service: TestService) -> None:
    """Google leaves a stub under the id, which cannot be revived. The next change needs another id."""
    service.connect()
    sessions = service.parts.sessions
    first = sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.as_person("POST", first, move_to="primary")
    again = sessions.schedule.put(service.agent, "s1", service.content("Again"), By.AGENT, None)
    assert again.status is Status.SCHEDULED
    assert again.event_id != first.event_id
    assert [event["summary"] for event in service.events() if "summary" in event] == ["Again"]
    assert sessions.reader.get(service.agent, "s1", read_google=True).in_google == "confirmed"


def test_join_link_goes_into_location_and_description(service: TestService) -> None:
    service.connect()
    content = service.content(description="Bring papers.", join_url="https://meet.example/x")
    service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)
    (event,) = service.events()
    assert event["location"] == "https://meet.example/x"
    assert event["description"] == "https://meet.example/x\n\nBring papers."
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    (event,) = service.events()
    assert "location" not in event
    assert "description" not in event


def test_an_older_version_is_refused_and_changes_nothing(service: TestService) -> None:
    service.connect()
    schedule = service.parts.sessions.schedule
    schedule.put(service.agent, "s1", service.content("Five"), By.AGENT, 5)
    before = service.stored()
    with pytest.raises(StaleVersion):
        schedule.put(service.agent, "s1", service.content("Four"), By.AGENT, 4)
    with pytest.raises(StaleVersion):
        schedule.put(service.agent, "s1", service.content("Other five"), By.AGENT, 5)
    with pytest.raises(StaleVersion):
        schedule.cancel(service.agent, "s1", By.AGENT, 5)
    assert service.stored() == before
    assert schedule.put(service.agent, "s1", service.content("Five"), By.AGENT, 6).outcome == "unchanged"
    with pytest.raises(StaleVersion):
        schedule.put(service.agent, "s1", service.content("Old"), By.AGENT, 5)


def test_a_session_already_over_is_refused(service: TestService) -> None:
    service.connect()
    now = service.parts.clock.now()
    content = service.content(start=now - 2 * HOUR, end=now - HOUR)
    with pytest.raises(SessionOver):
        service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)


def test_an_agent_never_connected_is_refused_and_leaves_nothing(service: TestService) -> None:
    before = service.stored()
    with pytest.raises(NotConnected):
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None).outcome == "nothing"
    assert service.stored() == before


@shows("LU-5", "ST-4")
def test_nothing_of_the_content_is_kept_once_google_has_confirmed(service: TestService) -> None:
    service.connect()
    content = service.content("Title of a private talk", description="Words", location="Room")
    service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)
    stored = service.stored()
    assert ":waiting" not in stored
    assert "Title of a private talk" not in stored


@shows("ST-6", "withdrawal")
def test_disconnecting_keeps_the_calendar_and_ends_the_permission(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    view = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert (view.state, view.revocation) == (State.DISCONNECTED, "confirmed")
    assert abs(view.erase_due - (service.parts.clock.now() + 7 * DAY)) < HOUR
    assert len(service.events()) == 1
    assert service.live_tokens() == []
    stored = service.stored()
    assert ":grant" not in stored
    assert ":teardowns" not in stored
    with pytest.raises(NotConnected):
        service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)


@shows("SC-4")
def test_the_calendar_goes_only_when_the_agent_asks(service: TestService) -> None:
    service.connect()
    with pytest.raises(ValueError, match="only the agent"):
        service.parts.connection.disconnect.disconnect(
            service.agent, Actor.ADMINISTRATOR, delete_calendar=True
        )
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    assert service.calendars() == []
    assert service.live_tokens() == []


def test_connecting_again_before_the_erasure_takes_the_same_calendar_and_sessions_up(
    service: TestService,
) -> None:
    service.connect()
    first = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.connect()
    assert len(service.calendars()) == 1
    moved = service.parts.sessions.schedule.put(service.agent, "s1", service.content(days=5), By.AGENT, None)
    assert moved.event_id == first.event_id
    assert service.parts.connection.status.of(service.agent).erase_due == 0


@shows("SC-2")
def test_after_the_erasure_the_marker_finds_the_calendar_and_the_session(service: TestService) -> None:
    """Nothing is known here after an erasure. The markers at Google prevent a second calendar and a second event."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Before"), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.connect()
    assert len(service.calendars()) == 1
    again = service.parts.sessions.schedule.put(service.agent, "s1", service.content("After"), By.AGENT, None)
    assert again.outcome == "created"
    assert [event["summary"] for event in service.events()] == ["After"]
    moved = service.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Moved", days=6), By.AGENT, None
    )
    assert moved.event_id == again.event_id
    assert [event["summary"] for event in service.events()] == ["Moved"]


@shows("SC-4", "ST-5", "deletion")
def test_the_timer_erases_on_its_date_and_leaves_a_receipt(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    (calendar,) = service.calendars()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.clock.advance(7 * 86400 - 60)
    service.work()
    assert service.parts.connection.status.of(service.agent).state is State.DISCONNECTED
    service.clock.advance(120)
    service.work(2)
    assert service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED
    stored = service.stored()
    for trace in (calendar["id"], service.events()[0]["id"], "agent-1"):
        assert trace not in stored
    assert "erasure-receipt" in stored
    assert len(service.calendars()) == 1


def test_a_receipt_verifies_and_a_changed_one_does_not(service: TestService) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    receipt = service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    keys = service.parts.audit.public_keys
    whole = json.dumps(receipt).encode()
    assert verify(whole, keys) == receipt
    assert concerns(receipt, service.agent)
    assert service.agent.agent not in whole.decode()
    for name in receipt.keys() - {"salt"}:
        changed = json.dumps(receipt | {name: "x"}).encode()
        with pytest.raises(ReceiptInvalid):
            verify(changed, keys)
    stored = service.parts.connection.erasure.receipt(receipt["number"])
    assert "salt" not in stored
    assert verify(json.dumps(stored).encode(), keys) == stored


def test_erasing_what_is_not_ended_is_refused(service: TestService) -> None:
    service.connect()
    with pytest.raises(NotConnected):
        service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED


@shows("ST-4")
def test_trouble_at_google_ends_as_accepted_and_the_worker_finishes_it(service: TestService) -> None:
    service.connect()
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}, times=1
    )
    accepted = service.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Later"), By.AGENT, None
    )
    assert (accepted.outcome, accepted.status) == ("accepted", Status.PENDING)
    assert "Later" not in service.stored()
    service.clock.advance(5)
    service.work()
    assert [event["summary"] for event in service.events()] == ["Later"]
    assert (
        service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.SCHEDULED
    )
    assert ":waiting" not in service.stored()


@shows("SC-3")
@pytest.mark.parametrize("cut", ["before_commit", "after_commit"])
def test_a_cut_answer_never_makes_two_events(service: TestService, cut: str) -> None:
    service.connect()
    service.google.fault({"method": "POST", "path": "/calendar/v3/*"}, {"cut": cut}, times=1)
    accepted = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert accepted.status is Status.PENDING
    service.clock.advance(5)
    service.work()
    assert len(service.events()) == 1
    assert (
        service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.SCHEDULED
    )


def test_google_says_the_times_when_asked(service: TestService) -> None:
    service.connect()
    content = service.content()
    service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert (view.start, view.end) == (content.start, content.end)
    assert view.html_link


@shows("correction")
def test_a_persons_change_is_written_over_by_a_newer_request(service: TestService) -> None:
    service.connect()
    created = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.as_person(
        "PATCH",
        created,
        {
            "summary": "Mine now",
            "start": {"date": "2030-01-01", "dateTime": None},
            "end": {"date": "2030-01-02", "dateTime": None},
        },
    )
    assert [event["summary"] for event in service.events()] == ["Mine now"]
    moved = service.parts.sessions.schedule.put(service.agent, "s1", service.content("Newer"), By.AGENT, None)
    assert (moved.status, moved.event_id) == (Status.SCHEDULED, created.event_id)
    assert [event["summary"] for event in service.events()] == ["Newer"]


def test_an_event_deleted_by_a_person_is_made_whole_by_a_newer_request_and_cancels_without_harm(
    service: TestService,
) -> None:
    service.connect()
    created = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    other = service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)
    service.as_person("DELETE", created)
    service.as_person("DELETE", other)
    assert service.events() == []
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Newer"), By.AGENT, None)
    assert [event["summary"] for event in service.events()] == ["Newer"]
    assert (
        service.parts.sessions.schedule.cancel(service.agent, "s2", By.AGENT, None).status is Status.CANCELLED
    )


def test_a_calendar_deleted_by_the_agent_is_noticed_once_and_made_again_only_when_asked(
    service: TestService,
) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    view = service.parts.sessions.schedule.put(service.agent, "s2", service.content("Waits"), By.AGENT, None)
    assert view.status is Status.WAITING
    assert service.parts.connection.status.of(service.agent).state is State.CALENDAR_MISSING
    assert service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.LOST
    calls = len(service.calls())
    service.clock.advance(3600)
    service.work(2)
    waits = service.parts.sessions.schedule.put(
        service.agent, "s3", service.content("Waits too"), By.AGENT, None
    )
    assert waits.status is Status.WAITING
    assert len(service.calls()) == calls
    assert service.parts.connection.dedicated_calendar.ensure(service.agent, create=False) is False
    assert service.parts.connection.dedicated_calendar.ensure(service.agent, create=True) is True
    service.work()
    assert sorted(event["summary"] for event in service.events()) == ["Waits", "Waits too"]
    again = service.parts.sessions.schedule.put(service.agent, "s1", service.content("Whole"), By.AGENT, None)
    assert again.status is Status.SCHEDULED


def test_a_session_without_a_title_bears_the_neutral_one_of_the_agents_language(service: TestService) -> None:
    cookie, browser = service.browser()
    browser = replace(browser, locale="es")
    callback = service.google.consent(service.begin(browser, cookie))
    service.call_back(browser, cookie, callback)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(""), By.AGENT, None)
    assert [event["summary"] for event in service.events()] == ["Sesión de video programada"]
    assert service.calendars()[0]["summary"] == "Videsk · Sesiones programadas"


def test_a_deleted_event_or_calendar_has_no_times_when_google_is_asked(service: TestService) -> None:
    service.connect()
    created = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.as_person("DELETE", created)
    untold = replace(created, outcome="read")
    deleted = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert deleted == replace(untold, in_google="cancelled")
    service.google.switch(trash_emptied=True)
    gone = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert gone == replace(untold, in_google="missing")
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    assert service.parts.sessions.reader.get(service.agent, "s1", read_google=True) == gone
    assert service.parts.connection.status.of(service.agent).state is State.CALENDAR_MISSING
