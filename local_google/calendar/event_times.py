"""Start and end of events: parsed strictly, held in seconds since 1970, shown in the calendar's zone.

Source: Google's reference of Events, ``start`` and ``end``.
"""

import re
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


def bound(body: dict[str, Any], name: str, calendar_zone: str) -> Bound:
    """Read ``start`` or ``end``; raises Google's refusal of a missing or impossible one."""
    value = body.get(name)
    if not value or not ("date" in value or "dateTime" in value):
        raise errors.required(f"Missing {name} time.")
    if "date" in value and "dateTime" in value:
        raise errors.invalid(f"Invalid {name} time.")  # [R] the text
    named = value.get("timeZone")
    if named is not None and zone(named) is None:
        raise errors.invalid(f"Invalid time zone definition for {name} time.")  # [R] the text
    if "date" in value:
        day = date.fromisoformat(value["date"])
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone(calendar_zone))
        return Bound(_within(midnight.timestamp(), name), value["date"], None)
    return _timed(value["dateTime"], name, named, calendar_zone)


def _timed(text: str, name: str, named: str | None, calendar_zone: str) -> Bound:
    if not _FORM.match(text):
        raise errors.invalid(f"Invalid value for {name}.dateTime: {text!r}")  # [R] the text
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise errors.invalid(f"Invalid value for {name}.dateTime: {text!r}") from None
    if moment.tzinfo is None:
        if named is None:
            raise errors.required(f"Missing time zone definition for {name} time.")
        moment = moment.replace(tzinfo=zone(named))
    seconds = _within(float(int(moment.timestamp())), name)
    return Bound(seconds, None, named or calendar_zone)  # [R] a zone that was not given is the calendar's


def both(body: dict[str, Any], calendar_zone: str) -> tuple[Bound, Bound]:
    """Start and end; both must be dates or both times, and the end after the start."""
    start, end = bound(body, "start", calendar_zone), bound(body, "end", calendar_zone)
    if (start.day is None) != (end.day is None):
        message = "The start and end times must either both be date or both be dateTime."  # [R] the text
        raise errors.invalid(message)
    if end.seconds < start.seconds or (start.day is not None and end.seconds == start.seconds):
        # [R] a timed event without length is accepted
        raise errors.ApiError(400, "timeRangeEmpty", "The specified time range is empty.", "calendar")
    return start, end
