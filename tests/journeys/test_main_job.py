"""Connect, schedule, reschedule, cancel, disconnect, erase: the main job, seen at Google and in the store."""

import json
from dataclasses import replace

import pytest

from calendar_service.domain.clock import DAY, HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.errors import NotConnected, SessionOver, StaleVersion
from calendar_service.domain.session import By, Status
from calendar_service.journeys.receipts import ReceiptInvalid, concerns, verify
from calendar_service.store.journal import Actor
from tests.household import Household


def test_connecting_makes_one_dedicated_calendar_in_the_agents_zone(house: Household) -> None:
    outcome = house.connect()
    assert (outcome.calendar_ready, outcome.other_agents, outcome.moved_account) == (True, False, False)
    (calendar,) = house.calendars()
    assert calendar["summary"] == "Videsk · Scheduled Sessions"
    assert calendar["timeZone"] == "America/Santiago"
    assert house.service.overview.connection(house.agent).state is State.CONNECTED


def test_a_session_is_created_moved_and_cancelled_with_one_call_each(house: Household) -> None:
    house.connect()
    schedule, before = house.service.schedule, len(house.calls())
    first = house.content("First talk")
    created = schedule.put(house.agent, "s1", first, By.AGENT, None)
    assert (created.outcome, created.status) == ("created", Status.SCHEDULED)
    (event,) = house.events()
    assert (event["summary"], event["id"]) == ("First talk", created.event_id)
    assert event["visibility"] == "private"
    moved = schedule.put(house.agent, "s1", house.content("First talk", days=4), By.SYSTEM, None)
    assert (moved.outcome, moved.event_id) == ("changed", created.event_id)
    same = schedule.put(house.agent, "s1", house.content("First talk", days=4), By.SYSTEM, None)
    assert same.outcome == "unchanged"
    gone = schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert (gone.outcome, gone.status) == ("cancelled", Status.CANCELLED)
    assert house.events() == []
    assert schedule.cancel(house.agent, "s1", By.AGENT, None).outcome == "nothing"
    assert house.calls(before) == [
        "calendar.events.insert",
        "calendar.events.patch",
        "calendar.events.delete",
    ]


def test_each_operation_takes_three_round_trips_to_the_store(house: Household) -> None:
    house.connect()
    schedule, database = house.service.schedule, house.service.database
    schedule.put(house.agent, "warm", house.content(), By.AGENT, None)  # scripts are loaded once a process
    schedule.put(house.agent, "warm", house.content(days=4), By.AGENT, None)
    schedule.cancel(house.agent, "warm", By.AGENT, None)
    counts = []
    for step in (
        lambda: schedule.put(house.agent, "s1", house.content(), By.AGENT, None),
        lambda: schedule.put(house.agent, "s1", house.content(days=4), By.AGENT, None),
        lambda: schedule.cancel(house.agent, "s1", By.AGENT, None),
    ):
        before = database.round_trips
        step()
        counts.append(database.round_trips - before)
    assert counts == [3, 3, 3]


def test_an_operation_computes_the_shard_of_its_agent_once_and_the_next_ones_not_at_all(
    house: Household,
) -> None:
    house.connect()
    process = house.replica()  # which has seen no agent
    computed = []
    for days in (3, 4):
        before = process.service.database.slot_keys.cache_info().misses
        process.service.schedule.put(house.agent, "s1", house.content(days=days), By.AGENT, None)
        computed.append(process.service.database.slot_keys.cache_info().misses - before)
    assert computed == [1, 0]


def test_a_cancelled_session_can_be_wanted_again_under_its_own_id(house: Household) -> None:
    house.connect()
    schedule = house.service.schedule
    first = schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    schedule.cancel(house.agent, "s1", By.AGENT, None)
    again = schedule.put(house.agent, "s1", house.content("Again"), By.AGENT, None)
    assert (again.outcome, again.event_id) == ("created", first.event_id)
    assert [event["summary"] for event in house.events()] == ["Again"]


