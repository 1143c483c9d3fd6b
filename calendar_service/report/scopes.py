"""The scope table of docs/scopes.md, where the source lies beside the package. Must not make it."""

from pathlib import Path

_BEGIN, _END = "<!-- made by `make scopes` -->", "<!-- to here -->"

Table = list[list[str]]


def scope_tables(source: Path) -> list[Table]:
    """Return the tables, heads first, their cells as plain text; none where there is no such document."""
    document = source / "docs" / "scopes.md"
    if not document.is_file():
        return []
    made = document.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0]
    blocks = [block.splitlines() for block in made.split("\n\n")]
    return [_table(block) for block in blocks if block and block[0].startswith("|")]


def _table(lines: list[str]) -> Table:
    rows = [[_plain(cell) for cell in line.strip("| ").split("|")] for line in lines]
    return [row for row in rows if set("".join(row)) - set("-: ")]


def _plain(cell: str) -> str:
    return cell.replace("`", "").replace("**", "").strip()
