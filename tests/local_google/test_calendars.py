"""The laws about calendars at the local Google, and cases that only its controls can bring about."""

from collections.abc import Callable

import pytest

from tests.local_google.app import ONE, TWO
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi
from tests.local_google.laws_calendars import CalendarLaws
from tests.support.local_google import LocalGoogle, fetch

Access = Callable[..., GoogleApi]


class TestCalendarLaws(CalendarLaws):
    """At the local Google."""


@fact("V2", "Calendar ids are 64 hexadecimal digits at group.calendar.google.com")
def test_a_calendars_id_has_googles_shape(api: GoogleApi) -> None:
    local, _, domain = api.new_calendar()["id"].partition("@")
    assert (len(local), int(local, 16) > 0, domain) == (64, True, "group.calendar.google.com")


@fact("V", "Too many new calendars in a short period: 403 quotaExceeded, Calendar usage limits exceeded.")
def test_too_many_new_calendars_exceed_the_quota(api: GoogleApi, google: LocalGoogle) -> None:
    google.switch(calendar_quota=2)
    assert [api.call("POST", "calendars", {"summary": "x"}).status for _ in range(3)] == [200, 200, 403]
    reply = api.call("POST", "calendars", {"summary": "x"})
    assert (reply.reason, reply.message) == (
        "usageLimits/quotaExceeded",
        "Calendar usage limits exceeded.",
    )


@fact("V2", "When an owner's account is deleted, the calendar and its events go too")
def test_a_calendar_goes_with_its_owners_account(
    api: GoogleApi, access: Access, google: LocalGoogle, calendar: str
) -> None:
    google.switch(deleted_accounts=[ONE])
    assert api.call("GET", f"calendars/{calendar}").status == 401
    assert access(TWO).call("GET", f"calendars/{calendar}").status == 404


@fact("V2", "A person deletes the calendar: later calls answer 404 notFound")
def test_a_calendar_deleted_by_its_person_is_not_found(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:
    form = {"account": ONE, "act": "delete_calendar", "calendar": calendar, "back": "/calendar"}
    assert fetch(f"{google.url}/calendar", form)[0] == 303
    assert api.insert(calendar).reason == "global/notFound"


def test_accounts_do_not_see_each_others_calendars(access: Access, calendar: str) -> None:
    other = access(TWO)
    assert other.call("GET", f"calendars/{calendar}").status == 404
    assert other.call("GET", f"calendars/{ONE}").status == 404


@fact("V", "Under calendar.app.created an app makes calendars and sees only those it has made")
def test_app_created_opens_only_the_apps_own_calendars(access: Access, calendar: str) -> None:
    narrow = access(scope="https://www.googleapis.com/auth/calendar.app.created")
    own = narrow.new_calendar()["id"]
    assert narrow.insert(own).status == 200
    assert narrow.call("GET", "calendars/primary").status == 404  # [I]
    assert narrow.call("GET", "users/me/calendarList").status == 403


@fact("V2", "Calendar is off for a person: every call is 403 calendar/notACalendarUser")
def test_calendar_can_be_off_for_a_person(api: GoogleApi, access: Access, google: LocalGoogle) -> None:
    colleague = access(TWO)
    google.switch(not_calendar_users=[ONE])
    for path in ("calendars/primary", "users/me/calendarList", "calendars/primary/events"):
        reply = api.call("GET", path)
        assert (reply.status, reply.reason) == (403, "calendar/notACalendarUser")
        assert colleague.call("GET", path).status == 200
    google.switch(not_calendar_users=["*"])
    assert colleague.call("GET", "calendars/primary").status == 403
    google.switch(not_calendar_users=[])
    assert api.call("GET", "calendars/primary").status == 200


@fact("V2", "Google's list of time zones is its own: a new name is refused for a time")
def test_a_zone_can_be_unknown_yet(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.switch(unknown_zones=["America/Coyhaique"])
    bounds = {"dateTime": "2030-05-06T10:00:00", "timeZone": "America/Coyhaique"}
    reply = api.insert(calendar, {"start": bounds, "end": bounds})
    assert (reply.status, reply.message) == (400, "Invalid time zone definition for start time.")
    body = {"summary": "x", "timeZone": "America/Coyhaique"}
    assert api.call("POST", "calendars", body).status == 400
    google.switch(unknown_zones=[])
    assert api.call("POST", "calendars", body).status == 200


@pytest.mark.parametrize("name", ["localtime", "Factory", "posixrules"])
def test_what_only_this_machine_calls_a_zone_is_unknown(api: GoogleApi, name: str) -> None:
    assert api.call("POST", "calendars", {"summary": "x", "timeZone": name}).status == 400


def test_changing_the_zone_shows_the_same_events_at_other_times(api: GoogleApi, calendar: str) -> None:
    api.insert(calendar, {"id": "abcdefgh"})
    api.call("PATCH", f"calendars/{calendar}", {"timeZone": "Europe/Zurich"})
    assert api.event(calendar, "abcdefgh").document["start"]["dateTime"] == "2030-05-06T12:00:00+02:00"


@pytest.mark.parametrize("body", [{}, {"summary": ""}, {"summary": "x", "timeZone": "Mars/Base"}])
def test_a_calendar_without_title_or_with_an_unknown_zone_is_refused(
    api: GoogleApi, body: dict[str, str]
) -> None:
    assert api.call("POST", "calendars", body).status == 400


@fact("V", "calendarList.list: 100 entries a page unless asked, never more than 250")
def test_the_list_of_calendars_comes_in_pages(api: GoogleApi, clock: TestClock) -> None:
    created = {api.new_calendar(summary=f"n{number}")["id"] for number in range(5)}
    listed, token, pages = set[str](), None, 0
    while True:
        query = {"maxResults": 2} | ({"pageToken": token} if token else {})
        page = api.call("GET", "users/me/calendarList", **query).document
        assert len(page["items"]) <= 2
        listed |= {entry["id"] for entry in page["items"]}
        token, pages = page.get("nextPageToken"), pages + 1
        if token is None:
            break
    assert created < listed
    assert pages == 3


@fact("V", "minAccessRole narrows the list")
def test_the_list_can_be_narrowed_by_role(api: GoogleApi, calendar: str) -> None:
    entries = api.call("GET", "users/me/calendarList", minAccessRole="owner").document["items"]
    assert calendar in [entry["id"] for entry in entries]
    assert api.call("GET", "users/me/calendarList", minAccessRole="king").status == 400


@fact("V", "settings, colors, freebusy and acl answer under their scopes")
def test_the_neighbours_of_calendars_answer(api: GoogleApi, calendar: str) -> None:
    assert api.call("GET", "users/me/settings/timezone").document["value"] == "America/Santiago"
    assert len(api.call("GET", "colors").document["event"]) == 11
    api.insert(calendar)
    body = {"timeMin": "2030-05-06T00:00:00Z", "timeMax": "2030-05-07T00:00:00Z", "items": [{"id": calendar}]}
    busy = api.call("POST", "freeBusy", body).document["calendars"][calendar]["busy"]
    assert busy == [{"start": "2030-05-06T10:00:00Z", "end": "2030-05-06T11:00:00Z"}]
    rules = api.call("GET", f"calendars/{calendar}/acl").document["items"]
    assert [(rule["role"], rule["scope"]["value"]) for rule in rules] == [("owner", ONE)]
