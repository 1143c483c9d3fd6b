"""Pictures of what a guest sees, for eyes to judge: `artefacts/pictures/NAME.LANGUAGE.WIDTH.SCHEME.jpeg`."""

from itertools import product
from pathlib import Path

from tests.gallery.guest import Guest
from tests.gallery.look import NARROW, WIDE, Scheme

_ROOT = Path(__file__).parents[2]
FOLDER = _ROOT / "artefacts" / "pictures"
README: dict[str, tuple[str, Scheme]] = {
    "settings-connected": ("en", "light"),
    "settings-disconnect": ("es", "dark"),
    "reviewer-agent": ("en", "light"),
    "local-google-consent": ("es", "light"),
}
"""The pictures that README shows, each in one language and scheme; they lie in `docs/pictures`."""


def take(guest: Guest, name: str, width: int, scheme: Scheme) -> None:
    """Keep one picture of the whole page."""
    guest.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    guest.page.set_viewport_size({"width": width, "height": 800})
    file = FOLDER / f"{name}.{guest.language}.{width}.{scheme}.jpeg"
    guest.page.screenshot(path=file, full_page=True, type="jpeg", quality=90)


def take_all(guest: Guest, name: str) -> None:
    """Keep the page wide and narrow, light and dark."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for width, scheme in product((WIDE, NARROW), schemes):
        take(guest, name, width, scheme)


def take_for_readme(guest: Guest, name: str, scheme: Scheme) -> None:
    """Keep the upper part of the page, small enough to be committed."""
    guest.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    guest.page.set_viewport_size({"width": 880, "height": 620})
    guest.page.evaluate("scrollTo(0, 0)")  # the focus may stand further down
    guest.page.screenshot(path=_ROOT / "docs" / "pictures" / f"{name}.png")
