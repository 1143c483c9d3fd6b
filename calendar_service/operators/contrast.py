"""Whether a profile's colours can be read on the pages (WCAG 2.2, 1.4.3). Must not know any page."""

import re
from collections.abc import Iterator

from calendar_service.domain.operator import Colours

ENOUGH = 4.5
"""The least contrast between a text and what is behind it."""
BEHIND_LIGHT = ("#f6f7f9", "#ffffff", "#eef3fa", "#fff5e3")
BEHIND_DARK = ("#12161c", "#1b2129", "#1d2835", "#2e2716")
"""What links stand on in the style sheet's two schemes: paper, card, notice, warning."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def unreadable(colours: Colours) -> Iterator[tuple[str, str]]:
    """Yield the name of each colour that is none or cannot be read, and what is wrong with it."""
    names = ("accent", "on_accent", "accent_dark", "on_accent_dark")
    wrong = [name for name in names if not _COLOUR.fullmatch(getattr(colours, name))]
    yield from ((name, "must be a colour such as #1f4f8f") for name in wrong)
    if not wrong:
        yield from _faint("accent", colours.accent, BEHIND_LIGHT, "a darker")
        yield from _faint("on_accent", colours.on_accent, (colours.accent,), "another")
        yield from _faint("accent_dark", colours.accent_dark, BEHIND_DARK, "a lighter")
        yield from _faint("on_accent_dark", colours.on_accent_dark, (colours.accent_dark,), "another")


def _faint(name: str, colour: str, behind: tuple[str, ...], other: str) -> Iterator[tuple[str, str]]:
    worst = min(behind, key=lambda each: contrast(colour, each))
    found = contrast(colour, worst)
    if found < ENOUGH:
        yield name, f"has a contrast of {found:.2f} to {worst}; {ENOUGH} is the least: take {other} one"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two `#rrggbb`, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
