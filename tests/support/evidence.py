"""Which tests show that a clause or an addition is kept: the decorator `shows`, and the list of its uses.

python -m tests.support.evidence            writes the list, calendar_service/report/shown_by.py
python -m tests.support.evidence --check    exits 1 if the list is not what the tests say
"""

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from itertools import chain
from pathlib import Path
from typing import Final, TypeGuard, TypeVar

from calendar_service.report.evidence import ADDED, EVIDENCE

Test = TypeVar("Test", bound=Callable[..., object])
Tests = Mapping[str, tuple[str, ...]]
"""By clause or addition: its tests, each as file below `tests/`, two colons, name."""

SUITE: Final = Path(__file__).resolve().parents[1]
LIST: Final = SUITE.parent / "calendar_service" / "report" / "shown_by.py"
COMMAND: Final = "python -m tests.support.evidence"
NAMES: Final = (*EVIDENCE, *ADDED)

_HEAD: Final = f'''"""The tests that show that a clause or an addition is kept: each as `file::name`, below `tests/`.

Made from the tests by `{COMMAND}`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {{
'''
_FOOT: Final = "    }\n)  # fmt: skip\n"


class EvidenceError(Exception):
    """A decorator that cannot be listed; the message names its place and the reason."""


def shows(*names: str) -> Callable[[Test], Test]:
    """Say that a test, or each test of a class, fails when one of these clauses or additions is not kept."""
    assert names, "name a clause or an addition"
    assert not set(names) - {*NAMES}, f"no clause and no addition: {sorted(set(names) - {*NAMES})}"

    def unchanged(test: Test) -> Test:
        return test

    return unchanged


def shown_by(suite: Path) -> Tests:
    """Return the tests of every clause and addition, by file and by place in it. Reads the source, imports no test."""
    tests: dict[str, list[str]] = {name: [] for name in NAMES}
    for file in sorted(suite.rglob("*.py")):
        text = file.read_text("utf-8")
        if "shows(" in text:
            where = file.relative_to(suite).as_posix()
            for test, names in _decorated_tests(ast.parse(text), where):
                for name in names:
                    tests[name].append(f"{where}::{test}")
    return {name: tuple(shown) for name, shown in tests.items()}


def _decorated_tests(tree: ast.Module, where: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each test with the decorator, on itself or on its class, with the clauses and additions that it shows."""
    decorators = chain.from_iterable(getattr(node, "decorator_list", ()) for node in ast.walk(tree))
    stray = {node.lineno for node in decorators if _is_shows(node)}
    tests = [*_tests(tree)]
    times = Counter(test.name for _, test in tests)
    for own, test in tests:
        calls = [node for node in own if _is_shows(node)]
        stray -= {call.lineno for call in calls}
        if calls and times[test.name] > 1:
            raise EvidenceError(f"{where}:{test.lineno}: two tests are called {test.name}")
        yield (
            test.name,
            tuple(dict.fromkeys(chain.from_iterable(_names(call, where) for call in calls))),
        )
    if stray:
        raise EvidenceError(f"{where}:{min(stray)}: @shows stands on no test")


def _tests(tree: ast.Module) -> Iterator[tuple[list[ast.expr], ast.FunctionDef]]:
    """Yield every test of a module with its decorators, those of its class among them."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            tests = filter(_is_test, node.body)
            yield from (([*node.decorator_list, *test.decorator_list], test) for test in tests)
        elif _is_test(node):
            yield node.decorator_list, node


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _is_shows(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "shows"


def _names(call: ast.Call, where: str) -> Iterator[str]:
    for argument in call.args:
        name = argument.value if isinstance(argument, ast.Constant) else None
        if name not in NAMES:
            raise EvidenceError(
                f"{where}:{call.lineno}: {ast.unparse(argument)} is no clause and no addition"
            )
        yield str(name)


def not_collected(tests: Tests, collected: Set[str], left_out: Set[str]) -> Iterator[str]:
    """Yield every listed test that a run of the whole suite did not collect, unless its file was left out."""
    for test in sorted({*chain.from_iterable(tests.values())} - collected):
        if test.partition("::")[0] not in left_out:
            yield f"{test} is named as evidence, and the suite does not run it"


def name_of(test: Callable[..., object]) -> str:
    """Return a test's name as it is listed; one of a shared law stands where the law stands."""
    return f"{test.__module__.removeprefix('tests.').replace('.', '/')}.py::{test.__name__}"


def listing(tests: Tests) -> str:
    """Return the text of the list: one test a line."""
    lines: list[str] = []
    for name, named in tests.items():
        lines += [f'        "{name}": (', *(f'            "{test}",' for test in named), "        ),"]
    return _HEAD + "\n".join(lines) + "\n" + _FOOT


def main(arguments: list[str]) -> int:
    """Write or check the list; return the exit status."""
    try:
        text = listing(shown_by(SUITE))
    except EvidenceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--check" not in arguments:
        LIST.write_text(text, "utf-8")
    elif LIST.read_text("utf-8") != text:
        sys.stderr.write(f"{LIST.name} is not what the tests say. Run: {COMMAND}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
