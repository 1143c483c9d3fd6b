"""The one scope that this service asks Google for (law 1, clause SC-1). There is never a second one."""

from typing import Final

SCOPE: Final = "https://www.googleapis.com/auth/calendar"
