"""One event: made, read, merged, replaced, deleted, revived. Must not list, nor know HTTP."""

import itertools
from typing import Any

from local_google import errors
from local_google.calendar.call import MethodCall
from local_google.calendar.conferences import conference, settled
from local_google.calendar.event_list import shown
from local_google.calendar.event_resource import Draft, ordered
from local_google.calendar.event_rules import demand, demand_id, gated
from local_google.calendar.event_times import both
from local_google.calendar.merge import merged
from local_google.state import identifiers
from local_google.state.clock import rfc3339
from local_google.state.records import Calendar, Event

_uids = itertools.count(1)
SHARED = frozenset(
    {"summary", "description", "location", "start", "end", "status", "recurrence", "attendees"}
)


def _next_uid(call: MethodCall, calendar: Calendar) -> int:
    held = call.world.books.events_of(calendar.id).by_uid
    uid = next(_uids)
    while uid in held:  # numbers from before a restart
        uid = next(_uids)
    return uid


def insert(call: MethodCall) -> dict[str, Any]:
    """A new event under the caller's id or a fresh one. An id once used is taken for ever, also by a deleted one."""
    calendar = call.calendar()
    body = dict(call.body)
    body.pop("organizer", None)  # to be given only when importing
    if "id" in body:
        demand_id(body["id"])
        if "iCalUID" in body:
            raise errors.invalid("Only one of id and iCalUID may be given.")  # [I] it "should" not be
    return _add(call, calendar, body, body.get("id") or identifiers.event_id())


def import_event(call: MethodCall) -> dict[str, Any]:
    """A private copy of an event that may be somebody else's; its organizer is kept."""
    calendar = call.calendar()
    body = call.body
    if "iCalUID" not in body:
        raise errors.required("Missing iCalUID.")  # [R] the text
    for held in call.world.books.events_of(calendar.id).by_uid.values():
        if held.resource["iCalUID"] == body["iCalUID"] and not held.cancelled:
            return _replace(call, calendar, held, body)
    return _add(call, calendar, body, identifiers.event_id())


def _add(call: MethodCall, calendar: Calendar, body: dict[str, Any], event_id: str) -> dict[str, Any]:
    books = call.world.books
    body = gated(body, call.query, {})
    start, end = both(body, calendar.time_zone)
    demand(body)
    _demand_guests(call, body)
    taken = books.events_of(calendar.id).addressed(event_id)
    if taken is not None and not call.world.switches.undetected_collisions:
        raise errors.duplicate()
    draft = Draft(calendar, event_id, call.email, call.now, call.world.url)
    if taken is not None:  # [I] a collision that Google did not notice: same id, another iCalUID
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
    call.world.ring(f"events {calendar.id}", "exists")
    return event.resource


def _demand_guests(call: MethodCall, body: dict[str, Any]) -> None:
    """Guests count against a limit even when nobody is told of the event."""
    quota = call.world.switches.guest_quota
    if quota is None or not body.get("attendees"):
        return
    mine = [c.id for c in call.world.books.calendars.values() if c.owner == call.email]
    invited = sum(
        len(event.resource.get("attendees", ()))
        for name in mine
        for event in call.world.books.events_of(name).by_uid.values()
    )
    if invited + len(body["attendees"]) > quota:
        raise errors.by_reason(403, "quotaExceeded")


def found(call: MethodCall, calendar: Calendar) -> Event:
    """The event in the path; raises not found."""
    event = call.world.books.events_of(calendar.id).addressed(call.variables["eventId"])
    if event is None:
        raise errors.not_found()
    return event


def get(call: MethodCall) -> dict[str, Any]:
    """One event; a deleted one too, until the trash is emptied."""
    calendar = call.calendar()
    event = found(call, calendar)
    if event.cancelled and call.world.switches.trash_emptied:
        raise errors.not_found()
    if settled(event.resource):
        call.world.books.save_event(calendar.id, event)
    return shown(event, call.query.get("timeZone"))


def patch(call: MethodCall) -> dict[str, Any]:
    """Merge; what is not sent stays."""
    calendar = call.calendar()
    event = _changeable(call, calendar)
    return _replace(call, calendar, event, merged(event.resource, call.body), sent=call.body)


def update(call: MethodCall) -> dict[str, Any]:
    """Replace; what is not sent is gone."""
    calendar = call.calendar()
    event = _changeable(call, calendar)
    return _replace(call, calendar, event, call.body)


def _changeable(call: MethodCall, calendar: Calendar) -> Event:
    event = found(call, calendar)
    switches = call.world.switches
    if event.cancelled and (switches.revive_forbidden or switches.trash_emptied):
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
) -> dict[str, Any]:
    held = event.resource
    body = gated(body, call.query, held)
    start, end = both(body, calendar.time_zone)
    demand(body)
    given = (body if sent is None else sent).get("sequence")
    if given is not None and given < held["sequence"]:
        raise errors.invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the "
            "resource. Re-fetch the resource and use its sequence number on the following request."
        )
    draft = Draft(calendar, held["id"], call.email, call.now, call.world.url)
    resource = draft.changed(held, body, start, end, given)
    resource |= conference(call.query, body, held)
    return keep(call, calendar, event, resource, (start.seconds, end.seconds))


def keep(
    call: MethodCall, calendar: Calendar, event: Event, resource: dict[str, Any], bounds: tuple[float, float]
) -> dict[str, Any]:
    """Put a changed resource in the place of the old one, under a new etag."""
    books = call.world.books
    resource["etag"] = books.next_etag(call.now)
    event.resource = ordered(resource)
    event.start, event.end = bounds
    event.change = books.next_change()
    books.save_event(calendar.id, event)
    call.world.ring(f"events {calendar.id}", "exists")
    return event.resource


def delete(call: MethodCall) -> None:
    """Leaves a tombstone that keeps the id and, on the organizer's calendar, the details."""
    calendar = call.calendar()
    event = found(call, calendar)
    if event.cancelled:
        raise errors.deleted()
    call.demand_match(event.resource["etag"])
    cancel(call, calendar, event)


def cancel(call: MethodCall, calendar: Calendar, event: Event) -> None:
    """Make a tombstone of it."""
    resource = event.resource | {"status": "cancelled", "updated": rfc3339(call.now, milliseconds=True)}
    keep(call, calendar, event, resource, (event.start, event.end))


def move(call: MethodCall) -> dict[str, Any]:
    """To another calendar, which becomes the organizer; here a cancelled stub remains that holds only its id."""
    calendar = call.calendar()
    event = found(call, calendar)
    target = call.calendar_named(call.query["destination"])
    if event.cancelled:
        raise errors.deleted()
    resource = dict(event.resource)
    stub = {"kind": resource["kind"], "id": resource["id"], "status": "cancelled"}
    kept = ("iCalUID", "organizer", "sequence", "start", "end")  # what lists and rules look at
    keep(call, calendar, event, stub | {n: resource[n] for n in kept}, (event.start, event.end))
    resource["organizer"] = Draft(target, event.id, call.email, call.now, call.world.url).organizer()
    resource["updated"] = rfc3339(call.now, milliseconds=True)
    moved = Event(_next_uid(call, target), resource, event.start, event.end, 0, event.made_by)
    return keep(call, target, moved, resource, (event.start, event.end))
