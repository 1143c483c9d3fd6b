"""What Google promises about one event. Runs against the local and the real Google."""

import re
from typing import Any

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import TIMES, GoogleApi

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def timed(start: str, end: str, zone: str | None = None) -> dict[str, Any]:
    """Times of an event."""
    zoned = {} if zone is None else {"timeZone": zone}
    return {"start": {"dateTime": start} | zoned, "end": {"dateTime": end} | zoned}


class EventLaws:
    """Needs ``api`` and ``calendar`` (secondary, in America/Santiago, titled Laws)."""

    @fact("V", "An event needs only start and end; the rest has defaults")
    def test_an_event_needs_only_its_times(self, api: GoogleApi, calendar: str) -> None:
        event = api.insert(calendar).document
        assert (event["kind"], event["status"], event["sequence"]) == ("calendar#event", "confirmed", 0)
        assert (event["reminders"], event["eventType"]) == ({"useDefault": True}, "default")
        assert event["iCalUID"] == f"{event['id']}@google.com"
        assert re.fullmatch(r"[a-v0-9]{5,1024}", event["id"])

    @fact("V2", "created comes without milliseconds, updated with them, the etag is a quoted number")
    def test_stamps_and_etags_have_googles_forms(self, api: GoogleApi, calendar: str) -> None:
        event = api.insert(calendar).document
        assert re.fullmatch(STAMP + "Z", event["created"])
        assert re.fullmatch(STAMP + r"\.\d{3}Z", event["updated"])
        assert re.fullmatch(r'"\d+"', event["etag"])

    @fact("V", "creator is the account, organizer the calendar; the organizer is self on its own calendar")
    def test_a_secondary_calendar_is_the_organizer(self, api: GoogleApi, calendar: str) -> None:
        event = api.insert(calendar).document
        assert event["creator"]["email"] == api.call("GET", "calendars/primary").document["id"]
        assert (event["organizer"]["email"], event["organizer"]["self"]) == (calendar, True)

    @fact("V", "A client's id: letters a-v and digits, 5 to 1024 characters")
    def test_a_client_may_choose_the_id(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        for chosen in (event_id, "abcde", "333333", "v" * 1024):
            assert api.insert(calendar, {"id": chosen}).document["id"] == chosen

    @fact("V2", "A bad id: 400 invalid, Invalid resource id value.")
    @pytest.mark.parametrize("bad", ["abcd", "sessionw", "ABCDEF", "with-hyphen", "z" * 6, "a" * 1025])
    def test_a_bad_id_is_refused(self, api: GoogleApi, calendar: str, bad: str) -> None:
        reply = api.insert(calendar, {"id": bad})
        expected = (400, "global/invalid", "Invalid resource id value.")
        assert (reply.status, reply.reason, reply.message) == expected

    @fact("V", "A taken id: 409 duplicate, The requested identifier already exists.")
    def test_a_taken_id_is_refused(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        reply = api.insert(calendar, {"id": event_id})
        assert reply.status == 409
        item = {
            "domain": "global",
            "reason": "duplicate",
            "message": "The requested identifier already exists.",
        }
        assert reply.document == {"error": {"errors": [item], "code": 409, "message": item["message"]}}

    @fact("V", "Ids are unique per calendar, not beyond")
    def test_another_calendar_may_hold_the_same_id(
        self, api: GoogleApi, calendar: str, event_id: str
    ) -> None:
        other = api.new_calendar()["id"]
        statuses = [api.insert(where, {"id": event_id}).status for where in (calendar, other)]
        api.call("DELETE", f"calendars/{other}")
        assert statuses == [200, 200]

    @fact("V2", "A deleted event keeps its id: inserting it again is 409 duplicate")
    def test_a_deleted_event_keeps_its_id(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        api.delete(calendar, event_id)
        reply = api.insert(calendar, {"id": event_id})
        assert (reply.status, reply.reason) == (409, "global/duplicate")

    @fact("V2", "A deleted event is revived by patch or update with status confirmed")
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_a_deleted_event_can_be_revived(
        self, api: GoogleApi, calendar: str, event_id: str, method: str
    ) -> None:
        api.insert(calendar, {"id": event_id, "summary": "before"})
        api.delete(calendar, event_id)
        change = getattr(api, method.lower())
        reply = change(calendar, event_id, TIMES | {"status": "confirmed", "summary": "after"})
        assert reply.status == 200
        event = api.event(calendar, event_id).document
        assert (event["status"], event["summary"]) == ("confirmed", "after")

    @fact("V", "DELETE: 204 with an empty body; again: 410 deleted, Resource has been deleted")
    def test_an_event_is_deleted_once(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        first, second = api.delete(calendar, event_id), api.delete(calendar, event_id)
        assert (first.status, first.raw) == (204, b"")
        expected = (410, "global/deleted", "Resource has been deleted")
        assert (second.status, second.reason, second.message) == expected

    @fact("V", "Deleting what never existed: 404 notFound")
    def test_what_never_existed_cannot_be_deleted(self, api: GoogleApi, calendar: str) -> None:
        reply = api.delete(calendar, "neverwashere")
        assert (reply.status, reply.reason) == (404, "global/notFound")

    @fact("V", "events.get on a deleted event: 200 with status cancelled")
    def test_a_deleted_event_can_still_be_read(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        api.delete(calendar, event_id)
        reply = api.event(calendar, event_id)
        assert (reply.status, reply.document["status"]) == (200, "cancelled")

    @fact("V", "On the organizer's calendar a cancelled event still exposes its details")
    def test_a_deleted_event_keeps_its_text_for_a_while(
        self, api: GoogleApi, calendar: str, event_id: str
    ) -> None:
        api.insert(calendar, {"id": event_id, "summary": "Who and why", "location": "Here"})
        api.delete(calendar, event_id)
        event = api.event(calendar, event_id).document
        assert (event["summary"], event["location"]) == ("Who and why", "Here")

    @fact("V2", "There is no check for overlapping events")
    def test_events_may_overlap(self, api: GoogleApi, calendar: str) -> None:
        assert [api.insert(calendar).status for _ in range(2)] == [200, 200]

    @fact("V", "dateTime needs an offset unless timeZone is given")
    def test_a_local_time_needs_a_zone(self, api: GoogleApi, calendar: str) -> None:
        local = ("2030-05-06T10:00:00", "2030-05-06T11:00:00")
        reply = api.insert(calendar, timed(*local))
        assert (reply.status, reply.reason) == (400, "global/required")
        assert reply.message == "Missing time zone definition for start time."
        start = api.insert(calendar, timed(*local, "America/Bogota")).document["start"]
        assert start["timeZone"] == "America/Bogota"

    @fact("V", "All-day events have dates, their end is exclusive")
    def test_a_whole_day_ends_on_the_next(self, api: GoogleApi, calendar: str) -> None:
        body = {"start": {"date": "2030-05-06"}, "end": {"date": "2030-05-07"}}
        event = api.insert(calendar, body).document
        assert (event["start"], event["end"]) == ({"date": "2030-05-06"}, {"date": "2030-05-07"})

    @fact("V2", "Dates and times are never mixed")
    def test_a_date_does_not_go_with_a_time(self, api: GoogleApi, calendar: str) -> None:
        assert api.insert(calendar, {"start": {"date": "2030-05-06"}}).status == 400

    @fact("V2", "A missing end: 400 required, Missing end time.")
    def test_an_end_is_demanded(self, api: GoogleApi, calendar: str) -> None:
        reply = api.call("POST", f"calendars/{calendar}/events", {"start": TIMES["start"]})
        assert (reply.status, reply.reason, reply.message) == (400, "global/required", "Missing end time.")

    @fact("V2", "An end before the start: 400 calendar/timeRangeEmpty, The specified time range is empty.")
    def test_an_end_before_the_start_is_refused(self, api: GoogleApi, calendar: str) -> None:
        reply = api.insert(calendar, timed("2030-05-06T11:00:00Z", "2030-05-06T10:00:00Z"))
        expected = (400, "calendar/timeRangeEmpty", "The specified time range is empty.")
        assert (reply.status, reply.reason, reply.message) == expected
        item = reply.document["error"]["errors"][0]
        assert (item["locationType"], item["location"]) == ("parameter", "timeMax")

    @fact(
        "V2", "Start and end are refused each on its own: an unknown zone without offset gives four entries"
    )
    @pytest.mark.parametrize(("offset", "count"), [("", 4), ("Z", 2)])
    def test_several_errors_come_together(
        self, api: GoogleApi, calendar: str, offset: str, count: int
    ) -> None:
        bounds = ("2030-05-06T10:00:00" + offset, "2030-05-06T11:00:00" + offset)
        reply = api.insert(calendar, timed(*bounds, "W. Europe Standard Time"))
        items = [(item["reason"], item["message"]) for item in reply.document["error"]["errors"]]
        expected = [
            (reason, f"{what} time zone definition for {name} time.")
            for name in ("start", "end")
            for reason, what in [("invalid", "Invalid"), ("required", "Missing")][: count // 2]
        ]
        assert (reply.status, items, reply.message) == (400, expected, expected[0][1])

    @fact("V2", "A guest without an address: 400 required, Missing attendee email.")
    def test_a_guest_needs_an_address(self, api: GoogleApi, calendar: str) -> None:
        reply = api.insert(calendar, {"attendees": [{"displayName": "x"}]})
        assert (reply.status, reply.reason) == (400, "global/required")
        assert reply.message == "Missing attendee email."

    @fact("V2", "A guest with an impossible address: 400 invalid, Invalid attendee email.")
    @pytest.mark.parametrize("address", ["notanaddress", "a@b", "two@at@example.org", "a b@example.org"])
    def test_a_guest_needs_a_possible_address(self, api: GoogleApi, calendar: str, address: str) -> None:
        reply = api.insert(calendar, {"attendees": [{"email": address}]})
        expected = (400, "global/invalid", "Invalid attendee email.")
        assert (reply.status, reply.reason, reply.message) == expected

    @fact("V", "maxAttendees: with more guests only the participant is returned, and attendeesOmitted")
    def test_more_guests_than_asked_for_are_omitted(
        self, api: GoogleApi, calendar: str, event_id: str
    ) -> None:
        me = api.call("GET", "calendars/primary").document["id"]
        guests = {"attendees": [{"email": me}, {"email": "a@example.org"}]}
        replies = [
            api.insert(calendar, {"id": event_id} | guests, maxAttendees=1, sendUpdates="none"),
            api.event(calendar, event_id, maxAttendees=1),
            api.patch(calendar, event_id, {"summary": "x"}, maxAttendees=1),
        ]
        documents = [reply.document for reply in replies]
        documents += api.events(calendar, iCalUID=documents[0]["iCalUID"], maxAttendees=1).document["items"]
        for event in documents:
            assert ([guest["email"] for guest in event["attendees"]], event["attendeesOmitted"]) == (
                [me],
                True,
            )
        whole = api.event(calendar, event_id, maxAttendees=2).document
        assert (len(whole["attendees"]), "attendeesOmitted" in whole) == (2, False)

    @fact("V", "attendeesOmitted in a change: only the participant's response is updated, the guests stay")
    def test_omitted_guests_stay(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        me = api.call("GET", "calendars/primary").document["id"]
        guests = {"attendees": [{"email": me}, {"email": "a@example.org"}]}
        api.insert(calendar, {"id": event_id} | guests, sendUpdates="none")
        change = {"attendeesOmitted": True, "attendees": [{"email": me, "responseStatus": "declined"}]}
        event = api.patch(calendar, event_id, change, sendUpdates="none").document
        responses = {guest["email"]: guest["responseStatus"] for guest in event["attendees"]}
        assert responses == {me: "declined", "a@example.org": "needsAction"}

    @fact("V2", "A colour that does not exist: 400 invalid, Invalid Value")
    def test_an_unknown_colour_is_refused(self, api: GoogleApi, calendar: str) -> None:
        reply = api.insert(calendar, {"colorId": "99"})
        assert (reply.status, reply.reason, reply.message) == (400, "global/invalid", "Invalid Value")

    @fact("V2", "A conference of no known type: 400 invalid, Invalid conference type value.")
    def test_an_unknown_conference_is_refused(self, api: GoogleApi, calendar: str) -> None:
        request = {"requestId": "r1", "conferenceSolutionKey": {"type": "nosuch"}}
        reply = api.insert(calendar, {"conferenceData": {"createRequest": request}}, conferenceDataVersion=1)
        expected = (400, "global/invalid", "Invalid conference type value.")
        assert (reply.status, reply.reason, reply.message) == expected

    @fact("V", "An event of the type fromGmail cannot be created")
    def test_an_event_from_gmail_cannot_be_created(self, api: GoogleApi, calendar: str) -> None:
        assert api.insert(calendar, {"eventType": "fromGmail"}).status == 400

    @fact("V", "Focus time, out of office and working location are for the primary calendar only")
    @pytest.mark.parametrize("kind", ["focusTime", "outOfOffice", "workingLocation"])
    def test_a_status_is_for_the_primary_calendar(self, api: GoogleApi, calendar: str, kind: str) -> None:
        assert api.insert(calendar, {"eventType": kind}).status == 400

    @fact("V", "Only default events are imported: another type becomes default and loses its properties")
    def test_an_import_becomes_a_default_event(self, api: GoogleApi, calendar: str) -> None:
        body = TIMES | {"iCalUID": "focus@elsewhere", "eventType": "focusTime"}
        body |= {"focusTimeProperties": {"chatStatus": "doNotDisturb"}}
        event = api.call("POST", f"calendars/{calendar}/events/import", body).document
        assert (event["eventType"], "focusTimeProperties" in event) == ("default", False)

    @fact("V2", "Unknown fields of a body are ignored")
    def test_unknown_fields_are_ignored(self, api: GoogleApi, calendar: str) -> None:
        event = api.insert(calendar, {"nonsense": 1, "summary": "x"}).document
        assert "nonsense" not in event

    @fact("V", "Read-only fields of a body are ignored")
    def test_read_only_fields_are_ignored(self, api: GoogleApi, calendar: str) -> None:
        sent = {
            "created": "2001-01-01T00:00:00Z",
            "creator": {"email": "x@example.org"},
            "htmlLink": "http://x",
        }
        event = api.insert(calendar, sent).document
        assert not event["created"].startswith("2001")
        assert event["creator"]["email"] != "x@example.org"
        assert event["htmlLink"] != "http://x"

    @fact("V", "PATCH merges objects, replaces arrays wholesale, null clears")
    def test_patch_merges(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        body = {
            "id": event_id,
            "summary": "old",
            "description": "stays",
            "location": "goes",
            "extendedProperties": {"private": {"a": "1", "b": "2"}},
            "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}] * 2},
        }
        api.insert(calendar, body)
        change = {
            "summary": "new",
            "location": None,
            "extendedProperties": {"private": {"b": None, "c": "3"}},
            "reminders": {"overrides": [{"method": "email", "minutes": 9}]},
        }
        event = api.patch(calendar, event_id, change).document
        assert (event["summary"], event["description"], "location" in event) == ("new", "stays", False)
        assert event["extendedProperties"] == {"private": {"a": "1", "c": "3"}}
        assert event["reminders"]["overrides"] == [{"method": "email", "minutes": 9}]

    @fact("V", "PUT replaces the whole: what it omits is deleted, extended properties too")
    def test_put_replaces(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        extended = {"private": {"a": "1"}}
        api.insert(calendar, {"id": event_id, "description": "gone", "extendedProperties": extended})
        event = api.put(calendar, event_id, TIMES | {"summary": "only this"}).document
        assert event["summary"] == "only this"
        assert not {"description", "extendedProperties"} & set(event)
        assert api.put(calendar, event_id, {"summary": "no times"}).status == 400

    @fact("V", "A patch of start alone keeps the end; both are sent for a move")
    def test_a_patch_can_move_an_event(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        event = api.patch(calendar, event_id, timed("2030-05-07T10:00:00Z", "2030-05-07T10:30:00Z")).document
        assert event["start"]["dateTime"] == "2030-05-07T06:00:00-04:00"
        assert event["start"]["timeZone"] == "America/Santiago"
        reply = api.patch(calendar, event_id, {"start": {"dateTime": "2031-01-01T00:00:00Z"}})
        assert reply.reason == "calendar/timeRangeEmpty"

    @fact("V2", "sequence goes up on changes of time or place, and on no others")
    def test_the_sequence_counts_moves(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        assert api.patch(calendar, event_id, {"summary": "x"}).document["sequence"] == 0
        moved = api.patch(calendar, event_id, timed("2030-05-07T10:00:00Z", "2030-05-07T11:00:00Z"))
        assert moved.document["sequence"] == 1
        assert api.patch(calendar, event_id, {"location": "there"}).document["sequence"] == 2

    @fact("V2", "An older sequence: 400, Invalid sequence value. …")
    def test_an_older_sequence_is_refused(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        api.insert(calendar, {"id": event_id})
        api.patch(calendar, event_id, {"location": "there"})
        reply = api.patch(calendar, event_id, {"sequence": 0, "summary": "x"})
        assert reply.status == 400
        assert reply.message.startswith("Invalid sequence value. The specified sequence number is below")
        assert reply.message.endswith("use its sequence number on the following request.")

    @fact("V", "updated does not change when only reminders change")
    def test_reminders_do_not_count_as_an_update(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        before = api.insert(calendar, {"id": event_id}).document
        after = api.patch(calendar, event_id, {"reminders": {"useDefault": False}}).document
        assert after["updated"] == before["updated"]
        assert after["reminders"]["useDefault"] is False

    @fact("V", "Every change gives a new etag; If-Match with an older one: 412 conditionNotMet")
    @pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
    def test_an_older_etag_is_refused(
        self, api: GoogleApi, calendar: str, event_id: str, method: str
    ) -> None:
        old = api.insert(calendar, {"id": event_id}).document["etag"]
        new = api.patch(calendar, event_id, {"summary": "x"}).document["etag"]
        assert new != old
        path = f"calendars/{calendar}/events/{event_id}"
        body = None if method == "DELETE" else TIMES | {"summary": "y"}
        reply = api.call(method, path, body, headers={"If-Match": old})
        assert (reply.status, reply.reason, reply.message) == (
            412,
            "global/conditionNotMet",
            "Precondition Failed",
        )
        item = reply.document["error"]["errors"][0]
        assert (item["locationType"], item["location"]) == ("header", "If-Match")
        assert api.event(calendar, event_id).document["etag"] == new
        assert api.call(method, path, body, headers={"If-Match": new}).status in (200, 204)

    @fact("V", "If-None-Match on GET with the present etag: 304")
    def test_an_unchanged_event_is_not_sent_again(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        event = api.insert(calendar, {"id": event_id}).document
        path = f"calendars/{calendar}/events/{event_id}"
        same = api.call("GET", path, headers={"If-None-Match": event["etag"]})
        assert (same.status, same.raw) == (304, b"")
        assert api.call("GET", path, headers={"If-None-Match": '"1"'}).status == 200

    @fact("V", "At most 5 reminder overrides, by email or popup, 0 to 40320 minutes before")
    @pytest.mark.parametrize(
        "overrides",
        [
            [{"method": "popup", "minutes": 1}] * 6,
            [{"method": "popup", "minutes": 40321}],
            [{"method": "popup", "minutes": -1}],
            [{"method": "pigeon", "minutes": 1}],
        ],
    )
    def test_impossible_reminders_are_refused(
        self, api: GoogleApi, calendar: str, overrides: list[dict[str, Any]]
    ) -> None:
        assert (
            api.insert(calendar, {"reminders": {"useDefault": False, "overrides": overrides}}).status == 400
        )

    @fact("V", "source.url is http or https")
    def test_a_source_is_a_web_address(self, api: GoogleApi, calendar: str) -> None:
        assert api.insert(calendar, {"source": {"title": "x", "url": "javascript:x"}}).status == 400
        reply = api.insert(calendar, {"source": {"title": "x", "url": "https://example.org/"}})
        assert reply.document["source"]["url"] == "https://example.org/"

    @fact("V", "transparency, visibility and status take only their values")
    @pytest.mark.parametrize("name", ["transparency", "visibility", "status"])
    def test_values_outside_the_list_are_refused(self, api: GoogleApi, calendar: str, name: str) -> None:
        assert api.insert(calendar, {name: "purple"}).status == 400

    @fact("V", "description may hold HTML")
    def test_a_description_keeps_its_markup(self, api: GoogleApi, calendar: str) -> None:
        text = 'Go <a href="https://example.org/">here</a> & there'
        assert api.insert(calendar, {"description": text}).document["description"] == text

    @fact("V2", "Extended properties: keys over 44 characters are dropped, values cut at 1024, in silence")
    def test_extended_properties_are_cut_in_silence(self, api: GoogleApi, calendar: str) -> None:
        private = {"k" * 44: "kept", "k" * 45: "dropped", "long": "v" * 1030}
        event = api.insert(calendar, {"extendedProperties": {"private": private}}).document
        assert event["extendedProperties"]["private"] == {"k" * 44: "kept", "long": "v" * 1024}

    @fact("V2", "At most 300 extended properties and 32 kB per event")
    def test_too_many_extended_properties_are_refused(self, api: GoogleApi, calendar: str) -> None:
        many = {f"k{number}": "v" for number in range(301)}
        assert api.insert(calendar, {"extendedProperties": {"private": many}}).status == 400

    @fact("V", "Meet data is asked with createRequest and conferenceDataVersion=1, and made later")
    def test_a_conference_is_made_later(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        request = {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        body = {"id": event_id, "conferenceData": {"createRequest": request}}
        event = api.insert(calendar, body, conferenceDataVersion=1).document
        status = event["conferenceData"]["createRequest"]["status"]["statusCode"]
        assert status in ("pending", "success")
        assert api.event(calendar, event_id).document["hangoutLink"].startswith("https://meet.google.com/")

    @fact("V", "Without conferenceDataVersion=1 conference data in a body is ignored")
    def test_conferences_are_ignored_by_default(self, api: GoogleApi, calendar: str) -> None:
        request = {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        event = api.insert(calendar, {"conferenceData": {"createRequest": request}}).document
        assert "conferenceData" not in event

    @fact(
        "V", "attachments need supportsAttachments; eventLabelVersion=1 makes colorId ignored, 0 eventLabelId"
    )
    def test_fields_of_versions_are_ignored_without_them(self, api: GoogleApi, calendar: str) -> None:
        assert (
            "attachments"
            not in api.insert(calendar, {"attachments": [{"fileUrl": "https://x.org/a"}]}).document
        )
        assert api.insert(calendar, {"colorId": "3"}).document["colorId"] == "3"
        assert "colorId" not in api.insert(calendar, {"colorId": "3"}, eventLabelVersion=1).document

    @fact("V", "events.move changes the organizer and leaves a cancelled stub with only its id")
    def test_a_moved_event_leaves_a_stub(self, api: GoogleApi, calendar: str, event_id: str) -> None:
        other = api.new_calendar()["id"]
        api.insert(calendar, {"id": event_id, "summary": "moves"})
        moved = api.call("POST", f"calendars/{calendar}/events/{event_id}/move", destination=other).document
        stub = api.event(calendar, event_id).document
        api.call("DELETE", f"calendars/{other}")
        assert moved["organizer"]["email"] == other
        assert (stub["status"], "summary" in stub) == ("cancelled", False)

    @fact("V", "sendUpdates takes all, externalOnly, none; conferenceDataVersion 0 or 1")
    def test_query_values_are_checked(self, api: GoogleApi, calendar: str) -> None:
        assert api.insert(calendar, sendUpdates="none").status == 200
        for wrong in (
            {"sendUpdates": "some"},
            {"conferenceDataVersion": 2},
            {"supportsAttachments": "maybe"},
        ):
            reply = api.insert(calendar, **wrong)
            assert reply.status == 400
            assert reply.document["error"]["errors"][0]["location"] == next(iter(wrong))
