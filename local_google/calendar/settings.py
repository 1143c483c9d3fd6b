"""Calendar v3 ``settings``, ``colors``, ``freebusy`` and ``acl``, for reading only.

Source: Google's reference of these resources. Sharing cannot be changed here: the only rule is the owner's.
"""

from typing import Any

from local_google import errors
from local_google.calendar import paging
from local_google.calendar.call import MethodCall
from local_google.calendar.parameters import moment
from local_google.state.clock import rfc3339

EVENT_COLOURS = "a4bdfc 7ae7bf dbadff ff887c fbd75b ffb878 46d6db e1e1e1 5484ed 51b749 dc2127".split()  # noqa: SIM905
CALENDAR_COLOURS = str.split(
    "ac725e d06b64 f83a22 fa573c ff7537 ffad46 42d692 16a765 7bd148 b3dc6c fbe983 fad165 92e1c0 9fe1e7 9fc6e7 "
    "4986e7 9a9cff b99aff c2c2c2 cabdbf cca6ac f691b2 cd74e6 a47ae2"
)


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
    values = _values(call)
    if name not in values:
        raise errors.not_found()
    return _setting(name, values[name])


def list_settings(call: MethodCall) -> dict[str, Any]:
    """All settings."""
    page = paging.Page(call, "settings", default=100, most=250)
    rows = [_setting(name, value) for name, value in _values(call).items()]
    return page.document({"kind": "calendar#settings"}, rows)


def colors(call: MethodCall) -> dict[str, Any]:
    """The palette: 11 colours for events, 24 for calendars ([R] the numbers)."""
    del call
    document: dict[str, Any] = {"kind": "calendar#colors", "updated": "2012-02-14T00:00:00.000Z"}
    for name, colours in (("calendar", CALENDAR_COLOURS), ("event", EVENT_COLOURS)):
        document[name] = {
            str(number): {"background": f"#{colour}", "foreground": "#1d1d1d"}
            for number, colour in enumerate(colours, 1)
        }
    return document


def freebusy(call: MethodCall) -> dict[str, Any]:
    """The busy times of the calendars in the body; an unknown calendar gets an error of its own."""
    body = call.body
    if "timeMin" not in body or "timeMax" not in body:
        raise errors.required("Missing time range.")  # [R] the text
    low, high = moment(body["timeMin"], "timeMin"), moment(body["timeMax"], "timeMax")
    if low >= high:
        raise errors.by_reason(400, "timeRangeEmpty")
    busy_times = {
        item["id"]: _busy(call, item["id"], low, high) for item in body.get("items", ()) if "id" in item
    }
    return {
        "kind": "calendar#freeBusy",
        "timeMin": rfc3339(low, milliseconds=True),
        "timeMax": rfc3339(high, milliseconds=True),
        "calendars": busy_times,
    }


def _busy(call: MethodCall, name: str, low: float, high: float) -> dict[str, Any]:
    try:
        calendar = call.calendar_named(name)
    except errors.ApiError:
        return {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
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
    return {"busy": [{"start": rfc3339(start), "end": rfc3339(min(end, high))} for start, end in spans]}


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
