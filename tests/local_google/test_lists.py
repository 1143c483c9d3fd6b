"""The laws about lists and sync at the local Google, and cases that only its controls can bring about."""

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi
from tests.local_google.laws_lists import ListLaws, at
from tests.support.local_google import LocalGoogle


class TestListLaws(ListLaws):
    """At the local Google."""


@fact("V", "A dead sync token: 410 fullSyncRequired; wipe and list in full")
@pytest.mark.parametrize("token", ["", "nonsense", "WzEsMl0="])
def test_a_dead_sync_token_demands_a_full_sync(api: GoogleApi, calendar: str, token: str) -> None:
    reply = api.events(calendar, syncToken=token)
    assert (reply.status, reply.reason) == (410, "calendar/fullSyncRequired")
    item = reply.document["error"]["errors"][0]
    assert (item["locationType"], item["location"]) == ("parameter", "syncToken")


def test_sync_tokens_die_on_demand(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    token = api.events(calendar).document["nextSyncToken"]
    google.switch(sync_tokens_expired=True)
    assert api.events(calendar, syncToken=token).status == 410
    google.switch(sync_tokens_expired=False)
    assert api.events(calendar, syncToken=token).status == 200


def test_a_sync_token_belongs_to_its_calendar(api: GoogleApi, calendar: str) -> None:
    token = api.events(calendar).document["nextSyncToken"]
    assert api.events("primary", syncToken=token).status == 410


@fact("V", "events.list: 250 events a page unless asked, never more than 2500")
def test_a_page_has_250_events_unless_asked(api: GoogleApi, calendar: str) -> None:
    for _ in range(251):
        api.insert(calendar, at(1))
    assert len(api.events(calendar).document["items"]) == 250
    assert len(api.events(calendar, maxResults=9999).document["items"]) == 251


def test_a_page_token_belongs_to_its_query(api: GoogleApi, calendar: str) -> None:
    for hour in range(3):
        api.insert(calendar, at(hour))
    token = api.events(calendar, maxResults=1).document["nextPageToken"]
    assert api.events(calendar, maxResults=1, pageToken=token).status == 200
    assert api.events(calendar, maxResults=1, pageToken=token, q="x").status == 400
    assert api.events(calendar, pageToken="nonsense").status == 400


@fact("V", "The list of calendars has sync tokens too; removed entries come as deleted")
def test_the_list_of_calendars_syncs_too(api: GoogleApi, calendar: str) -> None:
    token = api.call("GET", "users/me/calendarList").document["nextSyncToken"]
    api.call("DELETE", f"calendars/{calendar}")
    page = api.call("GET", "users/me/calendarList", syncToken=token).document
    assert [(entry["id"], entry["deleted"]) for entry in page["items"]] == [(calendar, True)]


def test_an_event_that_changes_between_pages_is_in_the_next_sync(api: GoogleApi, calendar: str) -> None:
    first = api.insert(calendar, at(1)).document["id"]
    api.insert(calendar, at(2))
    token = api.events(calendar, maxResults=1).document["nextPageToken"]
    api.patch(calendar, first, {"summary": "changed meanwhile"})
    sync_token = api.events(calendar, maxResults=1, pageToken=token).document["nextSyncToken"]
    assert [e["id"] for e in api.events(calendar, syncToken=sync_token).document["items"]] == [first]
