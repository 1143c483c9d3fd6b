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

_PRIVATE: Final = "extendedProperties/private({})"
FIELDS: Final = "id,etag,status," + _PRIVATE.format(f"{MARKER},{REVISION}")
"""The fields that Google is asked for where an event's times do not matter (law 1)."""

FIELDS_WITH_TIMES: Final = f"{FIELDS},start,end"
FIELDS_WITH_LINK: Final = f"{FIELDS_WITH_TIMES},htmlLink"
FIELDS_TO_COUNT: Final = "end," + _PRIVATE.format(MARKER)
"""The least by which our events of a list are counted, of those that are not over."""


@dataclass(frozen=True)
class EventAnswer:
    """One event of ours as it is at Google."""

    id: str
    etag: str
    status: str
    """`confirmed`, `tentative` or `cancelled`; a deleted event is `cancelled`."""
    revision: int | None
    marker: str | None


@dataclass(frozen=True)
class TimedEvent(EventAnswer):
    """One event of ours with its times, for the two callers that need them: the comparison and the read."""

    start: datetime | date | None
    """In UTC. A date if a person made it an all-day event; None if a deleted event has lost its time."""
    end: datetime | date | None
    html_link: str | None
    """None also where it was not asked for."""


def stamp(marker: str, revision: int) -> dict[str, Any]:
    """Return the properties that every insert and patch carries: our marker, and the revision."""
    return {"extendedProperties": {"private": {MARKER: marker, REVISION: str(revision)}}}


def written(item: Mapping[str, Any]) -> EventAnswer:
    """Read the answer to our own insert or patch."""
    return EventAnswer(**_identity(item))


def read(item: Mapping[str, Any]) -> EventAnswer:
    """Read the answer to a `get` without times; errors as of `read_with_times`."""
    return EventAnswer(**_identity(_ours_or_deleted(item)))


def read_with_times(item: Mapping[str, Any]) -> TimedEvent:
    """Read the answer to a `get`; raise `AccessForbidden` for an event without our marker, unread.

    A deleted event may have lost its marker. Then only id, ETag and status are read.
    """
    return _timed(_ours_or_deleted(item))


def listed(items: Iterable[Mapping[str, Any]]) -> tuple[EventAnswer, ...]:
    """Read a list without times; events without our marker are dropped unread."""
    return tuple(EventAnswer(**_identity(item)) for item in items if is_ours(item))


def listed_with_times(items: Iterable[Mapping[str, Any]]) -> tuple[TimedEvent, ...]:
    """Read a list; events without our marker are dropped unread, before their times are decoded."""
    return tuple(_timed(item) for item in items if is_ours(item))


def is_ours(item: Mapping[str, Any]) -> bool:
    """Tell whether Google's object carries our marker. Of one that does not, nothing else is looked at."""
    return MARKER in _private(item)


def is_coming(item: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether one of our events is not over. The `end` of an all-day event is the day after it."""
    end = _when(item.get("end"))
    if isinstance(end, datetime):
        return end > now
    return end is not None and end > now.date()


def _ours_or_deleted(item: Mapping[str, Any]) -> Mapping[str, Any]:
    text(item, "id")
    if is_ours(item):
        return item
    if item.get("status") != "cancelled":
        raise AccessForbidden("not ours: the event has no marker of this service")
    return {name: item[name] for name in ("id", "etag", "status") if name in item}


def _identity(item: Mapping[str, Any]) -> dict[str, Any]:
    private = _private(item)
    return {
        "id": text(item, "id"),
        "etag": text(item, "etag"),
        "status": text(item, "status"),
        "revision": _revision(private.get(REVISION)),
        "marker": private.get(MARKER),
    }


def _timed(item: Mapping[str, Any]) -> TimedEvent:
    return TimedEvent(
        **_identity(item),
        start=_when(item.get("start")),
        end=_when(item.get("end")),
        html_link=item.get("htmlLink") if isinstance(item.get("htmlLink"), str) else None,
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
