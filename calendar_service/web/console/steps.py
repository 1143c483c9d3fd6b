"""The steps of the reviewer's journey in order, each with the clauses that it shows.

The text of each step is in `templates/reviewer/`, in a file of its name.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ReviewerStep:
    """One step, with the clauses that it shows."""

    name: str
    clauses: tuple[str, ...]
    call: str = ""
    """The call at Google by which it is done; empty if what is done in it need not call Google."""


STEPS: Final = (
    ReviewerStep("start", ("ID-1",)),
    ReviewerStep("connect", ("SC-1", "SC-2", "LU-0", "LU-4", "LU-5", "ST-2"), "oauth.exchange"),
    ReviewerStep("agent", ("SC-3", "LU-1", "LU-2"), "calendar.events.insert"),
    ReviewerStep("system", ("SC-3",), "calendar.events.insert"),
    ReviewerStep("reschedule", ("SC-3",), "calendar.events.patch"),
    ReviewerStep("cancel", ("SC-3",), "calendar.events.delete"),
    ReviewerStep("calendar", ("SC-2", "LU-3")),
    ReviewerStep("pause", ("ST-4",)),
    ReviewerStep("revoke", ("RV-1", "RV-3"), "oauth.refresh"),
    ReviewerStep("keep", ("RV-2", "RV-3", "ST-6"), "oauth.revoke"),
    ReviewerStep("reconnect", ("SC-2", "SC-6"), "oauth.exchange"),
    ReviewerStep("delete", ("SC-4",), "calendar.calendars.delete"),
    ReviewerStep("erase", ("ST-5",)),
    ReviewerStep("receipt", ("ST-5", "LU-6")),
    ReviewerStep("stored", ("ST-1", "ST-3")),
)


def step_named(name: str) -> ReviewerStep:
    """Return the step of this name, or the first."""
    return next((step for step in STEPS if step.name == name), STEPS[0])
