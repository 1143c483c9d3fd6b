"""An operator's colours: readable on every page in both schemes, or refused with a remedy."""

import re
from pathlib import Path

import calendar_service_templates
import pytest

from calendar_service import operators
from calendar_service.domain.operator import Colours
from calendar_service.operators.contrast import BEHIND_DARK, BEHIND_LIGHT, contrast, unreadable

GOOD = Colours("#1f4f8f", "#ffffff", "#9cc3f5", "#0b1b30")


def test_contrast_is_as_the_standard_counts_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize("name", operators.shipped())
def test_the_shipped_colours_can_be_read(name: str) -> None:
    assert list(unreadable(operators.load(name).colours)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"accent": "#4f9cff", "on_accent": "#000000"}, "accent has a contrast of 2.50 to #eef3fa"),
        ({"on_accent": "#1f4f8f"}, "on_accent has a contrast of 1.00 to #1f4f8f"),
        ({"accent_dark": "#1f4f8f", "on_accent_dark": "#ffffff"}, "accent_dark has a contrast of 1.81"),
        ({"on_accent_dark": "#ffffff"}, "on_accent_dark has a contrast of 1.8"),
        ({"accent": "blue", "on_accent": "#1f4f8f"}, "accent must be a colour such as"),
    ],
)
def test_a_colour_that_cannot_be_read_is_refused_by_name(changed: dict[str, str], words: str) -> None:
    fields = {name: getattr(GOOD, name) for name in Colours.__slots__}
    messages = [f"{name} {fault}" for name, fault in unreadable(Colours(**(fields | changed)))]
    assert len(messages) == 1
    assert messages[0].startswith(words), messages


def test_what_is_behind_the_colours_is_what_the_style_sheet_says() -> None:
    sheet = (Path(calendar_service_templates.__file__).parent / "static" / "app.css").read_text("utf-8")
    schemes = [
        tuple(dict(re.findall(r"--(paper|card|tint|warn-tint): (#\w{6})", block)).values())
        for block in re.findall(r":root \{.*?\}", sheet, re.S)
    ]
    assert [set(scheme) for scheme in schemes] == [set(BEHIND_LIGHT), set(BEHIND_DARK)]
