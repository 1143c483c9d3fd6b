"""Who wants attention now. A timer is a nudge: the slot's own record is the truth (law 2)."""

from collections.abc import Iterator

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.database import Command, Database


class Timers:
    """The timer sets of all shards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, limit: int) -> Iterator[Agent]:
        """Yield up to `limit` agents a shard that are due, each leased so that no other worker takes it now."""
        now = self._now()
        counts = [("ZCOUNT", keys.timers(shard), "-inf", now) for shard in keys.all_shards()]
        for shard, count in enumerate(self._database.read(counts)):
            if count:
                claimed = self._database.script(
                    "claim_due", {"due": keys.timers(shard)}, limit=limit, lease=keys.LEASE
                )
                yield from (Agent.of_member(member) for member in claimed)

    def backlog(self) -> tuple[int, Millis]:
        """Return how many agents are due, and since when the first of them has been."""
        now = self._now()
        commands: list[Command] = []
        for shard in keys.all_shards():
            commands.append(("ZCOUNT", keys.timers(shard), "-inf", now))
            commands.append(("ZRANGE", keys.timers(shard), 0, 0, "WITHSCORES"))
        found = self._database.read(commands)
        first = min((int(at) for entries in found[1::2] for _, at in entries), default=now)
        return sum(found[::2]), max(0, now - first)

    def _now(self) -> int:
        return self._database.time_at(keys.timers(0))
