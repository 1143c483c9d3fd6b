"""Pictures of what a guest sees, for eyes to judge: `artefacts/pictures/NAME.LANGUAGE.WIDTH.SCHEME.png`."""

from itertools import product
from pathlib import Path
from typing import Literal

from tests.gallery.guest import Guest
from tests.gallery.look import NARROW, WIDE

Scheme = Literal["light", "dark"]
FOLDER = Path(__file__).parents[2] / "artefacts" / "pictures"


def take(guest: Guest, name: str, width: int, scheme: Scheme) -> None:
    """Keep one picture of the whole page."""
    guest.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    guest.page.set_viewport_size({"width": width, "height": 800})
    file = FOLDER / f"{name}.{guest.language}.{width}.{scheme}.png"
    guest.page.screenshot(path=file, full_page=True)


def take_all(guest: Guest, name: str) -> None:
    """Keep the page wide and narrow, light and dark."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for width, scheme in product((WIDE, NARROW), schemes):
        take(guest, name, width, scheme)
