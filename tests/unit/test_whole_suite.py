"""A run of the whole suite fails when something on a list was unused, in one process and in several."""

import subprocess
import sys
from pathlib import Path

from calendar_service.domain.inventory import INVENTORY
from calendar_service.report.shown_by import SHOWN_BY
from tests.support import law_one
from tests.support.security_table import named_tests
from tests.support.whole_suite import Use, unused

ROOT = Path(__file__).resolve().parents[2]
HOOKS = "from tests.support.whole_suite import *\nfrom tests.support.whole_suite import the_whole_suite\n"
EVERYTHING = Use(
    called=[*law_one.CALLS],
    places={
        place: [field for item in INVENTORY if item.place == place for field in item.fields]
        for place in {item.place for item in INVENTORY}
    },
    collected=[test for list_ in (SHOWN_BY, named_tests()) for tests in list_.values() for test in tests],
)
NOTHING = Use(called=[], places={}, collected=[])


def test_what_one_of_the_processes_used_is_used() -> None:
    halves = [
        Use(
            called=EVERYTHING["called"][i::2],
            places={place: fields[i::2] for place, fields in EVERYTHING["places"].items()},
            collected=EVERYTHING["collected"][i::2],
        )
        for i in range(2)
    ]
    assert unused(halves, set()) == []
    assert unused([EVERYTHING, NOTHING], set()) == []


def test_a_whole_run_that_left_something_unused_fails_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath={ROOT}\ntestpaths=.\n", "utf-8")
    (tmp_path / "conftest.py").write_text(HOOKS, "utf-8")
    (tmp_path / "test_one.py").write_text("def test_one(): ...\n\n\ndef test_two(): ...\n", "utf-8")
    whole, part = pytest_in(tmp_path, "-n2"), pytest_in(tmp_path, "-n0", "test_one.py")
    assert "2 passed" in whole.stdout
    assert whole.returncode == 1
    assert "events.insert is on the list of law 1, and nothing calls it" in whole.stdout
    assert "facts is in domain/inventory.py, and nothing writes it" in whole.stdout
    assert f"{SHOWN_BY['LU-2'][0]} is named as evidence" in whole.stdout
    assert part.returncode == 0


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
