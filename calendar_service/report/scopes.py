"""Reads the scope tables of docs/scopes.md, if the source is beside the package."""

from dataclasses import dataclass
from pathlib import Path

_BEGIN, _END = "<!-- made by `make scopes` -->", "<!-- to here -->"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a name of Google's, or words in English."""

    text: str
    is_name: bool


Table = list[list[Cell]]


def scope_tables(source: Path) -> list[Table]:
    """Return which scopes were tried and what an agent could do with each; a table's first row is its head.

    Empty without the document. Its last table, by method, is left out: it is for programmers.
    """
    document = source / "docs" / "scopes.md"
    if not document.is_file():
        return []
    generated = document.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0]
    blocks = [block.splitlines() for block in generated.split("\n\n")]
    return [_table(block) for block in blocks if block and block[0].startswith("|")][:-1]


def _table(lines: list[str]) -> Table:
    filled = [line for line in lines if set(line) - set("|-: ")]
    return [[_cell(text) for text in line.removeprefix("|").removesuffix("|").split("|")] for line in filled]


def _cell(text: str) -> Cell:
    return Cell(text.replace("`", "").replace("**", "").strip(), "`" in text)
