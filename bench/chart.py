"""Bars with their spread as an SVG, readable on light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from driver import Spread

WIDTH, LABELS, FIGURES = 760, 190, 210
"""Of the picture, of the column of labels and of that of figures, in pixels."""
TOP, ROW, GAP = 58, 24, 12

STYLE = """
  .page { fill: #ffffff } text { fill: #1a2433 } .note { fill: #4a5a6e }
  .ours { fill: #2f6fb5 } .other { fill: #aab6c4 } .spread { stroke: #1a2433; stroke-width: 1.5; fill: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #10161f } text { fill: #eef3f9 } .note { fill: #b4c1d0 }
    .ours { fill: #5b9be0 } .other { fill: #566577 } .spread { stroke: #eef3f9 }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One bar: its length is the median."""

    label: str
    spread: Spread
    is_ours: bool = False


def chart(title: str, unit: str, groups: Sequence[Sequence[Bar]]) -> str:
    """Return the picture: groups of bars from one zero, each with a line from its least to its most."""
    bars = [bar for group in groups for bar in group]
    scale = (WIDTH - LABELS - FIGURES) / max(bar.spread.most for bar in bars)
    height = TOP + len(bars) * ROW + len(groups) * GAP
    figures = "; ".join(f"{bar.label}: {bar.spread.text()}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title text" font-family="system-ui, sans-serif" font-size="14">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="text">In {escape(unit)}, median (least to most): {escape(figures)}.</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<text x="20" y="26" font-size="16">{escape(title)}</text>',
        f'<text class="note" x="20" y="44" font-size="12">{escape(unit)}; median, and a line from least to most</text>',
    ]
    top = TOP
    for group in groups:
        for bar in group:
            lines += _bar(bar, top, scale)
            top += ROW
        top += GAP
    return "\n".join([*lines, "</svg>", ""])


def _bar(bar: Bar, top: int, scale: float) -> list[str]:
    middle, spread = top + ROW / 2, bar.spread
    least, most = (f"{LABELS + figure * scale:.1f}" for figure in (spread.least, spread.most))
    end = f"{middle - 4:g}v8"
    return [
        f'<text x="{LABELS - 10}" y="{middle + 5:g}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{"ours" if bar.is_ours else "other"}" x="{LABELS}" y="{top + 3}" '
        f'width="{spread.median * scale:.1f}" height="{ROW - 6}" rx="2"/>',
        f'<path class="spread" d="M{least} {middle:g}H{most}M{least} {end}M{most} {end}"/>',
        f'<text x="{WIDTH - 20}" y="{middle + 5:g}" text-anchor="end">{escape(spread.text())}</text>',
    ]


def write(file: Path, text: str) -> None:
    """Write a picture where it is wanted."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
