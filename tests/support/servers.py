"""Valkey servers as processes on free ports: single, replicated, with a sentinel, in a cluster."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from calendar_service.development.valkey import server_binary

_SETTINGS = {"bind": "127.0.0.1", "save": "", "loglevel": "warning", "repl-diskless-sync-delay": "0"}
_DURABLE = {"appendonly": "yes", "appendfsync": "always"}


@dataclass(eq=False)
class Server:
    """One Valkey with a port."""

    port: int
    home: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)
    login: Mapping[str, str] = field(default_factory=dict)
    """The user and password of the test, where the server asks for them."""

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, decode_responses=True, **dict[str, Any](self.login))

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Kill the server, and start it again with its files."""
        self.kill()
        self.process = subprocess.Popen(self.process.args, stdout=subprocess.DEVNULL)
        until(self.client.ping)

    def files(self) -> bytes:
        """Return the bytes of all its files."""
        return b"".join(path.read_bytes() for path in sorted(self.home.rglob("*")) if path.is_file())


def until(holds: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait until a condition holds, and return its value; fail after the deadline."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = holds()
        except redis.RedisError:
            value = None
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it never came to hold")


@contextmanager
def server(
    home: Path, *arguments: str, login: Mapping[str, str] | None = None, **settings: str
) -> Iterator[Server]:
    """Run one server until the end of the block."""
    home.mkdir(parents=True)
    port = free_port()
    named = {**_SETTINGS, "port": str(port), "dir": str(home), **settings}
    words = [part for name, value in named.items() for part in (f"--{name.replace('_', '-')}", value)]
    process = subprocess.Popen([str(server_binary()), *arguments, *words], stdout=subprocess.DEVNULL)
    started = Server(port, home, process, login or {})
    try:
        until(started.client.ping)
        yield started
    finally:
        started.process.send_signal(signal.SIGCONT)
        started.kill()


@contextmanager
def followed(home: Path) -> Iterator[tuple[Server, Server]]:
    """Run a primary and one replica that follows it."""
    with ExitStack() as stack:
        primary = stack.enter_context(server(home / "primary", **_DURABLE))
        replica = stack.enter_context(
            server(
                home / "replica",
                **_DURABLE,
                replicaof=f"127.0.0.1 {primary.port}",
                repl_diskless_load="swapdb",
            )
        )
        until(lambda: replica.client.info("replication")["master_link_status"] == "up")
        until(lambda: _copied(primary.client))
        yield primary, replica


@contextmanager
def watched(home: Path) -> Iterator[tuple[Server, Server, Server]]:
    """Run a primary, its replica, and a sentinel that knows the primary as `calendars`."""
    with followed(home) as (primary, replica):
        conf = home / "sentinel.conf"
        conf.write_text(
            f"sentinel monitor calendars 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds calendars 200\nsentinel failover-timeout calendars 1000\n"
        )
        with _sentinel(home, conf) as sentinel:
            sentinel.client.execute_command("SENTINEL DEBUG", "info-period", 100, "ping-period", 100)
            until(lambda: sentinel.client.sentinel_slaves("calendars"))
            yield primary, replica, sentinel


@dataclass(frozen=True)
class SentinelSet:
    """A primary with two replicas, and three sentinels that know it as `calendars`."""

    servers: list[Server]
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """The address of this set."""
        return self.url_of(*self.sentinels)

    def url_of(self, *sentinels: Server) -> str:
        """Return an address that names these sentinels only."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in sentinels)}/calendars"

    @property
    def primary(self) -> Server:
        """The server that the first sentinel names."""
        _, port = self.sentinels[0].client.sentinel_get_master_addr_by_name("calendars")
        return next(one for one in self.servers if one.port == int(port))

    @property
    def replicas(self) -> list[Server]:
        """The other two."""
        return [one for one in self.servers if one is not self.primary]

    def fail_over(self) -> None:
        """Have the sentinels move the primary, and wait until all is whole again.

        They give a failover up that takes too long on a busy machine, so they are asked until the primary moves.
        """
        former = self.primary

        def has_moved() -> bool:
            if self.primary is former:
                self.sentinels[0].client.execute_command("SENTINEL FAILOVER", "calendars")
            return self.primary is not former

        until(has_moved, seconds=120)
        until(self.is_whole, seconds=120)

    def is_whole(self) -> bool:
        """Return whether all sentinels name the primary, and both others follow it."""
        named = {one.client.sentinel_get_master_addr_by_name("calendars") for one in self.sentinels}
        return len(named) == 1 and len(_online(self.primary.client)) == len(self.servers) - 1


@contextmanager
def sentinel_set(home: Path, *, down_after: int = 500, period: int = 200) -> Iterator[SentinelSet]:
    """Run the set. `down_after`, `period`: milliseconds; the sentinels ask and tell the servers each period."""
    with ExitStack() as stack:
        first, *others = [
            stack.enter_context(server(home / f"server-{number}", **_DURABLE, repl_diskless_load="swapdb"))
            for number in range(3)
        ]
        for other in others:
            other.client.replicaof("127.0.0.1", str(first.port))
        until(lambda: _copied(first.client, len(others)))
        sentinels = []
        for number in range(3):
            conf = home / f"sentinel-{number}.conf"
            conf.write_text(
                f"sentinel monitor calendars 127.0.0.1 {first.port} 2\n"
                f"sentinel down-after-milliseconds calendars {down_after}\n"
                "sentinel failover-timeout calendars 2000\n"
            )
            sentinels.append(stack.enter_context(_sentinel(home, conf)))
        periods = [part for name in ("info", "ping", "publish") for part in (f"{name}-period", period)]
        for sentinel in sentinels:
            sentinel.client.execute_command("SENTINEL DEBUG", *periods)
        for sentinel in sentinels:
            until(lambda one=sentinel: len(one.client.sentinel_slaves("calendars")) == len(others))
            until(lambda one=sentinel: len(one.client.sentinel_sentinels("calendars")) == len(sentinels) - 1)
        yield SentinelSet([first, *others], sentinels)


def _online(client: "redis.Redis") -> list[str]:
    replication = client.info("replication")
    states = [replication[f"slave{number}"]["state"] for number in range(replication["connected_slaves"])]
    return [state for state in states if state == "online"]


@contextmanager
def cluster(home: Path, count: int = 2, *, replicas: int = 0) -> Iterator[list[Server]]:
    """Run a cluster of primaries that share the slots evenly; `replicas` more follow the first."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                server(home / str(number), **_DURABLE, cluster_enabled="yes", cluster_node_timeout="1000")
            )
            for number in range(count + replicas)
        ]
        share = 16384 // count
        for number, node in enumerate(nodes):
            if number < count:
                last = 16383 if number == count - 1 else (number + 1) * share - 1
                node.client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
            node.client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            until(lambda node=node: _is_whole(node.client.cluster("INFO"), len(nodes)))
        first = nodes[0].client.execute_command("CLUSTER MYID")
        for node in nodes[count:]:
            until(lambda node=node: node.client.execute_command("CLUSTER REPLICATE", first))
        until(lambda: len(_online(nodes[0].client)) == replicas)
        yield nodes


def _copied(client: "redis.Redis", count: int = 1) -> bool:
    """Return whether a write reaches so many replicas; the first takes up to a second."""
    with client.pipeline(transaction=False) as pipeline:
        answers = pipeline.set("first", "1").delete("first").execute_command("WAIT", count, 2_000).execute()
    return bool(answers[-1] == count)


def _is_whole(info: Mapping[str, str], count: int) -> bool:
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(count)


@contextmanager
def _sentinel(home: Path, conf: Path) -> Iterator[Server]:
    port = free_port()
    words = [str(server_binary()), str(conf), "--sentinel", "--port", str(port), "--bind", "127.0.0.1"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        try:
            started = Server(port, home, process)
            until(started.client.ping)
            yield started
        finally:
            process.kill()


def free_port() -> int:
    """Return a free port, below those that a cluster's nodes take for their own bus (10,000 above)."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
        if port < 55_000:
            return port
