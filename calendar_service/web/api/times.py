"""Parses times: RFC 3339 with an offset, or local in an IANA zone."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.errors import InvalidRequest
from calendar_service.web.api.body import printable

YEARS: Final = range(1970, 3000)
"""Years that fit the store's numbers and every calendar. Another one is a typing error."""

_NOT_PLACES: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Names in the database of zones that are no zones."""

_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<clock>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_PLACES


def zone(name: str, field: str) -> ZoneInfo:
    """Return the zone of this IANA name, or refuse it."""
    if name not in _zones():
        raise InvalidRequest(
            f"`{field}` has to be the name of an IANA time zone, such as America/Santiago.", field=field
        )
    return ZoneInfo(name)


def instant(text: str, field: str, local: ZoneInfo | None, zone_field: str = "") -> Millis:
    """Return the instant. A time without offset is in `local`; where clocks go back, it is the first of two.

    `zone_field` is the member that could have named a zone; empty if there is none.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            f"`{field}` has to be written as 2026-05-03T14:00:00Z, 2026-05-03T14:00:00-04:00 "
            "or, with `time_zone`, 2026-05-03T14:00:00.",
            field=field,
        )
    moment = _moment(match, field, local, zone_field)
    if moment.year not in YEARS:
        raise InvalidRequest(f"`{field}` has to lie in the years {YEARS[0]} to {YEARS[-1]}.", field=field)
    return int(moment.timestamp()) * SECOND


def _moment(match: re.Match[str], field: str, local: ZoneInfo | None, zone_field: str) -> datetime:
    naive = _naive(match, field)
    if match["offset"]:
        return _in_utc(naive.replace(tzinfo=_offset(match["offset"], field)), field)
    if local is None:
        way_out = f"so `{zone_field}` has to say where it is" if zone_field else "and has to have one"
        raise InvalidRequest(f"`{field}` has no offset, {way_out}.", field=zone_field or field)
    moment = _in_utc(naive.replace(tzinfo=local), field)
    if moment.astimezone(local).replace(tzinfo=None, fold=0) != naive:
        raise InvalidRequest(
            f"`{field}` does not exist in {printable(local.key)}: the clocks are put forward over it.",
            field=field,
        )
    return moment


def _naive(match: re.Match[str], field: str) -> datetime:
    if match["second"] == "60":
        raise InvalidRequest(f"`{field}` names a leap second, which no calendar has.", field=field)
    if (match["fraction"] or "").strip("0"):
        raise InvalidRequest(f"`{field}` has to be a whole second.", field=field)
    try:
        return datetime.fromisoformat(f"{match['day']}T{match['clock']}:{match['second']}")
    except ValueError:
        raise InvalidRequest(f"`{field}` is not a day and time of the calendar.", field=field) from None


def _offset(text: str, field: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise InvalidRequest(f"`{field}` has an offset that no place has.", field=field)
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


def _in_utc(moment: datetime, field: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(
            f"`{field}` has to lie in the years {YEARS[0]} to {YEARS[-1]}.", field=field
        ) from None
