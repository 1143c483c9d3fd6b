"""The reviewer's journey, step by step: its order, and the clauses that each step shows. Must not do any step.

The words of each step are in `reviewer.html`, under its name.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    name: str
    clauses: tuple[str, ...]


STEPS: Final = (
    Step("start", ("ID-1",)),
    Step("connect", ("SC-1", "SC-2", "LU-0")),
    Step("agent", ("SC-3", "LU-1")),
    Step("system", ("SC-3",)),
    Step("reschedule", ("SC-3",)),
    Step("cancel", ("SC-3",)),
    Step("calendar", ("SC-2", "ST-4")),
    Step("pause", ("RV-2",)),
    Step("revoke", ("RV-1", "RV-3")),
    Step("keep", ("RV-2", "RV-3", "ST-6")),
    Step("reconnect", ("SC-2", "SC-6")),
    Step("delete", ("SC-4",)),
    Step("erase", ("ST-5",)),
    Step("receipt", ("ST-5", "LU-6")),
    Step("stored", ("ST-3", "ST-4")),
)


def step_named(name: str) -> Step:
    """Return the step of this name, or the first."""
    return next((step for step in STEPS if step.name == name), STEPS[0])
