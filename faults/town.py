"""The real processes of one campaign: store, Google, two web, two workers, proxies between. Must not judge anything.

Everything listens on loopback, everything is started here and ended by its own process id.
"""

import contextlib
import http.server
import json
import os
import secrets
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

from calendar_service.sandbox.clients import OAuthClient
from tests.local_google import LocalGoogle

from faults.store import READY, ROOT, Store, TownError

CLIENT_ID, CLIENT_SECRET = "faults.apps.local-google.test", "faults-secret"
BACKEND_KEY, ADMIN_KEY = "backend-key-of-the-campaign", "admin-key-of-the-campaign"
_SETTINGS = """
import json
from calendar_service import embedded
print(json.dumps([str(embedded.server_binary()), embedded._SETTINGS]))
"""


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


class Zygote:
    """Starts processes of one version of the service."""

    def __init__(self, package_root: Path, env: dict[str, str], home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "faults" / "zygote.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home,
            env=env | {"PYTHONPATH": str(package_root)},
        )  # fmt: skip
        assert self._process.stdout is not None
        found = json.loads(self._process.stdout.readline())["package"]
        if Path(found) != package_root / "calendar_service":
            raise TownError(f"the service was imported from {found}")

    def ask(self, **request: Any) -> Any:
        """Ask one thing; return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and with it what it started."""
        _end_helper(self._process)


def _end_helper(helper: "subprocess.Popen[str]") -> None:
    assert helper.stdin is not None
    assert helper.stdout is not None
    helper.stdin.close()
    try:
        helper.wait(5)
    except subprocess.TimeoutExpired:
        helper.kill()
        helper.wait()
    helper.stdout.close()


