"""Writes the tables in docs/local-google.md: from the register of facts, and from the comments [R] and [I].

python -m tests.local_google.fact_table
"""

import importlib
import re
from itertools import groupby
from pathlib import Path

from tests.local_google.facts import REGISTER

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "local-google.md"
PACKAGE = ROOT / "local_google"
MARK = re.compile(r"\[([RI])\]:? ?")


def load_register() -> None:
    """Import every module that states facts."""
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem.startswith(("laws_", "test_")):
            importlib.import_module(f"tests.local_google.{file.stem}")


def facts() -> str:
    """Return one table a chapter: fact, strength, test."""
    lines = []
    ordered = sorted(dict.fromkeys(REGISTER), key=lambda fact: fact.chapter)
    for chapter, group in groupby(ordered, key=lambda fact: fact.chapter):
        lines += [f"### {chapter.capitalize()}", "", "| fact | strength | test |", "|---|---|---|"]
        lines += [f"| {_cell(f.text)} | {f.strength} | `{f.test}` |" for f in group]
        lines.append("")
    return "\n".join(lines)


def recalled() -> str:
    """Return the table of every place in the code with [R] or [I]."""
    lines = ["| file | mark | where |", "|---|---|---|"]
    for file in sorted(PACKAGE.rglob("*.py")):
        before = ""
        for line in file.read_text("utf-8").splitlines():
            mark_in_line = MARK.search(line)
            if mark_in_line and file.name != "__init__.py":
                lines.append(
                    f"| `{file.relative_to(PACKAGE)}` | {mark_in_line[1]} | {_cell(_place(before, line))} |"
                )
            before = line
    return "\n".join(lines) + "\n"


def _place(before: str, line: str) -> str:
    """Describe a line: prose as it is; of code, the statement and its comment."""
    code, _, comment = line.strip().partition("#")
    if code.strip() == ")":
        code = before.strip()
    text = MARK.sub("", comment or code).strip().strip('"').removeprefix("# ").strip()
    if not comment or not code.strip():
        return text
    return f"`{code.strip().rstrip(',')}` {text.rstrip(': ')}".strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def page() -> str:
    """Return the page with its tables as they have to be."""
    text = PAGE.read_text("utf-8")
    for name, table in (("facts", facts()), ("recalled", recalled())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        text = head + begin + table + end + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    load_register()
    PAGE.write_text(page(), "utf-8")
