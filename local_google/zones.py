"""The IANA time zones that Google knows, from a list of its own; the rules come from the time zone database.

A name that is new in the database of this machine is not in ``zone_names.txt``, as Google does not know it for a time.
"""

from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone, or None if the name is unknown."""
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset((files("local_google") / "zone_names.txt").read_text("utf-8").split())
