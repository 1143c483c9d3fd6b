"""The limits on an event's fields: what Google refuses, and what it changes without an error. Pure.

Source: Google's reference of Events (docs/local-google.md, "Events").
"""

import re
from collections.abc import Mapping
from typing import Any

from local_google import errors
from local_google.calendar import colours

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+\Z")
_ID = re.compile(r"[a-v0-9]{5,1024}\Z")
CHOICES = {
    "status": frozenset({"confirmed", "tentative", "cancelled"}),
    "transparency": frozenset({"opaque", "transparent"}),
    "visibility": frozenset({"default", "public", "private", "confidential"}),
    "eventType": frozenset(
        {"default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"}
    ),
}
PRIMARY_ONLY = frozenset({"focusTime", "outOfOffice", "workingLocation"})
TIMED_ONLY = frozenset({"focusTime", "outOfOffice"})
MOST_DESCRIPTION = 8192  # [R] a limit of about 8,000 is known at second hand only
KEY_LENGTH, VALUE_LENGTH, MOST_PROPERTIES, MOST_BYTES = 44, 1024, 300, 32 * 1024


def demand_id(text: str) -> None:
    """Lower-case base32hex, 5 to 1024 characters."""
    if not _ID.match(text):
        raise errors.invalid("Invalid resource id value.")


def demand(body: dict[str, Any]) -> None:
    """Refuse values that have the right type and are not allowed."""
    for name, allowed in CHOICES.items():
        if name in body and body[name] not in allowed:
            raise errors.invalid(f"Invalid value for: {body[name]!r} is not a valid value")  # [R] the text
    colours.demand(body, colours.EVENT_COLOURS)
    if body.get("recurrence"):  # refused, because lists here do not expand a series
        raise errors.absent("recurring events")
    if "reminders" in body:
        _demand_reminders(body["reminders"])
    if "source" in body and not str(body["source"].get("url", "")).startswith(("http://", "https://")):
        raise errors.invalid("Invalid value for: source.url")  # [R] the text
    if len(body.get("attachments", ())) > 25:
        raise errors.invalid("There can be at most 25 attachments per event.")  # [R] the text
    if len(body.get("description") or "") > MOST_DESCRIPTION:
        raise errors.invalid("Invalid value for: description is too long")  # [R] status and text
    _demand_addresses(body)


def _demand_addresses(body: dict[str, Any]) -> None:
    for guest in body.get("attendees", ()):
        if not guest.get("email"):
            raise errors.required("Missing attendee email.")
        if not _EMAIL.match(guest["email"]):
            raise errors.invalid("Invalid attendee email.")


def demand_type(kind: str, *, primary: bool, whole_day: bool) -> None:
    """Refuse an event of a type that cannot be made, or not on this calendar, or not for whole days."""
    if kind == "fromGmail":
        raise errors.invalid("Event type fromGmail cannot be created.")  # [R] the text
    if kind == "birthday":  # it recurs every year
        raise errors.absent("recurring events")
    if kind in PRIMARY_ONLY and not primary:
        raise errors.invalid(f"Event type {kind} is for primary calendars only.")  # [R] the text
    if kind in TIMED_ONLY and whole_day:  # [R] the text, and that it holds for focusTime
        raise errors.invalid(f"Event type {kind} cannot last all day.")


def _demand_reminders(reminders: dict[str, Any]) -> None:
    overrides = reminders.get("overrides") or []
    if overrides and reminders.get("useDefault"):
        message = "Cannot specify both default reminders and overrides at the same time."  # [R]
        raise errors.ApiError(400, "cannotUseDefaultRemindersAndSpecifyOverride", message, "calendar")
    if len(overrides) > 5:
        raise errors.invalid("There can be at most 5 override reminders.")  # [R] the text
    for override in overrides:
        if override.get("method") not in ("email", "popup"):
            raise errors.invalid("Invalid reminder method.")  # [R] the text
        if not 0 <= override.get("minutes", -1) <= 40320:
            raise errors.invalid("Invalid reminder minutes.")  # [R] the text


def gated(body: dict[str, Any], query: Mapping[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """The body, with the fields unchanged that need a version parameter which the caller did not send."""
    labels = query.get("eventLabelVersion", 0) == 1
    unknown = ["colorId" if labels else "eventLabelId"]
    if not query.get("supportsAttachments"):
        unknown.append("attachments")
    stays = {name: held[name] for name in unknown if name in held}
    return {name: value for name, value in body.items() if name not in unknown} | stays


def within_limits(extended: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Extended properties as Google stores them: it drops long keys and cuts long values, without an error."""
    properties: dict[str, dict[str, str]] = {}
    for side in ("private", "shared"):
        pairs = extended.get(side) or {}
        fitting = {key: value[:VALUE_LENGTH] for key, value in pairs.items() if len(key) <= KEY_LENGTH}
        if fitting:
            properties[side] = fitting
    count = sum(len(pairs) for pairs in properties.values())
    size = sum(
        len(key.encode()) + len(value.encode())
        for pairs in properties.values()
        for key, value in pairs.items()
    )
    if count > MOST_PROPERTIES or size > MOST_BYTES:
        raise errors.invalid("Extended properties are too large.")  # [R] status and text
    return properties
