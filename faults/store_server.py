"""One Valkey server of the cluster: start it, kill it, cut its power, fill its disk, make it a replica.

It does not know which keys the service keeps.
"""

import contextlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis

from faults.errors import ClusterError
from faults.paths import PACKAGE
from faults.power_cut import CAN_CUT, synchronized_lengths, trace_command

PARENT_DEATH = PACKAGE / "processes/parent_death.py"
"""The service's script that ends a child when its parent dies."""
READY = 60.0
"""Seconds within which a process has to be ready."""


class StoreServer:
    """One server with its directory and its port; `settings` are those that the service gives its own server."""

    def __init__(
        self,
        home: Path,
        port: int,
        binary: str,
        settings: Mapping[str, str],
        *,
        address: str = "127.0.0.1",
        trace: bool = CAN_CUT,
    ) -> None:
        """`address`: where it listens, and from where it connects. `trace`: whether its power can be cut."""
        home.mkdir()
        self.home, self.port, self.address, self._traced = home, port, address, trace
        self._binary = binary
        inherited = {name: value for name, value in settings.items() if not name.startswith("unixsocket")}
        own = {"port": str(port), "bind": address, "bind-source-addr": address, "dir": str(home), "save": ""}
        replication = {"repl-diskless-sync-delay": "0", "repl-diskless-load": "swapdb"}
        self._settings = inherited | own | replication
        self._process: subprocess.Popen[bytes] | None = None
        self._trace: Path | None = None
        self._lengths_at_start: dict[str, int] = {}
        self._starts = 0

    @property
    def is_running(self) -> bool:
        """Whether the process exists."""
        return self._process is not None and self._process.poll() is None

    def client(self) -> "contextlib.closing[Any]":
        """Return a client of this server, past every proxy, to be used in a `with` statement."""
        return contextlib.closing(
            redis.Redis(host=self.address, port=self.port, decode_responses=True, socket_timeout=10)
        )

    # --- start and end ---

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            self._binary, *(part for name, value in self._settings.items() for part in (f"--{name}", value))
        ]  # fmt: skip
        if self._traced:
            command = [*self._start_trace(), *command]
        with (self.home.parent / "store.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(PARENT_DEATH), str(os.getpid()), *command],
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            )
        self._await_answer()

    def _await_answer(self) -> None:
        end = time.monotonic() + READY
        with self.client() as client:
            while time.monotonic() < end:
                if not self.is_running:
                    raise ClusterError(f"the store ended at its start; see {self.home.parent}/store.log")
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        raise ClusterError("the store does not answer")

    def _start_trace(self) -> list[str]:
        self._starts += 1
        self._trace = self.home.parent / f"trace-{self.home.name}-{self._starts}"
        self._lengths_at_start = {file.name: file.stat().st_size for file in self._append_only_files()}
        return trace_command(self._trace)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        if self._process:
            self._process.send_signal(number)

    # --- replication ---

    def replicate_from(self, port: int, address: str = "127.0.0.1") -> None:
        """Become a replica of the server behind this address; return when all data is in memory and in the file."""
        with self.client() as client:
            client.replicaof(address, str(port))
            end = time.monotonic() + READY
            while client.info("replication")["master_link_status"] != "up" or _is_rewriting(client):
                if time.monotonic() > end:
                    raise ClusterError("a replica does not come up")
                time.sleep(0.01)

    def become_primary(self) -> None:
        """Stop replicating."""
        with self.client() as client:
            client.replicaof("NO", "ONE")

    # --- the append-only file ---

    def limit_append_only_file(self, extra_bytes: int | None) -> None:
        """Let the append-only file grow by so many bytes only, as on a full disk; None lifts the limit."""
        if not self._process:
            return
        limit = resource.RLIM_INFINITY if extra_bytes is None else self.append_only_size() + extra_bytes
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def append_only_size(self) -> int:
        """Return the bytes of the append-only file that the server is writing."""
        return max((file.stat().st_size for file in self._append_only_files()), default=0)

    def append_only_text(self) -> bytes:
        """Return all append-only files joined, the base files too."""
        return b"".join(file.read_bytes() for file in sorted((self.home / "appendonlydir").glob("*.aof")))

    def damage_append_only_file(self, start: int, rng: random.Random) -> None:
        """Spoil the beginning of one command behind this byte of the file that the server was writing."""
        file = self._append_only_files()[-1]
        text = bytearray(file.read_bytes())
        beginnings = [match.end() for match in re.finditer(rb"\r\n(?=\*\d+\r\n\$)", text[start:])]
        if beginnings:
            text[start + rng.choice(beginnings)] = ord("!")
            file.write_bytes(text)

    def repair_append_only_file(self) -> int:
        """Let the server's own tool cut the file where it is damaged; return the bytes that it cut."""
        size, file = self.append_only_size(), self._append_only_files()[-1]
        # The server's binary is that tool too, where it is called by the tool's name. It takes the one file and not the
        # manifest, because in Valkey 9.1.2 it does not know its own base file.
        subprocess.run(
            ["valkey-check-aof", "--fix", str(file)], executable=self._binary, input=b"y\n", check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return size - self.append_only_size()

    def _append_only_files(self) -> list[Path]:
        return sorted(self.home.glob("appendonlydir/*.incr.aof"))

    def cut_power(self) -> int:
        """Kill the server and cut off what it had not synchronized to disk; return the bytes lost.

        Without `strace` on this machine nobody knows what was synchronized, and nothing is cut off.
        """
        self.kill()
        if not self._trace:
            return 0
        time.sleep(0.05)  # strace writes its last lines
        written, synchronized = synchronized_lengths(self._trace, self._lengths_at_start)
        lost = 0
        for file in self._append_only_files():
            size = file.stat().st_size
            untouched = self._lengths_at_start.get(file.name, size if file.name not in written else 0)
            safe = min(size, synchronized.get(file.name, untouched))
            if safe < size:
                os.truncate(file, safe)
                lost += size - safe
        return lost


def await_that(holds: Callable[[], Any], what: str) -> None:
    """Wait until servers say that a condition holds; raise `ClusterError` if it does not come to hold."""
    end, trouble = time.monotonic() + READY, ""
    while time.monotonic() < end:
        try:
            if holds():
                return
        except redis.RedisError as error:
            trouble = str(error)
        time.sleep(0.05)
    raise ClusterError(f"{what} does not become ready: {trouble}")


def _is_rewriting(client: Any) -> bool:
    persistence = client.info("persistence")
    return bool(persistence["aof_rewrite_in_progress"] or persistence["aof_rewrite_scheduled"])
