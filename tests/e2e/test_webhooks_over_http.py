"""Webhooks of a real `run`: queued by the web process, sent by the worker, verified by the public library."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from calendar_service.config import run_data
from calendar_service.development.data_dir import WEBHOOK_SECRET_FILE, leave_run_data, make_keys
from tests.e2e.test_main_job_over_http import Backend as Api
from tests.e2e.test_main_job_over_http import connect
from tests.e2e.test_run import PROGRAM, Run, command, free_port, running
from tests.support.backend import SECRET, Backend, backend


@pytest.fixture(scope="module")
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        yield listening


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, receiver: Backend) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("webhooks")
    secret = folder / "secret"
    secret.write_text(SECRET, "ascii")
    environment = {"CALENDAR_WEBHOOK_URL": receiver.url, "CALENDAR_WEBHOOK_SECRET_FILE": str(secret)}
    with running(folder / "data", **environment) as started:
        yield started


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_backend_is_told_of_the_main_job_in_order(run: Run, receiver: Backend) -> None:
    api, admin = Api(run, "api-key"), Api(run, "admin-key")
    connect(run, api)
    when = {"start": "2031-05-03T14:00:00-04:00", "end": "2031-05-03T14:30:00-04:00", "by": "agent"}
    assert api("PUT", "/agents/ana/sessions/s1", {**when, "title": "Private"})[0] == 201
    assert api("DELETE", "/agents/ana/sessions/s1?by=agent")[0] == 200
    until(lambda: len(receiver.received) == 3)
    assert admin("DELETE", "/agents/ana/connection")[0] == 200
    until(lambda: len(receiver.received) == 4)
    assert admin("DELETE", "/agents/ana/connection?erase=now")[0] == 200
    until(lambda: len(receiver.received) == 5)
    assert receiver.types == [
        "connection.connected",
        "session.applied",
        "session.applied",
        "connection.disconnected",
        "connection.erased",
    ]
    data = [one["data"] for one in receiver.received]
    assert [one["sequence"] for one in data] == [1, 2, 3, 4, 5]
    assert len({one["connection_id"] for one in data}) == 1
    assert "Private" not in json.dumps(receiver.received)


def test_the_command_line_shows_what_is_not_delivered_and_replays_it(run: Run, receiver: Backend) -> None:
    receiver.status = 503
    connect(run, Api(run, "api-key"))
    until(lambda: bool(receiver.refused))
    listed = command(run.data_dir, "webhooks", "list", "--waiting", "--json")
    (one,) = json.loads(listed.stdout)
    assert (listed.returncode, one["state"], one["type"]) == (0, "waiting", "connection.connected")
    replayed = command(run.data_dir, "webhooks", "replay", "--organization", "acme", "--json")
    assert (replayed.returncode, json.loads(replayed.stdout)) == (0, {"replayed": 0})
    receiver.status = 204
    until(lambda: receiver.types[-1:] == ["connection.connected"])


def test_a_listener_shows_what_run_sends_and_the_other_commands_know_its_secret(tmp_path: Path) -> None:
    url = f"http://localhost:{free_port()}/events"
    with running(tmp_path / "data", CALENDAR_WEBHOOK_URL=url, CALENDAR_WEBHOOK_SECRET=SECRET) as run:
        known = {"PATH": os.environ["PATH"], "CALENDAR_DATA_DIR": str(run.data_dir)}
        listener = subprocess.Popen(
            [PROGRAM, "webhooks", "listen"],
            env=known,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with listener:
            assert listener.stderr
            assert listener.stdout
            assert listener.stderr.readline() == f"Listening at {url}. Ctrl-C stops it.\n"
            assert command(run.data_dir, "webhooks", "test").returncode == 0
            assert "  webhook.test" in listener.stdout.readline()
            connect(run, Api(run, "api-key"))
            assert listener.stdout.readline().endswith("  connection.connected  acme/ana  connected  #1\n")
            for forged in (b"{}", b"\xff"):
                with pytest.raises(urllib.error.HTTPError, match="400"):
                    urllib.request.urlopen(url, forged, timeout=10)
                assert listener.stderr.readline().startswith("Refused: ")
            listener.terminate()
            assert listener.wait(20) == 0


def test_a_run_without_a_secret_makes_one_and_keeps_it(tmp_path: Path) -> None:
    make_keys(tmp_path)
    secret = (tmp_path / WEBHOOK_SECRET_FILE).read_text("ascii")
    make_keys(tmp_path)
    assert (tmp_path / WEBHOOK_SECRET_FILE).read_text("ascii") == secret
    leave_run_data(tmp_path, {"CALENDAR_WEBHOOK_URL": "http://localhost:9000/"}, "")
    assert run_data.read(tmp_path)["CALENDAR_WEBHOOK_SECRET_FILE"] == str(tmp_path / WEBHOOK_SECRET_FILE)
    leave_run_data(tmp_path, {}, "")
    assert "CALENDAR_WEBHOOK_SECRET_FILE" not in run_data.read(tmp_path), (
        "a secret without an address is refused"
    )