def test_where_google_refuses_to_revive_the_next_generation_is_written(house: Household) -> None:
    house.connect()
    schedule = house.service.schedule
    first = schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    schedule.cancel(house.agent, "s1", By.AGENT, None)
    house.google.switch(revive_forbidden=True)
    again = schedule.put(house.agent, "s1", house.content("Again"), By.AGENT, None)
    assert again.status is Status.SCHEDULED
    assert again.event_id != first.event_id
    assert [event["summary"] for event in house.events()] == ["Again"]


def test_join_link_goes_into_location_and_description(house: Household) -> None:
    house.connect()
    content = house.content(description="Bring papers.", join_url="https://meet.example/x")
    house.service.schedule.put(house.agent, "s1", content, By.AGENT, None)
    (event,) = house.events()
    assert event["location"] == "https://meet.example/x"
    assert event["description"] == "Bring papers.\n\nhttps://meet.example/x"
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    (event,) = house.events()
    assert "location" not in event
    assert "description" not in event


def test_an_older_version_is_refused_and_changes_nothing(house: Household) -> None:
    house.connect()
    schedule = house.service.schedule
    schedule.put(house.agent, "s1", house.content("Five"), By.AGENT, 5)
    before = house.stored()
    with pytest.raises(StaleVersion):
        schedule.put(house.agent, "s1", house.content("Four"), By.AGENT, 4)
    with pytest.raises(StaleVersion):
        schedule.put(house.agent, "s1", house.content("Other five"), By.AGENT, 5)
    with pytest.raises(StaleVersion):
        schedule.cancel(house.agent, "s1", By.AGENT, 5)
    assert house.stored() == before
    assert schedule.put(house.agent, "s1", house.content("Five"), By.AGENT, 6).outcome == "unchanged"
    with pytest.raises(StaleVersion):
        schedule.put(house.agent, "s1", house.content("Old"), By.AGENT, 5)


def test_a_session_already_over_is_refused(house: Household) -> None:
    house.connect()
    now = house.service.clock.now()
    content = house.content(start=now - 2 * HOUR, end=now - HOUR)
    with pytest.raises(SessionOver):
        house.service.schedule.put(house.agent, "s1", content, By.AGENT, None)


def test_an_agent_never_connected_is_refused_and_leaves_nothing(house: Household) -> None:
    with pytest.raises(NotConnected):
        house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    assert house.service.schedule.cancel(house.agent, "s1", By.AGENT, None).outcome == "nothing"
    assert house.stored() == ""


def test_nothing_of_the_content_is_kept_once_google_has_confirmed(house: Household) -> None:
    house.connect()
    content = house.content("Title of a private talk", description="Words", location="Room")
    house.service.schedule.put(house.agent, "s1", content, By.AGENT, None)
    kept = house.stored()
    assert ":waiting" not in kept
    assert "Title of a private talk" not in kept


