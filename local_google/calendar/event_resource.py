"""An event's resource, built from the request's body and the fields that Google adds. Must not store it.

Source: Google's reference of Events, and the order of fields in its answers.
"""

import base64
from dataclasses import dataclass
from typing import Any

from local_google.calendar.event_rules import within_limits
from local_google.calendar.event_times import Bound
from local_google.state.clock import rfc3339
from local_google.state.records import Calendar
from local_google.zones import zone

# The order in which Google writes the fields.
ORDER = str.split(
    "kind etag id status htmlLink created updated summary description location colorId creator organizer start end "
    "endTimeUnspecified recurrence recurringEventId originalStartTime transparency visibility iCalUID sequence "
    "attendees attendeesOmitted extendedProperties hangoutLink conferenceData gadget anyoneCanAddSelf "
    "guestsCanInviteOthers guestsCanModify guestsCanSeeOtherGuests privateCopy locked reminders source attachments "
    "birthdayProperties focusTimeProperties outOfOfficeProperties workingLocationProperties eventLabelId eventType"
)
WRITTEN = frozenset(ORDER) - frozenset(
    str.split(
        "kind etag id status htmlLink created updated creator organizer start end iCalUID sequence hangoutLink "
        "conferenceData recurringEventId originalStartTime locked eventType"
    )
)
DEFAULTS = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "attendeesOmitted": False,
    "privateCopy": False,
    "endTimeUnspecified": False,
}
RANK = {name: number for number, name in enumerate(ORDER)}


def ordered(resource: dict[str, Any]) -> dict[str, Any]:
    """The same fields in Google's order."""
    return {name: resource[name] for name in sorted(resource, key=RANK.__getitem__)}


@dataclass(frozen=True, slots=True)
class Draft:
    """The calendar, id and caller of an event that is being written."""

    calendar: Calendar
    event_id: str
    email: str
    now: float
    url: str

    def organizer(self) -> dict[str, Any]:
        """The organizer: on a secondary calendar, the calendar itself under its title."""
        if self.calendar.primary:
            return {"email": self.email, "self": True}
        return {"email": self.calendar.id, "displayName": self.calendar.summary, "self": True}  # [R] the name

    def fresh(self, body: dict[str, Any], start: Bound, end: Bound) -> dict[str, Any]:
        """The resource of a new event."""
        creator: dict[str, Any] = {"email": self.email}
        if self.calendar.primary:
            creator["self"] = True
        resource: dict[str, Any] = {
            "kind": "calendar#event",
            "id": self.event_id,
            "status": body.get("status", "confirmed"),
            "htmlLink": self._html_link(),
            "created": rfc3339(self.now),
            "updated": rfc3339(self.now, milliseconds=True),
            "creator": creator,
            "organizer": self._imported(body) or self.organizer(),
            "iCalUID": body.get("iCalUID") or f"{self.event_id}@google.com",
            "sequence": body.get("sequence", 0),
            "eventType": body.get("eventType", "default"),
        }
        return resource | self._written(body, start, end)

    def changed(
        self, held: dict[str, Any], body: dict[str, Any], start: Bound, end: Bound, sequence: int | None
    ) -> dict[str, Any]:
        """The resource after a change; ``sequence`` rises when time or place change."""
        resource = {name: held[name] for name in held if name not in WRITTEN and name not in ("start", "end")}
        resource |= self._written(body, start, end)
        resource["status"] = body.get("status", "confirmed")
        moved = any(resource.get(name) != held.get(name) for name in ("start", "end", "location"))
        resource["sequence"] = max(held["sequence"], sequence or 0) + moved
        different = {n for n in resource.keys() | held.keys() if resource.get(n) != held.get(n)}
        if different != {"reminders"}:
            resource["updated"] = rfc3339(self.now, milliseconds=True)
        return resource

    def _written(self, body: dict[str, Any], start: Bound, end: Bound) -> dict[str, Any]:
        written = {}
        for name in body.keys() & WRITTEN:
            value = body[name]
            if value != DEFAULTS.get(name) and value != "":
                written[name] = value
        if "extendedProperties" in written:
            properties = within_limits(written.pop("extendedProperties"))
            if properties:
                written["extendedProperties"] = properties
        if "attendees" in written:
            written["attendees"] = [
                {"responseStatus": "needsAction"} | {n: v for n, v in guest.items() if v is not None}
                for guest in written["attendees"]
            ]
        written.setdefault("reminders", {"useDefault": True})
        shown_in = zone(self.calendar.time_zone)
        assert shown_in is not None  # noqa: S101 - a calendar's zone was checked when it was set
        written["start"], written["end"] = start.shown(shown_in), end.shown(shown_in)
        return written

    def _imported(self, body: dict[str, Any]) -> dict[str, Any] | None:
        organizer = body.get("organizer")
        if (
            not organizer
            or not organizer.get("email")
            or organizer["email"] in (self.email, self.calendar.id)
        ):
            return None
        return {name: organizer[name] for name in ("email", "displayName") if name in organizer}

    def _html_link(self) -> str:
        eid = base64.urlsafe_b64encode(f"{self.event_id} {self.calendar.id}".encode()).rstrip(b"=").decode()
        return f"{self.url}/calendar/event?eid={eid}"
