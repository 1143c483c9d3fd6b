"""docs/promise.md: each row names a clause, file, test and page that exist, and claims no more than the report."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from calendar_service.domain.operator import CLAUSES
from calendar_service.report.evidence import EVIDENCE
from calendar_service.report.judging import PACKAGE, SOURCE, suite_of
from calendar_service.report.shown_by import SHOWN_BY

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "promise.md"
TEMPLATES: Final = SOURCE / "templates"
PAGES: Final = {
    "/": "home.html",
    "/google-user-data": "google_user_data.html",
    "/settings": "settings.html",
    "/disconnect": "disconnect.html",
}
"""The pages that rows name, with their templates."""


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence of the policy."""

    sentence: str
    clause: str
    file: str
    test: str
    page: str
    standing: str


def _rows() -> list[Row]:
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[1:]]
    return [Row(*row) for row in cells]


ROWS: Final = _rows()


def test_every_clause_has_a_row() -> None:
    assert {row.clause for row in ROWS} == set(CLAUSES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.clause} {row.sentence}"[:60])
def test_what_a_row_names_exists(row: Row) -> None:
    tests = suite_of(SOURCE)
    assert tests is not None
    assert row.test in tests
    assert row.test in SHOWN_BY[row.clause], "a test that is marked for this clause"
    assert (PACKAGE / row.file).is_file()
    address, _, anchor = row.page.partition("#")
    template = (TEMPLATES / PAGES[address]).read_text("utf-8")
    assert not anchor or anchor in CLAUSES or f'id="{anchor}"' in template


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_row_claims_no_more_than_the_report(clause: str) -> None:
    by_clause: dict[str, str] = defaultdict(str)
    for row in ROWS:
        by_clause[row.clause] += f"{row.standing} "
    words = set(re.findall(r"enforced|observed|declared|open", by_clause[clause]))
    assert words, "each row says how it stands"
    assert ("declared" in words) >= bool(EVIDENCE[clause].declared), "the operator's word is named as such"
    assert ("observed" in words) <= bool(EVIDENCE[clause].observed), "nothing measures this"
    assert ("open" in words) is ("narrower permissions" in EVIDENCE[clause].observed)
