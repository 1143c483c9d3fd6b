"""docs/limits.md names a test for each limit, and each of them exists."""

import ast
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs" / "limits.md"


def rows() -> list[list[str]]:
    """Return the cells of the table's rows."""
    section = DOCUMENT.read_text("utf-8").partition("## The table\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_each_limit_says_what_happens_beyond_it_and_names_a_test_that_exists(row: list[str]) -> None:
    assert len(row) == 4, row
    assert all(row), row
    file, _, name = row[3].strip("`").partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}, row[3]
