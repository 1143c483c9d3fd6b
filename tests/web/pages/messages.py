"""Finds every sentence that pages and report say: in templates, in the report's code, and where sentences are data."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import calendar_service_templates
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import calendar_service.health.findings
import calendar_service.report
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS, PURPOSES
from calendar_service.report.evidence import ADDED, EVIDENCE
from calendar_service.report.judging import SOURCE
from calendar_service.report.proofs import EXAMINED
from calendar_service.report.scopes import scope_tables

TEMPLATES = Path(calendar_service_templates.__file__).parent
EXTRACTORS = [("**.html", "jinja2"), ("**.md", "jinja2")]
_OPTIONS = {"silent": "false", "trimmed": "true", "encoding": "utf-8"}
OPTIONS = {"**.html": _OPTIONS, "**.md": _OPTIONS}
REPORT = Path(calendar_service.report.__file__).parent
FINDINGS = Path(calendar_service.health.findings.__file__).parent

Sentence = str | tuple[str, ...]


def pages() -> list[Path]:
    """Return every template of the service."""
    return list(TEMPLATES.rglob("*.html"))


def sentences() -> set[Sentence]:
    """Return every sentence of the pages, in English."""
    return {*_in_templates(), *_in_the_report(), *_in_data()}


def _in_the_report() -> Iterator[Sentence]:
    """Yield the report's sentences: the first argument of each `Observed`, and check and message of each `Finding`."""
    for file in REPORT.glob("*.py"):
        yield from _given(file, "Observed", (0,))
    for file in FINDINGS.glob("*.py"):
        yield from _given(file, "Finding", (0, 2, 3))


def _given(file: Path, to: str, places: tuple[int, ...]) -> Iterator[str]:
    """Yield the texts that stand at these places in the file's calls of `to`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == to:
            given = [argument for place, argument in enumerate(node.args) if place in places]
            yield from (one.value for one in given if isinstance(one, ast.Constant) and one.value)


def _in_data() -> Iterator[Sentence]:
    yield EXAMINED
    for row in itertools.chain.from_iterable(scope_tables(SOURCE)):
        yield from (cell.text for cell in row if len(cell.text) > 1 and not cell.is_name)
    for item in INVENTORY:
        yield from (item.what, item.why, item.end)
    for evidence in (*EVIDENCE.values(), *ADDED.values()):
        yield evidence.does
    yield from PURPOSES.values()
    for method in METHODS.values():
        yield method.feature


def translated(code: str) -> dict[Sentence, Sentence]:
    """Return the catalogue of a language as it is written down."""
    with (TEMPLATES / f"{code}.po").open("rb") as file:
        return {_plain(entry.id): _plain(entry.string) for entry in read_po(file, locale=code) if entry.id}


def _in_templates() -> Iterator[Sentence]:
    for _, _, message, _, _ in extract_from_dir(TEMPLATES, EXTRACTORS, OPTIONS):
        yield _plain(message)


def _plain(message: object) -> Sentence:
    return message if isinstance(message, str) else tuple(message)
