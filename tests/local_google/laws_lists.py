"""What Google promises about listing events, pages and sync tokens. Runs against the local and the real Google."""

from typing import Any

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi


def at(hour: int) -> dict[str, Any]:
    """An event of an hour on one day of 2030."""
    return {
        "summary": f"at {hour}",
        "start": {"dateTime": f"2030-05-06T{hour:02}:00:00Z"},
        "end": {"dateTime": f"2030-05-06T{hour + 1:02}:00:00Z"},
    }


def titles(api: GoogleApi, calendar: str, **query: Any) -> list[str]:
    """What one page lists."""
    return [event.get("summary", "") for event in api.events(calendar, **query).document["items"]]


class ListLaws:
    """Needs ``api`` and ``calendar``."""

    @fact("V", "A page may be short while nextPageToken remains; nextSyncToken is only on the last page")
    def test_pages_end_with_a_sync_token(self, api: GoogleApi, calendar: str) -> None:
        for hour in range(5):
            api.insert(calendar, at(hour))
        summaries, token, pages = [], None, []
        while True:
            page = api.events(calendar, maxResults=2, **({"pageToken": token} if token else {})).document
            pages.append(page)
            summaries += [event["summary"] for event in page["items"]]
            token = page.get("nextPageToken")
            if token is None:
                break
        assert sorted(summaries) == [f"at {hour}" for hour in range(5)]
        assert ["nextSyncToken" in page for page in pages] == [False] * (len(pages) - 1) + [True]

    @fact("V", "orderBy=startTime needs singleEvents=true, else 400")
    def test_order_by_start_needs_single_events(self, api: GoogleApi, calendar: str) -> None:
        for hour in (9, 3, 6):
            api.insert(calendar, at(hour))
        reply = api.events(calendar, orderBy="startTime")
        assert reply.status == 400
        assert reply.message == "The requested ordering is not available for the particular query."
        assert titles(api, calendar, orderBy="startTime", singleEvents=True) == ["at 3", "at 6", "at 9"]

    @fact("V", "orderBy=updated lists by last change")
    def test_order_by_updated_lists_the_latest_last(self, api: GoogleApi, calendar: str) -> None:
        first = api.insert(calendar, at(1)).document["id"]
        api.insert(calendar, at(2))
        api.patch(calendar, first, {"summary": "changed"})
        assert titles(api, calendar, orderBy="updated") == ["at 2", "changed"]

    @fact("V", "timeMin looks at an event's end, timeMax at its start, both exclusive")
    def test_bounds_are_exclusive(self, api: GoogleApi, calendar: str) -> None:
        api.insert(calendar, at(10))
        assert titles(api, calendar, timeMin="2030-05-06T10:59:59Z") == ["at 10"]
        assert titles(api, calendar, timeMin="2030-05-06T11:00:00Z") == []
        assert titles(api, calendar, timeMax="2030-05-06T10:00:01Z") == ["at 10"]
        assert titles(api, calendar, timeMax="2030-05-06T10:00:00Z") == []

    @fact("V", "timeMin after timeMax: 400 calendar/timeRangeEmpty at the parameter timeMax")
    def test_an_empty_range_is_refused(self, api: GoogleApi, calendar: str) -> None:
        reply = api.events(calendar, timeMin="2030-05-07T00:00:00Z", timeMax="2030-05-06T00:00:00Z")
        item = reply.document["error"]["errors"][0]
        assert (reply.status, reply.reason) == (400, "calendar/timeRangeEmpty")
        assert (item["locationType"], item["location"]) == ("parameter", "timeMax")

    @fact("V", "timeMin and timeMax need an offset")
    @pytest.mark.parametrize("name", ["timeMin", "timeMax"])
    def test_bounds_need_an_offset(self, api: GoogleApi, calendar: str, name: str) -> None:
        assert api.events(calendar, **{name: "2030-05-06T10:00:00"}).status == 400
        assert api.events(calendar, **{name: "yesterday"}).status == 400

    @fact("V", "showDeleted is false by default; with it deleted events are listed as cancelled")
    def test_deleted_events_are_listed_on_request(self, api: GoogleApi, calendar: str) -> None:
        event_id = api.insert(calendar, at(1)).document["id"]
        api.delete(calendar, event_id)
        assert api.events(calendar).document["items"] == []
        events = api.events(calendar, showDeleted=True).document["items"]
        assert [(event["id"], event["status"]) for event in events] == [(event_id, "cancelled")]

    @fact("V", "privateExtendedProperty=k=v filters; repeated means and; shared and private do not mix")
    def test_extended_properties_can_be_searched(self, api: GoogleApi, calendar: str) -> None:
        api.insert(calendar, at(1) | {"extendedProperties": {"private": {"a": "1", "b": "2"}}})
        api.insert(calendar, at(2) | {"extendedProperties": {"private": {"a": "1"}}})
        assert titles(api, calendar, privateExtendedProperty="a=1") == ["at 1", "at 2"]
        assert titles(api, calendar, privateExtendedProperty=["a=1", "b=2"]) == ["at 1"]
        assert titles(api, calendar, sharedExtendedProperty="a=1") == []

    @fact("V", "iCalUID and q narrow a list")
    def test_lists_can_be_narrowed(self, api: GoogleApi, calendar: str) -> None:
        event = api.insert(calendar, at(1) | {"location": "Valparaiso"}).document
        api.insert(calendar, at(2))
        assert titles(api, calendar, iCalUID=event["iCalUID"]) == ["at 1"]
        assert titles(api, calendar, q="valparaiso") == ["at 1"]

    @fact("V", "q looks at guests' and the organizer's names and addresses, and at places of work")
    @pytest.mark.parametrize("words", ["rosa", "guest@example.org", "ROSA guest"])
    def test_a_guest_can_be_searched(self, api: GoogleApi, calendar: str, words: str) -> None:
        guests = {"attendees": [{"email": "guest@example.org", "displayName": "Rosa"}]}
        api.insert(calendar, at(1) | guests, sendUpdates="none")
        api.insert(calendar, at(2))
        assert titles(api, calendar, q=words) == ["at 1"]
        assert titles(api, calendar, q=calendar) == ["at 1", "at 2"]

    @fact("V", "timeZone of a list shows the times in that zone")
    def test_a_list_can_show_another_zone(self, api: GoogleApi, calendar: str) -> None:
        api.insert(calendar, at(10))
        page = api.events(calendar, timeZone="Europe/Zurich").document
        assert page["timeZone"] == "Europe/Zurich"
        assert page["items"][0]["start"]["dateTime"] == "2030-05-06T12:00:00+02:00"

    @fact("V", "maxResults: at least 1; fields selects parts of a page and of its items")
    def test_pages_are_checked_and_selected(self, api: GoogleApi, calendar: str) -> None:
        api.insert(calendar, at(1))
        assert api.events(calendar, maxResults=0).status == 400
        page = api.events(calendar, fields="nextPageToken,items(id,start/dateTime)").document
        assert [set(event) for event in page["items"]] == [{"id", "start"}]
        assert set(page["items"][0]["start"]) == {"dateTime"}
        reply = api.events(calendar, fields="items(nonsense)")
        assert (reply.status, reply.document["error"]["errors"][0]["location"]) == (400, "fields")

    @fact("V", "A sync token lists what has changed since; deletions are always included")
    def test_a_sync_token_tells_changes_and_deletions(self, api: GoogleApi, calendar: str) -> None:
        gone = api.insert(calendar, at(1)).document["id"]
        api.insert(calendar, at(2))
        token = api.events(calendar).document["nextSyncToken"]
        assert api.events(calendar, syncToken=token).document["items"] == []
        added = api.insert(calendar, at(3)).document["id"]
        api.delete(calendar, gone)
        page = api.events(calendar, syncToken=token).document
        statuses = {event["id"]: event["status"] for event in page["items"]}
        assert statuses == {gone: "cancelled", added: "confirmed"}
        assert api.events(calendar, syncToken=page["nextSyncToken"]).document["items"] == []

    @fact("V", "A sync token does not go with iCalUID, orderBy, q, properties, timeMin, timeMax, updatedMin")
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("iCalUID", "x"),
            ("orderBy", "updated"),
            ("privateExtendedProperty", "a=b"),
            ("q", "x"),
            ("sharedExtendedProperty", "a=b"),
            ("timeMin", "2030-01-01T00:00:00Z"),
            ("timeMax", "2030-01-01T00:00:00Z"),
            ("updatedMin", "2030-01-01T00:00:00Z"),
            ("showDeleted", "false"),
        ],
    )
    def test_sync_tokens_stand_alone(self, api: GoogleApi, calendar: str, name: str, value: str) -> None:
        token = api.events(calendar).document["nextSyncToken"]
        assert api.events(calendar, **{"syncToken": token, name: value}).status == 400

    @fact("V", "updatedMin too long ago: 410 updatedMinTooLongAgo")
    def test_a_minimum_update_too_long_ago_is_gone(self, api: GoogleApi, calendar: str) -> None:
        reply = api.events(calendar, updatedMin="2015-01-01T00:00:00Z")
        assert (reply.status, reply.reason) == (410, "calendar/updatedMinTooLongAgo")
        assert reply.document["error"]["errors"][0]["location"] == "updatedMin"
