"""What README and docs/ lead to exists: files, headings, commands with their options, variables, targets, numbers."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from click import Group
from click.testing import CliRunner

from calendar_service.cli import COMMANDS, main
from calendar_service.config.variables import NAMES

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
DOCUMENTS: Final = [README, *sorted((ROOT / "docs").glob("*.md"))]
EVERYTHING: Final = "\n".join(file.read_text("utf-8") for file in DOCUMENTS)


def links(file: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield every relative link: as written, its file, its heading."""
    for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text("utf-8")):
        if "://" not in link:
            path, _, heading = link.partition("#")
            yield link, file.parent / path if path else file, heading


def headings(file: Path) -> set[str]:
    """Return the anchors under which a page shows the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def explained(words: tuple[str, ...]) -> str:
    """Return what `--help` says; nothing if there is no such command."""
    answer = CliRunner().invoke(main, [*words, "--help"])
    return answer.output if answer.exit_code == 0 else ""


def typed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command that a text lets its reader type: its words, and what follows them."""
    for line in re.findall(r"calendar-service ([a-z][^`#\n]*)", text):
        first, *rest = line.split()
        command = main.get_command(main.make_context("", [], resilient_parsing=True), first)
        words = (first, *rest[:1]) if isinstance(command, Group) and rest and rest[0].islower() else (first,)
        yield words, line


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(file: Path) -> None:
    for link, target, heading in links(file):
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def test_readme_leads_to_every_document_and_picture() -> None:
    shown = {target.resolve() for _, target, _ in links(README)}
    assert {*DOCUMENTS, *(ROOT / "docs" / "pictures").iterdir()} - {README} == shown


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_command_exists_with_the_options_that_are_named(file: Path) -> None:
    for words, line in typed(file.read_text("utf-8")):
        assert (said := explained(words)), line
        assert [option for option in re.findall(r"(?<!\S)--[a-z-]+", line) if option not in said] == [], line


def test_the_options_of_the_runbooks_exist() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    helps = "".join(explained(words) for words, _ in typed(text))
    assert {option for option in re.findall(r"--[a-z]+(?:-[a-z]+)*", text) if option not in helps} == set()


def test_readme_has_every_command_and_every_sub_command() -> None:
    table = README.read_text("utf-8").partition("## Commands")[2].partition("\n## ")[0]
    context = main.make_context("", [], resilient_parsing=True)
    for name in COMMANDS:
        command = main.get_command(context, name)
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}"))
        for sub in command.commands if isinstance(command, Group) else ():
            assert f"`{sub}`" in row or f"`{name} {sub}`" in row, f"{name} {sub}"


def test_readme_has_every_variable_and_no_document_another() -> None:
    known = {name for name in NAMES if not name.endswith("_FILE")}
    assert known - set(re.findall(r"CALENDAR_[A-Z_]+", README.read_text("utf-8"))) == set()
    assert set(re.findall(r"CALENDAR_[A-Z_]*[A-Z]", EVERYTHING)) - set(NAMES) == set()


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|    |^)make ([a-z-]+)", EVERYTHING, re.MULTILINE)) - targets == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[>=]", one)[0] for group in asked for one in group}
    reasons = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    given = {name.strip() for names in re.findall(r"\*\*([^*.]+)\*\*", reasons) for name in names.split(",")}
    assert names - given == set()


def test_every_alarm_and_every_number_is_described() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "calendar_service").rglob("*.py"))
    alarms = set(re.findall(r'\.alarm\(\s*"([a-z_.]+)"', code))
    numbers = set(re.findall(r'f?["\'](calendar_[a-z_]+(?:_total|_seconds))[{"]', code))
    numbers |= set(re.findall(r'"(calendar_(?:agents|audit|google)_[a-z_]+)"', code))
    assert len(alarms) > 10
    assert len(numbers) > 10
    assert {name for name in alarms | numbers if f"`{name}`" not in EVERYTHING} == set()


def test_the_layout_in_readme_names_every_folder_and_every_part_of_the_package() -> None:
    layout = README.read_text("utf-8").partition("## Layout")[2].partition("\n## ")[0]
    package = {path.stem for path in (ROOT / "calendar_service").iterdir() if "__" not in path.name}
    tops = {init.parent.name for init in ROOT.glob("*/__init__.py")} | {"bench", "docs", "tests"}
    assert {name for name in package | tops if not re.search(rf"\b{name}\b", layout)} == set()


def test_every_law_that_the_program_names_is_written_down() -> None:
    sources = [
        file
        for folder in ("calendar_service", "local_google", "faults")
        for file in (ROOT / folder).rglob("*.py")
    ]
    named = {number for file in sources for number in re.findall(r"\blaw (\d+)", file.read_text("utf-8"))}
    written = re.findall(r"^\| (\d+), ", (ROOT / "docs" / "laws.md").read_text("utf-8"), re.MULTILINE)
    assert len(named) > 10
    assert named - set(written) == set()
