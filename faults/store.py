"""One server of the store: killed, cut off from power, followed. Must not know what is stored."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import redis

ROOT = Path(__file__).parent.parent
LEASH = ROOT / "calendar_service" / "leash.py"
READY = 60.0
CAN_CUT = shutil.which("strace") is not None
"""Whether this machine can tell what was synchronized; without, a power cut takes nothing away."""


class TownError(Exception):
    """A process did not do what the campaign needs, so nothing can be said about the service."""


class Store:
    """One server with its directory and its port; `settings` are the service's own."""

    def __init__(self, home: Path, port: int, binary: str, settings: Mapping[str, str]) -> None:
        home.mkdir()
        self.home, self.port = home, port
        self._binary = binary
        named = {name: value for name, value in settings.items() if not name.startswith("unixsocket")}
        own = {"port": str(port), "bind": "127.0.0.1", "dir": str(home), "save": ""}
        self._settings = named | own | {"repl-diskless-sync-delay": "0", "repl-diskless-load": "swapdb"}
        self._process: subprocess.Popen[bytes] | None = None
        self._trace: Path | None = None
        self._before: dict[str, int] = {}
        self._starts = 0

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def client(self) -> "redis.Redis":
        """A client of the server itself, beside every proxy and every part of the service."""
        return redis.Redis(port=self.port, decode_responses=True, socket_timeout=10)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            self._binary, *(part for name, value in self._settings.items() for part in (f"--{name}", value))
        ]  # fmt: skip
        if CAN_CUT:
            command = [*self._traced(), *command]
        with (self.home.parent / "store.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command],
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            )
        end = time.monotonic() + READY
        with contextlib.closing(self.client) as client:
            while time.monotonic() < end:
                if not self.runs:
                    raise TownError(f"the store ended at its start; see {self.home.parent}/store.log")
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        raise TownError("the store does not answer")

    def _traced(self) -> list[str]:
        self._starts += 1
        self._trace = self.home.parent / f"trace-{self.home.name}-{self._starts}"
        self._before = {file.name: file.stat().st_size for file in self._append_only()}
        return [
            "strace", "-D", "-f", "--seccomp-bpf", "-qqq", "-y", "-s", "0", "-e", "signal=none",
            "-e", "trace=write,fdatasync,fsync,rename,unlink", "-o", str(self._trace),
        ]  # fmt: skip

    def kill(self) -> None:
        """Kill it."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process:
            self._process.send_signal(number)

    # --- followers ---

    def follow(self, port: int) -> None:
        """Follow the server that this port leads to, and wait until everything of it is here, in the file too."""
        with contextlib.closing(self.client) as client:
            client.replicaof("127.0.0.1", str(port))  # type: ignore[no-untyped-call]
            end = time.monotonic() + READY
            while client.info("replication")["master_link_status"] != "up" or _rewrites(client):
                if time.monotonic() > end:
                    raise TownError("a replica does not come up")
                time.sleep(0.01)

    def lead(self) -> None:
        """Follow nobody any more."""
        with contextlib.closing(self.client) as client:
            client.replicaof("NO", "ONE")  # type: ignore[no-untyped-call]

    # --- the files ---

    def limit_file(self, more: int | None) -> None:
        """Let the append-only file grow by `more` bytes only (None: as it likes), as on a full disk."""
        if not self._process:
            return
        limit = resource.RLIM_INFINITY if more is None else self.file_size() + more
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def file_size(self) -> int:
        """Return how long the append-only file is that grows now."""
        return max((file.stat().st_size for file in self._append_only()), default=0)

    def _append_only(self) -> list[Path]:
        return sorted(self.home.glob("appendonlydir/*.incr.aof"))

    def cut_power(self) -> int:
        """Kill the store and take from its append-only file what was not yet synchronized; return the bytes lost.

        Without a tracer on this machine nothing is known, and nothing is cut.
        """
        self.kill()
        if not self._trace:
            return 0
        time.sleep(0.05)  # the tracer writes its last lines
        written, synced = _followed(self._trace, self._before)
        lost = 0
        for file in self._append_only():
            size = file.stat().st_size
            safe = min(
                size,
                synced.get(file.name, self._before.get(file.name, size if file.name not in written else 0)),
            )
            if safe < size:
                os.truncate(file, safe)
                lost += size - safe
        return lost


_CALL = r"(?P<pid>\d+) +{}(?P<call>write|fdatasync|fsync)"
_LINE = re.compile(
    _CALL.format("") + r"\(\d+<(?P<path>[^>]*)>.*?(?:= (?P<result>-?\d+)|(?P<open><unfinished))"
)
_RESUMED = re.compile(_CALL.format(r"<\.\.\. ") + r" resumed>.*= (?P<result>-?\d+)")
_MOVED = re.compile(r'\d+ +(?:rename\("(?P<old>[^"]*)", "(?P<new>[^"]*)"\)|unlink\("(?P<gone>[^"]*)"\)) += 0')


def _followed(trace: Path, before: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how long each file is by its writes, and how long it was when it was last synchronized.

    A rewrite begins the next file under a name that it loses when the rewrite is done.
    """
    written, synced = dict(before), dict(before)
    pending: dict[str, tuple[str, str, int]] = {}
    for line in trace.read_text("utf-8", "replace").splitlines():
        match = _LINE.match(line)
        moved = _MOVED.match(line)
        if moved:
            for lengths in (written, synced):
                length = lengths.pop(_name(moved["old"] or moved["gone"]), 0)
                if moved["new"]:
                    lengths[_name(moved["new"])] = length
            continue
        if match:
            name = _name(match["path"])
            call, at = match["call"], written.get(name, 0)
            if match["open"]:
                pending[match["pid"]] = (call, name, at)
                continue
            result = int(match["result"])
        else:
            match = _RESUMED.match(line)
            if not match or match["pid"] not in pending:
                continue
            call, name, at = pending.pop(match["pid"])
            result = int(match["result"])
        if call == "write" and result > 0:
            written[name] = written.get(name, 0) + result
        elif call != "write" and result == 0:
            synced[name] = max(synced.get(name, 0), at)
    return written, synced


def _rewrites(client: "redis.Redis") -> bool:
    found = client.info("persistence")
    return bool(found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"])


def _name(path: str) -> str:
    return path.rpartition("/")[2]
