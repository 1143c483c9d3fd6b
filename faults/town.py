"""The real processes of one campaign: store, Google, two web, two workers, proxies between. Must not judge anything.

Everything listens on loopback, everything is started here and ended by its own process id.
"""

import contextlib
import http.server
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from calendar_service.sandbox.clients import OAuthClient
from tests.local_google import LocalGoogle

ROOT = Path(__file__).parent.parent
LEASH = ROOT / "calendar_service" / "leash.py"
CLIENT_ID, CLIENT_SECRET = "faults.apps.local-google.test", "faults-secret"
BACKEND_KEY, ADMIN_KEY = "backend-key-of-the-campaign", "admin-key-of-the-campaign"
READY = 60.0
_SETTINGS = """
import json
from calendar_service import embedded
print(json.dumps([str(embedded.server_binary()), embedded._SETTINGS]))
"""


class TownError(Exception):
    """A process did not do what the campaign needs, so nothing can be said about the service."""


def fresh_key() -> str:
    """Return 32 random bytes as the configuration takes them."""
    return b64encode(secrets.token_bytes(32)).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@dataclass
class Process:
    """One service process and what it was started with."""

    name: str
    args: list[str]
    env: dict[str, str]
    pid: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def family(self) -> list[int]:
        """Its process id and those of its children (the web server works in a child)."""
        return [self.pid, *_children(self.pid)] if self.pid else []

    @property
    def alive(self) -> bool:
        """Whether it still does its work."""
        if not self.pid or not _alive(self.pid):
            return False
        return self.name[:3] != "web" or any(_alive(child) for child in _children(self.pid))


class Receiver(http.server.ThreadingHTTPServer):
    """The backend's end of the webhooks: takes everything, or fails as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.trouble: int | None = None
        """The status to answer with; 0 hangs up."""
        self.taken = self.refused = 0
        threading.Thread(target=self.serve_forever, name="receiver", daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed is no news."""


