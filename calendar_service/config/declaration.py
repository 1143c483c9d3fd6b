"""What the operator declares of a database that does not tell its own settings. Must not connect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from calendar_service.config.faults import ValueRefused

DURABILITY: Final[Mapping[str, str]] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}
"""The settings, by the server's names, with which acknowledged writes are on disk and nothing is evicted (law 10)."""
_WORDS: Final[Mapping[str, str]] = {
    "append-only": "appendonly",
    "fsync always": "appendfsync",
    "noeviction": "maxmemory-policy",
}
"""The operator's words for them."""
_FORM: Final = re.compile(
    r"(?P<who>[^\x00-\x1f\x7f]{1,200}), *(?P<date>\d{4}-\d{2}-\d{2}): *(?P<words>[^:]+)", re.ASCII
)
_REMEDY: Final = f"write `who, 2026-05-01: {', '.join(_WORDS)}`, or those of the three that are so"


@dataclass(frozen=True, slots=True)
class DatabaseDeclaration:
    """The operator's word for settings that the database does not tell. What it tells counts more."""

    who: str
    date: str
    """The day since which it is so, as YYYY-MM-DD."""
    settings: frozenset[str]
    """Which settings of `DURABILITY` are as required."""


def database_declaration(text: str) -> DatabaseDeclaration:
    """Return the declaration `who, date: append-only, fsync always, noeviction`; raise `ValueRefused`."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueRefused(("is not `who, date: settings`", _REMEDY))
    words = [word.strip() for word in match["words"].split(",")]
    reasons = [(f"declares `{word[:40]}`, which is none of the three settings", _REMEDY)
               for word in words if word not in _WORDS]  # fmt: skip
    if not _is_day(match["date"]):
        reasons.append(("names no day of the calendar", _REMEDY))
    if reasons:
        raise ValueRefused(*reasons)
    return DatabaseDeclaration(match["who"].strip(), match["date"], frozenset(_WORDS[word] for word in words))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
