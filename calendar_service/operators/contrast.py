"""Checks the contrast of a profile's colours on the pages (WCAG 2.2, 1.4.3)."""

import re
from collections.abc import Iterator

from calendar_service.domain.operator import Colours

LEAST_CONTRAST = 4.5
"""The least contrast between a text and its background."""
BEHIND_LIGHT = ("#f6f7f9", "#ffffff", "#eef3fa", "#fff5e3")
BEHIND_DARK = ("#12161c", "#1b2129", "#1d2835", "#2e2716")
"""The backgrounds of links in the style sheet's two schemes: page, card, notice, warning."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def unreadable(colours: Colours) -> Iterator[tuple[str, str]]:
    """Yield the name of each colour that is malformed or has too little contrast, and what is wrong with it."""
    names = ("accent", "on_accent", "accent_dark", "on_accent_dark")
    wrong = [name for name in names if not _COLOUR.fullmatch(getattr(colours, name))]
    yield from ((name, "must be a colour such as #1f4f8f") for name in wrong)
    if not wrong:
        yield from _low_contrast("accent", colours.accent, BEHIND_LIGHT, "a darker")
        yield from _low_contrast("on_accent", colours.on_accent, (colours.accent,), "another")
        yield from _low_contrast("accent_dark", colours.accent_dark, BEHIND_DARK, "a lighter")
        yield from _low_contrast("on_accent_dark", colours.on_accent_dark, (colours.accent_dark,), "another")


def _low_contrast(name: str, colour: str, behind: tuple[str, ...], other: str) -> Iterator[tuple[str, str]]:
    worst = min(behind, key=lambda each: contrast(colour, each))
    ratio = contrast(colour, worst)
    if ratio < LEAST_CONTRAST:
        yield (
            name,
            f"has a contrast of {ratio:.2f} to {worst}; {LEAST_CONTRAST} is the least: take {other} one",
        )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two `#rrggbb`, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