class _Take(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        trouble = self.server.trouble
        if trouble is None:
            self.server.taken += 1
        else:
            self.server.refused += 1
        if trouble != 0:
            self.send_response(trouble or 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Town:
    """All processes of one run, over one new data directory."""

    def __init__(self, home: Path, package_root: Path, seed: int) -> None:
        """Take an empty directory, and the folder that holds the `calendar_service` to be tried."""
        self.home, self.package_root, self.seed = home, package_root, seed
        self.clock_file = home / "clock"
        self.clock_file.write_text("0")
        self.offset = 0.0
        self.store_port = _free_port()
        self.store: subprocess.Popen[bytes] | None = None
        self.trace: Path | None = None
        self.traced = shutil.which("strace") is not None
        self._before: dict[str, int] = {}
        self._starts = 0
        self.processes: dict[str, Process] = {}
        self.ports = {"web0": _free_port(), "web1": _free_port()}

    # --- start and end ---

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        (self.home / "store").mkdir()
        self.receiver = Receiver()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
        self._env = inherited | {"PYTHONPATH": str(self.package_root), "PYTHONDONTWRITEBYTECODE": "1"}
        told = subprocess.run(
            [sys.executable, "-c", _SETTINGS], env=self._env, capture_output=True, text=True, check=True,
            cwd=self.home,
        )  # fmt: skip
        self._binary, self._settings = json.loads(told.stdout)
        self.start_store()
        public = f"http://localhost:{self.ports['web0']}"
        client = OAuthClient(CLIENT_ID, CLIENT_SECRET, "faults", (f"{public}/oauth/callback",), "Faults")
        self.google = LocalGoogle.start([client], self.clock_file, None, self.seed)
        google_port = int(self.google.url.rpartition(":")[2])
        names = ("web0", "web1", "worker0", "worker1")
        links = {f"{name}-store": self.store_port for name in names}
        links |= {f"{name}-google": google_port for name in names}
        self._proxy = subprocess.Popen(
            [sys.executable, "-m", "faults.proxy", json.dumps(links)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self._proxy.stdout is not None
        self.links: dict[str, int] = json.loads(self._proxy.stdout.readline())
        self._zygote = subprocess.Popen(
            [sys.executable, str(ROOT / "faults" / "zygote.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._env, cwd=self.home,
        )  # fmt: skip
        assert self._zygote.stdout is not None
        found = json.loads(self._zygote.stdout.readline())["package"]
        if Path(found) != self.package_root / "calendar_service":
            raise TownError(f"the service was imported from {found}")
        common = self._variables(public)
        for name in names:
            args = ["serve"] if name.startswith("web") else ["work"]
            self.processes[name] = Process(name, args, self._own(common, name))
            self.start(name, wait=False)
        for name in ("web0", "web1"):
            self.await_ready(name)

    def _variables(self, public: str) -> dict[str, str]:
        keys = [("campaign", "backend", BACKEND_KEY), ("campaign-admin", "admin", ADMIN_KEY)]
        return {
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C.UTF-8",
            "CALENDAR_ENVIRONMENT": "development",
            "CALENDAR_DATA_DIR": str(self.home),
            "CALENDAR_PUBLIC_URL": public,
            "CALENDAR_OPERATOR": "videsk",
            "CALENDAR_KEYRING": f"k1:{fresh_key()}",
            "CALENDAR_IDENTITY_KEY": fresh_key(),
            "CALENDAR_SIGNING_KEY": fresh_key(),
            "CALENDAR_API_KEYS": ",".join(
                f"{name}:*:{role}:{sha256(key.encode()).hexdigest()}" for name, role, key in keys
            ),
            "CALENDAR_WEBHOOK_URL": f"http://127.0.0.1:{self.receiver.server_port}/",
            "CALENDAR_WEBHOOK_SECRET": f"whsec_{fresh_key()}",
            "CALENDAR_GOOGLE_CLIENT_ID": CLIENT_ID,
            "CALENDAR_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "CALENDAR_GOOGLE_AUTH_URI": self.google.auth_uri,
            "CALENDAR_TEST_CLOCK": str(self.clock_file),
        }

    def _own(self, common: dict[str, str], name: str) -> dict[str, str]:
        google = f"http://127.0.0.1:{self.links[f'{name}-google']}"
        own = {
            "CALENDAR_REDIS_URL": f"redis://127.0.0.1:{self.links[f'{name}-store']}/0",
            "CALENDAR_GOOGLE_TOKEN_URI": f"{google}/token",
            "CALENDAR_GOOGLE_REVOKE_URI": f"{google}/revoke",
            "CALENDAR_GOOGLE_API_ENDPOINT": f"{google}/calendar/v3/",
        }
        if name in self.ports:
            own["CALENDAR_PORT"] = str(self.ports[name])
        return common | own

    def close(self) -> None:
        """End everything that was started here."""
        for process in self.processes.values():
            for pid in process.family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for name in ("_zygote", "_proxy"):
            helper = getattr(self, name, None)
            if helper:
                helper.stdin.close()
                try:
                    helper.wait(5)
                except subprocess.TimeoutExpired:
                    helper.kill()
                    helper.wait()
                helper.stdout.close()
        if hasattr(self, "receiver"):
            self.receiver.shutdown()
            self.receiver.server_close()
        if hasattr(self, "google"):
            self.google.kill()
        if self.store:
            self.kill_store()

    # --- service processes ---

    def _ask_zygote(self, **request: Any) -> Any:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(request) + "\n")
        self._zygote.stdin.flush()
        return json.loads(self._zygote.stdout.readline())

    def start(self, name: str, *, wait: bool = True, **extra: str) -> None:
        """Start a process that does not run; `extra` are variables for this life of it only."""
        process = self.processes[name]
        process.extra = extra
        log = str(self.home / f"{name}.log")
        env = process.env | extra
        process.pid = self._ask_zygote(do="start", args=process.args, env=env, log=log)["pid"]
        if wait and name.startswith("web"):
            self.await_ready(name)

    def await_ready(self, name: str) -> None:
        """Wait until the web process accepts connections."""
        end = time.monotonic() + READY
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[name]), 1):
                return
            if not _alive(self.processes[name].pid):
                last = (self.home / f"{name}.log").read_text("utf-8", "replace")[-400:]
                raise TownError(f"{name} ended at its start: {last}")
            time.sleep(0.01)
        raise TownError(f"{name} does not accept connections")

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.processes[name]
        family = process.family
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._await_end(name, family)

    def terminate(self, name: str) -> float:
        """Ask a process to end; return how many seconds it took."""
        process, began = self.processes[name], time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        while _alive(process.pid) or (name in self.ports and self._listens(name)):
            if time.monotonic() - began > 30:
                self.kill(name)
                raise TownError(f"{name} did not end within 30 s of SIGTERM")
            time.sleep(0.01)
        return time.monotonic() - began

    def stop(self, name: str) -> None:
        """Let a process stand still."""
        for pid in self.processes[name].family:
            os.kill(pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """Let it go on."""
        for pid in self.processes[name].family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _await_end(self, name: str, family: list[int]) -> None:
        end = time.monotonic() + 10
        while any(_alive(pid) for pid in family) or (name in self.ports and self._listens(name)):
            if time.monotonic() > end:
                raise TownError(f"{name} does not end")
            time.sleep(0.005)

    def _listens(self, name: str) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.ports[name]))
            except OSError:
                return True
            return False

    def command(self, *args: str, **extra: str) -> int:
        """Run a command of the service to its end; return its exit status."""
        env = self.processes["worker0"].env | extra
        log = str(self.home / "command.log")
        pid = self._ask_zygote(do="start", args=list(args), env=env, log=log)["pid"]
        end = time.monotonic() + READY
        while (status := self._ask_zygote(do="ended", pid=pid)["status"]) is None:
            if time.monotonic() > end:
                raise TownError(f"the command {args[0]} does not end")
            time.sleep(0.01)
        return int(status)

    def restart(self, name: str, **extra: str) -> None:
        """Kill whatever is left of it, and start it anew."""
        self.kill(name)
        self.start(name, **extra)

    def all_well(self) -> None:
        """Every process runs, without a fault configured, and every link passes."""
        for name in self.links:
            self.link(name, "pass")
        self.google.clear_faults()
        self.receiver.trouble = None
        if self.store is None or self.store.poll() is not None:
            self.start_store()
        for name, process in self.processes.items():
            if process.alive:
                self.go_on(name)
            if process.extra or not process.alive:
                self.restart(name)

    def link(self, name: str, mode: str, seconds: float = 0.0) -> None:
        """Change what the proxy does to one link."""
        assert self._proxy.stdin is not None
        assert self._proxy.stdout is not None
        self._proxy.stdin.write(json.dumps({"link": name, "mode": mode, "seconds": seconds}) + "\n")
        self._proxy.stdin.flush()
        if self._proxy.stdout.readline() != "{}\n":
            raise TownError("the proxy has ended")

    # --- time ---

    def advance(self, seconds: float) -> None:
        """Move the test clock of every process and of the local Google."""
        self.offset += seconds
        draft = self.clock_file.with_suffix(".new")
        draft.write_text(str(self.offset))
        draft.replace(self.clock_file)

    def now(self) -> float:
        """The time as all of them see it."""
        return time.time() + self.offset

    # --- the store ---

    @property
    def raw(self) -> "redis.Redis":
        """A client of the store itself, beside every proxy and every part of the service."""
        return redis.Redis(port=self.store_port, decode_responses=True, socket_timeout=10)

    def start_store(self) -> None:
        """Start the store with the service's own settings and wait until it answers."""
        folder = self.home / "store"
        own = {"port": str(self.store_port), "bind": "127.0.0.1", "dir": str(folder), "save": ""}
        settings = {k: v for k, v in self._settings.items() if not k.startswith("unixsocket")} | own
        command = [self._binary, *(part for k, v in settings.items() for part in (f"--{k}", v))]
        if self.traced:
            self._starts += 1
            self.trace = self.home / f"trace-{self._starts}"
            self._before = {file.name: file.stat().st_size for file in self._append_only()}
            command = [
                "strace", "-D", "-f", "--seccomp-bpf", "-qqq", "-y", "-s", "0", "-e", "signal=none",
                "-e", "trace=write,fdatasync,fsync", "-o", str(self.trace), *command,
            ]  # fmt: skip
        with (self.home / "store.log").open("ab") as log:
            self.store = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command],
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            )
        end = time.monotonic() + READY
        client = self.raw
        while time.monotonic() < end:
            if self.store.poll() is not None:
                raise TownError(f"the store ended at its start; see {self.home}/store.log")
            with contextlib.suppress(redis.RedisError):
                client.ping()
                client.close()
                return
            time.sleep(0.01)
        raise TownError("the store does not answer")

    def kill_store(self) -> None:
        """Kill the store."""
        if self.store:
            with contextlib.suppress(ProcessLookupError):
                self.store.kill()
            self.store.wait()

    def signal_store(self, number: int) -> None:
        """Send a signal to the store."""
        if self.store:
            self.store.send_signal(number)

    def limit_store_file(self, more: int | None) -> None:
        """Let the append-only file grow by `more` bytes only (None: as it likes), as on a full disk."""
        if not self.store:
            return
        size = max((file.stat().st_size for file in self._append_only()), default=0)
        limit = resource.RLIM_INFINITY if more is None else size + more
        resource.prlimit(self.store.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def _append_only(self) -> list[Path]:
        return sorted((self.home / "store").glob("appendonlydir/*.incr.aof"))

    def cut_power(self) -> int | None:
        """Kill the store and take from its append-only file what was not yet synchronised; bytes lost.

        None without a system call tracer on this machine: then nothing is known and nothing is cut.
        """
        self.kill_store()
        if not self.trace:
            return None
        time.sleep(0.05)  # the tracer writes its last lines
        written, synced = _followed(self.trace, self._before)
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


def _followed(trace: Path, before: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how long each file is by its writes, and how long it was when it was last synchronised."""
    written, synced = dict(before), dict(before)
    pending: dict[str, tuple[str, str, int]] = {}
    for line in trace.read_text("utf-8", "replace").splitlines():
        match = _LINE.match(line)
        if match:
            name = match["path"].rpartition("/")[2]
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
