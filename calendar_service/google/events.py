"""An event as Google returns it, reduced to what this service may know: no title, no text, no people.

Marker, revision, nonce and hash are private extended properties: only this project's client sees them
(https://developers.google.com/workspace/calendar/api/guides/extended-properties).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.domain.numbers import whole_number
from calendar_service.google.answers import text

MARKER: Final = "csMarker"
"""The property that makes an event ours: a keyed hash of the session's name (law 3)."""

REVISION: Final = "csRevision"
"""The property with the revision of the session that the event shows (law 4)."""

NONCE: Final = "csNonce"
"""The property with the nonce of the desired state that the event shows (law 4)."""

EVENT_HASH: Final = "csEventHash"
"""The property with a keyed hash of marker and event id: it does not fit the id of a copy (law 3)."""

_PRIVATE: Final = "extendedProperties/private({})"
FIELDS: Final = "id,etag,status,start," + _PRIVATE.format(f"{MARKER},{REVISION},{NONCE},{EVENT_HASH}")
"""The fields asked for where an event's times do not matter (law 1). `start` only tells that it is an event still."""

FIELDS_WITH_TIMES: Final = f"{FIELDS},end"
FIELDS_WITH_LINK: Final = f"{FIELDS_WITH_TIMES},htmlLink"
FIELDS_TO_COUNT: Final = "id,end," + _PRIVATE.format(f"{MARKER},{EVENT_HASH}")
"""The least by which our events of a list are counted, of those that are not over."""


@dataclass(frozen=True)
class EventAnswer:
    """One event of ours as it is at Google."""

    id: str
    etag: str
    status: str
    """`confirmed`, `tentative` or `cancelled`; a deleted event is `cancelled`."""
    revision: int | None
    nonce: str | None
    marker: str | None
    """None if another program of the account's owner removed it, or a deleted event has lost it."""
    event_hash: str | None
    has_time: bool

    @property
    def stands(self) -> bool:
        """True if the event is in the calendar.

        False for a deleted one, and for what is left under the id of an event that a person moved to another calendar:
        it has no time (recalled, not verified).
        """
        return self.status != "cancelled" and self.has_time


@dataclass(frozen=True)
class TimedEvent(EventAnswer):
    """One event of ours with its times, for the two callers that need them: the comparison and the read."""

    start: datetime | date | None
    """In UTC. A date if a person made it an all-day event; None if a deleted event has lost its time."""
    end: datetime | date | None
    html_link: str | None
    """None also where it was not asked for."""


def stamp(marker: str, revision: int, nonce: str, event_hash: str) -> dict[str, Any]:
    """Return the properties that every insert and patch carries."""
    private = {MARKER: marker, REVISION: str(revision), NONCE: nonce, EVENT_HASH: event_hash}
    return {"extendedProperties": {"private": private}}


def one(item: Mapping[str, Any]) -> EventAnswer:
    """Read an event that was asked for, inserted or patched by its id; the caller made sure that the id is ours.

    Another program of the account's owner may have removed our properties from it.
    """
    return EventAnswer(**_identity(item))


def one_with_times(item: Mapping[str, Any]) -> TimedEvent:
    """Read an event with its times, as `one` does."""
    return _timed(item)


def listed(items: Iterable[Mapping[str, Any]]) -> tuple[EventAnswer, ...]:
    """Read a list without times; events without our marker are dropped unread."""
    return tuple(EventAnswer(**_identity(item)) for item in items if is_ours(item))


def listed_with_times(
    items: Iterable[Mapping[str, Any]], known_ids: Collection[str]
) -> tuple[TimedEvent, ...]:
    """Read a list; events with neither our marker nor an id of ours are dropped before their times are decoded."""
    return tuple(_timed(item) for item in items if is_ours(item) or item.get("id") in known_ids)


def is_ours(item: Mapping[str, Any]) -> bool:
    """Tell whether Google's object carries our marker. Of one that does not, nothing else is looked at."""
    return MARKER in _private(item)


def is_copy(item: Mapping[str, Any], event_hash: Callable[[str, str], str]) -> bool:
    """Tell whether one with our marker was made by somebody else: its hash is not the one of its id (law 3)."""
    private = _private(item)
    return private.get(EVENT_HASH) != event_hash(str(private[MARKER]), text(item, "id"))


def is_coming(item: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether one of our events is not over. The `end` of an all-day event is the day after it."""
    end = _when(item.get("end"))
    if isinstance(end, datetime):
        return end > now
    return end is not None and end > now.date()


def _identity(item: Mapping[str, Any]) -> dict[str, Any]:
    private = _private(item)
    return {
        "id": text(item, "id"),
        "etag": text(item, "etag"),
        "status": text(item, "status"),
        "revision": _revision(private.get(REVISION)),
        "nonce": private.get(NONCE),
        "marker": private.get(MARKER),
        "event_hash": private.get(EVENT_HASH),
        "has_time": bool(item.get("start")),
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
    # Another program of the account's owner may have written anything there. Ours have 13 digits at most (the event
    # writer counts from no higher one); the database's JSON keeps 14.
    return whole_number(value, 10**13 - 1) if isinstance(value, str) else None


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
