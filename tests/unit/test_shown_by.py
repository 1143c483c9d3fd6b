"""The list of tests that show each clause follows the decorators; one that cannot be listed is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from calendar_service.report.shown_by import SHOWN_BY
from tests.local_google import laws_lists
from tests.support import evidence
from tests.support.evidence import EvidenceError, name_of, not_collected, shown_by, shows
from tests.support.whole_suite import collected


def listed(folder: Path, source: str) -> dict[str, tuple[str, ...]]:
    """Return what is listed of a suite with this one file."""
    (folder / "test_one.py").write_text(source, "utf-8")
    return {name: tests for name, tests in shown_by(folder).items() if tests}


def test_the_list_is_what_the_tests_say() -> None:
    assert shown_by(evidence.SUITE) == SHOWN_BY
    assert evidence.LIST.read_text("utf-8") == evidence.listing(SHOWN_BY)


def test_a_parametrized_test_is_listed_once_under_each_of_its_names(tmp_path: Path) -> None:
    source = '@shows("RV-1", "deletion")\n@pytest.mark.parametrize("n", [1, 2])\ndef test_it(n): ...'
    assert listed(tmp_path, source) == {
        "RV-1": ("test_one.py::test_it",),
        "deletion": ("test_one.py::test_it",),
    }


def test_the_decorator_on_a_class_counts_for_each_of_its_tests(tmp_path: Path) -> None:
    source = (
        '@evidence.shows("RV-1")\nclass Laws:\n    @shows("RV-1", "RV-2")\n    def test_a(self): ...\n'
        "    def test_b(self): ...\n    def helper(self): ...\n\ndef test_c(): ...\n"
    )
    assert listed(tmp_path, source) == {
        "RV-1": ("test_one.py::test_a", "test_one.py::test_b"),
        "RV-2": ("test_one.py::test_a",),
    }


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('@shows("ZZ-9")\ndef test_it(): ...', "test_one.py:1: 'ZZ-9' is no clause"),
        ("@shows(NAME)\ndef test_it(): ...", "NAME is no clause"),
        ('@shows("RV-1")\ndef helper(): ...', "test_one.py:1: @shows stands on no test"),
        ('@shows("RV-1")\nclass Empty: ...', "stands on no test"),
        ('def test_it():\n    @shows("RV-1")\n    def test_inner(): ...', "stands on no test"),
        (
            'class A:\n    def test_it(self): ...\nclass B:\n    @shows("RV-1")\n    def test_it(self): ...',
            "two tests are called test_it",
        ),
        (
            'class A:\n    @shows("RV-1")\n    def test_it(self): ...\nclass B:\n    def test_it(self): ...',
            "two tests are called test_it",
        ),
    ],
)
def test_a_decorator_that_cannot_be_listed_is_refused_with_its_place(
    tmp_path: Path, source: str, words: str
) -> None:
    with pytest.raises(EvidenceError, match=words):
        listed(tmp_path, source)


@pytest.mark.parametrize("names", [(), ("ZZ-9",), ("RV-1", "ZZ-9")])
def test_a_wrong_name_fails_where_the_test_is_imported(names: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match="clause"):
        shows(*names)


def test_a_listed_test_that_the_suite_does_not_run_is_found() -> None:
    everything = {test for tests in SHOWN_BY.values() for test in tests}
    missing = SHOWN_BY["LU-2"][0]
    file = missing.partition("::")[0]
    assert list(not_collected(SHOWN_BY, everything, set())) == []
    assert list(not_collected(SHOWN_BY, everything - {missing}, set())) == [
        f"{missing} is named as evidence, and the suite does not run it"
    ]
    assert list(not_collected(SHOWN_BY, everything - {missing}, {file})) == []


def test_a_test_of_a_shared_law_is_listed_where_the_law_stands(request: pytest.FixtureRequest) -> None:
    file = Path(laws_lists.__file__).relative_to(evidence.SUITE).as_posix()
    law = laws_lists.ListLaws.test_bounds_are_exclusive
    assert name_of(law) == f"{file}::test_bounds_are_exclusive"
    assert name_of(request.function) in collected(request.session)


def run(project: Path, *arguments: str) -> tuple[int, str]:
    """Run the command in a project of its own; return its exit status and output."""
    command = [sys.executable, project / "tests" / "support" / "evidence.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stderr


def test_a_list_that_differs_fails_the_check_until_the_command_has_run(tmp_path: Path) -> None:
    for file in (Path(evidence.__file__), evidence.LIST):
        copy = tmp_path / file.relative_to(evidence.SUITE.parent)
        copy.parent.mkdir(parents=True)
        shutil.copy(file, copy)
    test = tmp_path / "tests" / "test_one.py"
    test.write_text('@shows("RV-1")\ndef test_it(): ...\n', "utf-8")
    assert run(tmp_path, "--check") == (
        1,
        "shown_by.py is not what the tests say. Run: python -m tests.support.evidence\n",
    )
    assert run(tmp_path) == (0, "")
    assert run(tmp_path, "--check") == (0, "")
    test.write_text('@shows("RV-0")\ndef test_it(): ...\n', "utf-8")
    assert run(tmp_path, "--check") == (1, "test_one.py:1: 'RV-0' is no clause and no addition\n")
