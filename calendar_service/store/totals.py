"""The newest count of all connections, sessions and webhook events. Must not count."""

import msgspec

from calendar_service.domain.clock import Millis
from calendar_service.domain.totals import Totals
from calendar_service.store import keys
from calendar_service.store.database import Database


class TotalsStore:
    """One count, which every process reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Totals | None:
        """Return the newest count; None if there is none of the last hour, or only one of another version's form."""
        text = self._database.ask(lambda client: client.get(keys.TOTALS))
        try:
            return msgspec.json.decode(text, type=Totals) if text else None
        except msgspec.DecodeError:
            return None

    def keep(self, totals: Totals) -> None:
        """Replace the newest count."""
        text = msgspec.json.encode(totals).decode()
        self._database.write("SET", keys.TOTALS, text, "PX", keys.TOTALS_KEPT)

    def now(self) -> Millis:
        """Return the database's time."""
        return self._database.time_at(keys.TOTALS)
