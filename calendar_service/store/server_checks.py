"""Checks of the database as a whole: does it answer, how is it configured. Must not know an agent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import redis

from calendar_service.config.declaration import DURABILITY
from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store import keys
from calendar_service.store.database import Database, DatabaseRefused
from calendar_service.store.replication import Primary

_VALKEY_MENDED: Final = (9, 1, 2)
"""From this version Valkey loads its file without comparing rights. Of Redis no such version is known here."""
_WRITES_OF_SCRIPTS: Final = (
    ("SET", "{s0}", "0"),
    ("HSET", "{s0}", "0", "0"),
    ("ZADD", "{s0}", "0", "0"),
    ("SADD", "{s0}", "0"),
    ("XADD", "{s0}", "*", "0", "0"),
    ("DEL", "{s0}"),
    ("PEXPIREAT", "{s0}", "0"),
)
"""One write of each kind that scripts do, as questions about rights; none is executed."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one server tells of its settings."""

    address: str
    """Host and port, or the path of its socket."""
    values: Mapping[str, str]
    """Those of `DURABILITY` that it tells, by name."""


class ServerChecks:
    """Checks that belong to no connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ping(self) -> None:
        """Raise `StoreUnavailable` if the database does not answer."""
        self._database.consult(lambda: self._database.client.ping())  # noqa: PLW0108 - a cluster's client connects already when it is named

    def try_writes(self) -> None:
        """Write a marker that lasts a second at every primary. Raises `StoreUnavailable`, or `DatabaseFull`."""
        self._database.try_writes()

    def clocks_differ(self) -> Millis:
        """Return how far this process's clock is ahead of the database's; negative if it is behind."""
        return self._database.clock.now() - self._database.time_at(keys.CHECK_VALUES)

    def settings(self) -> list[ServerSettings]:
        """Return the settings of every server that answers, replicas too. Raises `StoreUnavailable` if none does."""
        settings: list[ServerSettings] = []
        trouble: StoreUnavailable | None = None
        for server in self._servers():
            try:
                settings.append(ServerSettings(_address(server), self._values_of(server)))
            except StoreUnavailable as error:  # a replica that is down says nothing about the others
                trouble = error
        if trouble and not settings:
            raise trouble
        return settings

    def _servers(self) -> list["redis.Redis"]:
        try:
            return self._database.servers()
        except DatabaseRefused:  # behind sentinels the primary names its replicas by INFO
            return [primary.client for primary in self.primaries()]

    def _values_of(self, server: "redis.Redis") -> dict[str, str]:
        # INFO says how the server runs, and more databases permit it. CONFIG GET alone knows `appendfsync`.
        return self._permitted(partial(server.config_get, *DURABILITY)) | self._permitted(
            partial(_by_info, server)
        )

    def _permitted(self, question: Callable[[], Any]) -> dict[str, str]:
        try:
            return cast(dict[str, str], self._database.consult(question))
        except DatabaseRefused:
            return {}

    def forgetful(self) -> list[str]:
        """Return the versions of the servers that drop what scripts wrote when they load their append-only file.

        Raises `DatabaseRefused` if a server does not tell.
        """
        # The file holds a script's writes as a transaction, which these servers execute with the rights of the user
        # `default`. Without them they drop it, log a line and go on (redis/redis#14541, valkey-io/valkey#3983).
        forgetful = []
        for server in self._servers():
            try:
                version = self._version_if_forgetful(server)
            except DatabaseRefused:
                raise
            except StoreUnavailable:  # a replica that is down says nothing about the others
                continue
            if version:
                forgetful.append(version)
        return forgetful

    def _version_if_forgetful(self, server: "redis.Redis") -> str:
        rights = [
            self._database.consult(partial(server.execute_command, "ACL DRYRUN", "default", *write))
            for write in _WRITES_OF_SCRIPTS
        ]
        about = self._database.consult(partial(server.info, "server"))
        if all(right == "OK" for right in rights) or _valkey(about) >= _VALKEY_MENDED:
            return ""
        return str(about.get("valkey_version") or about["redis_version"])

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


def _by_info(server: "redis.Redis") -> dict[str, str]:
    is_append_only = server.info("persistence")["aof_enabled"]
    return {
        "appendonly": "yes" if is_append_only else "no",
        "maxmemory-policy": str(server.info("memory")["maxmemory_policy"]),
    }


def _address(server: "redis.Redis") -> str:
    options = server.connection_pool.connection_kwargs
    return str(options.get("path") or f"{options.get('host')}:{options.get('port')}")


def _valkey(about: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the version of a Valkey by its `INFO server`; () for another database."""
    return tuple(int(part) for part in re.findall(r"\d{1,4}", about.get("valkey_version", ""))[:3])
