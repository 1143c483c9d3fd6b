"""A cluster of three primaries with two replicas each, and the faults that move its primaries: failovers, kills."""

import contextlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.cluster import ClusterNode, RedisCluster

from faults.cluster import ServiceCluster
from faults.service_processes import free_port
from faults.store_server import StoreServer, await_that

PRIMARIES, REPLICAS = 3, 2
"""Primaries, and replicas of each."""
NODE_TIMEOUT = 1.0
"""Seconds without an answer after which the nodes hold a node for down."""
_SLOTS = 16_384
_BUS = 10_000
"""So far above its port lies the port at which a node hears other nodes."""


class StoreCluster:
    """Nine servers that share the keys."""

    resumed = 10 * NODE_TIMEOUT
    """Seconds after the loss of one server within which writes are accepted again."""

    def __init__(self, home: Path, binary: str, settings: Mapping[str, str]) -> None:
        own = {"cluster-enabled": "yes", "cluster-node-timeout": str(round(NODE_TIMEOUT * 1000))}
        self.servers = [
            StoreServer(home / f"store-{number}", _free_port(), binary, {**settings, **own}, trace=False)
            for number in range(PRIMARIES * (1 + REPLICAS))
        ]
        self._failovers = 0

    def start(self) -> None:
        """Start the servers, make a cluster of them, and return when all are in order."""
        for server in self.servers:
            server.start()
        with contextlib.ExitStack() as stack:
            nodes = [stack.enter_context(server.client()) for server in self.servers]
            for node in nodes:
                node.execute_command("CLUSTER MEET", self.servers[0].address, self.servers[0].port)
            bounds = [_SLOTS * number // PRIMARIES for number in range(PRIMARIES + 1)]
            for node, first, end in zip(nodes, bounds, bounds[1:], strict=False):
                node.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
            names = [node.execute_command("CLUSTER MYID") for node in nodes]
            for node in nodes:
                await_that(partial(_knows_all, node, len(nodes)), "a node")
            for number, node in enumerate(nodes[PRIMARIES:]):
                follow = partial(node.execute_command, "CLUSTER REPLICATE", names[number % PRIMARIES])
                await_that(follow, "a replica")
        self.await_whole()

    @property
    def url(self) -> str:
        """The address of the database, as the service takes it."""
        return "redis+cluster://" + ",".join(f"{server.address}:{server.port}" for server in self.servers)

    def client(self) -> "contextlib.closing[Any]":
        """Return a client of the whole cluster, to be used in a `with` statement."""
        nodes = [ClusterNode(server.address, server.port) for server in self.servers if server.is_running]  # type: ignore[no-untyped-call]
        return contextlib.closing(RedisCluster(startup_nodes=nodes, decode_responses=True, socket_timeout=10))

    @property
    def primaries(self) -> list[StoreServer]:
        """The servers that take writes now."""
        return [server for server in self.servers if _role(server) == "master"]

    def append_only_text(self) -> bytes:
        """Return the append-only files of all primaries, joined."""
        return b"".join(server.append_only_text() for server in self.primaries)

    # --- faults ---

    def begin_failover(self) -> None:
        """Ask one replica after another to take its primary's place, as planned."""
        replicas = [server for server in self.servers if _role(server) == "slave"]
        chosen = replicas[self._failovers % len(replicas)]
        self._failovers += 1
        with chosen.client() as client:
            await_that(lambda: client.execute_command("CLUSTER FAILOVER"), "a failover")

    # --- ends of faults ---

    def await_whole(self) -> None:
        """Start servers that do not run, and wait until all agree and every replica follows its primary."""
        for server in self.servers:
            if not server.is_running:
                server.start()
        await_that(self._is_whole, "the cluster")

    def _is_whole(self) -> bool:
        return len(self.primaries) == PRIMARIES and all(self._is_in_order(server) for server in self.servers)

    def _is_in_order(self, server: StoreServer) -> bool:
        with server.client() as client:
            nodes: Mapping[str, Any] = client.cluster("NODES")
            if client.cluster("INFO")["cluster_state"] != "ok" or len(nodes) != len(self.servers):
                return False
            flags = {flag for node in nodes.values() for flag in node["flags"].split(",")}
            if flags & {"fail", "fail?", "handshake"}:
                return False
            replication = client.info("replication")
            if replication["role"] == "slave":
                return bool(replication["master_link_status"] == "up")
            states = [
                one["state"]
                for name, one in replication.items()
                if name.startswith("slave") and name[5:].isdigit()
            ]
            return states == ["online"] * REPLICAS

    def close(self) -> None:
        """Kill every server."""
        for server in self.servers:
            server.kill()


class ClusteredService(ServiceCluster):
    """The service's processes over such a cluster, at the default number of copies."""

    stores: StoreCluster  # type: ignore[assignment]

    def _start_stores(self) -> None:
        self.stores = StoreCluster(self.home, *self._server_settings())
        self._exits.callback(self.stores.close)
        self.stores.start()

    def _connect_stores(self) -> None:
        """Do nothing: no proxy stands before these servers."""

    def _store_targets(self) -> dict[str, int]:
        return {}

    def _redis_url(self, _name: str) -> str:
        return self.stores.url

    def _restore_stores(self) -> None:
        self.stores.await_whole()


def _free_port() -> int:
    """Return a free port above which there is room for a node's second one."""
    while (port := free_port()) + _BUS > 65_535:
        pass
    return port


def _knows_all(node: Any, count: int) -> bool:
    return len(node.cluster("NODES")) == count


def _role(server: StoreServer) -> str:
    """Return `master` or `slave`; empty if the server does not answer."""
    with contextlib.suppress(redis.RedisError), server.client() as client:
        return str(client.role()[0])
    return ""