def test_disconnecting_keeps_the_calendar_and_ends_the_permission(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    view = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert (view.state, view.revocation) == (State.DISCONNECTED, "confirmed")
    assert abs(view.erase_due - (house.service.clock.now() + 7 * DAY)) < HOUR
    assert len(house.events()) == 1
    assert house.live_tokens() == []
    kept = house.stored()
    assert ":grant" not in kept
    assert ":errands" not in kept
    with pytest.raises(NotConnected):
        house.service.schedule.put(house.agent, "s2", house.content(), By.AGENT, None)


def test_the_calendar_goes_only_when_the_agent_asks(house: Household) -> None:
    house.connect()
    with pytest.raises(ValueError, match="only the agent"):
        house.service.disconnect.disconnect(house.agent, Actor.ADMINISTRATOR, delete_calendar=True)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    assert house.calendars() == []
    assert house.live_tokens() == []


def test_connecting_again_before_the_erasure_takes_the_same_calendar_and_sessions_up(
    house: Household,
) -> None:
    house.connect()
    first = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.connect()
    assert len(house.calendars()) == 1
    moved = house.service.schedule.put(house.agent, "s1", house.content(days=5), By.AGENT, None)
    assert moved.event_id == first.event_id
    assert house.service.overview.connection(house.agent).erase_due == 0


def test_after_the_erasure_the_marker_finds_the_calendar_and_the_session(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content("Before"), By.AGENT, None)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    house.connect()
    assert len(house.calendars()) == 1
    again = house.service.schedule.put(house.agent, "s1", house.content("After"), By.AGENT, None)
    assert again.outcome == "created"
    assert [event["summary"] for event in house.events()] == ["After"]
    moved = house.service.schedule.put(house.agent, "s1", house.content("Moved", days=6), By.AGENT, None)
    assert moved.event_id == again.event_id
    assert [event["summary"] for event in house.events()] == ["Moved"]


def test_the_timer_erases_on_its_date_and_leaves_a_receipt(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    (calendar,) = house.calendars()
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.clock.advance(7 * 86400 - 60)
    house.work()
    assert house.service.overview.connection(house.agent).state is State.DISCONNECTED
    house.clock.advance(120)
    house.work(2)
    assert house.service.overview.connection(house.agent).state is State.NOT_CONNECTED
    house.service.database.client.delete(*house.service.database.client.keys("browser:*"))  # ends by itself
    kept = house.stored()
    for trace in (calendar["id"], house.events()[0]["id"], "agent-1"):
        assert trace not in kept
    assert "erasure-receipt" in kept
    assert len(house.calendars()) == 1


def test_a_receipt_verifies_and_a_changed_one_does_not(house: Household) -> None:
    house.connect()
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    receipt = house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    keys = house.service.public_keys
    whole = json.dumps(receipt).encode()
    assert verify(whole, keys) == receipt
    assert concerns(receipt, house.agent)
    assert house.agent.agent not in whole.decode()
    for name in receipt.keys() - {"salt"}:
        changed = json.dumps(receipt | {name: "x"}).encode()
        with pytest.raises(ReceiptInvalid):
            verify(changed, keys)
    kept = house.service.disconnect.receipt(receipt["number"])
    assert "salt" not in kept
    assert verify(json.dumps(kept).encode(), keys) == kept


def test_erasing_what_is_not_ended_is_refused(house: Household) -> None:
    house.connect()
    with pytest.raises(NotConnected):
        house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    assert house.service.overview.connection(house.agent).state is State.CONNECTED


def test_trouble_at_google_ends_as_accepted_and_the_worker_finishes_it(house: Household) -> None:
    house.connect()
    house.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}, times=1
    )
    accepted = house.service.schedule.put(house.agent, "s1", house.content("Later"), By.AGENT, None)
    assert (accepted.outcome, accepted.status) == ("accepted", Status.PENDING)
    assert "Later" not in house.stored()
    house.clock.advance(5)
    house.work()
    assert [event["summary"] for event in house.events()] == ["Later"]
    assert house.service.schedule.get(house.agent, "s1", read_google=False).status is Status.SCHEDULED
    assert ":waiting" not in house.stored()


@pytest.mark.parametrize("cut", ["before_commit", "after_commit"])
def test_a_cut_answer_never_makes_two_events(house: Household, cut: str) -> None:
    house.connect()
    house.google.fault({"method": "POST", "path": "/calendar/v3/*"}, {"cut": cut}, times=1)
    accepted = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    assert accepted.status is Status.PENDING
    house.clock.advance(5)
    house.work()
    assert len(house.events()) == 1
    assert house.service.schedule.get(house.agent, "s1", read_google=False).status is Status.SCHEDULED


