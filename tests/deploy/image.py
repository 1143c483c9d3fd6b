"""The image, started as compose.yaml starts it: unprivileged, read-only, with the shipped users of the database.

`make test-image` builds it and runs this file. A folder with a bind mount of its own takes the place of a container.
"""

import json
import os
import signal
import subprocess
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from calendar_service.development.valkey import server_binary
from tests.deploy.compose import DEPLOY, services
from tests.e2e.test_main_job_over_http import Backend, connect
from tests.e2e.test_run import Run, get, until_welcome
from tests.support.servers import free_port, until

PLACE: Final = Path(os.environ["IMAGE_PLACE"])
ROOT: Final = Path(os.environ["IMAGE_ROOT"])
CONFIG: Final = json.loads((PLACE / "image.json").read_text("utf-8"))["Docker"]["config"]
NOBODY: Final = 65534
PASSWORD: Final = "password-of-the-service"
ENTER: Final = """
root=$1; shift
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp" && mount --rbind /dev "$root/dev" && mount --bind /proc "$root/proc"
while [ "$1" != -- ]; do mount --bind "${1%%:*}" "$root${1#*:}"; shift; done; shift
exec setpriv --no-new-privs chroot --userspec=65534:65534 --groups= "$root" "$@"
"""
"""Mounts in a namespace of its own, then the image's user. Takes the root, `HOST:INSIDE` pairs, `--`, the command."""


