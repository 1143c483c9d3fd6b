"""Which servers the database is: one, a primary that sentinels name, or a cluster. Must not know what is stored.

The client library repeats nothing by itself here: what was sent and not answered may have been done.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from calendar_service.config.database import DatabaseAddress, DatabaseKind
from calendar_service.store.refreshed import Refreshed
from calendar_service.store.replication import (
    QUICK,
    NodeView,
    Primary,
    SentinelView,
    ServerAddress,
    ask_node,
    ask_sentinel,
    attached_replicas,
    followers,
    is_majority,
    named_primary,
    replicas_by_majority,
    required_copies,
)

_TIMEOUTS: Final[dict[str, Any]] = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}
"""Seconds; the client never waits for ever."""
_NAMELESS: Final[dict[str, Any]] = {"driver_info": None}
"""The client does not tell the server its own name and version: Redis 7.0 has no command for it, and refuses
users that may use it."""
_OF_ONE_SERVER: Final = frozenset({"host", "port", "connection_class"})


Observe = Callable[[Iterable[Primary]], None]
"""Takes the primaries whenever their replicas were read beside the requests."""


class Deployment(Protocol):
    """The servers behind an address, as the store needs them. None is connected to before it is used."""

    @property
    def client(self) -> "redis.Redis":
        """The client that sends single commands and reading pipelines to the servers of their keys."""

    def primary_of(self, key: str) -> Primary:
        """Return the server at which a key is written, with the replicas that have to hold the write."""

    def primaries(self) -> list[Primary]:
        """Return every server at which keys are written, its replicas read just now."""

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield every server whose files hold the data, replicas included."""

    def rediscover(self) -> None:
        """Ask again which server has which keys, after trouble; raises what the database raises."""

    def close(self) -> None:
        """Close the connections, and end what runs beside the requests."""


class Server:
    """One server. Nobody promotes a replica of it but the operator, who says with `copies` how many hold a write."""

    def __init__(self, client: "redis.Redis", copies: int) -> None:
        self.client = client
        self._primary = Primary(client, ("", 0), copies, 0)

    def primary_of(self, key: str) -> Primary:  # noqa: ARG002 - every key is there
        """Return the one server."""
        return self._primary

    def primaries(self) -> list[Primary]:
        """Return the one server, and how many replicas follow it. Raises `redis.ResponseError` if it does not tell."""
        return [replace(self._primary, following=len(followers(self.client)))]

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield the one server."""
        yield self.client

    def rediscover(self) -> None:
        """Do nothing: one server has all keys."""

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class SentinelPrimary:
    """A primary and its replicas, as a majority of sentinels names them each second."""

    def __init__(self, address: DatabaseAddress, options: dict[str, Any], observe: Observe) -> None:
        self._name, self._least, self._options = address.primary, address.copies, options
        self._hosts, self._others = address.hosts, frozenset[ServerAddress]()
        of_sentinels = {name: value for name, value in options.items() if name.startswith(("ssl", "socket_"))}
        self._sentinel_options = {
            **of_sentinels,
            **QUICK,
            **_NAMELESS,
            "decode_responses": True,
            "retry": options["retry"],
        }
        self._sentinels: dict[ServerAddress, redis.Redis] = {}
        self._sentinel_error: redis.RedisError | None = None
        self._refreshed = Refreshed(self._read, lambda primary: observe([primary]))

    @property
    def client(self) -> "redis.Redis":
        """The primary's client."""
        return self._refreshed.value.client

    def primary_of(self, key: str) -> Primary:  # noqa: ARG002 - every key is there
        """Return the primary as it was last named."""
        return self._refreshed.value

    def primaries(self) -> list[Primary]:
        """Return the primary, its replicas read just now."""
        return [self._read(self._refreshed.value)]

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield the primary, then its replicas."""
        yield self.client
        for replica in followers(self.client):
            yield redis.Redis(host=replica["ip"], port=replica["port"], **self._options)

    def rediscover(self) -> None:
        """Ask the sentinels again, soon."""
        self._refreshed.wake()

    def close(self) -> None:
        """Close the primary's connections, and ask the sentinels no more."""
        self._refreshed.close()
        if self._refreshed.last:
            self._refreshed.last.client.connection_pool.disconnect()

    def _read(self, last: Primary | None) -> Primary:
        """Return the primary with its replicas; without a majority of sentinels the last answer stays.

        A process that has had no answer yet takes what few sentinels say. They cannot hold a replica for unfit, so
        every replica has to hold a write.
        """
        views = self._ask_sentinels()
        if not views:
            raise redis.ConnectionError(
                "no sentinel answers that knows this primary"
            ) from self._sentinel_error
        if last and not is_majority(views):
            return last
        address = named_primary(views)
        same = last is not None and last.address == address
        client = last.client if last and same else self._client_at(address)
        known, unfit = replicas_by_majority(views, address)
        attached = attached_replicas(client)
        counted = (known - unfit) | (attached or frozenset())
        copies = required_copies(self._least, len(counted), has_replicas=bool(known))
        return Primary(client, address, copies, None if attached is None else len(attached))

    def _client_at(self, address: ServerAddress) -> "redis.Redis":
        host, port = address
        client = redis.Redis(host=host, port=port, **self._options)
        # A former primary's client goes while threads still read from its connections; each closes with its last user.
        client.auto_close_connection_pool = False
        return client

    def _ask_sentinels(self) -> list[SentinelView]:
        """Return what each sentinel says that answers: those of the address, and those that they know."""
        views: dict[str, SentinelView] = {}
        self._sentinel_error = None
        for host, port in {*self._hosts, *self._others}:
            sentinel = self._sentinels.setdefault(
                (host, port), redis.Redis(host=host, port=port, **self._sentinel_options)
            )
            try:
                view = ask_sentinel(sentinel, self._name)
            except redis.RedisError as error:
                self._sentinel_error = error
            else:
                views[view.identity] = view  # one sentinel may have two addresses
        self._others = frozenset().union(*(view.others for view in views.values()))
        return list(views.values())


