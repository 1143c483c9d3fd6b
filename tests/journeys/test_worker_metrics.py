"""A worker tells its metrics on a port of its own, if it is given one."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from calendar_service.processes.ports import answers
from calendar_service.worker.metrics_server import MetricsServer
from tests.journeys.test_commands import invoke
from tests.support.servers import until
from tests.support.service import TestService


@pytest.fixture
def server(service: TestService) -> Iterator[MetricsServer]:
    """A server of this process's metrics."""
    server = MetricsServer(service.parts, "127.0.0.1", 0)
    server.start()
    yield server
    server.shutdown()
    server.server_close()


def get(port: int, path: str = "/metrics") -> tuple[int, str, str]:
    """Return status, content type and text of an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, "", ""


def test_a_workers_calls_at_google_are_on_its_own_port(service: TestService, server: MetricsServer) -> None:
    service.connect()
    status, kind, text = get(server.server_port)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    names = {one.name for one in text_string_to_metric_families(text)}
    assert {"calendar_google_calls", "calendar_agents_due", "process_cpu_seconds"} <= names
    assert get(server.server_port, "/metrics?x=1")[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz"])
def test_nothing_else_is_on_that_port(server: MetricsServer, path: str) -> None:
    assert get(server.server_port, path)[0] == 404


def test_only_get_is_answered_and_nobody_is_logged(
    server: MetricsServer, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    with closing(socket.create_connection(("127.0.0.1", server.server_port), 20)) as connection:
        connection.sendall(b"POST /metrics HTTP/1.1\r\nHost: somebody.example\r\n\r\n")
        assert b" 501 " in connection.recv(4096)
    with closing(socket.create_connection(("127.0.0.1", server.server_port), 20)) as connection:
        connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        connection.recv(4096)
    assert get(server.server_port)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_an_error_in_the_metrics_is_logged_and_counted(
    service: TestService, server: MetricsServer, capfd: pytest.CaptureFixture[str]
) -> None:
    service.parts.store.database.client.zadd("{checkpoints}:checkpoints", {"no note": "inf"})
    with pytest.raises(ConnectionError):
        urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=20)
    until(lambda: service.parts.log.failures == 1)
    assert '"event":"metrics.failed"' in capfd.readouterr().err


def test_a_port_that_is_taken_is_refused_by_name(service: TestService, server: MetricsServer) -> None:
    result = invoke(service, "work", CALENDAR_WORKER_METRICS_PORT=str(server.server_port))
    assert result.exit_code == 2
    assert "Set CALENDAR_WORKER_METRICS_PORT to a free port." in result.stderr


def test_an_address_that_is_not_this_hosts_is_refused(service: TestService) -> None:
    result = invoke(
        service, "work", "--metrics-host", "192.0.2.1", CALENDAR_WORKER_METRICS_PORT=str(free_port())
    )
    assert (result.exit_code, "192.0.2.1" in result.stderr) == (2, True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_real_worker_serves_its_metrics_and_ends(service: TestService) -> None:
    port = free_port()
    variables = {**os.environ, **service.variables, "CALENDAR_WORKER_METRICS_PORT": str(port)}
    command = [sys.executable, "-m", "calendar_service", "work"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process:
        until(lambda: answers(port))
        text = get(port)[2]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert "calendar_agents_due 0.0" in text.splitlines()
    assert not answers(port)
