"""All real processes of one episode: store, local Google, two web processes, two workers, webhook receiver, proxies.

Everything listens on loopback. Everything is started here and ended by its own process id. A proxy link stands
between each process of the service and the store (`web0-store`), and between each and Google (`web0-google`).
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local_google.state.clients import RegisteredClient
from tests.support.local_google import LocalGoogle

from faults.helper_process import HelperProcess
from faults.paths import ROOT
from faults.replication import StoreServers
from faults.service_processes import NAMES, WEBS, ServiceProcesses
from faults.webhook_receiver import WebhookReceiver

CLIENT_ID, CLIENT_SECRET = "faults.apps.local-google.test", "faults-secret"
OTHER_CLIENT_ID = "other-faults.apps.local-google.test"
PROGRAM_CLIENT_ID = "program.apps.local-google.test"
"""The client of another program of the person."""
PROGRAM_REDIRECT = "http://localhost:9/program"
"""A client of another Google project, with the same secret."""
BACKEND_KEY, ADMIN_KEY = "backend-key-of-the-campaign", "admin-key-of-the-campaign"
_SERVER_SETTINGS = """
import json
from calendar_service.development import valkey
print(json.dumps([str(valkey.server_binary()), valkey._SETTINGS]))
"""


def random_key() -> str:
    """Return 32 random bytes in base64, as the configuration takes them."""
    return b64encode(secrets.token_bytes(32)).decode()


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the former text or the new one, and nothing between."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


class ClusterClock:
    """The test clock: an offset in seconds that the service, the store's scripts and the local Google read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.offset = 0.0
        _replace(file, "0")

    def advance(self, seconds: float) -> None:
        """Move the clock of every process; a negative number moves it back."""
        self.offset += seconds
        _replace(self.file, str(self.offset))

    def now(self) -> float:
        """Return the time as every process sees it, in seconds since 1970."""
        return time.time() + self.offset


class KeyringFile:
    """The file of encryption keys that every process of the service reads, the current key first."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def write(self, keys: list[str]) -> Path:
        """Write the keys; return the file."""
        _replace(self.file, ",".join(keys))
        return self.file

    def read(self) -> list[str]:
        """Return the keys."""
        return self.file.read_text("utf-8").strip().split(",")


class ProxyClient:
    """The campaign's end of the proxy (`faults.proxy`)."""

    def __init__(self, targets: dict[str, int]) -> None:
        command = [sys.executable, "-m", "faults.proxy", json.dumps(targets)]
        self._process = HelperProcess(command, ROOT)
        self.ports: dict[str, int] = self._process.greeting

    def set(self, link: str, mode: str, seconds: float = 0.0, **more: Any) -> None:
        """Change what the proxy does to one link."""
        self._process.ask({"link": link, "mode": mode, "seconds": seconds, **more})

    def pass_all(self) -> None:
        """Let every link pass."""
        for link in self.ports:
            self.set(link, "pass")

    def close(self) -> None:
        """End the proxy."""
        self._process.close()


