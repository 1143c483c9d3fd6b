"""How many permissions ended at Google in the last week, and at which age. Names nobody. Must not judge the numbers."""

import secrets
from typing import NamedTuple

from calendar_service.store import keys
from calendar_service.store.database import Database


class RevocationCounts(NamedTuple):
    """Permissions that ended at Google in the last week."""

    at_seven_days: int
    """Those that were seven days old."""
    all: int


class RevocationStore:
    """Counts permissions that ended at Google, for a week."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, *, at_seven_days: bool) -> RevocationCounts:
        """Count one more, and return the counts with it."""
        at_seven, total = self._database.script(
            "throttle_count_revocation",
            {"deaths": keys.THROTTLE_DEATHS},
            name=f"{'7' if at_seven_days else '0'}{secrets.token_hex(8)}",
        )
        return RevocationCounts(int(at_seven), int(total))

    def counts(self) -> RevocationCounts:
        """Return the counts as they are now."""
        names = self._database.ask(lambda client: client.zrange(keys.THROTTLE_DEATHS, 0, -1))
        return RevocationCounts(sum(name.startswith("7") for name in names), len(names))
