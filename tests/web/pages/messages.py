"""Finds every sentence that the pages say: in templates, in their code, and in the inventory."""

from collections.abc import Iterator
from pathlib import Path

import calendar_service_templates
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS, PURPOSES

TEMPLATES = Path(calendar_service_templates.__file__).parent
EXTRACTORS = [("sandbox/**", "ignore"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"silent": "false", "trimmed": "true", "encoding": "utf-8"}}

Sentence = str | tuple[str, ...]


def pages() -> list[Path]:
    """Return the service's own templates; the local Google's have words of their own."""
    return [path for path in TEMPLATES.rglob("*.html") if "sandbox" not in path.parts]


def said() -> set[Sentence]:
    """Return every sentence of the pages, in English."""
    kept = {text for item in INVENTORY for text in (item.what, item.why, item.end)}
    called = {method.feature for method in METHODS.values()} | set(PURPOSES.values())
    return set(_in_templates()) | kept | called


def translated(code: str) -> dict[Sentence, Sentence]:
    """Return the catalogue of a language as it is written down."""
    with (TEMPLATES / f"{code}.po").open("rb") as file:
        return {_plain(entry.id): _plain(entry.string) for entry in read_po(file, locale=code) if entry.id}


def _in_templates() -> Iterator[Sentence]:
    for _, _, message, _, _ in extract_from_dir(TEMPLATES, EXTRACTORS, OPTIONS):
        yield _plain(message)


def _plain(message: object) -> Sentence:
    return message if isinstance(message, str) else tuple(message)
