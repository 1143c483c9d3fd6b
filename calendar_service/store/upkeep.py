"""The database as a whole: is it there, is it ours, is what was erased gone from its files. Must not know an agent."""

from typing import Any, cast

import redis

from calendar_service.domain.clock import Millis
from calendar_service.store import keys
from calendar_service.store.database import Database


class WrongIdentityKey(Exception):
    """The identity key is not the one this data was made with; going on would lose every calendar."""


class Upkeep:
    """Checks and chores that belong to no connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ping(self) -> None:
        """Raise `StoreUnavailable` if the database does not answer."""
        self._database.ask(lambda client: client.ping())

    def clocks_differ(self) -> Millis:
        """Return by how much this process's clock is ahead of the database's."""
        seconds, micros = self._database.ask(lambda client: client.time())
        theirs = int(seconds) * 1000 + int(micros) // 1000 + self._database.clock.offset()
        return self._database.clock.now() - theirs

    def check_identity(self, check_value: str) -> None:
        """Note the identity key's check value over new data; raise `WrongIdentityKey` over another's."""
        self._database.ask(lambda client: client.set(keys.IDENTITY_CHECK, check_value, nx=True))
        if self._database.ask(lambda client: client.get(keys.IDENTITY_CHECK)) != check_value:
            raise WrongIdentityKey(
                "CALENDAR_IDENTITY_KEY is not the key that this database was filled with. It is never rotated: "
                "give back the former key, or use an empty database."
            )

    def want_rewrite(self) -> None:
        """Ask for the append-only file to be rewritten: something was erased (law 7)."""
        self._database.ask(lambda client: client.set(keys.REWRITE_WANTED, "1"))

    def take_rewrite(self) -> bool:
        """Tell whether a rewrite is wanted, and take the wish."""
        return bool(self._database.ask(lambda client: client.getdel(keys.REWRITE_WANTED)))

    def rewrite(self) -> None:
        """Rewrite the append-only file, so that nothing erased is left in it."""
        try:
            self._database.ask(lambda client: client.bgrewriteaof())
        except redis.ResponseError:
            self.want_rewrite()  # one is under way already: it may have begun before the erasure

    def persistence(self) -> dict[str, Any]:
        """Return what the database says of its durability: for `doctor`."""
        wanted = ("appendonly", "appendfsync", "maxmemory-policy")
        found = self._database.ask(lambda client: client.config_get(*wanted))
        return cast(dict[str, Any], found)
