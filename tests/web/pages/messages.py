"""Finds every sentence that pages and report say: in templates, in the report's code, and where sentences are data."""

from collections.abc import Iterator
from pathlib import Path

import calendar_service_templates
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import calendar_service.report
from calendar_service.domain.evidence import ADDED, EVIDENCE
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS, PURPOSES

TEMPLATES = Path(calendar_service_templates.__file__).parent
EXTRACTORS = [("sandbox/**", "ignore"), ("**.html", "jinja2"), ("**.md", "jinja2")]
_OPTIONS = {"silent": "false", "trimmed": "true", "encoding": "utf-8"}
OPTIONS = {"**.html": _OPTIONS, "**.md": _OPTIONS}
REPORT = Path(calendar_service.report.__file__).parent

Sentence = str | tuple[str, ...]


def pages() -> list[Path]:
    """Return the service's own templates; the local Google's have words of their own."""
    return [path for path in TEMPLATES.rglob("*.html") if "sandbox" not in path.parts]


def said() -> set[Sentence]:
    """Return every sentence of the pages, in English."""
    return {*_in_templates(), *_in_the_report(), *_in_data()}


def _in_the_report() -> Iterator[Sentence]:
    """Yield what is measured: the first argument of each `Observed`."""
    for _, _, message, _, _ in extract_from_dir(REPORT, [("**.py", "python")], keywords={"Observed": (1,)}):
        yield _plain(message)


def _in_data() -> Iterator[Sentence]:
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
