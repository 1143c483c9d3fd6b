"""The one scope that this service asks Google for (law 1, clause SC-1). There is never a second one."""

from typing import Final

SCOPE: Final = "https://www.googleapis.com/auth/calendar"

NARROWER_COMBINATIONS: Final = (
    ("calendar.app.created", "calendar.calendarlist.readonly"),
    ("calendar.calendars", "calendar.events.owned", "calendar.calendarlist.readonly"),
)
"""Combinations of narrower scopes under which nothing fails either (SC-6).

docs/scopes.md says what speaks against them.
"""
