"""The store's servers of a cluster: the primary that the service writes to, and replicas for failovers."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from faults.service_processes import free_port
from faults.store_server import StoreServer


class StoreServers:
    """Starts servers, and decides which of them each process of the service reaches."""

    def __init__(self, home: Path, binary: str, settings: Mapping[str, str]) -> None:
        self._home, self._binary, self._settings = home, binary, settings
        self._started = 0
        self.replicas: list[StoreServer] = []
        """Every server beside the primary, a former primary too."""
        self.primary = self._new_server()

    def connect_proxy(self, set_link: Callable[..., Any], replica_port: int) -> None:
        """Take the proxy's control, and the port of the link through which a replica reaches its primary."""
        self._set_link, self._replica_port = set_link, replica_port

    def _new_server(self) -> StoreServer:
        self._started += 1
        server = StoreServer(self._home / f"store-{self._started}", free_port(), self._binary, self._settings)
        server.start()
        return server

    def add_replica(self) -> StoreServer:
        """Start a replica of the primary, over the link `replica-store`; return when it has all data."""
        self._set_link("replica-store", "pass", target=self.primary.port)
        replica = self._new_server()
        self.replicas.append(replica)
        replica.replicate_from(self._replica_port)
        return replica

    def client(self) -> "contextlib.closing[Any]":
        """Return a client of the primary, to be used in a `with` statement."""
        return self.primary.client()

    def append_only_text(self) -> bytes:
        """Return the primary's append-only files, joined."""
        return self.primary.append_only_text()

    def promote(self, replica: StoreServer) -> StoreServer:
        """Make a replica the primary; return the former one, which keeps running and answering."""
        replica.become_primary()
        former, self.primary = self.primary, replica
        self.replicas.remove(replica)
        self.replicas.append(former)
        return former

    def lead_clients(self, names: Iterable[str]) -> None:
        """Reset these processes' connections to the store and lead their next ones to the primary."""
        for name in names:
            self._set_link(f"{name}-store", "cut", target=self.primary.port)

    def remove(self, server: StoreServer) -> None:
        """Kill a server that is not the primary."""
        server.kill()
        self.replicas.remove(server)

    def remove_replicas(self) -> None:
        """Kill every server but the primary."""
        for server in list(self.replicas):
            self.remove(server)

    def close(self) -> None:
        """Kill every server."""
        for server in (self.primary, *self.replicas):
            server.kill()
