"""Calendar v3 ``settings``, ``freebusy`` and ``acl``, for reading only.

Source: Google's reference of these resources. Sharing cannot be changed here: the only rule is the owner's.
"""

from typing import Any
from zoneinfo import ZoneInfo

from local_google import errors
from local_google.calendar import paging
from local_google.calendar.call import MethodCall
from local_google.calendar.event_times import date_time
from local_google.calendar.parameters import moment
from local_google.state.clock import rfc3339
from local_google.zones import zone

# Not in lists while they are as at the start: a default one "might not be returned".
DEFAULTS = {
    "autoAddHangouts": "false",
    "hideInvitations": "false",
    "hideWeekends": "false",
    "remindOnRespondedEventsOnly": "false",
    "showDeclinedEvents": "true",
    "useKeyboardShortcuts": "true",
}
LONGEST_QUERY = 90 * 86400
MOST_CALENDARS = 50


def _values(call: MethodCall) -> dict[str, str]:
    return {
        "timezone": call.account.time_zone,
        "locale": call.account.locale,
        "format24HourTime": "false",
        "weekStart": "0",
        "dateFieldOrder": "MDY",
        "defaultEventLength": "60",
    }


def _setting(name: str, value: str) -> dict[str, Any]:
    return {"kind": "calendar#setting", "etag": '"0"', "id": name, "value": value}


def get(call: MethodCall) -> dict[str, Any]:
    """One setting."""
    name = call.variables["setting"]
    values = _values(call) | DEFAULTS
    if name not in values:
        raise errors.not_found()
    return _setting(name, values[name])


def list_settings(call: MethodCall) -> dict[str, Any]:
    """The settings, in pages. With a sync token none, because they never change here."""
    since = paging.sync_start(call, "settings", ())
    page = paging.Page(call, "settings", default=100, most=250)
    rows = [] if since is not None else [_setting(name, value) for name, value in _values(call).items()]
    return page.document({"kind": "calendar#settings"}, rows)


def freebusy(call: MethodCall) -> dict[str, Any]:
    """The busy times of the calendars in the body; an unknown calendar gets an error of its own."""
    body = call.body
    if "timeMin" not in body or "timeMax" not in body:
        raise errors.required("Missing time range.")  # [R] the text
    low, high = moment(body["timeMin"], "timeMin"), moment(body["timeMax"], "timeMax")
    if low >= high:
        raise errors.time_range_empty()
    if high - low > LONGEST_QUERY:
        message = "The requested time range is too long."
        raise errors.ApiError(
            400, "timeRangeTooLong", message, "calendar", "parameter", "timeMax"
        )  # [R] the reason
    shown_in = zone(body.get("timeZone") or "UTC")
    if shown_in is None:
        raise errors.invalid("Invalid time zone.")  # [R] the text
    names = [item["id"] for item in body.get("items", ()) if "id" in item]
    most = min(body.get("calendarExpansionMax") or MOST_CALENDARS, MOST_CALENDARS)
    if len(names) > most:  # [I] the query as a whole, so that no calendar is told of
        busy_times = {name: _trouble("tooManyCalendarsRequested") for name in names}
    else:
        busy_times = {name: _busy(call, name, (low, high), shown_in) for name in names}
    return {
        "kind": "calendar#freeBusy",
        "timeMin": rfc3339(low, milliseconds=True),
        "timeMax": rfc3339(high, milliseconds=True),
        "calendars": busy_times,
    }


def _trouble(reason: str) -> dict[str, Any]:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}


def _busy(call: MethodCall, name: str, window: tuple[float, float], shown_in: ZoneInfo) -> dict[str, Any]:
    try:
        calendar = call.calendar_named(name)
    except errors.ApiError:
        return _trouble("notFound")
    low, high = window
    spans: list[list[float]] = []
    events = call.context.books.events_of(calendar.id).by_uid.values()
    for event in sorted(events, key=lambda event: event.start):
        free = event.cancelled or event.resource.get("transparency") == "transparent"
        if free or event.end <= low or event.start >= high:
            continue
        if spans and event.start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], event.end)
        else:
            spans.append([max(event.start, low), event.end])
    times = ((start, min(end, high)) for start, end in spans)
    return {
        "busy": [
            {"start": date_time(start, shown_in), "end": date_time(end, shown_in)} for start, end in times
        ]
    }


def acl_list(call: MethodCall) -> dict[str, Any]:
    """The access rules of a calendar: only its owner's."""
    page = paging.Page(call, "acl", default=100, most=250)
    return page.document({"kind": "calendar#acl"}, [_rule(call)])


def acl_get(call: MethodCall) -> dict[str, Any]:
    """One rule."""
    rule = _rule(call)
    if call.variables["ruleId"] != rule["id"]:
        raise errors.not_found()
    return rule


def _rule(call: MethodCall) -> dict[str, Any]:
    owner = call.calendar().owner
    scope = {"type": "user", "value": owner}
    return {"kind": "calendar#aclRule", "etag": '"0"', "id": f"user:{owner}", "scope": scope, "role": "owner"}
