"""docs/states.md and docs/leases.md: the functions, scripts, timers and events that they name are the program's.

Nobody sets a session's status, and nobody writes its record, but those that docs/states.md lists.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from calendar_service.domain.session import Status
from calendar_service.domain.timers import TimerKind

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "calendar_service"
SCRIPTS: Final = PACKAGE / "store" / "scripts"
STATES: Final = (ROOT / "docs" / "states.md").read_text("utf-8")
BOTH: Final = STATES + (ROOT / "docs" / "leases.md").read_text("utf-8")
QUOTED: Final = sorted(set(re.findall(r"`([^`\n]+)`", BOTH)))
SOURCES: Final = {
    file: file.read_text("utf-8") for file in PACKAGE.rglob("*") if file.suffix in {".py", ".lua"}
}
EVENTS: Final = {
    event
    for text in SOURCES.values()
    for call in re.findall(r"enqueue_event\(([^)\n]*)", text)
    for event in re.findall(r"'([a-z_.]+)'", call)
} | {"connection.erased"}
WRITES: Final = re.compile(
    r"\b(put_session|each_session|fail_unsettled|lose_scheduled|leave_account)\("
    r"|'(HSET|HDEL|DEL)',[^\n]*KEY\.sessions"
)
"""What a script runs that writes or removes records."""


def table(chapter: str) -> list[list[str]]:
    """Return the lines of a chapter's one table, without its headings."""
    body = STATES.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|") and "|---" not in line][1:]
    return [[cell.replace("`", "").strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def functions(file: Path) -> frozenset[str]:
    """Return the names of all functions of a Python file, or of a script's own."""
    text = SOURCES[file]
    if file.suffix == ".lua":
        return frozenset(re.findall(r"^local function (\w+)", text, re.MULTILINE))
    nodes = ast.walk(ast.parse(text))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


# --- who sets a status ---


def test_nobody_sets_a_status_but_those_that_are_listed() -> None:
    listed = {
        (file, function): set(statuses.split(", ")) for file, function, statuses, _ in table("Who decides")
    }
    assert {place: statuses for file in SOURCES for place, statuses in assignments(file)} == listed


def assignments(file: Path) -> Iterator[tuple[tuple[str, str], set[str]]]:
    """Yield each function of this file that sets statuses, with those that it sets."""
    find = python_assignments if file.suffix == ".py" else lua_assignments
    by_function: dict[str, set[str]] = defaultdict(set)
    for function, statuses in find(SOURCES[file]):
        by_function[function] |= statuses
    for function, statuses in by_function.items():
        yield (str(file.relative_to(PACKAGE)), function), statuses


def python_assignments(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield what each `status=` sets where a record is made or replaced, with its function."""
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in {"replace", "Record"}:
                    for keyword in call.keywords:
                        if keyword.arg == "status" and not is_text(keyword.value):
                            yield function.name, statuses_in(keyword.value, function)


def is_text(value: ast.expr) -> bool:
    """Tell whether this is no status of a record but a text: a constant, or some status's own text."""
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Attribute) and value.attr == "value")


def statuses_in(value: ast.expr, function: ast.FunctionDef) -> set[str]:
    """Return the statuses that an expression may have; a variable has what the function assigns to it."""
    if isinstance(value, ast.Name):
        assigned = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
        return set().union(
            *(
                statuses_in(node.value, function)
                for node in assigned
                if ast.unparse(node.targets[0]) == value.id
            )
        )
    names = [
        node.attr
        for node in ast.walk(value)
        if ast.unparse(node).startswith("Status.") and isinstance(node, ast.Attribute)
    ]
    assert names, f"{function.name} sets a status that this test does not understand: {ast.unparse(value)}"
    return {Status[name].value for name in names}


def lua_assignments(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield what each assignment to a record's status sets, with its function."""
    function = "the script itself"
    for line in text.splitlines():
        assert not re.search(r"""["']status["']""", line), f"{function} may set a status by its name: {line}"
        if named := re.match(r"local function (\w+)", line):
            function = named[1]
        for targets, values in re.findall(r"(\w+\.\w+(?:, \w+\.\w+)*) = ([^\n]+)", line):
            fields = [target.partition(".")[2] for target in targets.split(", ")]
            if "status" in fields:
                yield function, {values.split(", ")[fields.index("status")].split()[0].strip("'")}


def test_an_assignment_is_seen_however_it_is_written() -> None:
    python = (
        "def one(record, ok):\n"
        "    status = Status.LOST if ok else Status.FAILED\n"
        "    return replace(record, status=status), Record(status=Status.WAITING), replace(view, status='x')\n"
    )
    lua = (
        "local function two(record)\n"
        "  if record.status == 'lost' then record.reason, record.status = '', 'failed' end\n"
        "  record.status = 'waiting' end\n"
    )
    assert list(python_assignments(python)) == [("one", {"lost", "failed"}), ("one", {"waiting"})]
    assert list(lua_assignments(lua)) == [("two", {"failed"}), ("two", {"waiting"})]


def test_nobody_writes_a_record_but_those_that_are_listed() -> None:
    writing = {file.name for file in SCRIPTS.glob("*.lua") if WRITES.search(SOURCES[file])}
    assert writing == {name for name, _ in table("Who writes")}


# --- what is named exists ---


def kind_of(word: str) -> str:
    """Return how a quoted word of the documents is looked up."""
    if re.fullmatch(r"[\w/]+\.(py|lua|md)", word):
        return "file"
    if re.fullmatch(r"[a-z_]+\.[a-z_]+", word) and word not in EVENTS:
        return "function"
    return "word"


@pytest.mark.parametrize("name", [word for word in QUOTED if kind_of(word) == "file"])
def test_a_file_that_is_named_exists(name: str) -> None:
    places = (ROOT, PACKAGE, SCRIPTS) if "/" in name else (SCRIPTS,)
    assert any((place / name).is_file() for place in places)


@pytest.mark.parametrize("name", [word for word in QUOTED if kind_of(word) == "function"])
def test_a_function_that_is_named_exists(name: str) -> None:
    module, _, function = name.partition(".")
    files = [file for file in (PACKAGE / "journeys").rglob(f"{module}.py") if file in SOURCES]
    assert [function in functions(file) for file in files] == [True]


def test_the_functions_in_the_table_are_in_their_files() -> None:
    for file, function, _, _ in table("Who decides"):
        assert function in functions(PACKAGE / file), (file, function)


@pytest.mark.parametrize(
    "word", [word for word in QUOTED if kind_of(word) == "word" and re.fullmatch(r"\w+", word)]
)
def test_a_word_that_is_quoted_is_one_of_the_code(word: str) -> None:
    assert any(re.search(rf"\b{word}\b", text) for text in SOURCES.values())


def test_every_timer_is_named() -> None:
    assert {kind.value for kind in TimerKind if f"`{kind.value}`" not in STATES} == set()


def test_every_webhook_event_is_caused_by_an_event_of_the_tables() -> None:
    lines = "\n".join(line for line in STATES.splitlines() if line.startswith("|"))
    cells = set(re.findall(r"\b(?:connection|session)\.[a-z_]+\b", lines))
    assert len(EVENTS) >= 14
    assert cells == EVENTS
