"""Calendar v3 ``events``: insert, import, get, patch, update, delete, move; deleted events can be revived.

Source: Google's reference of Events (docs/local-google.md, "Events"). Lists are in ``event_list``.
"""

import itertools
import re
from typing import Any

from local_google import errors
from local_google.calendar.call import MethodCall
from local_google.calendar.conferences import conference, settled
from local_google.calendar.event_resource import Draft, ordered
from local_google.calendar.event_rules import demand, demand_id, demand_type, gated
from local_google.calendar.event_times import Bound, both
from local_google.calendar.event_views import shown
from local_google.calendar.merge import merged
from local_google.state import identifiers
from local_google.state.clock import rfc3339
from local_google.state.records import Calendar, Event

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
OF_A_TYPE = frozenset(
    {
        "eventType",
        "birthdayProperties",
        "focusTimeProperties",
        "outOfOfficeProperties",
        "workingLocationProperties",
    }
)
_uids = itertools.count(1)
SHARED = frozenset(
    {"summary", "description", "location", "start", "end", "status", "recurrence", "attendees"}
)


def _next_uid(call: MethodCall, calendar: Calendar) -> int:
    held = call.context.books.events_of(calendar.id).by_uid
    uid = next(_uids)
    while uid in held:  # numbers from before a restart
        uid = next(_uids)
    return uid


def insert(call: MethodCall) -> dict[str, Any]:
    """Create an event under the caller's id or a new one. An id once used stays taken, also after a delete."""
    calendar = call.calendar()
    body = dict(call.body)
    body.pop("organizer", None)  # an organizer is accepted in imports only
    if "id" in body:
        demand_id(body["id"])
        if "iCalUID" in body:
            raise errors.invalid("Only one of id and iCalUID may be given.")  # [I] it "should" not be
    return shown(call, _add(call, calendar, body, body.get("id") or identifiers.event_id()))


def import_event(call: MethodCall) -> dict[str, Any]:
    """Add a private copy of an event, which may be somebody else's; its organizer stays, its type becomes default."""
    calendar = call.calendar()
    body = {name: value for name, value in call.body.items() if name not in OF_A_TYPE}
    if "iCalUID" not in body:
        raise errors.required("Missing iCalUID.")  # [R] the text
    for held in call.context.books.events_of(calendar.id).by_uid.values():
        if held.resource["iCalUID"] == body["iCalUID"] and not held.cancelled:
            return shown(call, _replace(call, calendar, held, body))
    return shown(call, _add(call, calendar, body, identifiers.event_id()))


def _add(call: MethodCall, calendar: Calendar, body: dict[str, Any], event_id: str) -> Event:
    books = call.context.books
    body = gated(body, call.query, {})
    start, end = _demanded(call, calendar, body, body.get("eventType", "default"))
    _demand_guests(call, body)
    taken = books.events_of(calendar.id).addressed(event_id)
    if taken is not None and not call.context.switches.undetected_collisions:
        raise errors.duplicate()
    draft = Draft(calendar, event_id, call.email, call.now, call.context.url)
    if taken is not None:  # [I] Google does not detect the collision: same id, another iCalUID
        body = body | {"iCalUID": f"{identifiers.event_id()}@google.com"}
    resource = draft.fresh(body, start, end)
    resource |= conference(call.query, body, None)
    resource["etag"] = books.next_etag(call.now)
    event = Event(
        _next_uid(call, calendar),
        ordered(resource),
        start.seconds,
        end.seconds,
        books.next_change(),
        call.token.project,
    )
    books.save_event(calendar.id, event)
    call.context.ring(f"events {calendar.id}", "exists")
    return event


def _demanded(call: MethodCall, calendar: Calendar, body: dict[str, Any], kind: str) -> tuple[Bound, Bound]:
    """The event's times, if the body keeps the rules for an event of that type."""
    switches = call.context.switches
    start, end = both(body, calendar.time_zone, switches.unknown_zones)
    demand(body)
    demand_type(kind, primary=calendar.primary, whole_day=start.day is not None)
    texts = (body.get(name) or "" for name in ("summary", "description", "location"))
    if switches.control_characters_refused and any(map(CONTROL.search, texts)):
        raise errors.invalid("Invalid value for: control character")
    return start, end


def _demand_guests(call: MethodCall, body: dict[str, Any]) -> None:
    """Guests count against a limit even if nobody is notified of the event."""
    quota = call.context.switches.guest_quota
    if quota is None or not body.get("attendees"):
        return
    mine = [c.id for c in call.context.books.calendars.values() if c.owner == call.email]
    invited = sum(
        len(event.resource.get("attendees", ()))
        for name in mine
        for event in call.context.books.events_of(name).by_uid.values()
    )
    if invited + len(body["attendees"]) > quota:
        raise errors.by_reason(403, "quotaExceeded")


def event_in_path(call: MethodCall, calendar: Calendar) -> Event:
    """The event in the path; raises not found."""
    event = call.context.books.events_of(calendar.id).addressed(call.variables["eventId"])
    if event is None:
        raise errors.not_found()
    return event


