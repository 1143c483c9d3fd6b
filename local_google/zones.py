"""IANA time zones by name, from the time zone database of this machine."""

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone, or None if the name is unknown."""
    return ZoneInfo(name) if name in _names() else None


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
