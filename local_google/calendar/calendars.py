"""The calendars themselves: make, read, change, destroy. Must not know how an account sees them in its list."""

from typing import Any

from local_google import errors
from local_google.calendar.call import MethodCall
from local_google.calendar.event_times import date_time
from local_google.calendar.merge import merged
from local_google.state import identifiers
from local_google.state.records import Calendar, ListEntry
from local_google.zones import zone

MORE = ("labelProperties", "autoAcceptInvitations", "workingHours")
MEET = {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}


def resource(calendar: Calendar) -> dict[str, Any]:
    """The calendar as the API gives it."""
    found: dict[str, Any] = {"kind": "calendar#calendar", "etag": calendar.etag, "id": calendar.id}
    found["summary"] = calendar.summary
    if calendar.description is not None:
        found["description"] = calendar.description
    if calendar.location is not None:
        found["location"] = calendar.location
    found["timeZone"] = calendar.time_zone
    found["conferenceProperties"] = MEET
    if not calendar.primary:
        found["dataOwner"] = calendar.owner
    return found | calendar.more


def insert(call: MethodCall) -> dict[str, Any]:
    """A new secondary calendar, owned by the caller and shown in its list; without a zone it is in UTC."""
    body = call.body
    _demand_summary(body)
    _demand_quota(call)
    books = call.world.books
    calendar = Calendar(
        identifiers.calendar_id(),
        call.email,
        body["summary"],
        _zone_of(body, "UTC"),
        books.next_etag(call.now),
        call.now,
        description=body.get("description"),
        location=body.get("location"),
        made_by=call.token.project,
        more={name: body[name] for name in MORE if name in body},
    )
    books.save("calendar", calendar.id, calendar)
    entry = ListEntry(
        call.email, calendar.id, books.next_etag(call.now), {"selected": True, "defaultReminders": []}
    )
    entry.change = books.next_change()
    books.save("entry", f"{call.email} {calendar.id}", entry)
    call.world.ring(f"calendarList {call.email}", "exists")
    return resource(calendar)


def get(call: MethodCall) -> dict[str, Any]:
    """One calendar."""
    return resource(call.calendar())


def update(call: MethodCall) -> dict[str, Any]:
    """PUT: what is not sent is cleared (the zone goes on, for a calendar is never without one)."""
    return _change(call, call.body)


def patch(call: MethodCall) -> dict[str, Any]:
    """PATCH: what is not sent stays."""
    held = resource(call.calendar())
    return _change(call, merged(held, call.body))


def _change(call: MethodCall, body: dict[str, Any]) -> dict[str, Any]:
    calendar = call.calendar()
    call.demand_match(calendar.etag)
    _demand_summary(body)
    zone_name = _zone_of(body, calendar.time_zone)
    moved = zone_name != calendar.time_zone
    calendar.summary, calendar.time_zone = body["summary"], zone_name
    calendar.description, calendar.location = body.get("description"), body.get("location")
    calendar.more = {name: body[name] for name in MORE if name in body}
    touch(call, calendar)
    if moved:
        _show_in_zone(call, calendar)
    return resource(calendar)


def _show_in_zone(call: MethodCall, calendar: Calendar) -> None:
    """The calendar's zone has changed: its events are the same and show other times."""
    shown_in = zone(calendar.time_zone)
    assert shown_in is not None  # noqa: S101 - checked before it was set
    for event in call.world.books.events_of(calendar.id).by_uid.values():
        for name, seconds in (("start", event.start), ("end", event.end)):
            if "dateTime" in event.resource[name]:
                event.resource[name] |= {"dateTime": date_time(seconds, shown_in)}
        call.world.books.save_event(calendar.id, event)


def touch(call: MethodCall, calendar: Calendar) -> None:
    """Keep a changed calendar under a new etag; the entry that shows it changes with it."""
    books = call.world.books
    calendar.etag = books.next_etag(call.now)
    books.save("calendar", calendar.id, calendar)
    entry = books.entries.get(f"{calendar.owner} {calendar.id}")
    if entry is not None:
        entry.etag, entry.change = books.next_etag(call.now), books.next_change()
        books.save("entry", f"{calendar.owner} {calendar.id}", entry)
    call.world.ring(f"calendarList {calendar.owner}", "exists")


def delete(call: MethodCall) -> None:
    """Destroys a secondary calendar with its events, for everyone."""
    calendar = call.calendar()
    if calendar.primary:
        raise errors.forbidden("Cannot delete primary calendar")  # [R] status and text
    call.demand_match(calendar.etag)
    destroy(call, calendar)


def destroy(call: MethodCall, calendar: Calendar) -> None:
    """Remove a calendar and what hangs on it."""
    books = call.world.books
    books.remove("calendar", calendar.id)
    entry = books.entries.get(f"{calendar.owner} {calendar.id}")
    if entry is not None:
        entry.removed, entry.change = True, books.next_change()
        entry.etag = books.next_etag(call.now)
        books.save("entry", f"{calendar.owner} {calendar.id}", entry)
    call.world.ring(f"events {calendar.id}", "not_exists")
    call.world.ring(f"calendarList {calendar.owner}", "exists")


def clear(call: MethodCall) -> None:
    """Empties a primary calendar; for a secondary one it is refused."""
    calendar = call.calendar()
    if not calendar.primary:
        raise errors.forbidden("Cannot clear primary calendar")  # the status was not recorded: [R]
    books = call.world.books
    for uid in list(books.events_of(calendar.id).by_uid):
        books.drop_event(calendar.id, uid)
    call.world.ring(f"events {calendar.id}", "exists")


def _demand_summary(body: dict[str, Any]) -> None:
    if not body.get("summary"):
        raise errors.required("Missing title.")  # [R] the text


def _demand_quota(call: MethodCall) -> None:
    quota = call.world.switches.calendar_quota
    if quota is None:
        return
    made = sum(not c.primary for c in call.world.books.calendars.values() if c.owner == call.email)
    if made >= quota:
        raise errors.by_reason(403, "quotaExceeded")


def _zone_of(body: dict[str, Any], default: str) -> str:
    name: str = body.get("timeZone") or default
    if zone(name) is None:
        raise errors.invalid(f"Invalid value for: Invalid time zone: {name}")  # [R] the text
    return name
