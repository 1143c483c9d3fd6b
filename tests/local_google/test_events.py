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