class Cluster:
    """A cluster: each shard's keys lie together on one of its primaries."""

    def __init__(self, address: DatabaseAddress, options: dict[str, Any], observe: Observe) -> None:
        self._least = address.copies
        self._hosts, self._options = address.hosts, options
        self._refreshed = Refreshed(self._read, lambda primaries: observe(primaries.values()))

    @cached_property
    def client(self) -> Any:
        """The cluster's client; made when first used, because making it asks the nodes for their slots."""
        nodes: list[Any] = [ClusterNode(host, port) for host, port in self._hosts]  # type: ignore[no-untyped-call]
        try:
            return RedisCluster(startup_nodes=nodes, **self._options)
        except RedisClusterException as error:
            raise redis.ConnectionError("no node of the cluster answers") from error

    def primary_of(self, key: str) -> Primary:
        """Return the primary that holds the key's slot, as it was last read."""
        node = self.client.get_node_from_key(key)
        primaries = self._refreshed.value
        if node.name in primaries:
            return replace(primaries[node.name], client=self._client_at(node))
        self._refreshed.wake()
        return self._ask(node, None)  # promoted since

    def primaries(self) -> list[Primary]:
        """Return every primary, its replicas read just now."""
        return list(self._read(self._refreshed.value).values())

    def servers(self) -> Iterator["redis.Redis"]:
        """Yield every node, replicas included."""
        return (self.client.get_redis_connection(node) for node in self.client.get_nodes())

    def rediscover(self) -> None:
        """Ask the nodes again which of them has which slots."""
        self.client.nodes_manager.initialize()
        self._refreshed.wake()

    def close(self) -> None:
        """Close the connections, and ask the nodes no more."""
        self._refreshed.close()
        if "client" in vars(self):
            self.client.close()

    def _read(self, last: dict[str, Primary] | None) -> dict[str, Primary]:
        """Return every primary by its node's name; of one that does not answer the last answer stays."""
        former = last or {}
        return {node.name: self._ask(node, former.get(node.name)) for node in self.client.get_primaries()}

    def _ask(self, node: Any, last: Primary | None) -> Primary:
        client = self._client_at(node)
        try:
            view, attached = ask_node(client), attached_replicas(client)
        except redis.RedisError:
            if last is None:
                raise
            return last
        counted = sum(self._counts(view, where) for where in view.replicas)
        # A primary may name its replicas otherwise than the cluster does, so these two are not joined.
        counted = max(counted, len(attached or ()))
        copies = required_copies(self._least, counted, has_replicas=bool(view.replicas))
        following = None if attached is None else len(attached)
        return Primary(client, (node.host, node.port), copies, following)

    def _counts(self, view: NodeView, where: ServerAddress) -> bool:
        host, port = where
        with contextlib.closing(redis.Redis(host=host, port=port, **{**self._options, **QUICK})) as replica:
            return view.counts(where, replica)

    def _client_at(self, node: Any) -> "redis.Redis":
        return cast("redis.Redis", self.client.get_redis_connection(node))


def deployment(address: DatabaseAddress, observe: Observe = lambda _: None) -> Deployment:
    """Return the deployment behind an address. Connects to nothing yet."""
    options = {
        **parse_url(address.url.reveal()),  # type: ignore[no-untyped-call]
        **_TIMEOUTS,
        **_NAMELESS,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.kind is DatabaseKind.SERVER:
        return Server(redis.Redis.from_pool(redis.ConnectionPool(**options)), address.copies)
    shared = {name: value for name, value in options.items() if name not in _OF_ONE_SERVER}
    if address.encrypted:
        shared["ssl"] = True
    return (SentinelPrimary if address.kind is DatabaseKind.SENTINELS else Cluster)(address, shared, observe)
