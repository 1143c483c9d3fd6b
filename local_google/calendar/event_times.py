"""Start and end of events: parsed strictly, held in seconds since 1970, shown in the calendar's zone.

Source: Google's reference of Events, ``start`` and ``end``.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from local_google import errors
from local_google.zones import zone

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?\Z")


EARLIEST = datetime(2, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(9998, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of an event. For a whole day, ``seconds`` is its midnight in the calendar's zone."""

    seconds: float
    day: str | None
    time_zone: str | None

    def shown(self, in_zone: ZoneInfo) -> dict[str, str]:
        """As the API gives it."""
        if self.day is not None:
            return {"date": self.day}
        time = {"dateTime": date_time(self.seconds, in_zone)}
        if self.time_zone:
            time["timeZone"] = self.time_zone
        return time


def _within(seconds: float, name: str) -> float:
    """[R] Refuse the first and the last year: no zone may push a time out of the calendar."""
    if not EARLIEST <= seconds <= LATEST:
        raise errors.invalid(f"Invalid value for {name}: out of range")
    return seconds


def date_time(seconds: float, in_zone: ZoneInfo) -> str:
    """RFC 3339 in a zone, to the second."""
    text = datetime.fromtimestamp(seconds, in_zone).isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def both(
    body: dict[str, Any], calendar_zone: str, unknown_zones: Collection[str] = ()
) -> tuple[Bound, Bound]:
    """Start and end; both must be dates or both times, and the end after the start."""
    refusals = [
        refusal for name in ("start", "end") for refusal in _refusals(body.get(name), name, unknown_zones)
    ]
    if refusals:
        raise errors.several(refusals)
    start, end = (_bound(body[name], name, calendar_zone) for name in ("start", "end"))
    if (start.day is None) != (end.day is None):
        message = "The start and end times must either both be date or both be dateTime."  # [R] the text
        raise errors.invalid(message)
    if end.seconds < start.seconds or (start.day is not None and end.seconds == start.seconds):
        raise errors.time_range_empty()  # [R] a timed event without length is accepted
    return start, end


def _refusals(
    value: dict[str, Any] | None, name: str, unknown_zones: Collection[str]
) -> Iterator[errors.ApiError]:
    """What Google says of ``start`` or ``end``: of an unknown zone and of a time that has none, each on its own."""
    if not value or not ("date" in value or "dateTime" in value):
        yield errors.required(f"Missing {name} time.")
        return
    if "date" in value and "dateTime" in value:
        yield errors.invalid(f"Invalid {name} time.")
        return
    named = value.get("timeZone")
    known = named is not None and named not in unknown_zones and zone(named) is not None
    if named is not None and not known:
        yield errors.invalid(f"Invalid time zone definition for {name} time.")
    form = _FORM.match(value.get("dateTime", ""))
    if form is not None and form[2] is None and not known:
        yield errors.required(f"Missing time zone definition for {name} time.")


def _bound(value: dict[str, Any], name: str, calendar_zone: str) -> Bound:
    if "date" in value:
        day = date.fromisoformat(value["date"])
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone(calendar_zone))
        return Bound(_within(midnight.timestamp(), name), value["date"], None)
    text, named = value["dateTime"], value.get("timeZone")
    try:
        moment = datetime.fromisoformat(text.upper()) if _FORM.match(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise errors.invalid(f"Invalid value for {name}.dateTime: {text!r}")  # [R] the text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(named))
    seconds = _within(float(int(moment.timestamp())), name)
    return Bound(seconds, None, named or calendar_zone)  # [R] a zone that was not given is the calendar's
