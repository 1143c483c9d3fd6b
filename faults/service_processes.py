"""The service's processes of a cluster: two web processes (`web0`, `web1`) and two workers (`worker0`, `worker1`).

Each is started by a fork server and ended by its own process id.
"""

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.errors import ClusterError
from faults.helper_process import HelperProcess
from faults.paths import ROOT
from faults.store_server import READY

WEBS, WORKERS = ("web0", "web1"), ("worker0", "worker1")
NAMES = (*WEBS, *WORKERS)


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@dataclass
class ServiceProcess:
    """One process of the service and what it was started with."""

    name: str
    args: list[str]
    env: dict[str, str]
    pid: int = 0
    extra_env: dict[str, str] = field(default_factory=dict)
    """Variables of the present run only; not empty means that the process runs under a fault."""
    version: Path | None = None
    """The folder of another version of the service; None for the version under test."""

    @property
    def family(self) -> list[int]:
        """Its process id and those of its children; the web server answers requests in a child."""
        return [self.pid, *_children(self.pid)] if self.pid else []

    @property
    def is_alive(self) -> bool:
        """Whether it still works; a web process needs its child for that."""
        if not self.pid or not _is_alive(self.pid):
            return False
        return self.name not in WEBS or any(_is_alive(child) for child in _children(self.pid))


class ServiceProcesses:
    """Starts, stops and ends the service's processes by name, and runs its commands."""

    def __init__(self, home: Path, package_root: Path, env: Mapping[str, str]) -> None:
        self.home, self._package_root, self._env = home, package_root, dict(env)
        self.ports = {name: free_port() for name in WEBS}
        self.by_name: dict[str, ServiceProcess] = {}
        self._fork_servers: dict[Path, HelperProcess] = {}

    def add(self, name: str, args: list[str], env: dict[str, str]) -> None:
        """Add a process under this name and start it, without waiting until it is ready."""
        self.by_name[name] = ServiceProcess(name, args, env)
        self.start(name, wait=False)

    def close(self) -> None:
        """Kill every process."""
        for process in self.by_name.values():
            for pid in process.family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for fork_server in self._fork_servers.values():
            fork_server.close()

    def start(
        self,
        name: str,
        *,
        wait: bool = True,
        version: Path | None = None,
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process that does not run; `version` and `extra_env` are for this run only."""
        process = self.by_name[name]
        process.extra_env, process.version = dict(extra_env or {}), version
        env = process.env | process.extra_env
        log = str(self.home / f"{name}.log")
        process.pid = self._ask(version, {"do": "start", "args": process.args, "env": env, "log": log})["pid"]
        if wait and name in WEBS:
            self.await_ready(name)

    def await_ready(self, name: str) -> None:
        """Wait until the web process accepts connections."""
        end = time.monotonic() + READY
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[name]), 1):
                return
            if not _is_alive(self.by_name[name].pid):
                log = (self.home / f"{name}.log").read_text("utf-8", "replace")
                raise ClusterError(f"{name} ended at its start: {log[-400:]}")
            time.sleep(0.01)
        raise ClusterError(f"{name} does not accept connections")

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL and wait until it and its children have ended."""
        family = self.by_name[name].family
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while any(_is_alive(pid) for pid in family) or self._listens(name):
            if time.monotonic() > end:
                raise ClusterError(f"{name} does not end")
            time.sleep(0.005)

    def terminate(self, name: str) -> None:
        """Send SIGTERM and wait until the process has ended; after 30 s kill it and raise `ClusterError`."""
        process, end = self.by_name[name], time.monotonic() + 30
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        while _is_alive(process.pid) or self._listens(name):
            if time.monotonic() > end:
                self.kill(name)
                raise ClusterError(f"{name} did not end within 30 s of SIGTERM")
            time.sleep(0.01)

    def suspend(self, name: str) -> None:
        """Send SIGSTOP: the process keeps its connections and leases and does nothing."""
        for pid in self.by_name[name].family:
            os.kill(pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Send SIGCONT."""
        for pid in self.by_name[name].family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def restart(
        self, name: str, *, version: Path | None = None, extra_env: Mapping[str, str] | None = None
    ) -> None:
        """Kill what is left of the process and start it again."""
        self.kill(name)
        self.start(name, version=version, extra_env=extra_env)

    def restore(self) -> None:
        """Let every process run, without extra variables, as the version under test."""
        for name, process in self.by_name.items():
            if process.is_alive:
                self.resume(name)
            if process.extra_env or process.version or not process.is_alive:
                self.restart(name)

    def logged(self, event: str) -> int:
        """Return how often the workers have logged this event so far."""
        logs = [(self.home / f"{name}.log").read_text("utf-8", "replace") for name in WORKERS]
        return sum(log.count(f'"event":"{event}"') for log in logs)

    def command(self, *args: str, extra_env: Mapping[str, str] | None = None) -> int:
        """Run a command of the service to its end, with a worker's variables; return its exit status."""
        env = self.by_name[WORKERS[0]].env | dict(extra_env or {})
        log = str(self.home / "command.log")
        pid = self._ask(None, {"do": "start", "args": list(args), "env": env, "log": log})["pid"]
        end = time.monotonic() + READY
        while (status := self._ask(None, {"do": "status", "pid": pid})["status"]) is None:
            if time.monotonic() > end:
                raise ClusterError(f"the command {args[0]} does not end")
            time.sleep(0.01)
        return int(status)

    def _ask(self, version: Path | None, request: Mapping[str, Any]) -> Any:
        root = version or self._package_root
        if root not in self._fork_servers:
            self._fork_servers[root] = _fork_server(root, self._env, self.home)
        return self._fork_servers[root].ask(request)

    def _listens(self, name: str) -> bool:
        if name not in self.ports:
            return False
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.ports[name]))
            except OSError:
                return True
            return False


def _fork_server(package_root: Path, env: Mapping[str, str], home: Path) -> HelperProcess:
    """Start a fork server of the service in this folder."""
    # -P: else the folder of this file would be searched for modules before the service's.
    command = [sys.executable, "-P", str(ROOT / "faults" / "fork_server.py")]
    server = HelperProcess(command, home, {**env, "PYTHONPATH": str(package_root)})
    package = Path(server.greeting["package"])
    if package != package_root / "calendar_service":
        server.close()
        raise ClusterError(f"the service was imported from {package}")
    return server
