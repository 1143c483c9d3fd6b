"""The laws about events at the local Google, and cases that only its controls can bring about."""

import pytest

from tests.local_google.app import ONE
from tests.local_google.facts import fact
from tests.local_google.http_api import TIMES, GoogleApi
from tests.local_google.laws_events import EventLaws
from tests.support.local_google import LocalGoogle, fetch

ID = "sess10n0fthe0rder"


class TestEventLaws(EventLaws):
    """At the local Google."""


@fact("V2", "Reviving a deleted event was answered 403 forbidden for some")
@pytest.mark.parametrize("method", ["patch", "put"])
def test_reviving_can_be_forbidden(api: GoogleApi, google: LocalGoogle, calendar: str, method: str) -> None:
    api.insert(calendar, {"id": ID})
    api.delete(calendar, ID)
    google.switch(revive_forbidden=True)
    reply = getattr(api, method)(calendar, ID, TIMES | {"status": "confirmed"})
    assert (reply.status, reply.reason) == (403, "global/forbidden")
    assert api.event(calendar, ID).document["status"] == "cancelled"


@fact("V", "Deleted events eventually disappear: then get answers 404")
def test_a_deleted_event_disappears_when_the_trash_is_emptied(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:
    api.insert(calendar, {"id": ID})
    api.delete(calendar, ID)
    google.switch(trash_emptied=True)
    assert api.event(calendar, ID).status == 404
    assert api.events(calendar, showDeleted=True).document["items"] == []


@fact("V2", "The id stays taken even after the purge")
def test_an_id_stays_taken_after_the_purge(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.insert(calendar, {"id": ID})
    api.delete(calendar, ID)
    google.switch(trash_emptied=True)
    assert api.insert(calendar, {"id": ID}).status == 409
    assert api.patch(calendar, ID, {"status": "confirmed"}).status == 403


@fact("V", "Collisions of ids are not guaranteed to be detected at creation")
def test_an_undetected_collision_makes_twins(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.insert(calendar, {"id": ID, "summary": "older"})
    google.switch(undetected_collisions=True)
    api.insert(calendar, {"id": ID, "summary": "newer"})
    listed = api.events(calendar).document["items"]
    assert [event["id"] for event in listed] == [ID, ID]
    assert len({event["iCalUID"] for event in listed}) == 2


def test_of_twins_the_newer_one_is_addressed(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:  # [I]
    api.insert(calendar, {"id": ID, "summary": "older"})
    google.switch(undetected_collisions=True)
    api.insert(calendar, {"id": ID, "summary": "newer"})
    assert api.event(calendar, ID).document["summary"] == "newer"
    assert api.patch(calendar, ID, {"location": "x"}).document["summary"] == "newer"
    assert api.delete(calendar, ID).status == 204
    assert [event["summary"] for event in api.events(calendar).document["items"]] == ["older"]


@fact(
    "V2",
    "Guests count against a limit even with sendUpdates=none: 403 quotaExceeded; without guests it passes",
)
def test_guests_exceed_a_quota_even_untold(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.switch(guest_quota=1)
    guests = {"attendees": [{"email": "a@example.org"}, {"email": "b@example.org"}]}
    reply = api.insert(calendar, guests, sendUpdates="none")
    assert (reply.status, reply.reason) == (403, "usageLimits/quotaExceeded")
    assert api.insert(calendar).status == 200


@fact("V", "Shared properties of a copy that is not the organizer's: 403 forbiddenForNonOrganizer")
def test_shared_properties_belong_to_the_organizer(api: GoogleApi, calendar: str) -> None:
    body = TIMES | {"iCalUID": "x@elsewhere", "organizer": {"email": "boss@example.org"}, "summary": "theirs"}
    copy = api.call("POST", f"calendars/{calendar}/events/import", body).document
    assert copy["organizer"] == {"email": "boss@example.org"}
    reply = api.patch(calendar, copy["id"], {"summary": "mine"})
    assert (reply.status, reply.reason) == (403, "calendar/forbiddenForNonOrganizer")
    assert api.patch(calendar, copy["id"], {"colorId": "3"}).status == 200


@fact("V", "People edit, move and delete events freely; then etag and sequence are others")
def test_a_person_moves_and_deletes_events(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    before = api.insert(calendar, {"id": ID}).document
    form = {"account": ONE, "calendar": calendar, "event": ID, "back": "/calendar?week=2030-05-06"}
    times = {"start": "2030-05-08T09:00", "end": "2030-05-08T10:00"}
    status, headers, _ = fetch(f"{google.url}/calendar", form | times | {"act": "move"})
    assert (status, "week=2030-05-06" in headers["Location"]) == (303, True)
    after = api.event(calendar, ID).document
    assert after["start"]["dateTime"] == "2030-05-08T09:00:00-04:00"
    assert (after["sequence"], after["etag"] == before["etag"]) == (1, False)
    fetch(f"{google.url}/calendar", form | {"act": "delete"})
    assert api.event(calendar, ID).document["status"] == "cancelled"
    fetch(f"{google.url}/calendar", form | {"act": "restore"})
    assert api.event(calendar, ID).document["status"] == "confirmed"


@fact("V", "A working location may be at home: homeOffice takes anything, an empty object too")
def test_a_working_location_may_be_at_home(api: GoogleApi) -> None:
    where = {"type": "homeOffice", "homeOffice": {}}
    body = {"eventType": "workingLocation", "workingLocationProperties": where, "visibility": "public"}
    event = api.insert("primary", body | {"transparency": "transparent"}).document
    assert (event["eventType"], event["workingLocationProperties"]) == ("workingLocation", where)


@fact("V", "q looks at the building, desk and label of working locations")
@pytest.mark.parametrize("word", ["tower", "d17", "kitchen"])
def test_a_place_of_work_can_be_searched(api: GoogleApi, word: str) -> None:
    office = {"buildingId": "Tower", "deskId": "D17"}
    for where in (
        {"type": "officeLocation", "officeLocation": office},
        {"type": "customLocation", "customLocation": {"label": "Kitchen"}},
    ):
        api.insert("primary", {"eventType": "workingLocation", "workingLocationProperties": where})
    assert len(api.events("primary", q=word).document["items"]) == 1


@fact("V", "An out-of-office event does not last all day")
@pytest.mark.parametrize("kind", ["outOfOffice", "focusTime"])
def test_a_status_has_times(api: GoogleApi, kind: str) -> None:
    days = {"start": {"date": "2030-05-06"}, "end": {"date": "2030-05-07"}}
    assert api.insert("primary", {"eventType": kind} | days).status == 400
    event = api.insert("primary", {"eventType": kind}).document
    assert event["eventType"] == kind
    clear = {"dateTime": None, "timeZone": None}
    change = {name: days[name] | clear for name in days}
    assert api.patch("primary", event["id"], change).status == 400


@fact("V", "Only default events can be moved; the type of an event cannot be changed")
def test_the_type_of_an_event_stays(api: GoogleApi, calendar: str) -> None:
    event_id = api.insert("primary", {"eventType": "focusTime"}).document["id"]
    path = f"calendars/primary/events/{event_id}"
    assert api.call("POST", f"{path}/move", destination=calendar).status == 400
    assert api.patch("primary", event_id, {"eventType": "default"}).status == 400
    assert api.put("primary", event_id, TIMES | {"eventType": "focusTime"}).status == 200
    assert api.event("primary", event_id).document["eventType"] == "focusTime"


def test_a_birthday_recurs_and_is_not_here(api: GoogleApi) -> None:
    assert api.insert("primary", {"eventType": "birthday"}).status == 501


def test_the_stub_of_a_moved_event_cannot_be_revived(api: GoogleApi, calendar: str) -> None:  # [I]
    api.insert(calendar, {"id": ID, "summary": "moves"})
    api.call("POST", f"calendars/{calendar}/events/{ID}/move", destination="primary")
    stub = api.event(calendar, ID).document
    assert set(stub) == {"kind", "etag", "id", "status"}
    for change in (api.patch, api.put):
        reply = change(calendar, ID, TIMES | {"status": "confirmed", "summary": "back"})
        assert (reply.status, reply.reason) == (403, "global/forbidden")
    assert api.event(calendar, ID).document == stub
    assert api.delete(calendar, ID).status == 410
    assert api.event("primary", ID).document["summary"] == "moves"


def test_a_description_has_at_most_8192_characters(api: GoogleApi, calendar: str) -> None:  # [R]
    assert api.insert(calendar, {"description": "é" * 8192}).status == 200
    assert api.insert(calendar, {"description": "é" * 8193}).status == 400


@pytest.mark.parametrize("name", ["summary", "description", "location"])
def test_control_characters_are_kept_or_refused(
    api: GoogleApi, google: LocalGoogle, calendar: str, name: str
) -> None:  # [R]
    assert api.insert(calendar, {name: "a\x00b\x03"}).document[name] == "a\x00b\x03"
    google.switch(control_characters_refused=True)
    assert api.insert(calendar, {name: "a\x03"}).status == 400
    assert api.insert(calendar, {name: "line\nand\ttab"}).status == 200


@fact(
    "V2",
    "Another program may replace all private properties by a PUT (Thunderbird, on dismissing a reminder)",
)
def test_a_reminder_dismissed_in_thunderbird_wipes_private_properties(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:
    properties = {"private": {"marker": "m"}, "shared": {"s": "1"}}
    body = {"id": ID, "summary": "stays", "extendedProperties": properties}
    before = api.insert(calendar, body).document
    form = {"account": ONE, "calendar": calendar, "event": ID, "back": "/calendar", "act": "dismiss"}
    assert fetch(f"{google.url}/calendar", form)[0] == 303
    after = api.event(calendar, ID).document
    assert (after["summary"], after["start"]) == ("stays", before["start"])
    assert list(after["extendedProperties"]["private"]) == ["X-MOZ-LASTACK"]
    assert after["extendedProperties"]["shared"] == {"s": "1"}
    assert after["etag"] != before["etag"]


@fact("V2", "A number where a text is meant is taken as its text")
def test_numbers_are_taken_as_texts(api: GoogleApi, calendar: str) -> None:
    body = {"colorId": 5, "summary": 7, "extendedProperties": {"private": {"count": 1.5}}}
    event = api.insert(calendar, body).document
    assert (event["colorId"], event["summary"]) == ("5", "7")
    assert event["extendedProperties"]["private"] == {"count": "1.5"}


def test_a_series_is_refused_rather_than_shown_as_one_event(api: GoogleApi, calendar: str) -> None:
    reply = api.insert(calendar, {"recurrence": ["RRULE:FREQ=DAILY"]})
    assert (reply.status, reply.reason) == (501, "global/notImplemented")


@pytest.mark.parametrize(
    "body",
    [
        {"summary": True},
        {"summary": {}},
        {"start": "today"},
        {"guestsCanModify": "yes"},
        {"attendees": {}},
        {"sequence": 1.5},
    ],
)
def test_wrong_types_are_refused(api: GoogleApi, calendar: str, body: dict[str, object]) -> None:
    assert api.insert(calendar, body).status == 400
    assert api.events(calendar).document["items"] == []
