"""What a person does on the calendar page: move, delete, restore, dismiss. The API's handlers keep its rules."""

import base64
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from local_google import errors
from local_google.calendar import calendars, events
from local_google.calendar.call import MethodCall
from local_google.calendar.event_times import date_time
from local_google.context import Context
from local_google.discovery import methods
from local_google.protocol.messages import Form, first
from local_google.state.clock import rfc3339
from local_google.state.records import Account, Event, Token
from local_google.zones import zone

EVERYTHING = "https://www.googleapis.com/auth/calendar"


def _call(
    context: Context, account: Account, method: str, variables: dict[str, str], body: dict[str, Any]
) -> MethodCall:
    token = Token("", account.email, "", "", [EVERYTHING], context.now())
    return MethodCall(context, methods()[method], variables, {}, {}, account, token, context.now(), body)


def act(context: Context, account: Account, form: Form) -> None:
    """Carry out the form's ``act``; raises ApiError if the API would refuse it."""
    action, calendar = first(form, "act"), first(form, "calendar") or ""
    variables = {"calendarId": calendar, "eventId": first(form, "event") or ""}
    if action == "delete_calendar":
        calendars.delete(_call(context, account, "calendar.calendars.delete", variables, {}))
    elif action == "delete":
        events.delete(_call(context, account, "calendar.events.delete", variables, {}))
    elif action == "dismiss":
        body = _dismissed(context, variables)
        events.update(_call(context, account, "calendar.events.update", variables, body))
    elif action == "restore":
        events.patch(_call(context, account, "calendar.events.patch", variables, {"status": "confirmed"}))
    elif action == "move":
        body = {name: _wanted(account, form, name) for name in ("start", "end")}
        events.patch(_call(context, account, "calendar.events.patch", variables, body))
    else:
        raise errors.invalid("There is no such act.")


def _dismissed(context: Context, variables: dict[str, str]) -> dict[str, Any]:
    """The event as Thunderbird sends it by PUT when its reminder is dismissed: all private properties replaced."""
    event = context.books.events_of(variables["calendarId"]).addressed(variables["eventId"])
    held = {} if event is None else event.resource
    private = {"X-MOZ-LASTACK": rfc3339(context.now())}  # [R] the name
    return held | {"extendedProperties": held.get("extendedProperties", {}) | {"private": private}}


def _wanted(account: Account, form: Form, name: str) -> dict[str, Any]:
    text = first(form, name) or ""
    if len(text) == 10:
        return {"date": text}
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=zone(account.time_zone))
    except ValueError:
        raise errors.invalid(f"Invalid {name} time.") from None
    return {"dateTime": moment.isoformat()}


def event_address(context: Context, eid: str) -> str:
    """The address of the week of an event, from the ``eid`` of its link."""
    try:
        event_id, _, name = base64.urlsafe_b64decode(eid + "=" * (-len(eid) % 4)).decode().partition(" ")
    except ValueError:
        return "/calendar"
    calendar = context.books.calendars.get(name)
    event: Event | None = context.books.events_of(name).addressed(event_id) if calendar else None
    if calendar is None or event is None:
        return "/calendar"
    account = context.books.accounts[calendar.owner]
    seen_in = zone(account.time_zone)
    assert seen_in is not None  # noqa: S101 - an account's zone is checked when it is added
    day = date_time(event.start, seen_in)[:10]
    return "/calendar?" + urlencode({"account": account.email, "week": day}) + f"#e{event.uid}"
