"""An event as one caller sees it. Must not change it.

Source: Google's reference of Events (docs/local-google.md, "Events").
"""

from typing import Any

from local_google import errors
from local_google.calendar.call import MethodCall
from local_google.calendar.event_times import date_time
from local_google.state.records import Event
from local_google.zones import zone


def held(event: Event) -> dict[str, Any]:
    """The event as it is stored; the stub of an event that moved away has its id and status only."""
    if event.is_stub:
        return {name: event.resource[name] for name in ("kind", "etag", "id", "status")}
    return event.resource


def shown(call: MethodCall, event: Event) -> dict[str, Any]:
    """The event with its times in the caller's ``timeZone``, and not more guests than ``maxAttendees``."""
    resource = held(event)
    if event.is_stub:
        return resource
    if "timeZone" in call.query and "dateTime" in resource["start"]:
        resource = resource | _times(event, call.query["timeZone"])
    most = call.query.get("maxAttendees")
    if most is not None and len(resource.get("attendees", ())) > most:
        own = [guest for guest in resource["attendees"] if guest["email"] == call.email]
        resource = resource | {"attendees": own, "attendeesOmitted": True}
    return resource


def _times(event: Event, name: str) -> dict[str, Any]:
    wanted = zone(name)
    if wanted is None:
        raise errors.invalid(f"Invalid value '{name}'.", parameter="timeZone", reason="invalidParameter")
    return {
        bound: event.resource[bound] | {"dateTime": date_time(seconds, wanted)}
        for bound, seconds in (("start", event.start), ("end", event.end))
    }
