"""The database as a whole: is it there, is it ours, is what was erased gone from its files. Must not know an agent."""

from typing import Any, cast

import redis

from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store import keys
from calendar_service.store.database import Database, ask_time, unavailable


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
        (time,) = self._database.read(lambda pipeline: ask_time(pipeline, keys.IDENTITY_CHECK))
        return self._database.clock.now() - self._database.instant(time)

    def check_identity(self, check_value: str) -> None:
        """Note the identity key's check value over new data; raise `WrongIdentityKey` over another's."""
        if self._check_value() is None:
            self._database.write("SET", keys.IDENTITY_CHECK, check_value, "NX")
        if self._check_value() != check_value:
            raise WrongIdentityKey(
                "CALENDAR_IDENTITY_KEY is not the key that this database was filled with. It is never rotated: "
                "give back the former key, or use an empty database."
            )

    def _check_value(self) -> str | None:
        return cast(str | None, self._database.ask(lambda client: client.get(keys.IDENTITY_CHECK)))

    def want_rewrite(self) -> None:
        """Ask for the append-only file to be rewritten: something was erased (law 7)."""
        self._database.script("note", [keys.REWRITE_WANTED])

    def take_rewrite(self) -> bool:
        """Tell whether a rewrite is wanted, and take the wish."""
        return bool(self._database.write("GETDEL", keys.REWRITE_WANTED))

    def rewrite(self) -> None:
        """Rewrite the append-only file of every server, so that nothing erased is left in it.

        A replica writes a file of its own, and no primary tells it to rewrite that. Raises
        `StoreUnavailable` when some did not begin: then it is to be asked again.
        """
        begun = [self._begins(server) for server in self._servers()]
        if not all(begun):
            raise unavailable()

    def _begins(self, server: "redis.Redis") -> bool:
        try:
            self._database.ask(lambda _: server.bgrewriteaof())
        except redis.ResponseError:
            self.want_rewrite()  # one is under way already: it may have begun before the erasure
        except StoreUnavailable:
            return False
        return True

    def persistence(self) -> list[dict[str, Any]]:
        """Return what each server says of its durability: for `doctor`."""
        wanted = ("appendonly", "appendfsync", "maxmemory-policy")

        def settings(server: "redis.Redis") -> dict[str, Any]:
            return cast(dict[str, Any], self._database.ask(lambda _: server.config_get(*wanted)))

        return [settings(server) for server in self._servers()]

    def replicas(self) -> int:
        """Return how many replicas follow the server of the first shard."""
        server = self._database.deployment.server_of(keys.timers(0))
        return int(self._database.ask(lambda _: server.info("replication"))["connected_slaves"])

    def _servers(self) -> list["redis.Redis"]:
        return cast(
            list["redis.Redis"], self._database.ask(lambda _: list(self._database.deployment.servers()))
        )
