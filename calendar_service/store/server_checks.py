"""Checks of the database as a whole: does it answer, is it ours, how is it configured. Must not know an agent."""

from functools import partial
from typing import Any, cast

from calendar_service.domain.clock import Millis
from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.replication import Primary


class WrongIdentityKey(Exception):
    """The identity key is not the one with which this data was made; going on would lose every calendar."""


class ServerChecks:
    """Checks that belong to no connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ping(self) -> None:
        """Raise `StoreUnavailable` if the database does not answer."""
        self._database.ask(lambda client: client.ping())

    def clocks_differ(self) -> Millis:
        """Return how far this process's clock is ahead of the database's; negative if it is behind."""
        return self._database.clock.now() - self._database.time_at(keys.IDENTITY_CHECK)

    def check_identity(self, check_value: str) -> None:
        """Store the identity key's check value, with the format of the records, if none is stored.

        Raises `WrongIdentityKey` if another key, or a version of the service with another format, filled the database.
        """
        expected = f"{keys.FORMAT}.{check_value}"
        if self._check_value() is None:
            self._database.write("SET", keys.IDENTITY_CHECK, expected, "NX")
        if self._check_value() != expected:
            raise WrongIdentityKey(
                "CALENDAR_IDENTITY_KEY is not the key that this database was filled with, or its records have another "
                f"format than {keys.FORMAT}. The key is never rotated, and records are not migrated: give back the "
                "former key or version, or use an empty database."
            )

    def _check_value(self) -> str | None:
        return cast(str | None, self._database.ask(lambda client: client.get(keys.IDENTITY_CHECK)))

    def persistence(self) -> list[dict[str, Any]]:
        """Return each server's settings of durability. Raises `DatabaseRefused` if a server does not tell them."""
        settings = ("appendonly", "appendfsync", "maxmemory-policy")
        servers = self._database.servers()
        return [self._database.consult(partial(one.config_get, *settings)) for one in servers]

    def primaries(self) -> list[Primary]:
        """Return every primary, its replicas read just now. Raises `DatabaseRefused` if one does not tell them."""
        return cast(list[Primary], self._database.consult(self._database.deployment.primaries))
