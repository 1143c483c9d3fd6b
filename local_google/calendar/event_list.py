"""Calendar v3 ``events.list``: filters, order, pages, sync tokens.

Source: Google's reference of Events: list, and its guide to synchronization (docs/local-google.md, "Lists").
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from local_google import errors
from local_google.calendar import paging
from local_google.calendar.call import MethodCall
from local_google.calendar.event_views import shown
from local_google.calendar.parameters import moment
from local_google.state.records import Calendar, Event
from local_google.zones import zone

NOT_WITH_SYNC = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
NO_TOKEN = frozenset(NOT_WITH_SYNC) - {"timeMin", "timeMax"}
SEARCHED = ("summary", "description", "location")
SEARCHED_PERSON = ("displayName", "email")
SEARCHED_PLACE = ("buildingId", "deskId", "label")
Test = Callable[[Event], bool]


def list_events(call: MethodCall) -> dict[str, Any]:
    """One page of a calendar's events."""
    calendar, query = call.calendar(), call.query
    if query.get("orderBy") == "startTime" and not query.get("singleEvents"):
        raise errors.ApiError(
            400, "badRequest", "The requested ordering is not available for the particular query."
        )
    if "timeZone" in query and zone(query["timeZone"]) is None:
        raise errors.invalid("Invalid time zone.", parameter="timeZone", reason="invalidParameter")
    since = paging.sync_start(call, f"events {calendar.id}", NOT_WITH_SYNC)
    rows = _candidates(call, calendar)
    for test in _tests(call, since):
        rows = list(filter(test, rows))
    if query.get("orderBy") == "startTime":
        rows.sort(key=lambda event: (event.start, event.uid))
    elif query.get("orderBy") == "updated":
        # Within one millisecond the ETag, which only grows, gives the order.
        rows.sort(
            key=lambda event: (event.resource.get("updated", ""), int(event.resource["etag"].strip('"')))
        )
    page = paging.Page(call, f"events {calendar.id}", default=250, most=2500)
    items = [shown(call, event) for event in page.cut(rows)]
    syncable = not any(name in query for name in NO_TOKEN)  # [R] which lists give no token
    head = _head(calendar, call.context.books.events_of(calendar.id).updated, query)
    return page.finished(head, items, len(rows), with_sync_token=syncable)


def _head(calendar: Calendar, updated: str, query: Any) -> dict[str, Any]:
    head: dict[str, Any] = {"kind": "calendar#events", "summary": calendar.summary}
    head["description"] = calendar.description or ""
    if updated:
        head["updated"] = updated
    head["timeZone"] = query.get("timeZone") or calendar.time_zone
    reminders = [{"method": "popup", "minutes": 10}] if calendar.primary else []
    return head | {"accessRole": "owner", "defaultReminders": reminders}


def _candidates(call: MethodCall, calendar: Calendar) -> list[Event]:
    events = call.context.books.events_of(calendar.id).by_uid.values()
    if call.context.switches.trash_emptied:
        return [event for event in events if not event.cancelled]
    return list(events)


def _tests(call: MethodCall, since: int | None) -> list[Test]:
    query = call.query
    if since is not None:  # an incremental list always has the deletions
        return [lambda event: event.change > since]
    tests = _time_tests(call)
    if not query.get("showDeleted") and "updatedMin" not in query:
        tests.append(lambda event: not event.cancelled)
    if "iCalUID" in query:
        tests.append(lambda event: event.resource["iCalUID"] == query["iCalUID"])
    if "eventTypes" in query:
        tests.append(lambda event: event.resource.get("eventType", "default") in query["eventTypes"])
    if "q" in query:
        tests.append(lambda event: _mentions(event, query["q"]))
    for side in ("private", "shared"):
        tests += [_carries(side, pair) for pair in query.get(f"{side}ExtendedProperty", ())]
    return tests


def _time_tests(call: MethodCall) -> list[Test]:
    """Both bounds are exclusive: ``timeMin`` is compared with an event's end, ``timeMax`` with its start."""
    query, tests = call.query, list[Test]()
    low = moment(query["timeMin"], "timeMin") if "timeMin" in query else None
    high = moment(query["timeMax"], "timeMax") if "timeMax" in query else None
    if low is not None and high is not None and low >= high:
        raise errors.time_range_empty()
    if low is not None:
        tests.append(lambda event: event.end > low)
    if high is not None:
        tests.append(lambda event: event.start < high)
    if "updatedMin" in query:
        tests.append(_updated_since(call))
    return tests


def _updated_since(call: MethodCall) -> Test:
    low = moment(call.query["updatedMin"], "updatedMin")
    if call.now - low > 28 * 86400:  # [R] how long ago is too long ago
        message = "The requested minimum modification time lies too far in the past."
        raise errors.ApiError(410, "updatedMinTooLongAgo", message, "calendar", "parameter", "updatedMin")
    return lambda event: _seconds(event.resource.get("updated")) >= low


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def _mentions(event: Event, words: str) -> bool:
    text = " ".join(_searched(event.resource)).lower()
    return all(word in text for word in words.lower().split())


def _searched(resource: dict[str, Any]) -> Iterator[str]:
    """The fields that ``q`` looks at. The names of working locations in all languages, which it also knows, are not."""
    people = [resource["organizer"], *resource.get("attendees", ())]
    where = resource.get("workingLocationProperties", {})
    places = [where.get("officeLocation") or {}, {"label": (where.get("customLocation") or {}).get("label")}]
    for part, names in [(resource, SEARCHED), *((one, SEARCHED_PERSON) for one in people)]:
        yield from (str(part[name]) for name in names if name in part)
    for place in places:
        yield from (str(place[name]) for name in SEARCHED_PLACE if place.get(name))


def _carries(side: str, pair: str) -> Test:
    name, equals, value = pair.partition("=")
    if not equals or not name:
        raise errors.invalid(
            f"Invalid extended property constraint: {pair}", parameter=f"{side}ExtendedProperty"
        )  # [R] the text
    return lambda event: event.resource.get("extendedProperties", {}).get(side, {}).get(name) == value
