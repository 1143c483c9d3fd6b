"""Marker, hash, revision and nonce of an event of ours, and what is concluded from them (laws 3, 4)."""

import json
from typing import Any

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.errors import StaleVersion
from calendar_service.domain.session import By, Status
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from tests.support.service import TestService

INSERT = {"method": "POST", "path": "/calendar/v3/calendars/*/events"}
PATCH = {"method": "PATCH", "path": "/calendar/v3/calendars/*/events/*"}
DELETE = {"method": "DELETE", "path": "/calendar/v3/calendars/*/events/*"}
LOST_ANSWER = {"cut": "after_commit"}


def put(service: TestService, title: str = "First", session: str = "s1", **more: Any) -> SessionView:
    content = service.content(title, **more)
    return service.parts.sessions.schedule.put(service.agent, session, content, By.AGENT, None)


def cancel(service: TestService, session: str = "s1") -> SessionView:
    return service.parts.sessions.schedule.cancel(service.agent, session, By.AGENT, None)


def status(service: TestService, session: str = "s1") -> Status:
    return service.parts.sessions.reader.get(service.agent, session, read_google=False).status


def titles(service: TestService) -> list[str]:
    return sorted(event["summary"] for event in service.events())


def later(service: TestService) -> None:
    service.clock.advance(6 * 60)
    service.work(2)


def private(service: TestService) -> dict[str, str]:
    (event,) = service.events()
    properties: dict[str, str] = event["extendedProperties"]["private"]
    return properties


def erase_and_connect_again(service: TestService) -> None:
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.connect()


# --- a copy that a person or a program made ---


def copied(service: TestService) -> None:
    """Let a program of the account's owner copy our one event, private properties included, under an id of Google's."""
    (event,) = service.events()
    own = {name: event[name] for name in ("start", "end", "extendedProperties")}
    calendar = service.facts.calendar.id
    service.as_person("POST", None, {"summary": "The person's copy"} | own, calendar=calendar)


def test_an_event_bears_marker_hash_revision_and_nonce(service: TestService) -> None:
    service.connect()
    put(service)
    first = private(service)
    assert sorted(first) == ["csEventHash", "csMarker", "csNonce", "csRevision"]
    put(service, "Second")
    second = private(service)
    assert (first["csRevision"], second["csRevision"]) == ("1", "2")
    assert first["csNonce"] != second["csNonce"]
    assert {len(first["csNonce"]), len(second["csNonce"])} == {16}
    assert (first["csMarker"], first["csEventHash"]) == (second["csMarker"], second["csEventHash"])


def test_no_two_sessions_or_ids_have_the_same_hash(service: TestService) -> None:
    identity = service.parts.sessions.schedule.attempts.identity
    assert len({identity.event_hash(marker, event_id) for marker in "ab" for event_id in "cd"}) == 4


