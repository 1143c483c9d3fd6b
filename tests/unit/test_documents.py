"""What README and docs/ name exists: files, headings, commands and options, variables, targets, numbers."""

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
from calendar_service.config import Role
from calendar_service.config.variables import NAMES
from calendar_service.web.api.dispatch import CALLS

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
MAP: Final = ROOT / "docs" / "architecture.md"
DOCUMENTS: Final = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *(ROOT / package / "README.md" for package in ("local_google", "faults")),
    *sorted((ROOT / "docs").glob("*.md")),
]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
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
    """Return a command's help text; empty if there is no such command."""
    answer = CliRunner().invoke(main, [*words, "--help"])
    return answer.output if answer.exit_code == 0 else ""


def typed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command that a text lets its reader type: its words, and what follows them."""
    for line in re.findall(r"calendar-service ([a-z][^`#\n]*)", text):
        first, *rest = line.split()
        command = main.get_command(main.make_context("", [], resilient_parsing=True), first)
        words = (first, *rest[:1]) if isinstance(command, Group) and rest and rest[0].islower() else (first,)
        yield words, line


def name_of(file: Path) -> str:
    """Return how a document is called from the repository's root."""
    return str(file.relative_to(ROOT))


def section(file: Path, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    return file.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("file", DOCUMENTS, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(file: Path) -> None:
    for link, target, heading in links(file):
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def test_readme_leads_to_every_document_and_to_nothing_but_documents_and_pictures() -> None:
    shown = {target.resolve() for _, target, _ in links(README)}
    assert {*DOCUMENTS} - {README} == {target for target in shown if target.suffix == ".md"}
    assert {target.suffix for target in shown} == {".md", ".png"}


def test_every_picture_is_shown() -> None:
    shown = {target.resolve() for file in DOCUMENTS for _, target, _ in links(file)}
    assert {*(ROOT / "docs" / "pictures").iterdir()} - shown == set()


@pytest.mark.parametrize("file", DOCUMENTS, ids=name_of)
def test_every_command_exists_with_the_options_that_are_named(file: Path) -> None:
    for words, line in typed(file.read_text("utf-8")):
        assert (help_text := explained(words)), line
        assert [
            option for option in re.findall(r"(?<!\S)--[a-z-]+", line) if option not in help_text
        ] == [], line


def test_the_options_of_the_runbooks_exist() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    helps = "".join(explained(words) for words, _ in typed(text))
    options = {option for option in re.findall(r"--[a-z]+(?:-[a-z]+)*", text) if option not in helps}
    assert options == {"--fix"}  # of valkey-check-aof: tests/adapters/store/test_damaged_file.py types it


def test_readme_has_every_command_and_every_sub_command() -> None:
    table = section(README, "Commands")
    context = main.make_context("", [], resilient_parsing=True)
    for name in COMMANDS:
        command = main.get_command(context, name)
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}"))
        for sub in command.commands if isinstance(command, Group) else ():
            assert f"`{sub}`" in row or f"`{name} {sub}`" in row, f"{name} {sub}"


def test_the_configuration_s_document_has_every_variable_and_no_document_another() -> None:
    known = {name for name in NAMES if not name.endswith("_FILE")}
    document = ROOT / "docs" / "configuration.md"
    assert known - set(re.findall(r"CALENDAR_[A-Z_]+", document.read_text("utf-8"))) == set()
    assert set(re.findall(r"CALENDAR_[A-Z_]*[A-Z]", EVERYTHING)) - set(NAMES) == set()


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|    |^)make ([a-z-]+)", EVERYTHING, re.MULTILINE)) - targets == set()


def test_every_dependency_has_its_reason() -> None:
    project = PROJECT["project"]
    dependencies = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[>=]", one)[0] for group in dependencies for one in group}
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
    layout = section(README, "The map")
    package = {path.stem for path in (ROOT / "calendar_service").iterdir() if "__" not in path.name}
    tops = {init.parent.name for init in ROOT.glob("*/__init__.py")} | {"bench", "docs", "tests"}
    assert {name for name in package | tops if not re.search(rf"\b{name}\b", layout)} == set()


