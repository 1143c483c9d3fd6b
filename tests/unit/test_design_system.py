"""The style sheet keeps to the design system: sizes of its scales alone, no rule and no property without use."""

import re
from pathlib import Path

import calendar_service_templates
import pytest

TEMPLATES = Path(calendar_service_templates.__file__).parent
SHEET = (TEMPLATES / "static" / "app.css").read_text("utf-8")
RULES = SHEET.partition("*, ::before")[2]
DOCUMENT = (Path(__file__).parents[2] / "docs" / "design-system.md").read_text("utf-8")
_SCALED = r"(?<![\w-])((?:padding|margin|gap|font-size|border-radius|font-weight)[a-z-]*): ([^;{}]+)"
_FREE = r"0|auto|none|inherit|400|600|1rem|\d+%|99px|-?[\d.]+em|var\(--[a-z0-9-]+\)"
"""Besides the scales: the text's own size, parts of what is around, and distances that follow the letters."""


@pytest.mark.parametrize(("name", "value"), re.findall(_SCALED, RULES))
def test_every_size_is_one_of_the_scales(name: str, value: str) -> None:
    plain = re.sub(r"calc\([^()]*(\([^()]*\)[^()]*)*\)", "0", value)
    assert all(re.fullmatch(_FREE, each) for each in plain.split()), f"{name}: {value}"


def test_every_property_is_set_used_and_described() -> None:
    known = set(re.findall(r"(--[a-z0-9-]+):", SHEET)) | {"--accent", "--on-accent"}
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", SHEET))
    assert known == used
    described = set(re.findall(r"`(--[a-z0-9-]+)`", DOCUMENT))
    scale = {name for name in known if re.fullmatch(r"--s\d+", name)}
    assert known - scale == described - scale


def test_no_rule_is_for_a_class_that_no_page_has() -> None:
    pages = " ".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.html"))
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "", RULES)))
    composed = r"(?:icon|mark|state|status)-\w+"
    unused = [each for each in classes if not re.search(rf"(?<![\w-]){each}(?![\w-])", pages)]
    assert [each for each in unused if not re.fullmatch(composed, each)] == []


def test_every_component_of_the_document_has_its_rules() -> None:
    rows = DOCUMENT.partition("## Components")[2]
    named = re.findall(r"^\| \w+ \| ([^|]+)\|", rows, re.MULTILINE)
    classes = {each for cell in named for each in re.findall(r"`([\w-]+)`", cell)}
    assert classes
    assert [each for each in classes if f".{each}" not in RULES] == []
