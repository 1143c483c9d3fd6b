"""Every page and state of the product, by name. Whoever adds a page or a state adds how to reach it."""

from collections.abc import Callable
from inspect import getmembers, isfunction
from types import ModuleType

from tests.gallery.guest import Guest
from tests.gallery.sights import console, dead_ends, local_google, public, refusals, reviewer, settings

Reach = Callable[[Guest], None]
"""Leads a guest, over an empty service, to the page."""


def _of(module: ModuleType) -> dict[str, Reach]:
    chapter = module.__name__.rpartition(".")[2]
    found = getmembers(module, lambda each: isfunction(each) and each.__module__ == module.__name__)
    shown = [(name, reach) for name, reach in found if not name.startswith("_")]
    return {f"{chapter}-{name}".replace("_", "-"): reach for name, reach in shown}


SIGHTS: dict[str, Reach] = {
    name: reach
    for module in (public, settings, refusals, dead_ends, console, reviewer, local_google)
    for name, reach in _of(module).items()
}

ENGLISH_ONLY = frozenset({"public-api"})
"""For programmers: written in English alone."""

REFUSALS = {name for name in SIGHTS if name.startswith("dead-ends-")} - {"dead-ends-in-a-frame"} | {
    "console-refused",
    "local-google-blocked",
    "local-google-missing",
    "local-google-wrong-request",
    "reviewer-link-over",
}
"""Pages that answer with an error; all others are what was asked for."""