def test_google_says_the_times_when_asked(house: Household) -> None:
    house.connect()
    content = house.content()
    house.service.schedule.put(house.agent, "s1", content, By.AGENT, None)
    view = house.service.schedule.get(house.agent, "s1", read_google=True)
    assert (view.start, view.end, view.in_google) == (content.start, content.end, "confirmed")


def test_a_persons_change_is_written_over_by_a_newer_wish(house: Household) -> None:
    house.connect()
    created = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.as_person(
        "PATCH",
        created,
        {
            "summary": "Mine now",
            "start": {"date": "2030-01-01", "dateTime": None},
            "end": {"date": "2030-01-02", "dateTime": None},
        },
    )
    assert [event["summary"] for event in house.events()] == ["Mine now"]
    moved = house.service.schedule.put(house.agent, "s1", house.content("Newer"), By.AGENT, None)
    assert (moved.status, moved.event_id) == (Status.SCHEDULED, created.event_id)
    assert [event["summary"] for event in house.events()] == ["Newer"]


def test_an_event_deleted_by_a_person_is_made_whole_by_a_newer_wish_and_cancels_without_harm(
    house: Household,
) -> None:
    house.connect()
    created = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    other = house.service.schedule.put(house.agent, "s2", house.content(), By.AGENT, None)
    house.as_person("DELETE", created)
    house.as_person("DELETE", other)
    assert house.events() == []
    house.service.schedule.put(house.agent, "s1", house.content("Newer"), By.AGENT, None)
    assert [event["summary"] for event in house.events()] == ["Newer"]
    assert house.service.schedule.cancel(house.agent, "s2", By.AGENT, None).status is Status.CANCELLED


def test_a_calendar_deleted_by_the_agent_is_noticed_once_and_made_again_only_when_asked(
    house: Household,
) -> None:
    house.connect()
    created = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.as_person("DELETE", None, calendar=created.calendar_id)
    view = house.service.schedule.put(house.agent, "s2", house.content("Waits"), By.AGENT, None)
    assert view.status is Status.WAITING
    assert house.service.overview.connection(house.agent).state is State.CALENDAR_MISSING
    assert house.service.schedule.get(house.agent, "s1", read_google=False).status is Status.LOST
    calls = len(house.calls())
    house.clock.advance(3600)
    house.work(2)
    waits = house.service.schedule.put(house.agent, "s3", house.content("Waits too"), By.AGENT, None)
    assert waits.status is Status.WAITING
    assert len(house.calls()) == calls
    assert house.service.connect.make_calendar(house.agent, create=False) is False
    assert house.service.connect.make_calendar(house.agent, create=True) is True
    house.work()
    assert sorted(event["summary"] for event in house.events()) == ["Waits", "Waits too"]
    again = house.service.schedule.put(house.agent, "s1", house.content("Whole"), By.AGENT, None)
    assert again.status is Status.SCHEDULED


def test_a_session_without_a_title_bears_the_neutral_one_of_the_agents_language(house: Household) -> None:
    cookie, browser = house.browser()
    browser = replace(browser, locale="es")
    callback = house.google.consent(house.begin(browser, cookie))
    house.call_back(browser, cookie, callback)
    house.service.schedule.put(house.agent, "s1", house.content(""), By.AGENT, None)
    assert [event["summary"] for event in house.events()] == ["Sesión de video programada"]
    assert house.calendars()[0]["summary"] == "Videsk · Sesiones programadas"


def test_an_event_or_a_calendar_that_is_gone_is_told_when_google_is_asked(house: Household) -> None:
    house.connect()
    created = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.as_person("DELETE", created)
    house.google.switch(trash_emptied=True)
    assert house.service.schedule.get(house.agent, "s1", read_google=True).in_google == "missing"
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    house.as_person("DELETE", None, calendar=created.calendar_id)
    assert house.service.schedule.get(house.agent, "s1", read_google=True).in_google == "missing"
    assert house.service.overview.connection(house.agent).state is State.CALENDAR_MISSING
