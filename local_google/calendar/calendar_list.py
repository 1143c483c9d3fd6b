"""Calendar v3 ``calendarList``: how an account sees its calendars, with its own titles, colours and hidden entries.

Source: Google's reference of CalendarList. Must not change calendars.
"""

from typing import Any

from local_google import errors
from local_google.calendar import colours, paging
from local_google.calendar.calendars import MEET
from local_google.calendar.call import MethodCall
from local_google.calendar.merge import merged
from local_google.state.records import Calendar, ListEntry

WRITABLE = (
    "backgroundColor",
    "colorId",
    "defaultReminders",
    "foregroundColor",
    "hidden",
    "notificationSettings",
    "selected",
    "summaryOverride",
)
ROLES = ("freeBusyReader", "reader", "writer", "owner")
RGB = ("backgroundColor", "foregroundColor")


def resource(entry: ListEntry, calendar: Calendar | None) -> dict[str, Any]:
    """The entry as the API gives it; a removed one has its id and ``deleted`` only."""
    document: dict[str, Any] = {
        "kind": "calendar#calendarListEntry",
        "etag": entry.etag,
        "id": entry.calendar,
    }
    if calendar is None or entry.removed:
        return document | {"deleted": True}
    document["summary"] = calendar.summary
    texts = {"description": calendar.description, "location": calendar.location}
    document |= {name: value for name, value in texts.items() if value is not None}
    document["timeZone"] = calendar.time_zone
    document |= {name: value for name, value in entry.settings.items() if value is not False}
    document |= colours.shown(entry.settings)
    document["accessRole"] = "owner"
    if calendar.primary:
        document["primary"] = True
    else:
        document["dataOwner"] = calendar.owner
    document["conferenceProperties"] = MEET
    return document


def _entry(call: MethodCall) -> tuple[ListEntry, Calendar]:
    calendar = call.calendar()
    entry = call.context.books.entries.get(f"{call.email} {calendar.id}")
    if entry is None or entry.removed:
        raise errors.not_found()
    return entry, calendar


def _save(call: MethodCall, entry: ListEntry) -> None:
    books = call.context.books
    entry.etag, entry.change = books.next_etag(call.now), books.next_change()
    books.save("entry", f"{entry.account} {entry.calendar}", entry)
    call.context.ring(f"calendarList {entry.account}", "exists")


def get(call: MethodCall) -> dict[str, Any]:
    """One entry."""
    return resource(*_entry(call))


def insert(call: MethodCall) -> dict[str, Any]:
    """Add a calendar of one's own to the list again."""
    body = call.body
    if "id" not in body:
        raise errors.required("Missing calendar id.")  # [R] the text
    calendar = call.calendar_named(body["id"])
    _demand_colours(call, body)
    entry = call.context.books.entries.get(f"{call.email} {calendar.id}") or ListEntry(
        call.email, calendar.id, ""
    )
    entry.removed = False
    entry.settings = _coloured(entry.settings, body) | {name: body[name] for name in WRITABLE if name in body}
    _save(call, entry)
    return resource(entry, calendar)


def patch(call: MethodCall) -> dict[str, Any]:
    """PATCH: merge into the entry."""
    entry, calendar = _entry(call)
    return _change(call, entry, calendar, merged(_coloured(entry.settings, call.body), call.body))


def update(call: MethodCall) -> dict[str, Any]:
    """PUT: replace the entry."""
    entry, calendar = _entry(call)
    return _change(call, entry, calendar, call.body)


def _change(
    call: MethodCall, entry: ListEntry, calendar: Calendar, settings: dict[str, Any]
) -> dict[str, Any]:
    call.demand_match(entry.etag)
    _demand_colours(call, call.body)
    entry.settings = {name: settings[name] for name in WRITABLE if name in settings}
    _save(call, entry)
    return resource(entry, calendar)


def _coloured(settings: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """[I] The present settings; a new ``colorId`` takes the place of colours that were given as RGB."""
    return {name: settings[name] for name in settings if name not in RGB or "colorId" not in body}


def _demand_colours(call: MethodCall, body: dict[str, Any]) -> None:
    colours.demand(body, colours.CALENDAR_COLOURS)
    if any(name in body for name in RGB) and not call.query.get("colorRgbFormat"):
        raise errors.invalid(
            "colorRgbFormat must be set to use RGB colors.", parameter="colorRgbFormat"
        )  # [R]


def delete(call: MethodCall) -> None:
    """Remove the entry; the calendar itself stays. A primary calendar cannot be removed from the list."""
    entry, calendar = _entry(call)
    if calendar.primary:
        raise errors.forbidden("Cannot remove primary calendar")  # [R] status and text
    call.demand_match(entry.etag)
    entry.removed = True
    _save(call, entry)


def list_entries(call: MethodCall) -> dict[str, Any]:
    """The list, in pages; hidden entries on request only. With a sync token, the entries changed since."""
    query, books = call.query, call.context.books
    since = paging.sync_start(call, "calendarList", forbidden=("minAccessRole",))
    rows = [entry for entry in books.entries.values() if entry.account == call.email]
    page = paging.Page(call, "calendarList", default=100, most=250)
    shown = []
    for entry in rows:
        calendar = books.calendars.get(entry.calendar)
        gone = entry.removed or calendar is None
        if since is not None:
            wanted = entry.change > since
        else:
            visible = query.get("showHidden") or not entry.settings.get("hidden")
            wanted = bool(visible) and (not gone or bool(query.get("showDeleted")))
        if wanted:
            shown.append(resource(entry, calendar))
    return page.document({"kind": "calendar#calendarList"}, shown)
