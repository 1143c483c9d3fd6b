"""An event as Google returns it, reduced to what this service may know: no title, no text, no people.

Marker and revision are private extended properties: only this project's client sees them
(https://developers.google.com/workspace/calendar/api/guides/extended-properties).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from calendar_service.domain.errors import AccessForbidden, GoogleUnavailable
from calendar_service.domain.numbers import whole_number
from calendar_service.google.answers import text

MARKER: Final = "csMarker"
"""The property that makes an event ours: a keyed hash of the session's name (law 3)."""

REVISION: Final = "csRevision"
"""The property with the revision of the session that the event shows (law 4)."""

FIELDS: Final = (
    "id,etag,status,htmlLink,start,end,extendedProperties/private(" + MARKER + "," + REVISION + ")"
)
"""The fields that Google is asked for (law 1)."""


@dataclass(frozen=True)
class EventAnswer:
    """One event of ours as it is at Google."""

    id: str
    etag: str
    status: str
    """`confirmed`, `tentative` or `cancelled`; a deleted event is `cancelled`."""
    html_link: str | None
    revision: int | None
    marker: str | None
    start: datetime | date | None
    """In UTC. A date if a person made it an all-day event; None if a deleted event has lost its time."""
    end: datetime | date | None


def stamp(marker: str, revision: int) -> dict[str, Any]:
    """Return the properties that every insert and patch carries: our marker, and the revision."""
    return {"extendedProperties": {"private": {MARKER: marker, REVISION: str(revision)}}}


def written(item: Mapping[str, Any]) -> EventAnswer:
    """Read the answer to our own insert or patch."""
    return _event(item)


def read(item: Mapping[str, Any]) -> EventAnswer:
    """Read the answer to a `get`; raise `AccessForbidden` for an event without our marker, unread.

    A deleted event may have lost its marker. Then only id, ETag and status are read.
    """
    text(item, "id")
    if MARKER not in _private(item):
        if item.get("status") != "cancelled":
            raise AccessForbidden("not ours: the event has no marker of this service")
        item = {name: item[name] for name in ("id", "etag", "status") if name in item}
    return _event(item)


def listed(items: Iterable[Mapping[str, Any]]) -> tuple[EventAnswer, ...]:
    """Read a page of a list; events without our marker are dropped unread."""
    return tuple(_event(item) for item in items if MARKER in _private(item))


def is_coming(event: EventAnswer, now: datetime) -> bool:
    """Tell whether an event is not over. The `end` of an all-day event is the day after it."""
    if isinstance(event.end, datetime):
        return event.end > now
    return event.end is not None and event.end > now.date()


def _event(item: Mapping[str, Any]) -> EventAnswer:
    private = _private(item)
    return EventAnswer(
        id=text(item, "id"),
        etag=text(item, "etag"),
        status=text(item, "status"),
        html_link=item.get("htmlLink") if isinstance(item.get("htmlLink"), str) else None,
        revision=_revision(private.get(REVISION)),
        marker=private.get(MARKER),
        start=_when(item.get("start")),
        end=_when(item.get("end")),
    )


def _private(item: Mapping[str, Any]) -> dict[str, str]:
    properties = item.get("extendedProperties")
    private = properties.get("private") if isinstance(properties, dict) else None
    return private if isinstance(private, dict) else {}


def _revision(value: object) -> int | None:
    # Another program of the account's owner may have written anything there.
    return whole_number(value, 10**16 - 1) if isinstance(value, str) else None


def _when(value: object) -> datetime | date | None:
    """Read `{"dateTime": RFC 3339}` or `{"date": …}`."""
    if not isinstance(value, dict):
        return None
    try:
        if "date" in value:
            return date.fromisoformat(value["date"])
        moment = datetime.fromisoformat(value["dateTime"])
    except (KeyError, TypeError, ValueError):
        raise _unreadable() from None
    if moment.tzinfo is None:
        raise _unreadable()
    return moment.astimezone(UTC)


def _unreadable() -> GoogleUnavailable:
    return GoogleUnavailable("Google's answer names a time that cannot be read", ambiguous=True)
