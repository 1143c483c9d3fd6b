"""What Google promises about calendars and the list of them. Runs against the local and the real Google."""

import re

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi


class CalendarLaws:
    """Needs ``api`` (an account with the full calendar scope) and ``calendar`` (a secondary one of its own)."""

    @fact(
        "V",
        "calendars.insert needs only a summary; the answer has kind, etag, id, summary, timeZone, dataOwner",
    )
    def test_a_calendar_needs_only_a_title(self, api: GoogleApi) -> None:
        calendar = api.new_calendar(summary="Only a title")
        try:
            assert calendar["kind"] == "calendar#calendar"
            assert calendar["summary"] == "Only a title"
            assert re.fullmatch(r'".+"', calendar["etag"])
            assert calendar["id"].endswith("@group.calendar.google.com")
            assert "allowedConferenceSolutionTypes" in calendar["conferenceProperties"]
            assert "@" in calendar["dataOwner"]
        finally:
            api.call("DELETE", f"calendars/{calendar['id']}")

    @fact("V2", "timeZone omitted at creation means UTC")
    def test_a_calendar_without_a_zone_is_in_utc(self, api: GoogleApi) -> None:
        calendar = api.new_calendar()
        api.call("DELETE", f"calendars/{calendar['id']}")
        assert calendar["timeZone"] == "UTC"

    @fact("V", "calendars.insert is not idempotent: the same summary makes another calendar")
    def test_the_same_title_makes_another_calendar(self, api: GoogleApi) -> None:
        first, second = api.new_calendar(summary="Twice"), api.new_calendar(summary="Twice")
        for calendar in (first, second):
            api.call("DELETE", f"calendars/{calendar['id']}")
        assert first["id"] != second["id"]

    @fact("V", "description, location and timeZone are writable; PATCH merges and null clears")
    def test_a_calendar_is_merged_by_patch(self, api: GoogleApi, calendar: str) -> None:
        api.call("PATCH", f"calendars/{calendar}", {"description": "marker", "location": "Santiago"})
        api.call("PATCH", f"calendars/{calendar}", {"location": None, "timeZone": "America/Bogota"})
        document = api.call("GET", f"calendars/{calendar}").document
        assert (document["description"], document["timeZone"]) == ("marker", "America/Bogota")
        assert "location" not in document

    @fact("V", "A new calendar appears in its creator's list as owner, selected")
    def test_a_new_calendar_is_in_its_makers_list(self, api: GoogleApi, calendar: str) -> None:
        entry = api.call("GET", f"users/me/calendarList/{calendar}").document
        assert entry["kind"] == "calendar#calendarListEntry"
        assert (entry["accessRole"], entry["selected"]) == ("owner", True)
        assert {"backgroundColor", "foregroundColor", "colorId", "defaultReminders", "dataOwner"} <= set(
            entry
        )

    @fact("V", "primary is an alias: calendars.get('primary') has the account's address as id, and its zone")
    def test_primary_is_an_alias_of_the_accounts_address(self, api: GoogleApi) -> None:
        primary = api.call("GET", "calendars/primary").document
        assert "@" in primary["id"]
        assert primary["id"] != "primary"
        assert "dataOwner" not in primary
        assert api.call("GET", f"calendars/{primary['id']}").document["id"] == primary["id"]

    @fact("V", "calendarList.list marks the primary entry with primary: true and gives the same id")
    def test_one_entry_of_the_list_is_primary(self, api: GoogleApi) -> None:
        entries = api.call("GET", "users/me/calendarList").document["items"]
        primary = [entry["id"] for entry in entries if entry.get("primary")]
        assert primary == [api.call("GET", "calendars/primary").document["id"]]

    @fact("V", "Hidden calendars are left out of the list unless showHidden")
    def test_hidden_calendars_are_listed_on_request_only(self, api: GoogleApi, calendar: str) -> None:
        api.call("PATCH", f"users/me/calendarList/{calendar}", {"hidden": True})
        plain = api.call("GET", "users/me/calendarList").document["items"]
        everything = api.call("GET", "users/me/calendarList", showHidden=True).document["items"]
        assert calendar not in [entry["id"] for entry in plain]
        assert calendar in [entry["id"] for entry in everything]

    @fact("V", "The person's own title is summaryOverride; summary stays the calendar's")
    def test_a_title_can_be_overridden_by_its_reader(self, api: GoogleApi, calendar: str) -> None:
        api.call("PATCH", f"users/me/calendarList/{calendar}", {"summaryOverride": "Mine"})
        entry = api.call("GET", f"users/me/calendarList/{calendar}").document
        assert (entry["summary"], entry["summaryOverride"]) == ("Laws", "Mine")
        assert api.call("GET", f"calendars/{calendar}").document["summary"] == "Laws"

    @fact("V", "RGB colours need colorRgbFormat=true")
    def test_colours_need_their_parameter(self, api: GoogleApi, calendar: str) -> None:
        colours = {"backgroundColor": "#0088aa", "foregroundColor": "#ffffff"}
        path = f"users/me/calendarList/{calendar}"
        assert api.call("PATCH", path, colours).status == 400
        reply = api.call("PATCH", path, colours, colorRgbFormat=True)
        assert reply.document["backgroundColor"] == "#0088aa"

    @fact(
        "V",
        "A calendar's colorId shows as the background of that colour; the primary one begins with another",
    )
    def test_a_calendars_colour_shows(self, api: GoogleApi, calendar: str) -> None:
        palette = api.call("GET", "colors").document["calendar"]
        path = f"users/me/calendarList/{calendar}"
        api.call("PATCH", path, {"backgroundColor": "#0088aa"}, colorRgbFormat=True)
        entry = api.call("PATCH", path, {"colorId": "7"}).document
        assert (entry["colorId"], entry["backgroundColor"]) == ("7", palette["7"]["background"])
        primary = api.call("GET", "users/me/calendarList/primary").document
        assert primary["backgroundColor"] == palette[primary["colorId"]]["background"]

    @fact("V2", "A calendar colour that does not exist: 400 invalid")
    def test_an_unknown_colour_of_a_calendar_is_refused(self, api: GoogleApi, calendar: str) -> None:
        assert api.call("PATCH", f"users/me/calendarList/{calendar}", {"colorId": "99"}).status == 400

    @fact("V", "freeBusy gives its times in timeZone, UTC unless given")
    def test_busy_times_come_in_the_zone_asked_for(self, api: GoogleApi, calendar: str) -> None:
        api.insert(calendar)
        body = {
            "timeMin": "2030-05-06T00:00:00Z",
            "timeMax": "2030-05-07T00:00:00Z",
            "timeZone": "America/Bogota",
        }
        reply = api.call("POST", "freeBusy", body | {"items": [{"id": calendar}]})
        busy = reply.document["calendars"][calendar]["busy"]
        assert busy == [{"start": "2030-05-06T05:00:00-05:00", "end": "2030-05-06T06:00:00-05:00"}]
        assert api.call("POST", "freeBusy", body | {"timeZone": "Mars/Base"}).status == 400

    @fact("V2", "freeBusy over more than 90 days: 400, The requested time range is too long.")
    def test_busy_times_of_ninety_days_at_most(self, api: GoogleApi) -> None:
        body = {"timeMin": "2030-01-01T00:00:00Z"}
        assert api.call("POST", "freeBusy", body | {"timeMax": "2030-04-01T00:00:00Z"}).status == 200
        reply = api.call("POST", "freeBusy", body | {"timeMax": "2030-04-02T00:00:00Z"})
        assert (reply.status, reply.message) == (400, "The requested time range is too long.")

    @fact("V", "freeBusy of more than 50 calendars, or than calendarExpansionMax: tooManyCalendarsRequested")
    @pytest.mark.parametrize(("count", "more"), [(51, {}), (2, {"calendarExpansionMax": 1})])
    def test_busy_times_of_fifty_calendars_at_most(
        self, api: GoogleApi, count: int, more: dict[str, int]
    ) -> None:
        body = {"timeMin": "2030-05-06T00:00:00Z", "timeMax": "2030-05-07T00:00:00Z"} | more
        names = [{"id": f"n{number}@example.org"} for number in range(count)]
        calendars = api.call("POST", "freeBusy", body | {"items": names}).document["calendars"].values()
        reasons = {error["reason"] for one in calendars for error in one["errors"]}
        assert reasons == {"tooManyCalendarsRequested"}
        one = api.call("POST", "freeBusy", body | {"items": names[:1]}).document["calendars"][
            "n0@example.org"
        ]
        assert one["errors"][0]["reason"] == "notFound"

    @fact("V", "Known settings answer by name; a default one may be absent from the list")
    def test_settings_answer_by_name(self, api: GoogleApi) -> None:
        for name in ("showDeclinedEvents", "hideWeekends", "autoAddHangouts", "useKeyboardShortcuts"):
            assert api.call("GET", f"users/me/settings/{name}").document["value"] in ("true", "false")
        assert api.call("GET", "users/me/settings/nosuch").status == 404

    @fact("V", "A sync token of settings lists only what has changed since")
    def test_settings_sync(self, api: GoogleApi) -> None:
        page = api.call("GET", "users/me/settings").document
        assert "timezone" in [setting["id"] for setting in page["items"]]
        later = api.call("GET", "users/me/settings", syncToken=page["nextSyncToken"]).document
        assert later["items"] == []

    @fact("V", "calendarList.delete only unsubscribes; the calendar lives on")
    def test_leaving_the_list_leaves_the_calendar(self, api: GoogleApi, calendar: str) -> None:
        assert api.call("DELETE", f"users/me/calendarList/{calendar}").status == 204
        assert api.call("GET", f"users/me/calendarList/{calendar}").status == 404
        assert api.call("GET", f"calendars/{calendar}").status == 200
        assert api.call("POST", "users/me/calendarList", {"id": calendar}).status == 200

    @fact("V", "calendars.delete destroys a secondary calendar; then 404 notFound")
    def test_a_deleted_calendar_is_not_found(self, api: GoogleApi) -> None:
        gone = api.new_calendar()["id"]
        api.insert(gone, {"id": "abcdefgh"})
        assert api.call("DELETE", f"calendars/{gone}").status == 204
        replies = [api.call("GET", f"calendars/{gone}"), api.insert(gone), api.event(gone, "abcdefgh")]
        assert [(reply.status, reply.reason) for reply in replies] == [(404, "global/notFound")] * 3

    @fact("V2", "calendars.clear is for the primary calendar only")
    def test_a_secondary_calendar_cannot_be_cleared(self, api: GoogleApi, calendar: str) -> None:
        reply = api.call("POST", f"calendars/{calendar}/clear")
        assert reply.status in (400, 403)

    @fact("V", "404 covers both what never existed and what one may not see")
    def test_an_unknown_calendar_is_not_found(self, api: GoogleApi) -> None:
        reply = api.call("GET", "calendars/nobody@group.calendar.google.com")
        assert (reply.status, reply.reason, reply.message) == (404, "global/notFound", "Not Found")

    @fact("V", "calendarList.list: fields selects parts, titles need not arrive")
    def test_fields_keep_titles_away(self, api: GoogleApi, calendar: str) -> None:
        wanted = "nextPageToken,items(id,description,accessRole,primary)"
        page = api.call("GET", "users/me/calendarList", fields=wanted).document
        assert set(page) <= {"nextPageToken", "items"}
        assert calendar in [entry["id"] for entry in page["items"]]
        assert not any("summary" in entry for entry in page["items"])