@contextmanager
def started(
    *words: str, variables: Mapping[str, str], mounts: Mapping[Path, str], **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Run a command of the image until the end of the block."""
    for inside in ("/dev", "/proc", *mounts.values()):
        (ROOT / inside.lstrip("/")).mkdir(parents=True, exist_ok=True)
    pairs = [f"{host}:{inside}" for host, inside in mounts.items()]
    environment = dict(word.split("=", 1) for word in CONFIG["Env"]) | dict(variables)
    command = ["unshare", "--mount", "sh", "-euc", ENTER, "enter", str(ROOT), *pairs, "--", *words]
    with subprocess.Popen(command, env=environment, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def output(
    *words: str, variables: Mapping[str, str] = {}, mounts: Mapping[Path, str] = {}
) -> tuple[int, str]:
    """Return the exit status and what a command of the image prints."""
    with started(
        *words, variables=variables, mounts=mounts, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        text, _ = process.communicate(timeout=60)
    return process.returncode, text


@pytest.fixture(scope="module")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """The folders of compose.yaml, filled as docs/operate.md says."""
    home = tmp_path_factory.mktemp("deploy")
    home.chmod(0o755)
    secrets, operator, socket = home / "secrets", home / "operator", home / "valkey"
    for folder in (secrets, operator, socket):
        folder.mkdir(mode=0o755)
        os.chown(folder, NOBODY, NOBODY)
    status, text = output(
        *CONFIG["Entrypoint"], "keys", "new", "--into", "/run/secrets", mounts={secrets: "/run/secrets"}
    )
    assert status == 0, text
    (secrets / "api-keys").write_text(f"console:*:backend:{sha256(b'key').hexdigest()}")
    (secrets / "google-client-secret").write_text("GOCSPX-something")
    (secrets / "database-url").write_text(f"unix://calendar-service:{PASSWORD}@/run/valkey/valkey.sock")
    users = (DEPLOY / "redis-users.acl").read_text("ascii")
    service = f"user calendar-service #{sha256(PASSWORD.encode()).hexdigest()} "
    (secrets / "redis-users.acl").write_text(users.replace("user calendar-service ", service))
    (operator / "operator.toml").write_bytes((DEPLOY / "operator.toml").read_bytes())
    (operator / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return {secrets: "/run/secrets", operator: "/etc/calendar", socket: "/run/valkey"}


@contextmanager
def database(name: str, mounts: Mapping[Path, str], data: Path) -> Iterator[None]:
    """Run the database of compose.yaml, its folders where they are on this host."""
    folders = {inside: host for host, inside in mounts.items()}
    places = {
        "/run/valkey/valkey.sock": folders["/run/valkey"] / "valkey.sock",
        "/etc/valkey/users.acl": folders.get("/run/secrets", Path()) / "redis-users.acl",
    }
    _, *words = services()[name]["command"]
    data.mkdir(exist_ok=True)
    command = [str(server_binary()), *(str(places.get(word, word)) for word in words), "--dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis(unix_socket_path=str(places["/run/valkey/valkey.sock"])) as client:
                until(lambda: answers(client))
            yield
        finally:
            process.kill()


def answers(client: "redis.Redis") -> bool:
    try:
        client.ping()
    except redis.AuthenticationError:
        return True
    return True


def ended(process: "subprocess.Popen[str]") -> int:
    """Ask a process to stop; return its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(45)


def test_the_image_names_an_unprivileged_user_a_health_check_and_the_web_process() -> None:
    assert CONFIG["User"] == "65534:65534"
    assert CONFIG["Entrypoint"] == ["/app/bin/calendar-service"]
    assert CONFIG["Cmd"][:2] == ["serve", "--host"]
    assert CONFIG["Healthcheck"]["Test"][0] == "CMD"


def test_it_has_no_installer_and_nothing_in_it_can_be_written() -> None:
    assert not list((ROOT / "app/bin").glob("pip*"))
    status, text = output("/app/bin/python", "-c", "open('/app/anything', 'w')")
    assert status == 1
    assert "Read-only file system" in text
    assert output("/app/bin/python", "-c", "import os; print(os.getuid(), os.getgroups())")[1] == "65534 []\n"


def test_web_and_worker_of_compose_start_are_healthy_and_stop_when_they_are_asked(
    mounts: dict[Path, str], tmp_path: Path
) -> None:
    web, worker = services()["web"], services()["worker"]
    port = str(free_port())
    variables = web["environment"] | {"CALENDAR_PORT": port}
    program = CONFIG["Entrypoint"]
    with ExitStack() as stack:
        stack.enter_context(database("valkey", mounts, tmp_path / "data"))
        log = stack.enter_context((tmp_path / "log").open("w"))
        serving, working = (
            stack.enter_context(
                started(*program, *one["command"], variables=variables, mounts=mounts, stderr=log)
            )
            for one in (web, worker)
        )
        until(lambda: is_ready(int(port)) or any(one.poll() is not None for one in (serving, working)), 60)
        assert is_ready(int(port)), (tmp_path / "log").read_text("utf-8")
        assert output(*CONFIG["Healthcheck"]["Test"][1:], variables=variables)[0] == 0
        status, text = output(*program, "doctor", "--json", variables=variables, mounts=mounts)
        levels = {one["check"]: one["level"] for one in json.loads(text)}
        assert status == 0, text
        assert levels["durability"] == "ok"
        assert [ended(serving), ended(working)] == [0, 0]
    assert '"level":"alarm"' not in (tmp_path / "log").read_text("utf-8")


def is_ready(port: int) -> bool:
    try:
        return get(port, "/readyz")[0] == 200
    except urllib.error.URLError:
        return False


def test_the_demonstration_of_compose_connects_and_writes_a_session(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("demo")
    home.chmod(0o755)
    data, socket = home / "data", home / "valkey"
    for folder in (data, socket):
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
    mounts = {data: "/data", socket: "/run/valkey"}
    demo = services()["demo"]
    port, google_port = free_port(), free_port()
    ports = {"CALENDAR_PORT": str(port), "CALENDAR_GOOGLE_PORT": str(google_port)}
    with (
        database("demo-valkey", mounts, tmp_path / "database"),
        started(
            *CONFIG["Entrypoint"],
            *demo["command"],
            variables=demo["environment"] | ports,
            mounts=mounts,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        assert process.stdout
        run = Run(process, data, port, google_port, until_welcome(process.stdout))
        backend = Backend(run, "api-key")
        connect(run, backend)
        session = {"start": "2031-05-03T14:00:00Z", "end": "2031-05-03T14:30:00Z", "by": "agent"}
        status, created = backend("PUT", "/agents/ana/sessions/s1", session)
        assert (status, created["status"]) == (201, "scheduled")
        assert ended(process) == 0