def get(call: MethodCall) -> dict[str, Any]:
    """One event; also a deleted one, until the trash is emptied."""
    calendar = call.calendar()
    event = event_in_path(call, calendar)
    if event.cancelled and call.context.switches.trash_emptied:
        raise errors.not_found()
    if settled(event.resource):
        call.context.books.save_event(calendar.id, event)
    return shown(call, event)


def patch(call: MethodCall) -> dict[str, Any]:
    """PATCH: fields that are not sent stay."""
    calendar = call.calendar()
    event = _changeable(call, calendar)
    return shown(call, _replace(call, calendar, event, merged(event.resource, call.body), sent=call.body))


def update(call: MethodCall) -> dict[str, Any]:
    """PUT: fields that are not sent are cleared."""
    calendar = call.calendar()
    event = _changeable(call, calendar)
    return shown(call, _replace(call, calendar, event, call.body))


def _changeable(call: MethodCall, calendar: Calendar) -> Event:
    event = event_in_path(call, calendar)
    switches = call.context.switches
    if event.cancelled and (switches.revive_forbidden or switches.trash_emptied):
        raise errors.forbidden()
    if event.is_stub:  # [I] its details are gone, so there is nothing to revive
        raise errors.forbidden()
    call.demand_match(event.resource["etag"])
    if event.resource["organizer"]["email"] not in (calendar.id, call.email) and SHARED & set(call.body):
        raise errors.by_reason(403, "forbiddenForNonOrganizer")
    return event


def _replace(
    call: MethodCall,
    calendar: Calendar,
    event: Event,
    body: dict[str, Any],
    sent: dict[str, Any] | None = None,
) -> Event:
    held = event.resource
    body = gated(_with_omitted(body, held, call.email), call.query, held)
    if body.get("eventType", held["eventType"]) != held["eventType"]:
        raise errors.invalid("The event type cannot be changed.")  # [R] the text
    start, end = _demanded(call, calendar, body, held["eventType"])
    given = (body if sent is None else sent).get("sequence")
    if given is not None and given < held["sequence"]:
        raise errors.invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the "
            "resource. Re-fetch the resource and use its sequence number on the following request."
        )
    draft = Draft(calendar, held["id"], call.email, call.now, call.context.url)
    resource = draft.changed(held, body, start, end, given)
    resource |= conference(call.query, body, held)
    return keep(call, calendar, event, resource, (start.seconds, end.seconds))


def _with_omitted(body: dict[str, Any], held: dict[str, Any], email: str) -> dict[str, Any]:
    """The body; with ``attendeesOmitted`` it changes the participant alone, and the other guests stay."""
    if not body.get("attendeesOmitted"):
        return body
    own = [guest for guest in body.get("attendees", ()) if guest.get("email") == email]
    others = [guest for guest in held.get("attendees", ()) if not own or guest["email"] != email]
    return body | {"attendees": own + others, "attendeesOmitted": False}


def keep(
    call: MethodCall, calendar: Calendar, event: Event, resource: dict[str, Any], bounds: tuple[float, float]
) -> Event:
    """Replace an event's resource, under a new ETag, and notify the calendar's channels."""
    books = call.context.books
    resource["etag"] = books.next_etag(call.now)
    event.resource = ordered(resource)
    event.start, event.end = bounds
    event.change = books.next_change()
    books.save_event(calendar.id, event)
    call.context.ring(f"events {calendar.id}", "exists")
    return event


def delete(call: MethodCall) -> None:
    """Delete; a tombstone keeps the id and, on the organizer's calendar, the details."""
    calendar = call.calendar()
    event = event_in_path(call, calendar)
    if event.cancelled:
        raise errors.deleted()
    call.demand_match(event.resource["etag"])
    cancel(call, calendar, event)


def cancel(call: MethodCall, calendar: Calendar, event: Event) -> None:
    """Turn an event into a tombstone."""
    resource = event.resource | {"status": "cancelled", "updated": rfc3339(call.now, milliseconds=True)}
    keep(call, calendar, event, resource, (event.start, event.end))


def move(call: MethodCall) -> dict[str, Any]:
    """Move to another calendar, which becomes the organizer. A cancelled stub with the id stays in the old one."""
    calendar = call.calendar()
    event = event_in_path(call, calendar)
    target = call.calendar_named(call.query["destination"])
    if event.cancelled:
        raise errors.deleted()
    if event.resource["eventType"] != "default":
        raise errors.invalid("Only events of the type default can be moved.")  # [R] the text
    resource = dict(event.resource)
    stub = {"kind": resource["kind"], "id": resource["id"], "status": "cancelled"}
    stub_fields = ("iCalUID", "organizer", "sequence", "start", "end")  # lists and rules read these
    keep(call, calendar, event, stub | {n: resource[n] for n in stub_fields}, (event.start, event.end))
    resource["organizer"] = Draft(target, event.id, call.email, call.now, call.context.url).organizer()
    resource["updated"] = rfc3339(call.now, milliseconds=True)
    moved = Event(_next_uid(call, target), resource, event.start, event.end, 0, event.made_by)
    return shown(call, keep(call, target, moved, resource, (event.start, event.end)))
