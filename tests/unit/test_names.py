"""The check of names: what it refuses, what it lets pass, and that the repository passes it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def check(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the check of the folder that holds ``.ci/check_names.py``."""
    return subprocess.run(
        [sys.executable, root / ".ci" / "check_names.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with the check and two packages, each with one clean module."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "check_names.py", tmp_path / ".ci")
    for package in ("calendar_service", "local_google"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("", "utf-8")
    assert check(tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nfound = 1\n", "module.py:2: variable `found` uses `found`"),
        ("def told():\n    pass\n", "module.py:1: function `told` uses `told`"),
        ("def work(made):\n    pass\n", "module.py:1: parameter `made` uses `made`"),
        ("def work(*, asked):\n    pass\n", "module.py:1: parameter `asked` uses `asked`"),
        ("work = lambda said: 1\n", "module.py:1: parameter `said` uses `said`"),
        ("class Row:\n    kept: int\n", "module.py:2: variable `kept` uses `kept`"),
        ("one.kept = 1\n", "module.py:1: field `kept` uses `kept`"),
        ("import json as found\n", "module.py:1: variable `found` uses `found`"),
        ("class ErrandQueue:\n    pass\n", "module.py:1: class `ErrandQueue` uses `errand`"),
        ("send_letters = 1\n", "module.py:1: variable `send_letters` uses `letters`"),
        ("name = 'outbox.letter'\n", "module.py:1: text `outbox.letter` uses `letter`"),
    ],
)
def test_a_word_that_was_given_up_is_refused_with_its_place(tree: Path, text: str, message: str) -> None:
    (tree / "calendar_service" / "module.py").write_text(text, "utf-8")
    done = check(tree)
    assert done.returncode == 1
    assert f"calendar_service/{message}" in done.stdout
    assert "1 names with a word that was given up" in check(tree, "--count").stdout


def test_a_module_and_a_script_may_not_be_named_by_such_a_word_either(tree: Path) -> None:
    (tree / "calendar_service/weather.py").write_text("", "utf-8")
    (tree / "calendar_service" / "script.lua").write_text("-- told\nlocal found = 1 -- kept\n", "utf-8")
    assert check(tree).stdout.splitlines() == [
        "calendar_service/script.lua:2: lua `found` uses `found`: see the glossary",
        "calendar_service/weather.py:1: module `weather` uses `weather`: see the glossary",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n\n\n@pytest.mark.parametrize('name', [])\ndef test_it(name): ...\n",
        "STATE = {'X-Goog-Resource-State': 'sync'}\n",
        "sync_token = document['nextSyncToken']\n",
        "session = 'kept'\n",
        "not_found = make_calendar = asked_at = 1\n",
        "additions = ('legal-matters',)\n",
        "sandboxing = houses = townhall = 1\n",
        '"""What was found, kept, made and told."""  # said and asked\n',
    ],
)
def test_plain_english_and_googles_own_words_pass(tree: Path, text: str) -> None:
    (tree / "calendar_service" / "module.py").write_text(text, "utf-8")
    assert check(tree).stdout == ""


def test_a_class_name_that_two_modules_define_is_refused(tree: Path) -> None:
    for module in ("calendar_service/one.py", "local_google/two.py"):
        (tree / module).write_text("class Answer: ...\n\n\nclass _Private: ...\n", "utf-8")
    done = check(tree)
    assert done.returncode == 1
    assert (
        done.stdout == "calendar_service/one.py, local_google/two.py: class `Answer` stands for two things\n"
    )


def test_the_repository_passes() -> None:
    assert check(ROOT).stdout == ""
