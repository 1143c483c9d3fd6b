"""Pictures of what a visitor sees, for a person to judge: `artefacts/pictures/NAME.LANGUAGE.WIDTH.SCHEME.jpeg`."""

from itertools import product
from pathlib import Path

from tests.pages.checks import NARROW, WIDE, Scheme
from tests.pages.visitor import PageVisitor

_ROOT = Path(__file__).parents[2]
FOLDER = _ROOT / "artefacts" / "pictures"
README: dict[str, tuple[str, Scheme]] = {
    "settings-connected": ("en", "light"),
    "settings-disconnect": ("es", "dark"),
    "reviewer-agent": ("en", "light"),
    "local-google-consent": ("es", "light"),
    "components-every-one": ("en", "light"),
}
"""The pictures that README and design-system.md show, each in one language and scheme; in `docs/pictures`."""


def take(visitor: PageVisitor, name: str, width: int, scheme: Scheme) -> None:
    """Keep one picture of the whole page."""
    visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    visitor.page.set_viewport_size({"width": width, "height": 800})
    file = FOLDER / f"{name}.{visitor.language}.{width}.{scheme}.jpeg"
    visitor.page.screenshot(path=file, full_page=True, type="jpeg", quality=90)


def take_all(visitor: PageVisitor, name: str) -> None:
    """Keep the page wide and narrow, light and dark."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for width, scheme in product((WIDE, NARROW), schemes):
        take(visitor, name, width, scheme)


def take_for_readme(visitor: PageVisitor, name: str, scheme: Scheme) -> None:
    """Keep the upper part of the page, small enough to be committed."""
    visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    visitor.page.set_viewport_size({"width": 880, "height": 620})
    visitor.page.evaluate("scrollTo(0, 0)")  # the focus may stand further down
    visitor.page.screenshot(path=_ROOT / "docs" / "pictures" / f"{name}.png")
