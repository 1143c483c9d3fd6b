"""A primary with two replicas and three sentinels, and the faults that move the primary: failovers, kills, cuts.

Each program has a loopback address of its own, from which it connects too. So a packet filter can cut some of them
from others, in a network namespace that the campaign has made for itself (`own_network`).
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import redis

from faults.cluster import ServiceCluster
from faults.errors import ClusterError
from faults.service_processes import free_port
from faults.store_server import PARENT_DEATH, StoreServer, await_that

NAME = "calendars"
DOWN_AFTER = 1.0
"""Seconds without an answer after which a sentinel holds a server for down."""
_FAILOVER_TIMEOUT = 3_000
_PERIODS = ("info-period", 1_000, "publish-period", 500)
"""Milliseconds; as sentinels come, a former primary is led to the new one only after some ten seconds."""
_CLONE_NEWNET = 0x40000000


class SentinelStores:
    """Three servers and three sentinels."""

    resumed = 10 * DOWN_AFTER
    """Seconds after the loss of one server within which writes are accepted again."""

    def __init__(self, home: Path, binary: str, settings: Mapping[str, str]) -> None:
        self._home, self._binary = home, binary
        self.servers = [
            StoreServer(
                home / f"store-{number}",
                free_port(),
                binary,
                settings,
                address=f"127.0.0.{number + 11}",
                trace=False,
            )
            for number in range(3)
        ]
        self._sentinels = [(f"127.0.0.{number + 21}", free_port()) for number in range(3)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the servers, then the sentinels; return when all are in order."""
        for server in self.servers:
            server.start()
        for server in self.servers[1:]:
            server.replicate_from(self.servers[0].port, self.servers[0].address)
        for where in self._sentinels:
            self._processes.append(self._start_sentinel(*where))
            await_that(partial(_sentinel(where).execute_command, "SENTINEL DEBUG", *_PERIODS), "a sentinel")
        self.await_whole()

    def _start_sentinel(self, address: str, port: int) -> "subprocess.Popen[bytes]":
        primary, conf = self.servers[0], self._home / f"sentinel-{address}.conf"
        conf.write_text(
            f"sentinel monitor {NAME} {primary.address} {primary.port} 2\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER * 1000:.0f}\n"
            f"sentinel failover-timeout {NAME} {_FAILOVER_TIMEOUT}\n"
        )
        command = [self._binary, str(conf), "--sentinel", "--port", str(port), "--bind", address]
        command += ["--bind-source-addr", address, "--dir", str(self._home)]
        with (self._home / "store.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(PARENT_DEATH), str(os.getpid()), *command],
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        """The address of the database, as the service takes it."""
        return f"redis+sentinel://{','.join(f'{host}:{port}' for host, port in self._sentinels)}/{NAME}"

    @property
    def primary(self) -> StoreServer:
        """The server that most sentinels name."""
        named = [_sentinel(where).sentinel_get_master_addr_by_name(NAME) for where in self._sentinels]
        address, _ = max(set(named), key=named.count)
        return next(server for server in self.servers if server.address == address)

    @property
    def primaries(self) -> list[StoreServer]:
        """The server that takes writes now."""
        return [self.primary]

    @property
    def replicas(self) -> list[StoreServer]:
        """The other servers."""
        primary = self.primary
        return [server for server in self.servers if server is not primary]

    def client(self) -> "contextlib.closing[Any]":
        """Return a client of the primary, to be used in a `with` statement."""
        return self.primary.client()

    def append_only_text(self) -> bytes:
        """Return the primary's append-only files, joined."""
        return self.primary.append_only_text()

    # --- faults ---

    def begin_failover(self) -> None:
        """Ask the sentinels for a planned failover."""
        await_that(
            lambda: _sentinel(self._sentinels[0]).execute_command("SENTINEL FAILOVER", NAME), "a failover"
        )

    def cut(self, one_side: Iterable[StoreServer], *, clients: bool) -> None:
        """Drop all packets between these servers and every other server and sentinel.

        `clients`: whether the service's processes stand on this side too; else they reach both.
        """
        near = {server.address for server in one_side}
        far = {server.address for server in self.servers} - near | {address for address, _ in self._sentinels}
        if clients:
            near.add("127.0.0.1")
        rules = [
            f"add rule ip cut input ip saddr {{ {', '.join(a)} }} ip daddr {{ {', '.join(b)} }} drop"
            for a, b in ((near, far), (far, near))
        ]
        chain = "add chain ip cut input { type filter hook input priority 0; }"
        _filter("\n".join(["add table ip cut", chain, *rules]))

    def heal(self) -> None:
        """End the cut, if there is one."""
        _filter("add table ip cut\ndelete table ip cut")

    # --- ends of faults ---

    def await_whole(self) -> None:
        """Start servers that do not run, and wait until all sentinels agree and both replicas follow the primary."""
        for server in self.servers:
            if not server.is_running:
                server.start()
        await_that(self._is_whole, "the set of servers")

    def _is_whole(self) -> bool:
        views = [_sentinel(where) for where in self._sentinels]
        named = {view.sentinel_get_master_addr_by_name(NAME) for view in views}
        if len(named) > 1 or any(_is_in_trouble(view) for view in views):
            return False
        with self.primary.client() as client:
            replication = client.info("replication")
            states = [
                replication[f"slave{number}"]["state"] for number in range(replication["connected_slaves"])
            ]
            return replication["role"] == "master" and states == ["online", "online"]

    def close(self) -> None:
        """Kill every server and sentinel."""
        for process in self._processes:
            process.kill()
            process.wait()
        for server in self.servers:
            server.kill()


class SentinelCluster(ServiceCluster):
    """The service's processes over such a set, at the default number of copies."""

    stores: SentinelStores  # type: ignore[assignment]

    def _start_stores(self) -> None:
        self.stores = SentinelStores(self.home, *self._server_settings())
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


def _sentinel(where: tuple[str, int]) -> Any:
    host, port = where
    return redis.Redis(host=host, port=port, decode_responses=True, socket_timeout=5)


def _is_in_trouble(sentinel: Any) -> bool:
    """Tell whether a sentinel does not see two replicas and two other sentinels, all up and settled."""
    replicas, others = sentinel.sentinel_slaves(NAME), sentinel.sentinel_sentinels(NAME)
    states = [sentinel.sentinel_master(NAME), *replicas, *others]
    return (
        len(replicas) != 2
        or len(others) != 2
        or any(state["is_sdown"] or "failover_in_progress" in state["flags"] for state in states)
        or any(replica["master-link-status"] != "ok" for replica in replicas)
    )


def _filter(rules: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True)


def own_network() -> None:
    """Move this process and all that it starts to a new network namespace, which has loopback alone.

    Raises `ClusterError` where that is not permitted, or `nft` or `ip` is missing.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise ClusterError(
            "A partition needs a network namespace of its own, which this user may not make. Run it as root."
        )
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)
        _filter("add table ip cut\ndelete table ip cut")
    except (OSError, subprocess.CalledProcessError) as error:
        raise ClusterError(f"A partition needs the programs `ip` and `nft`, and here: {error}") from error