class ServiceCluster:
    """All processes of one episode, over one new data directory. A context manager."""

    def __init__(self, home: Path, package_root: Path, seed: int) -> None:
        """Take an empty directory, and the folder that holds the `calendar_service` under test."""
        self.home, self.package_root, self.seed = home, package_root, seed
        self.clock = ClusterClock(home / "clock")
        self.identity_key = random_key()
        self.keyring = KeyringFile(home / "keyring")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
        self._env = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}
        self.processes = ServiceProcesses(home, package_root, self._env)
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def _start(self) -> None:
        """Start each part; the parts that others connect to come first."""
        self.webhooks = WebhookReceiver()
        self._exits.callback(self.webhooks.close)
        self._start_stores()
        public_url = f"http://localhost:{self.processes.ports['web0']}"
        redirects = (f"{public_url}/oauth/callback",)
        client = RegisteredClient(CLIENT_ID, CLIENT_SECRET, "faults", redirects, "Faults")
        other = RegisteredClient(OTHER_CLIENT_ID, CLIENT_SECRET, "faults-other", redirects, "Faults")
        program = RegisteredClient(
            PROGRAM_CLIENT_ID, CLIENT_SECRET, "program", (PROGRAM_REDIRECT,), "Program"
        )
        self.google = LocalGoogle.start([client, other, program], self.clock.file, None, self.seed)
        self._exits.callback(self.google.kill)
        self.proxy = ProxyClient(self._targets())
        self._exits.callback(self.proxy.close)
        self._connect_stores()
        self._exits.callback(self.processes.close)
        variables = self._variables(public_url)
        for name in NAMES:
            args = ["serve"] if name in WEBS else ["work"]
            self.processes.add(name, args, variables | self._own_variables(name, public_url))
        for name in WEBS:
            self.processes.await_ready(name)

    def _start_stores(self) -> None:
        self.stores = StoreServers(self.home, *self._server_settings())
        self._exits.callback(self.stores.close)

    def _connect_stores(self) -> None:
        self.stores.connect_proxy(self.proxy.set, self.proxy.ports["replica-store"])

    def _redis_url(self, name: str) -> str:
        return f"redis://127.0.0.1:{self.proxy.ports[f'{name}-store']}/0"

    def _server_settings(self) -> tuple[str, dict[str, str]]:
        """Return the Valkey binary and the settings that the service under test gives its own server."""
        output = subprocess.run(
            [sys.executable, "-c", _SERVER_SETTINGS], capture_output=True, text=True, check=True, cwd=self.home,
            env=self._env | {"PYTHONPATH": str(self.package_root)},
        ).stdout  # fmt: skip
        binary, settings = json.loads(output)
        return binary, settings

    def _targets(self) -> dict[str, int]:
        google = int(self.google.url.rpartition(":")[2])
        return self._store_targets() | {f"{name}-google": google for name in NAMES}

    def _store_targets(self) -> dict[str, int]:
        store = self.stores.primary.port
        return {"replica-store": store} | {f"{name}-store": store for name in NAMES}

    def _variables(self, public_url: str) -> dict[str, str]:
        keys = [("campaign", "backend", BACKEND_KEY), ("campaign-admin", "admin", ADMIN_KEY)]
        return {
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C.UTF-8",
            "CALENDAR_ENVIRONMENT": "development",
            "CALENDAR_DATA_DIR": str(self.home),
            "CALENDAR_PUBLIC_URL": public_url,
            "CALENDAR_OPERATOR": "videsk",
            "CALENDAR_KEYRING_FILE": str(self.keyring.write([f"k1:{random_key()}"])),
            "CALENDAR_IDENTITY_KEY": self.identity_key,
            "CALENDAR_SIGNING_KEY": random_key(),
            "CALENDAR_API_KEYS": ",".join(
                f"{name}:*:{role}:{sha256(key.encode()).hexdigest()}" for name, role, key in keys
            ),
            "CALENDAR_WEBHOOK_URL": f"http://127.0.0.1:{self.webhooks.server_port}/",
            "CALENDAR_WEBHOOK_SECRET": f"whsec_{random_key()}",
            "CALENDAR_GOOGLE_CLIENT_ID": CLIENT_ID,
            "CALENDAR_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "CALENDAR_GOOGLE_AUTH_URI": self.google.auth_uri,
            "CALENDAR_TEST_CLOCK": str(self.clock.file),
        }

    def _own_variables(self, name: str, public_url: str) -> dict[str, str]:
        google = f"http://127.0.0.1:{self.proxy.ports[f'{name}-google']}"
        own = {
            "CALENDAR_REDIS_URL": self._redis_url(name),
            "CALENDAR_GOOGLE_TOKEN_URI": f"{google}/token",
            "CALENDAR_GOOGLE_REVOKE_URI": f"{google}/revoke",
            "CALENDAR_GOOGLE_API_ENDPOINT": f"{google}/calendar/v3/",
        }
        if name in WEBS:
            return own | {"CALENDAR_PORT": str(self.processes.ports[name])}
        # Workers open notification channels, and Google takes https addresses only (`scenarios.notifications`).
        return own | {"CALENDAR_PUBLIC_URL": public_url.replace("http:", "https:")}

    # --- faults of several parts ---

    def restore(self) -> None:
        """End every fault: all processes run, all links pass, Google and the webhook receiver answer."""
        self.proxy.pass_all()
        self.google.clear_faults()
        self.webhooks.failure_status = None
        self._restore_stores()
        self.processes.restore()

    def cut_webs_from_google(self) -> None:
        """Let no web process reach Google, so that a worker has to do what is accepted from now on."""
        for web in WEBS:
            self.proxy.set(f"{web}-google", "refuse")

    def require_copies(self, count: int) -> None:
        """Restart every process so that it acknowledges a write only when so many replicas have it."""
        for name, process in self.processes.by_name.items():
            url = f"{process.env['CALENDAR_REDIS_URL']}?copies={count}"
            self.processes.kill(name)
            self.processes.start(name, wait=False, extra_env={"CALENDAR_REDIS_URL": url})
        for name in WEBS:
            self.processes.await_ready(name)

    def _restore_stores(self) -> None:
        if self.stores.replicas:
            self.stores.remove_replicas()
            self.stores.lead_clients(NAMES)
        if not self.stores.primary.is_running:
            self.stores.primary.start()
