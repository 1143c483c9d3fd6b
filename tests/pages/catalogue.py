"""The catalogue of every page and state of the product, by name. A new page or state is added here."""

from collections.abc import Callable
from inspect import getmembers, isfunction
from types import ModuleType

from tests.pages.states import (
    components,
    console,
    dead_ends,
    local_google,
    public,
    refusals,
    reviewer,
    settings,
)
from tests.pages.visitor import PageVisitor

Reach = Callable[[PageVisitor], None]
"""Leads a visitor, over an empty service, to the page."""


def _of(module: ModuleType) -> dict[str, Reach]:
    chapter = module.__name__.rpartition(".")[2]
    functions = getmembers(module, lambda each: isfunction(each) and each.__module__ == module.__name__)
    shown = [(name, reach) for name, reach in functions if not name.startswith("_")]
    return {f"{chapter}-{name}".replace("_", "-"): reach for name, reach in shown}


PAGE_STATES: dict[str, Reach] = {
    name: reach
    for module in (public, settings, refusals, dead_ends, console, reviewer, local_google, components)
    for name, reach in _of(module).items()
}

ENGLISH_ONLY = frozenset({"public-api", "components-every-one"})
"""For programmers and designers: written in English alone."""

REFUSALS = {name for name in PAGE_STATES if name.startswith("dead-ends-")} - {"dead-ends-in-a-frame"} | {
    "console-not-understood",
    "console-refused",
    "local-google-blocked",
    "local-google-missing",
    "local-google-wrong-request",
    "reviewer-link-over",
}
"""Pages that answer with an error; all others are what was asked for."""
