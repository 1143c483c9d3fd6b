"""Checks of the database as a whole: does it answer, how is it configured. Must not know an agent."""

from functools import partial
from typing import Any, cast

from calendar_service.domain.clock import Millis
from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.replication import Primary


class ServerChecks:
    """Checks that belong to no connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ping(self) -> None:
        """Raise `StoreUnavailable` if the database does not answer."""
        self._database.consult(lambda: self._database.client.ping())  # noqa: PLW0108 - a cluster's client connects already when it is named

    def clocks_differ(self) -> Millis:
        """Return how far this process's clock is ahead of the database's; negative if it is behind."""
        return self._database.clock.now() - self._database.time_at(keys.CHECK_VALUES)

    def persistence(self) -> list[dict[str, Any]]:
        """Return each server's settings of durability. Raises `DatabaseRefused` if a server does not tell them."""
        settings = ("appendonly", "appendfsync", "maxmemory-policy")
        servers = self._database.servers()
        return [self._database.consult(partial(one.config_get, *settings)) for one in servers]

    def memory_ratio(self) -> float | None:
        """Return which share of its permitted memory the fullest primary uses; None if one has no limit.

        Raises `DatabaseRefused` if one does not tell.
        """
        rows = [
            self._database.consult(partial(one.client.info, "memory"))
            for one in self._database.consult(self._database.deployment.primaries)
        ]
        if any(not int(row.get("maxmemory", 0)) for row in rows):
            return None
        return max(int(row["used_memory"]) / int(row["maxmemory"]) for row in rows)

    def primaries(self) -> list[Primary]:
        """Return every primary, its replicas read just now. Raises `DatabaseRefused` if one does not tell them."""
        return cast(list[Primary], self._database.consult(self._database.deployment.primaries))