@pytest.mark.parametrize("call", [PATCH, INSERT])
def test_a_copy_outlives_the_search_for_twins_after_a_lost_answer(
    service: TestService, call: dict[str, str]
) -> None:
    service.connect()
    put(service)
    copied(service)
    if call is INSERT:
        cancel(service)
        service.google.switch(revive_forbidden=True)
    service.google.fault(call, LOST_ANSWER, times=1)
    put(service, "Second")
    later(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Second", "The person's copy"])


def test_a_copy_is_not_taken_over_after_an_erasure(service: TestService) -> None:
    service.connect()
    event_id = put(service).event_id
    copied(service)
    erase_and_connect_again(service)
    assert put(service, "Second").event_id == event_id
    assert titles(service) == ["Second", "The person's copy"]


def test_a_copy_of_a_deleted_event_is_not_taken_over_after_an_erasure(service: TestService) -> None:
    service.connect()
    view = put(service)
    copied(service)
    service.as_person("DELETE", view)
    erase_and_connect_again(service)
    put(service, "Second")
    assert titles(service) == ["Second", "The person's copy"]


def test_a_cancel_in_doubt_leaves_a_copy(service: TestService) -> None:
    service.connect()
    put(service)
    copied(service)
    service.google.fault(DELETE, LOST_ANSWER, times=1)
    cancel(service)
    later(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, ["The person's copy"])


# --- a record that went back ---


class Past:
    """The store's record of one session as it was, to be put back as a restore does."""

    def __init__(self, service: TestService, session: str = "s1") -> None:
        self._client = service.parts.store.database.client
        self._key, self._session = service.key("sessions"), session
        self._text = self._client.hget(self._key, session)

    def put_back(self) -> None:
        if self._text is None:
            self._client.hdel(self._key, self._session)
        else:
            self._client.hset(self._key, self._session, self._text)


def test_the_first_change_after_the_record_went_back_reaches_google(service: TestService) -> None:
    service.connect()
    put(service, "One")
    past = Past(service)
    put(service, "Two")
    past.put_back()
    put(service, "Three")
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Three"])
    assert private(service)["csRevision"] == "3"  # above the one that the record has forgotten
    put(service, "Four")
    assert (titles(service), private(service)["csRevision"]) == (["Four"], "4")


def test_a_revision_far_above_the_records_is_written_over_too(service: TestService) -> None:
    service.connect()
    put(service, "One")
    past = Past(service)
    for number in range(4):
        put(service, f"Later {number}")
    past.put_back()
    put(service, "Three")
    assert (titles(service), private(service)["csRevision"]) == (["Three"], "6")


def test_a_session_that_the_store_forgot_is_written_though_its_event_stands(service: TestService) -> None:
    service.connect()
    past = Past(service)
    put(service, "Forgotten")
    past.put_back()
    assert put(service, "New").status is Status.SCHEDULED
    assert titles(service) == ["New"]


def test_a_cancel_after_the_record_went_back_removes_the_event(service: TestService) -> None:
    service.connect()
    put(service, "One")
    past = Past(service)
    put(service, "Two")
    past.put_back()
    cancel(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_write_whose_answer_was_lost_is_done_and_not_sent_again(service: TestService) -> None:
    service.connect()
    put(service)
    service.google.fault(PATCH, LOST_ANSWER, times=1)
    put(service, "Second")
    before = len(service.calls())
    later(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Second"])
    assert "calendar.events.patch" not in service.calls(before)


def test_a_write_above_a_forgotten_revision_is_done_though_its_answer_was_lost(service: TestService) -> None:
    """The record's offset is raised in the attempt. Its answer is lost, so the next attempt finds a higher revision."""
    service.connect()
    put(service, "One")
    past = Past(service)
    for number in range(3):
        put(service, f"Later {number}")
    past.put_back()
    service.google.fault(PATCH, LOST_ANSWER, after=1, times=1)  # the first one is answered 412
    assert put(service, "Three").status is Status.PENDING
    assert private(service)["csRevision"] == "5"
    later(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Three"])
    put(service, "Four")
    assert (titles(service), private(service)["csRevision"]) == (["Four"], "6")


def test_a_revision_that_a_person_wrote_keeps_no_write_from_being_known_again(service: TestService) -> None:
    """The highest number that is believed: ours, above it, still has to be readable after a lost answer."""
    service.connect()
    view = put(service, "One")
    service.as_person("PATCH", view, {"extendedProperties": {"private": {"csRevision": "999999999999"}}})
    service.google.fault(PATCH, LOST_ANSWER, after=1, times=1)  # the first one is answered 412
    assert put(service, "Two").status is Status.PENDING
    before = len(service.calls())
    later(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Two"])
    assert "calendar.events.patch" not in service.calls(before)
    put(service, "Three")
    assert (titles(service), private(service)["csRevision"]) == (["Three"], "1000000000001")


@pytest.mark.parametrize("written", ["1000000000000", "9999999999999", "99999999999999999999"])
def test_a_revision_that_is_no_count_is_not_followed(service: TestService, written: str) -> None:
    service.connect()
    view = put(service, "One")
    service.as_person("PATCH", view, {"extendedProperties": {"private": {"csRevision": written}}})
    put(service, "Two")
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["Two"])
    assert private(service)["csRevision"] == "2"


def test_a_late_holder_writes_over_no_newer_state(service: TestService) -> None:
    """It reads a higher revision of another desired state, and its lease is no longer its own: it stops."""
    service.connect()
    put(service, "One")
    schedule = service.parts.sessions.schedule
    late = schedule.sessions.load(service.agent, "s1")
    assert late.record
    put(service, "Two")
    before = len(service.calls())
    schedule.attempts.make(
        service.agent, late.facts, schedule.access.open(late), late.record, service.content("Late")
    )
    assert titles(service) == ["Two"]
    assert service.calls(before) == ["calendar.events.patch", "calendar.events.get"]


def test_the_daily_look_reports_what_a_record_that_went_back_does_not_know(service: TestService) -> None:
    service.connect()
    put(service, "One")
    past = Past(service)
    put(service, "Two")
    past.put_back()
    service.clock.advance(DAY / SECOND + 3600)
    service.work(2)
    view = service.parts.sessions.reader.get(service.agent, "s1", read_google=False)
    assert view.reason == "changed_in_google"


# --- an event whose private properties another program removed ---


def wiped(service: TestService, view: SessionView) -> None:
    """Replace the event by PUT, with the properties of another program alone."""
    (event,) = (one for one in service.events() if one["id"] == view.event_id)
    own = {name: event[name] for name in ("summary", "start", "end")}
    other = {"extendedProperties": {"private": {"another-program": "1"}}}
    service.as_person("PUT", view, own | other)


def test_an_event_without_our_properties_is_moved_and_stamped_again(service: TestService) -> None:
    service.connect()
    view = put(service)
    stamped = private(service)
    wiped(service, view)
    moved = put(service, "Second", days=4)
    assert (moved.status, moved.event_id, titles(service)) == (Status.SCHEDULED, view.event_id, ["Second"])
    assert private(service)["csMarker"] == stamped["csMarker"]
    assert private(service)["csEventHash"] == stamped["csEventHash"]


def test_an_event_without_our_properties_is_cancelled(service: TestService) -> None:
    service.connect()
    wiped(service, put(service))
    assert cancel(service).outcome == "cancelled"
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_an_event_without_our_properties_is_read(service: TestService) -> None:
    service.connect()
    content = service.content("First")
    schedule = service.parts.sessions.schedule
    wiped(service, schedule.put(service.agent, "s1", content, By.AGENT, None))
    read = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert (read.start, read.end, read.in_google) == (content.start, content.end, "confirmed")


def _wiped_in_doubt(service: TestService) -> None:
    """Let an insert reach Google without its answer, and another program remove our properties from its event."""
    service.connect()
    service.google.fault(INSERT, LOST_ANSWER, times=1)
    view = put(service)
    (event,) = service.events()
    assert view.status is Status.PENDING
    calendar = service.facts.calendar.id
    own = {name: event[name] for name in ("summary", "start", "end")}
    wiped_view = SessionView("s1", Status.PENDING, 1, event["id"], calendar, "", "read")
    service.as_person("PUT", wiped_view, own)


def test_an_event_that_lost_properties_while_its_insert_was_in_doubt_is_found_by_its_id(
    service: TestService,
) -> None:
    _wiped_in_doubt(service)
    later(service)
    assert (status(service), titles(service)) == (Status.SCHEDULED, ["First"])
    assert "csEventHash" in private(service)


def test_an_event_that_lost_properties_while_its_insert_was_in_doubt_is_cancelled(
    service: TestService,
) -> None:
    _wiped_in_doubt(service)
    assert cancel(service).outcome == "cancelled"
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


# --- a cancel of a session that the store forgot ---

LIST = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}


def forgotten(service: TestService) -> None:
    """Let an event stand whose session was erased with its connection, and the agent connect again."""
    service.connect()
    put(service)
    erase_and_connect_again(service)
    assert titles(service) == ["First"]


def known(service: TestService) -> bool:
    return service.parts.sessions.schedule.sessions.load(service.agent, "s1").record is not None


def test_a_cancel_removes_the_event_of_a_session_from_before_an_erasure(service: TestService) -> None:
    forgotten(service)
    assert cancel(service).outcome == "cancelled"
    assert (status(service), titles(service)) == (Status.CANCELLED, [])
    assert cancel(service).outcome == "nothing"


def test_a_cancel_removes_the_event_of_a_session_that_the_database_lost(service: TestService) -> None:
    service.connect()
    past = Past(service)
    put(service)
    past.put_back()
    assert cancel(service).outcome == "cancelled"
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_cancel_of_a_session_that_never_was_asks_once_and_stores_nothing(service: TestService) -> None:
    service.connect()
    calls = len(service.calls())
    assert cancel(service).outcome == "nothing"
    assert service.calls(calls) == ["calendar.events.list"]
    assert not known(service)
    assert "session.accepted" not in service.stored()


def test_a_cancel_of_an_unknown_session_leaves_the_copy_of_its_event(service: TestService) -> None:
    service.connect()
    view = put(service)
    copied(service)
    service.as_person("DELETE", view)
    erase_and_connect_again(service)
    assert cancel(service).outcome == "nothing"
    assert titles(service) == ["The person's copy"]


@pytest.mark.parametrize("silence", [{"status": 503, "reason": "backendError"}, {"cut": "before_commit"}])
def test_a_cancel_of_an_unknown_session_that_google_does_not_answer_is_carried_out_later(
    service: TestService, silence: dict[str, Any]
) -> None:
    forgotten(service)
    service.google.fault(LIST, silence, times=1)
    calls = len(service.calls())
    view = cancel(service)
    assert (view.status, view.outcome) == (Status.PENDING, "accepted")
    assert len(service.calls()) == calls + 1
    later(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_cancel_of_an_unknown_session_waits_for_the_end_of_a_pause(service: TestService) -> None:
    forgotten(service)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    assert cancel(service).status is Status.WAITING
    assert titles(service) == ["First"]
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=False)
    later(service)
    assert (status(service), titles(service)) == (Status.CANCELLED, [])


def test_a_cancel_of_an_unknown_session_finds_the_grant_dead(service: TestService) -> None:
    forgotten(service)
    service.google.fault("/token", {"invalid_grant": True})
    service.clock.advance(3600)
    assert cancel(service).outcome == "nothing"
    assert not known(service)


def test_a_put_older_than_the_cancel_of_a_forgotten_session_is_refused(service: TestService) -> None:
    forgotten(service)
    schedule = service.parts.sessions.schedule
    schedule.cancel(service.agent, "s1", By.SYSTEM, 5)
    with pytest.raises(StaleVersion):
        schedule.put(service.agent, "s1", service.content("Delayed"), By.SYSTEM, 4)
    assert titles(service) == []


# --- what is left of an event that a person moved to another calendar ---


def test_an_event_that_was_moved_to_another_calendar_is_missing_and_then_deleted(
    service: TestService,
) -> None:
    service.connect()
    view = put(service)
    left = {"kind": "calendar#event", "etag": '"left"', "id": view.event_id, "status": "confirmed"}
    path = "/calendar/v3/calendars/*/events/*"
    answer = {"answer": {"status": 200, "body": json.dumps(left), "content_type": "application/json"}}
    service.as_person("DELETE", view)
    service.google.fault({"method": "GET", "path": path}, answer)
    read = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert (read.in_google, read.start, read.end) == ("missing", 0, 0)
    service.clock.advance(DAY / SECOND + 3600)
    service.work(2)
    assert status(service) is Status.LOST
    service.google.clear_faults()


# --- the time zone ---


def zone_of(service: TestService) -> str:
    (event,) = service.events()
    assert event["start"].get("timeZone") == event["end"].get("timeZone")
    return event["start"].get("timeZone", "")


def unknown_zone(name: str = "start") -> dict[str, Any]:
    words = f"Invalid time zone definition for {name} time."
    error = {
        "errors": [{"domain": "global", "reason": "invalid", "message": words}],
        "code": 400,
        "message": words,
    }
    body = json.dumps({"error": error})
    return {"answer": {"status": 400, "body": body, "content_type": "application/json"}}


def test_a_time_zone_that_is_left_out_is_cleared(service: TestService) -> None:
    service.connect()
    put(service, time_zone="Asia/Tokyo")
    assert zone_of(service) == "Asia/Tokyo"
    put(service, time_zone="")
    cleared = zone_of(service)
    put(service, "Fresh", session="s2", time_zone="")
    fresh = next(event for event in service.events() if event["summary"] == "Fresh")
    assert cleared == fresh["start"].get("timeZone", "")
    assert cleared != "Asia/Tokyo"


@pytest.mark.parametrize("call", [INSERT, PATCH])
def test_a_zone_that_google_does_not_know_yet_is_left_out(service: TestService, call: dict[str, str]) -> None:
    service.connect()
    if call is PATCH:
        put(service, time_zone="Asia/Tokyo")
    service.google.fault(call, unknown_zone(), times=1)
    content = service.content("Second", time_zone="America/Santiago")
    view = service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, None)
    assert view.status is Status.SCHEDULED
    read = service.parts.sessions.reader.get(service.agent, "s1", read_google=True)
    assert (read.start, read.end) == (content.start, content.end)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", ""])
def test_a_zone_that_is_refused_still_fails_and_alarms(
    service: TestService, zone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    calls = len(service.calls())
    service.google.fault(INSERT, unknown_zone())
    assert put(service, time_zone=zone).status is Status.FAILED
    assert len(service.calls()) == calls + (2 if zone else 1)
    assert "google.time_zone_refused" in capsys.readouterr().err


CALENDARS = {"method": "POST", "path": "/calendar/v3/calendars"}


def test_a_calendar_whose_zone_google_does_not_know_is_made_in_utc(service: TestService) -> None:
    service.google.fault(CALENDARS, unknown_zone(), times=1)
    assert service.connect().calendar_ready
    assert [calendar["timeZone"] for calendar in service.calendars()] == ["UTC"]


def test_a_calendar_that_is_refused_in_utc_too_alarms(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.google.fault(CALENDARS, unknown_zone())
    assert not service.connect().calendar_ready
    assert "google.calendar_refused" in capsys.readouterr().err
