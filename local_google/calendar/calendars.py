"""Calendar v3 ``calendars``: create, read, change, delete.

Source: Google's reference of Calendars. How an account sees a calendar in its list belongs to ``calendar_list``.
"""

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
    document: dict[str, Any] = {"kind": "calendar#calendar", "etag": calendar.etag, "id": calendar.id}
    document["summary"] = calendar.summary
    if calendar.description is not None:
        document["description"] = calendar.description
    if calendar.location is not None:
        document["location"] = calendar.location
    document["timeZone"] = calendar.time_zone
    document["conferenceProperties"] = MEET
    if not calendar.primary:
        document["dataOwner"] = calendar.owner
    return document | calendar.more


def insert(call: MethodCall) -> dict[str, Any]:
    """Create a secondary calendar, owned by the caller and in its list; the default time zone is UTC."""
    body = call.body
    _demand_summary(body)
    _demand_quota(call)
    books = call.context.books
    calendar = Calendar(
        identifiers.calendar_id(),
        call.email,
        body["summary"],
        _zone_of(call, body, "UTC"),
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
    call.context.ring(f"calendarList {call.email}", "exists")
    return resource(calendar)


def get(call: MethodCall) -> dict[str, Any]:
    """One calendar."""
    return resource(call.calendar())


def update(call: MethodCall) -> dict[str, Any]:
    """PUT: fields that are not sent are cleared, except the time zone."""
    return _change(call, call.body)


def patch(call: MethodCall) -> dict[str, Any]:
    """PATCH: fields that are not sent stay."""
    held = resource(call.calendar())
    return _change(call, merged(held, call.body))


def _change(call: MethodCall, body: dict[str, Any]) -> dict[str, Any]:
    calendar = call.calendar()
    call.demand_match(calendar.etag)
    _demand_summary(body)
    zone_name = _zone_of(call, body, calendar.time_zone)
    moved = zone_name != calendar.time_zone
    calendar.summary, calendar.time_zone = body["summary"], zone_name
    calendar.description, calendar.location = body.get("description"), body.get("location")
    calendar.more = {name: body[name] for name in MORE if name in body}
    touch(call, calendar)
    if moved:
        _show_in_zone(call, calendar)
    return resource(calendar)


def _show_in_zone(call: MethodCall, calendar: Calendar) -> None:
    """After a change of zone: write the events' times in the new zone; the instants stay."""
    shown_in = zone(calendar.time_zone)
    assert shown_in is not None  # noqa: S101 - checked before it was set
    for event in call.context.books.events_of(calendar.id).by_uid.values():
        for name, seconds in (("start", event.start), ("end", event.end)):
            if "dateTime" in event.resource[name]:
                event.resource[name] |= {"dateTime": date_time(seconds, shown_in)}
        call.context.books.save_event(calendar.id, event)


def touch(call: MethodCall, calendar: Calendar) -> None:
    """Save a changed calendar under a new ETag, and its owner's list entry with it."""
    books = call.context.books
    calendar.etag = books.next_etag(call.now)
    books.save("calendar", calendar.id, calendar)
    entry = books.entries.get(f"{calendar.owner} {calendar.id}")
    if entry is not None:
        entry.etag, entry.change = books.next_etag(call.now), books.next_change()
        books.save("entry", f"{calendar.owner} {calendar.id}", entry)
    call.context.ring(f"calendarList {calendar.owner}", "exists")


def delete(call: MethodCall) -> None:
    """Delete a secondary calendar with its events, for everyone."""
    calendar = call.calendar()
    if calendar.primary:
        raise errors.forbidden("Cannot delete primary calendar")  # [R] status and text
    call.demand_match(calendar.etag)
    destroy(call, calendar)


def destroy(call: MethodCall, calendar: Calendar) -> None:
    """Remove a calendar, its events and its list entry; notify both collections' channels."""
    books = call.context.books
    books.remove("calendar", calendar.id)
    entry = books.entries.get(f"{calendar.owner} {calendar.id}")
    if entry is not None:
        entry.removed, entry.change = True, books.next_change()
        entry.etag = books.next_etag(call.now)
        books.save("entry", f"{calendar.owner} {calendar.id}", entry)
    call.context.ring(f"events {calendar.id}", "not_exists")
    call.context.ring(f"calendarList {calendar.owner}", "exists")


def clear(call: MethodCall) -> None:
    """Remove all events of a primary calendar; refused for a secondary one."""
    calendar = call.calendar()
    if not calendar.primary:
        raise errors.forbidden("Cannot clear primary calendar")  # the status was not recorded: [R]
    books = call.context.books
    for uid in list(books.events_of(calendar.id).by_uid):
        books.drop_event(calendar.id, uid)
    call.context.ring(f"events {calendar.id}", "exists")


def _demand_summary(body: dict[str, Any]) -> None:
    if not body.get("summary"):
        raise errors.required("Missing title.")  # [R] the text


def _demand_quota(call: MethodCall) -> None:
    quota = call.context.switches.calendar_quota
    if quota is None:
        return
    count = sum(not c.primary for c in call.context.books.calendars.values() if c.owner == call.email)
    if count >= quota:
        raise errors.by_reason(403, "quotaExceeded")


def _zone_of(call: MethodCall, body: dict[str, Any], default: str) -> str:
    name: str = body.get("timeZone") or default
    if zone(name) is None or name in call.context.switches.unknown_zones:
        raise errors.invalid(f"Invalid value for: Invalid time zone: {name}")  # [R] the text
    return name
