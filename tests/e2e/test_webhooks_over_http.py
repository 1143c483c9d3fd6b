"""Webhooks of a real `run`: queued by the web process, sent by the worker, verified by the public library."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.test_main_job_over_http import Backend as Api
from tests.e2e.test_main_job_over_http import connect
from tests.e2e.test_run import Run, command, running
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
