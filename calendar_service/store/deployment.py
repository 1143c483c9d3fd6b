"""Which servers the database is: one, a primary that sentinels name, or a cluster. Must not know what is stored.

The client library repeats nothing by itself here: what was sent and not answered may have been done.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

from calendar_service.config.database import DatabaseAddress, DatabaseKind

_TIMEOUTS: Final[dict[str, Any]] = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}
"""Seconds; the client never waits for ever."""
_OF_ONE_SERVER: Final = frozenset({"host", "port", "connection_class"})


class Deployment(Protocol):
    """The servers behind an address, as the store needs them. None is connected to before it is used."""

    copies: int
    """How many replicas have to hold a write before it is acknowledged."""

    @property
    def client(self) -> "redis.Redis":
        """The client that sends single commands and reading pipelines to the servers of their keys."""

    def server_of(self, key: str) -> "redis.Redis":
        """Return the server at which a key is written."""

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield every server whose files hold the data, replicas included."""

    def rediscover(self) -> None:
        """Ask again which server has which keys, after trouble; raises what the database raises."""


class Server:
    """One server, or the primary that its address always leads to."""

    def __init__(self, client: "redis.Redis", copies: int) -> None:
        self.client = client
        self.copies = copies

    def server_of(self, key: str) -> "redis.Redis":  # noqa: ARG002 - every key is there
        """Return the one server."""
        return self.client

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield the one server."""
        yield self.client

    def rediscover(self) -> None:
        """Do nothing: one server has all keys, and the client asks the sentinels at each connection."""


class SentinelPrimary(Server):
    """A primary and its replicas, as sentinels name them."""

    def __init__(self, address: DatabaseAddress, options: dict[str, Any]) -> None:
        of_sentinels = {name: value for name, value in options.items() if name.startswith(("ssl", "socket_"))}
        sentinel: Any = Sentinel(list(address.hosts), sentinel_kwargs=of_sentinels, **options)  # type: ignore[no-untyped-call]
        self._options = options
        super().__init__(sentinel.master_for(address.primary), address.copies)

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield the primary, then its replicas."""
        yield self.client
        replication = self.client.info("replication")
        for number in range(replication["connected_slaves"]):
            replica = replication[f"slave{number}"]
            yield redis.Redis(host=replica["ip"], port=replica["port"], **self._options)


class Cluster:
    """A cluster: each shard's keys lie together on one of its primaries."""

    def __init__(self, address: DatabaseAddress, options: dict[str, Any]) -> None:
        self.copies = address.copies
        self._hosts, self._options = address.hosts, options

    @cached_property
    def client(self) -> Any:
        """The cluster's client; made when first used, because making it asks the nodes for their slots."""
        nodes: list[Any] = [ClusterNode(host, port) for host, port in self._hosts]  # type: ignore[no-untyped-call]
        try:
            return RedisCluster(startup_nodes=nodes, **self._options)
        except RedisClusterException as error:
            raise redis.ConnectionError("no node of the cluster answers") from error

    def server_of(self, key: str) -> "redis.Redis":
        """Return the primary that holds the key's slot."""
        return cast("redis.Redis", self.client.get_redis_connection(self.client.get_node_from_key(key)))

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield every node, replicas included."""
        return (self.client.get_redis_connection(node) for node in self.client.get_nodes())

    def rediscover(self) -> None:
        """Ask the nodes again which of them has which slots."""
        self.client.nodes_manager.initialize()


def deployment(address: DatabaseAddress) -> Deployment:
    """Return the deployment behind an address. Connects to nothing yet."""
    options = {
        **parse_url(address.url.reveal()),  # type: ignore[no-untyped-call]
        **_TIMEOUTS,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.kind is DatabaseKind.SERVER:
        return Server(redis.Redis(connection_pool=redis.ConnectionPool(**options)), address.copies)
    shared = {name: value for name, value in options.items() if name not in _OF_ONE_SERVER}
    if address.encrypted:
        shared["ssl"] = True
    return (SentinelPrimary if address.kind is DatabaseKind.SENTINELS else Cluster)(address, shared)