@dataclass
class Process:
    """One service process and what it was started with."""

    name: str
    args: list[str]
    env: dict[str, str]
    pid: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    version: Path | None = None
    """The folder of another version of the service; None for the one that is tried."""

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
        self.store: Store
        self._followers: list[Store] = []
        self._servers = 0
        self._zygotes: dict[Path, Zygote] = {}
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
        self.receiver = Receiver()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
        self._env = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}
        told = subprocess.run(
            [sys.executable, "-c", _SETTINGS], capture_output=True, text=True, check=True, cwd=self.home,
            env=self._env | {"PYTHONPATH": str(self.package_root)},
        )  # fmt: skip
        self._server: tuple[str, dict[str, str]] = tuple(json.loads(told.stdout))
        self.store = self._new_store()
        public = f"http://localhost:{self.ports['web0']}"
        client = OAuthClient(CLIENT_ID, CLIENT_SECRET, "faults", (f"{public}/oauth/callback",), "Faults")
        self.google = LocalGoogle.start([client], self.clock_file, None, self.seed)
        google_port = int(self.google.url.rpartition(":")[2])
        names = ("web0", "web1", "worker0", "worker1")
        links = {"replica-store": self.store.port} | {f"{name}-store": self.store.port for name in names}
        links |= {f"{name}-google": google_port for name in names}
        self._proxy = subprocess.Popen(
            [sys.executable, "-m", "faults.proxy", json.dumps(links)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self._proxy.stdout is not None
        self.links: dict[str, int] = json.loads(self._proxy.stdout.readline())
        self._zygotes[self.package_root] = Zygote(self.package_root, self._env, self.home)
        self.identity_key = fresh_key()
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
            "CALENDAR_KEYRING_FILE": str(self.write_keys([f"k1:{fresh_key()}"])),
            "CALENDAR_IDENTITY_KEY": self.identity_key,
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
        else:  # so that Google opens channels: it takes https addresses only (`faults.push`)
            own["CALENDAR_PUBLIC_URL"] = common["CALENDAR_PUBLIC_URL"].replace("http:", "https:")
        return common | own

    def close(self) -> None:
        """End everything that was started here."""
        for process in self.processes.values():
            for pid in process.family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for zygote in self._zygotes.values():
            zygote.close()
        if hasattr(self, "_proxy"):
            _end_helper(self._proxy)
        if hasattr(self, "receiver"):
            self.receiver.shutdown()
            self.receiver.server_close()
        if hasattr(self, "google"):
            self.google.kill()
        for store in self._all_stores():
            store.kill()

    # --- service processes ---

    def _ask_zygote(self, version: Path | None = None, **request: Any) -> Any:
        root = version or self.package_root
        if root not in self._zygotes:
            self._zygotes[root] = Zygote(root, self._env, self.home)
        return self._zygotes[root].ask(**request)

    def start(self, name: str, *, wait: bool = True, version: Path | None = None, **extra: str) -> None:
        """Start a process that does not run; `version` and `extra` variables are for this life of it only."""
        process = self.processes[name]
        process.extra, process.version = extra, version
        log = str(self.home / f"{name}.log")
        env = process.env | extra
        process.pid = self._ask_zygote(version, do="start", args=process.args, env=env, log=log)["pid"]
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

    def restart(self, name: str, *, version: Path | None = None, **extra: str) -> None:
        """Kill whatever is left of it, and start it anew."""
        self.kill(name)
        self.start(name, version=version, **extra)

    def all_well(self) -> None:
        """Every process runs, without a fault configured, and every link passes."""
        for name in self.links:
            self.link(name, "pass")
        self.google.clear_faults()
        self.receiver.trouble = None
        self._leave_followers()
        if not self.store.runs:
            self.store.start()
        for name, process in self.processes.items():
            if process.alive:
                self.go_on(name)
            if process.extra or process.version or not process.alive:
                self.restart(name)

    def link(self, name: str, mode: str, seconds: float = 0.0, **more: Any) -> None:
        """Change what the proxy does to one link."""
        assert self._proxy.stdin is not None
        assert self._proxy.stdout is not None
        wish = {"link": name, "mode": mode, "seconds": seconds, **more}
        self._proxy.stdin.write(json.dumps(wish) + "\n")
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

    # --- keys and servers ---

    def write_keys(self, keyring: list[str], name: str = "keyring") -> Path:
        """Write a file of keys, the current one first: at once, as an operator's tools do."""
        path = self.home / name
        draft = path.with_suffix(".new")
        draft.write_text(",".join(keyring))
        draft.replace(path)
        return path

    def keys(self) -> list[str]:
        """Return the keyring as it is in the file."""
        return (self.home / "keyring").read_text("utf-8").strip().split(",")

    def _new_store(self) -> Store:
        self._servers += 1
        made = Store(self.home / f"store-{self._servers}", _free_port(), *self._server)
        made.start()
        return made

    def _all_stores(self) -> list[Store]:
        return [*([self.store] if hasattr(self, "store") else []), *self._followers]

    def follower(self) -> Store:
        """Start a server that follows the one that everybody writes to, over a link of its own."""
        self.link("replica-store", "pass", target=self.store.port)
        made = self._new_store()
        self._followers.append(made)
        made.follow(self.links["replica-store"])
        return made

    def lead_to(self, store: Store, *names: str) -> None:
        """Let these processes find another server where the store was."""
        for name in names or tuple(self.processes):
            self.link(f"{name}-store", "cut", target=store.port)

    def promote(self, replica: Store) -> Store:
        """Let a replica be the store from now on; return the former one, which goes on by itself."""
        replica.lead()
        former, self.store = self.store, replica
        self._followers.remove(replica)
        self._followers.append(former)
        return former

    def retire(self, store: Store) -> None:
        """End a server that nobody needs any more."""
        store.kill()
        self._followers.remove(store)

    def wait_for_copies(self, count: int) -> None:
        """Start every process anew, so that no write counts before so many replicas have it."""
        for name, process in self.processes.items():
            address = process.env["CALENDAR_REDIS_URL"]
            self.kill(name)
            self.start(name, wait=False, CALENDAR_REDIS_URL=f"{address}?copies={count}")
        for name in self.ports:
            self.await_ready(name)

    def _leave_followers(self) -> None:
        if self._followers:
            for store in list(self._followers):
                self.retire(store)
            self.lead_to(self.store)
