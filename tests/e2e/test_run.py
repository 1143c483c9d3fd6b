"""`calendar-service run`: from an empty directory to a running service, and back to nothing running."""

import contextlib
import importlib.metadata
import json
import os
import select
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import IO

import pytest

from calendar_service import wiring
from calendar_service.processes import parent_death
from calendar_service.web.request_slots import WAITING

PROGRAM = Path(sys.executable).with_name("calendar-service")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


def environment(data_dir: Path, **others: str) -> dict[str, str]:
    """An environment with nothing but the path."""
    variables = {"PATH": os.environ["PATH"], "CALENDAR_DATA_DIR": str(data_dir)}
    variables |= {"CALENDAR_PORT": str(free_port()), "CALENDAR_GOOGLE_PORT": str(free_port())}
    return variables | others


def command(data_dir: Path, *arguments: str, **others: str) -> "subprocess.CompletedProcess[str]":
    """Run another command with the data directory as its only setting."""
    variables = {"PATH": os.environ["PATH"], "CALENDAR_DATA_DIR": str(data_dir)} | others
    return subprocess.run(
        [PROGRAM, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()}


def descendants(pid: int) -> set[int]:
    return children(pid).union(*(descendants(child) for child in children(pid)))


def is_part(pid: int, part: str) -> bool:
    # Where the package setproctitle is installed, Granian gives the web process a title in place of its arguments.
    title = (
        Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ").replace("granian wsgi", "serve")
    )
    return part in title.split() or title.split(" ")[0].endswith(part)


@contextlib.contextmanager
def ends_awaited(pids: set[int]) -> Iterator[None]:
    """Fail unless all these processes end soon after the block."""
    watched = {os.pidfd_open(pid) for pid in pids}
    yield
    for descriptor in watched:
        readable, _, _ = select.select([descriptor], [], [], 30)
        os.close(descriptor)
        assert readable


@dataclass(frozen=True)
class Run:
    process: "subprocess.Popen[str]"
    data_dir: Path
    port: int
    google_port: int
    output: list[str]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@contextlib.contextmanager
def running(data_dir: Path, **others: str) -> Iterator[Run]:
    variables = environment(data_dir, **others)
    leashed = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), PROGRAM, "run"]
    process = subprocess.Popen(
        leashed, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            assert process.stdout
            lines = until_welcome(process.stdout)
            port, google_port = int(variables["CALENDAR_PORT"]), int(variables["CALENDAR_GOOGLE_PORT"])
            yield Run(process, data_dir, port, google_port, lines)
        finally:
            process.terminate()


def until_welcome(output: IO[str]) -> list[str]:
    lines: list[str] = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if line.startswith("  Logs"):
            return lines
    pytest.fail("the run ended:\n" + "\n".join(lines))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(tmp_path_factory.mktemp("run") / "data") as run:
        yield run


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://localhost:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def test_it_says_what_to_open_and_that_is_there(started: Run) -> None:
    addresses = [word for line in started.output for word in line.split() if word.startswith("http://")]
    assert len(addresses) == 4
    for address in addresses:
        port, path = address.removeprefix("http://localhost:").split("/", 1)
        assert get(int(port), f"/{path}")[0] == 200


def test_probes_are_answered_while_the_database_hangs_and_more_requests_wait_than_may(started: Run) -> None:
    key = (started.data_dir / "api-key").read_text("ascii").strip()
    requests = [
        (
            f"GET /v1/organizations/organization-{number}/agents/agent-1/connection HTTP/1.1\r\n"
            f"Host: localhost:{started.port}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        ).encode("ascii")
        for number in range(6)  # so many that they have every slot
    ]
    too_many, patient = 10, wiring.THREADS + WAITING
    (valkey,) = (pid for pid in descendants(started.process.pid) if is_part(pid, "valkey-server"))
    os.kill(valkey, signal.SIGSTOP)
    try:
        clients = [socket.create_connection(("localhost", started.port)) for _ in range(patient + too_many)]
        for client, request in zip(clients, cycle(requests)):
            client.sendall(request)
        while len(select.select(clients, [], [], 30)[0]) < too_many:
            pass
        assert get(started.port, "/healthz")[0] == 200
        answers = [client.makefile("rb").read() for client in select.select(clients, [], [], 0)[0]]
    finally:
        os.kill(valkey, signal.SIGCONT)
    refusals = [answer for answer in answers if b'"code":"busy"' in answer]
    assert len(refusals) == too_many
    assert all(b"Retry-After: 1" in one or b"retry-after: 1" in one for one in refusals)
    assert len(answers) - len(refusals) < patient  # they waited for the database when the probe was answered
    for client in clients:
        client.makefile("rb").read()  # a slot is free when its answer is made, not when its caller is gone
        client.close()
    assert get(started.port, "/readyz")[0] == 200


def test_it_is_ready_when_it_says_so(started: Run) -> None:
    status, answer = get(started.port, "/readyz")
    assert status == 200
    checks = ("database", "identity_key", "keyring", "google_client", "key_files", "consent", "google")
    readiness = json.loads(answer)
    assert readiness.pop("age_seconds") < 60
    assert readiness == {"ready": True, "checks": dict.fromkeys(checks, True), "writes": "accepted"}


def test_each_process_says_at_its_start_what_it_is_and_no_library_adds_to_it(started: Run) -> None:
    for name, process in (("web", "web"), ("worker", "worker")):
        text = (started.data_dir / "logs" / f"{name}.log").read_text("utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        (line,) = [line for line in lines if line["event"] == "process.started"]
        assert (line["process"], line["environment"], line["operator"]) == (process, "development", "videsk")
        assert (line["durability"], line.get("port")) == ("measured", started.port if name == "web" else None)
        assert line["database"].startswith("unix:///")
        assert line["version"] == importlib.metadata.version("calendar-service")
        assert "library.warning" not in {line["event"] for line in lines}


def test_its_keys_open_the_internal_api(started: Run) -> None:
    path = "/v1/organizations/acme/agents/ana/connection"
    for file in ("api-key", "admin-key"):
        key = (started.data_dir / file).read_text("utf-8").strip()
        status, answer = get(started.port, path, Authorization=f"Bearer {key}")
        assert status == 200, answer
        assert json.loads(answer)["state"] == "not_connected"
    assert get(started.port, path)[0] == 401


def test_only_this_user_can_read_what_it_made(started: Run) -> None:
    private = [
        "api-key",
        "admin-key",
        "run.json",
        *(f"keys/{file.name}" for file in (started.data_dir / "keys").iterdir()),
    ]
    assert len(private) == 9
    for place in private:
        assert (started.data_dir / place).stat().st_mode & 0o077 == 0, place


def test_no_secret_is_on_a_command_line_or_in_an_environment(started: Run) -> None:
    secrets = [file.read_text("utf-8").strip() for file in (started.data_dir / "keys").iterdir()]
    secrets = [secret.rpartition(":")[2] for secret in secrets if secret != "local-secret"]
    for pid in descendants(started.process.pid):
        visible = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert not any(secret.encode() in visible for secret in secrets)


def test_other_commands_find_the_service_by_its_data_directory(started: Run) -> None:
    done = command(started.data_dir, "doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    levels = {finding["check"]: finding["level"] for finding in json.loads(done.stdout)}
    assert levels["database"] == levels["identity key"] == levels["clocks"] == "ok"
    assert levels["operator"] == "note"


def test_doctor_refuses_another_identity_key_over_this_data(started: Run) -> None:
    keys = json.loads(command(started.data_dir, "keys", "new", "--json").stdout)
    done = command(started.data_dir, "doctor", CALENDAR_IDENTITY_KEY=keys["CALENDAR_IDENTITY_KEY"])
    assert done.returncode == 1
    assert "identity key: is not the one this data was made with" in done.stdout


def test_secrets_of_the_environment_are_kept_for_the_other_commands(tmp_path: Path) -> None:
    keys = json.loads(command(tmp_path, "keys", "new", "--json").stdout)
    secret = f"whsec_{keys['CALENDAR_IDENTITY_KEY']}"
    given = {"CALENDAR_WEBHOOK_URL": "http://localhost:9/hooks", "CALENDAR_WEBHOOK_SECRET": secret, **keys}
    with running(tmp_path, **given) as run:
        for words in (("doctor",), ("webhooks", "list"), ("connections", "list")):
            done = command(tmp_path, *words)
            assert done.returncode == 0, done.stderr
        secret_file = tmp_path / "keys" / "given-webhook-secret"
        assert (secret_file.read_text("utf-8").strip(), secret_file.stat().st_mode & 0o777) == (secret, 0o600)
        assert secret not in (tmp_path / "run.json").read_text("utf-8")
        assert run.stop() == 0
    stopped = command(tmp_path, "connections", "list")
    assert (stopped.returncode, "Traceback" in stopped.stderr) == (1, False)
    assert "is not running, because `run` is not — start `make run`" in stopped.stderr
    assert "start `make run`" in command(tmp_path, "doctor").stdout


def test_a_second_run_on_the_same_directory_is_refused(started: Run) -> None:
    done = command(started.data_dir, "run")
    assert done.returncode == 1
    assert "Another `calendar-service run`" in done.stderr


def test_a_taken_port_is_named_with_its_variable(started: Run, tmp_path: Path) -> None:
    for variable, taken in (("CALENDAR_PORT", started.port), ("CALENDAR_GOOGLE_PORT", started.google_port)):
        done = command(tmp_path, "run", **environment(tmp_path, **{variable: str(taken)}))
        assert done.returncode == 2
        assert f"Set {variable} to a free port" in done.stderr


def test_a_signal_stops_all_of_it_and_what_was_made_is_kept(tmp_path: Path) -> None:
    responses = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with running(tmp_path) as run, ends_awaited(descendants(run.process.pid)):
            files = [tmp_path / "api-key", tmp_path / "admin-key", *(tmp_path / "keys").iterdir()]
            responses.append({file: file.read_text("utf-8") for file in files})
            assert run.stop(number) == 0
            assert run.process.stdout
            assert run.process.stdout.read() == "Stopping …\n"
    assert responses[0] == responses[1]


def test_nothing_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as run, ends_awaited(descendants(run.process.pid)):
        run.process.kill()
        run.process.wait(10)


@pytest.mark.parametrize("part", ["serve", "-server"])
def test_a_part_that_dies_ends_the_run_and_is_named(tmp_path: Path, part: str) -> None:
    names = {"serve": "web", "-server": "database"}
    with running(tmp_path) as run, ends_awaited(descendants(run.process.pid)):
        (pid,) = (child for child in children(run.process.pid) if is_part(child, part))
        os.kill(pid, signal.SIGKILL)
        assert run.process.wait(40) == 1
        assert run.process.stdout
        assert f"The {names[part]} ended unexpectedly" in run.process.stdout.read()


def test_every_fault_of_the_configuration_is_listed_before_anything_runs(tmp_path: Path) -> None:
    done = command(
        tmp_path, "run", CALENDAR_OPERATOR="nobody", CALENDAR_TEST_SKEW="much", CALENDAR_PORT="none"
    )
    assert done.returncode == 2
    for variable in ("CALENDAR_OPERATOR", "CALENDAR_TEST_SKEW", "CALENDAR_PORT"):
        assert f"  {variable} " in done.stderr
    assert "Traceback" not in done.stderr


def test_run_is_not_for_production(tmp_path: Path) -> None:
    done = command(tmp_path, "run", CALENDAR_ENVIRONMENT="production")
    assert done.returncode == 1
    assert "development" in done.stderr
    assert not (tmp_path / "keys").exists()
