"""The one permission this service asks of Google (law 1, clause SC-1). Must never grow a second entry."""

from typing import Final

SCOPE: Final = "https://www.googleapis.com/auth/calendar"
