"""The table of docs/security.md: each requirement with its places and its tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "security.md"

_ROW: Final = re.compile(r"^\| ([A-Z]\d+) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
_QUOTED: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row."""

    number: str
    text: str
    places: tuple[str, ...]
    """Files, below `calendar_service/` or the root."""
    tests: tuple[str, ...]
    """As file below `tests/`, two colons, name."""


def rows() -> Iterator[Requirement]:
    """Yield every row, in order."""
    for number, text, places, tests in _ROW.findall(DOCUMENT.read_text("utf-8")):
        yield Requirement(number, text, tuple(_QUOTED.findall(places)), tuple(_QUOTED.findall(tests)))


def named_tests() -> dict[str, tuple[str, ...]]:
    """Return the tests of each requirement by its number."""
    return {row.number: row.tests for row in rows()}