def test_readme_shows_the_lines_that_run_prints() -> None:
    shown = re.findall(r"^ {6}([A-Z][A-Za-z ]+?)  +", section(README, "Two commands"), re.MULTILINE)
    source = (ROOT / "calendar_service" / "development" / "run.py").read_text("utf-8")
    assert shown == re.findall(r'f"  ([A-Z][A-Za-z ]+?)  +', source)
    assert len(shown) == 5


# --- the internal API ---


def test_the_document_of_the_api_has_every_call_with_its_role_and_no_other() -> None:
    calls = {(f"{call.method} {short(call.path)}", role_of(call.roles)) for call in CALLS}
    table = section(ROOT / "docs" / "api.md", "The calls")
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    described = {(call, row[2].strip()) for row in rows for call in re.findall("`([^`]+)`", row[1])}
    assert described == calls


def short(path: str) -> str:
    """Return a path of the API as the table has it."""
    written = re.sub("<(.+?)>", r"{\1}", path)
    return written.replace("/v1/organizations/{organization}/agents/{agent}", "…")


def role_of(roles: frozenset[Role]) -> str:
    """Return what the table says of the keys that may make a call."""
    return "both" if len(roles) == len(Role) else next(iter(roles)).value


# --- the map ---


def test_every_path_that_the_map_names_exists() -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", MAP.read_text("utf-8"))
    paths = {name for name in named if "/" in name or name.endswith((".py", ".md", ".toml", ".lua", ".po"))}
    assert len(paths) > 100
    roots = (ROOT, ROOT / "calendar_service")
    assert {path for path in paths if not any((root / path).exists() for root in roots)} == set()


def test_the_map_has_a_line_for_every_package_and_no_other() -> None:
    packages = {name.replace(".", "/") for name in PROJECT["tool"]["setuptools"]["packages"]}
    lines = re.findall(
        r"^\| `((?:calendar_service|local_google)[\w/]*)` \|", MAP.read_text("utf-8"), re.MULTILINE
    )
    assert set(lines) == packages - {"calendar_service", "calendar_service_templates"}


@pytest.mark.parametrize(("contract", "block"), [("Layers", 0), ("Layers of the journeys", 1)])
def test_the_layers_of_the_map_are_those_of_the_contract(contract: str, block: int) -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["name"] == contract)
    drawn = re.findall(r"```\n(.+?)```", MAP.read_text("utf-8"), re.DOTALL)[block]
    assert [re.split(r"  +", line)[0] for line in drawn.splitlines()] == layers


def test_the_picture_shows_every_layer() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["name"] == "Layers")
    picture = (ROOT / "docs" / "pictures" / "layers.svg").read_text("utf-8")
    shown = set(re.findall(r">(\w+)</text>", picture))
    assert {name for layer in layers[1:] for name in layer.split(" | ")} - shown == set()


def test_the_glossary_has_each_word_once_in_order() -> None:
    table = section(MAP, "Glossary").strip().partition("\n\n")[0]
    words = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)[1:]
    words = [word for word in words if word.strip("-")]
    assert len(words) > 50
    assert words == sorted(set(words), key=str.lower)


# --- the laws ---


def test_every_law_that_the_program_names_is_written_down() -> None:
    sources = [
        file
        for folder in ("calendar_service", "local_google", "faults", "tests")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix in {".py", ".lua"}
    ]
    named = {law for file in sources for law in laws_in(file.read_text("utf-8"))}
    written = re.findall(r"^\| (\d+), ", (ROOT / "docs" / "laws.md").read_text("utf-8"), re.MULTILINE)
    assert len(named) > 10
    assert named - set(map(int, written)) == set()


def laws_in(text: str) -> Iterator[int]:
    """Yield the numbers of `law 4`, `laws 1, 3` and `laws 2-4`."""
    for one, first, last, row in re.findall(r"\blaw (\d+)|\blaws (?:(\d+)-(\d+)|(\d+(?:, \d+)+))", text):
        yield from range(int(first), int(last) + 1) if first else map(int, (one or row).split(", "))
