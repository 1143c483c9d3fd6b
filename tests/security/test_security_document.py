"""docs/security.md: every requirement has a row, and what a row names exists. `whole_suite` sees that it runs."""

from typing import Final

import pytest

from calendar_service.report.judging import SOURCE, suite_of
from tests.support.security_table import ROOT, Requirement, rows

ROWS: Final = [*rows()]
FAMILIES: Final = {
    "O": range(1, 13),
    "C": range(1, 8),
    "L": range(1, 7),
    "P": (1,),
    "I": (1, 2, 3, 4, 5, 7, 8),
    "K": range(1, 11),
    "T": range(1, 7),
    "D": range(1, 9),
    "S": range(1, 5),
    "N": (1,),
    "X": range(1, 11),
    "R": (1,),
    "V": (1,),
}
"""Every requirement, by the first letter of its number."""


def test_every_requirement_has_one_row_in_order() -> None:
    assert [row.number for row in ROWS] == [
        f"{family}{number}" for family, numbers in FAMILIES.items() for number in numbers
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_what_a_row_names_exists(row: Requirement) -> None:
    tests = suite_of(SOURCE)
    assert tests is not None
    assert row.text
    assert row.places
    assert row.tests
    assert set(row.tests) - tests == set()
    roots = (ROOT, ROOT / "calendar_service")
    assert [place for place in row.places if not any((root / place).is_file() for root in roots)] == []
