"""`calendar-service run`: starts everything on this machine in order, and stops it in reverse."""

import contextlib
import fcntl
import http.client
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from calendar_service import config, wiring
from calendar_service.config import Config, ConfigurationFault, ConfigurationFaults
from calendar_service.config.config import data_directory
from calendar_service.development import data_dir
from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.processes import ports
from calendar_service.processes.children import Child, start
from calendar_service.store.ownership import NotOurDatabase, Owner
from local_google.state.clients import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_PROJECT

READY_SECONDS = 60.0
TICK_SECONDS = 0.05
_LAST_LINES = 12
_GOOGLE = "local Google"


class CannotRun(Exception):
    """Something prevents the run or ended it; the text says what to do."""


class _Stopped(Exception):
    """A signal asked this process to stop."""


class Launcher:
    """One run on one data directory."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the environment; what it does not set gets a default."""
        self._environ = {name: value for name, value in environ.items() if value.strip()}
        self._data_dir = data_directory(environ)
        self._environ["CALENDAR_DATA_DIR"] = str(self._data_dir)
        self._logs = self._data_dir / "logs"
        self._children: list[Child] = []
        self._stopping = False

    def run(self) -> None:
        """Start everything, wait for a signal, stop everything.

        Raises `CannotRun`, `ConfigurationFaults`, `PortTaken` or `EmbeddedValkeyError`, after stopping
        what was started.
        """
        if self._environ.get("CALENDAR_ENVIRONMENT") == config.Environment.PRODUCTION:
            raise CannotRun(
                "`run` is for development; in production start `serve` and `work`, each by itself."
            )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        with contextlib.ExitStack() as stack, contextlib.suppress(_Stopped):
            stack.enter_context(self._locked())
            settings = self._prepare(stack)
            stack.callback(
                self._stop_children
            )  # runs before the database's own end, which was registered earlier
            self._start_all(settings)
            _say(self._welcome(settings))
            self._await(lambda: False, seconds=float("inf"), otherwise="")

    def _stop_soon(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the data directory against a second run. The system releases the lock when this process ends."""
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._data_dir / "run.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(
                    f"Another `calendar-service run` uses {self._data_dir}. Stop it, or set CALENDAR_DATA_DIR."
                ) from None
            yield

    def _prepare(self, stack: contextlib.ExitStack) -> Config:
        """Generate keys, start the database, check configuration and ports."""
        data_dir.make_keys(self._data_dir)
        self._logs.mkdir(mode=0o700, exist_ok=True)
        embedded_url = ""
        if not {"CALENDAR_REDIS_URL", "CALENDAR_REDIS_URL_FILE"} & self._environ.keys():
            valkey = stack.enter_context(EmbeddedValkey(self._data_dir))
            self._children.append(valkey.child)
            embedded_url = valkey.url
        data_dir.leave_run_data(self._data_dir, self._environ, embedded_url)
        settings = config.load(self._environ)
        _refuse_other_data(settings)
        ports.require_free(settings.port, "CALENDAR_PORT")
        if not data_dir.has_own_client(self._environ):
            ports.require_free(settings.google_port, "CALENDAR_GOOGLE_PORT")
        return settings

    def _start_all(self, settings: Config) -> None:
        _say("Starting …")
        if not data_dir.has_own_client(self._environ):
            self._start(_GOOGLE, _google_command(settings))
            self._await(
                lambda: ports.answers(settings.google_port), READY_SECONDS, f"The {_GOOGLE} gives no answer"
            )
        self._start("worker", ["work"])
        self._start("web", ["serve"])
        self._await(
            lambda: _is_ready(settings.port), READY_SECONDS, f"Not ready: see {settings.public_url}/readyz"
        )

    def _start(self, name: str, arguments: list[str]) -> None:
        log = self._log_of(name)
        log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "calendar_service", *arguments]
        self._children.append(start(name, command, env=self._environ, log=log))

    def _log_of(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-').lower()}.log"

    def _await(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Wait until the condition holds; raise `CannotRun` if a child ends or the time is over."""
        end = time.monotonic() + seconds
        while not condition():
            if self._stopping:
                raise _Stopped
            for child in self._children:
                if child.exit_status is not None:
                    raise CannotRun(self._ended_unexpectedly(child))
            if time.monotonic() > end:
                raise CannotRun(f"{otherwise}; logs are in {self._logs}.")
            time.sleep(TICK_SECONDS)

    def _ended_unexpectedly(self, child: Child) -> str:
        log = self._log_of(child.name)
        lines = log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:] if log.exists() else []
        return "\n".join([f"The {child.name} ended unexpectedly (status {child.exit_status}).", *lines])

    def _stop_children(self) -> None:
        _say("Stopping …")
        for child in reversed(self._children):
            if not child.stop():
                _say(f"The {child.name} did not stop in time and was killed.")
        self._children.clear()

    def _welcome(self, settings: Config) -> str:
        lines = [
            f"{settings.operator.identity.app_name} calendar service is running. Ctrl-C stops it.",
            f"  Home           {settings.public_url}/",
            f"  Agent console  {settings.public_url}/console",
            f"  Internal API   {settings.public_url}/docs",
            f"                 keys: {self._data_dir / 'api-key'}, {self._data_dir / 'admin-key'}",
        ]
        if not data_dir.has_own_client(self._environ):
            lines.append(f"  Local Google   http://localhost:{settings.google_port}/")
        return "\n".join([*lines, f"  Logs           {self._logs}"])


def _refuse_other_data(settings: Config) -> None:
    """Raise `ConfigurationFaults` if the data was made with another identity key or Google client."""
    with contextlib.closing(wiring.build(settings, "run")) as service:
        ownership = service.store.ownership
        owner = ownership.owner()
        if owner not in {Owner.OURS, Owner.NOBODY}:
            raise ConfigurationFaults(NotOurDatabase(owner).faults)
        if owner is Owner.OURS and not ownership.is_google_client_ours():
            what = "is not the client to which the permissions in this data were given"
            remedy = "give back the former one, or set another CALENDAR_DATA_DIR"
            raise ConfigurationFaults((ConfigurationFault("CALENDAR_GOOGLE_CLIENT_ID", what, remedy),))


def _google_command(settings: Config) -> list[str]:
    client = "|".join(
        (
            DEFAULT_CLIENT_ID,
            DEFAULT_CLIENT_SECRET,
            DEFAULT_PROJECT,
            settings.redirect_uri,
            settings.operator.identity.app_name,
        )
    )
    command = ["google", "--port", str(settings.google_port), "--client", client]
    command += ["--data-dir", str(settings.data_dir / "google")]
    return command + (["--clock", str(settings.test_clock)] if settings.test_clock else [])


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
