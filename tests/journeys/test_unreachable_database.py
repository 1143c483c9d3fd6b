"""A database that cannot be reached: doctor and every command say why and what to do, and never end in a traceback."""

import contextlib
import json
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from calendar_service.domain.clock import DAY
from calendar_service.domain.connection import State
from calendar_service.store.audit_log import Actor
from tests.adapters.google.certificates import Authority, new_authority
from tests.conftest import SHORT, MovableClock, Patience
from tests.journeys.test_commands import invoke
from tests.support import servers
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A server that asks for a password."""
    home = tmp_path_factory.mktemp("database") / "server"
    settings = {"appendonly": "yes", "appendfsync": "always", "requirepass": "right"}
    with servers.server(home, login={"password": "right"}, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("tls") / "authority")


@contextlib.contextmanager
def behind_tls(context: ssl.SSLContext, port: int) -> Iterator[int]:
    """Speak TLS on a port of this host, and pass everything on to the server at `port`."""

    class Pass(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.ExitStack() as stack:
                stack.enter_context(contextlib.suppress(OSError))  # the handshake fails, or one side closes
                client = stack.enter_context(context.wrap_socket(self.request, server_side=True))
                server = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()

    class Front(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Front(("127.0.0.1", 0), Pass) as front:
        thread = threading.Thread(target=front.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield front.server_address[1]
        finally:
            front.shutdown()
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[TestService]:
    service = TestService.of(clean_store, google_process, test_clock)
    yield service
    service.close()


def doctor(service: TestService, address: str) -> tuple[str, str]:
    """Return what doctor says of the database at this address, and what to do."""
    result = invoke(service, "doctor", "--json", CALENDAR_REDIS_URL=address)
    assert result.exit_code == 1
    assert_no_traceback(result)
    (finding,) = [one for one in json.loads(result.stdout) if one["check"] == "database"]
    assert finding["level"] == "fault"
    return finding["detail"], finding["remedy"]


def assert_no_traceback(result: Result) -> None:
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "Traceback" not in result.output


def test_nobody_listens(service: TestService) -> None:
    sentences = doctor(service, f"redis://127.0.0.1:{free_port()}/0")
    assert sentences == ("nobody listens at its address", "start it, or mend CALENDAR_REDIS_URL")


def test_a_host_that_nobody_knows(service: TestService) -> None:
    assert doctor(service, "redis://no-such-host.invalid/0")[0] == "its host's name is not known"


@pytest.mark.parametrize("login", ["", ":wrong@", "somebody:right@"])
def test_a_wrong_or_missing_password(service: TestService, database: servers.Server, login: str) -> None:
    detail, remedy = doctor(service, f"redis://{login}127.0.0.1:{database.port}/0")
    assert detail == "does not accept the user or the password"
    assert "`@` and `%` in a password are percent-encoded" in remedy


def test_an_authority_that_this_host_does_not_trust(
    service: TestService, database: servers.Server, authority: Authority
) -> None:
    with behind_tls(authority.server(), database.port) as port:
        detail, remedy = doctor(service, f"rediss://:right@localhost:{port}/0")
        trusted = f"rediss://:right@localhost:{port}/0?ssl_ca_certs={authority.file}"
        findings = json.loads(invoke(service, "doctor", "--json", CALENDAR_REDIS_URL=trusted).stdout)
    assert detail == "its certificate is signed by an authority that this host does not trust"
    assert "?ssl_ca_certs=" in remedy
    assert ("database", "ok") in {(one["check"], one["level"]) for one in findings}


@pytest.mark.parametrize("fault", ["over", "of another host"])
def test_a_certificate_that_does_not_fit(
    service: TestService, database: servers.Server, authority: Authority, fault: str
) -> None:
    contexts = {
        "over": authority.server(ends=timedelta(days=-1)),
        "of another host": authority.server(host="elsewhere"),
    }
    with behind_tls(contexts[fault], database.port) as port:
        sentences = doctor(service, f"rediss://:right@localhost:{port}/0?ssl_ca_certs={authority.file}")
    assert sentences[0] == "its certificate is over, or is not one of its host"


def test_plain_text_to_a_port_of_tls_and_tls_to_a_port_of_plain_text(
    service: TestService, database: servers.Server, authority: Authority
) -> None:
    with behind_tls(authority.server(), database.port) as port:
        plain = doctor(service, f"redis://:right@localhost:{port}/0")
    assert plain[0] == "closes the connection without an answer, as a TLS port does to plain text"
    assert plain[1].startswith("write `rediss://`")
    encrypted = doctor(service, f"rediss://:right@localhost:{database.port}/0")
    assert encrypted[0] == "takes the connection and begins no TLS, as a port of plain text does"


def test_sentinels_that_do_not_know_the_name_and_a_cluster_that_is_none(
    service: TestService, database: servers.Server, tmp_path: Path
) -> None:
    with servers.watched(tmp_path / "servers") as (_, _, sentinel):
        sentences = doctor(service, f"redis+sentinel://127.0.0.1:{sentinel.port}/another-name")
    assert sentences[0] == "no sentinel knows the primary's name"
    assert doctor(service, f"redis+sentinel://127.0.0.1:{free_port()}/calendars")[0].startswith(
        "nobody listens"
    )
    assert doctor(service, f"redis+cluster://:right@127.0.0.1:{database.port}")[0] == "is no cluster"


def test_every_command_says_why(service: TestService, database: servers.Server) -> None:
    address = f"redis://:wrong@127.0.0.1:{database.port}/0"
    for words in (
        ("connections", "list"),
        ("connections", "show", "acme", "ana"),
        ("keys", "status"),
        ("hold", "list"),
        ("reviewer", "list"),
        ("webhooks", "list"),
        ("audit", "verify"),
        ("report",),
    ):
        result = invoke(service, *words, CALENDAR_REDIS_URL=address)
        assert_no_traceback(result)
        assert result.exit_code == 1, words
        if words != ("report",):  # it is made all the same, and lacks what it could not measure
            assert "does not accept the user or the password — mend them" in result.stderr, words


def test_doctor_goes_on_where_its_user_may_not_ask(service: TestService) -> None:
    client = service.parts.store.database.client
    client.execute_command("ACL", "SETUSER", "default", "-zcount")
    try:
        result = invoke(service, "doctor", "--json")
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+zcount")
    assert_no_traceback(result)
    levels = {one["check"]: one for one in json.loads(result.stdout)}
    assert levels["worker"]["detail"].startswith("could not be examined")
    assert levels["notifications"]["level"] == "ok"


def test_doctor_says_that_a_replica_does_not_confirm_though_it_follows(
    google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path, patience: Patience
) -> None:
    with servers.followed(tmp_path / "servers") as (primary, replica):
        service = TestService.of(f"redis://127.0.0.1:{primary.port}/0?copies=1", google_process, test_clock)
        patience(SHORT)
        replica.signal(signal.SIGSTOP)
        result = invoke(service, "doctor", "--json")
        replica.signal(signal.SIGCONT)
        service.close()
    assert_no_traceback(result)
    levels = {one["check"]: one["level"] for one in json.loads(result.stdout)}
    assert (levels["replicas"], levels["writes"]) == ("ok", "fault")


def test_doctor_says_of_a_full_database_what_readyz_says(service: TestService) -> None:
    client = service.parts.store.database.client
    client.config_set("maxmemory", "1")
    try:
        result = invoke(service, "doctor", "--json")
    finally:
        client.config_set("maxmemory", "0")
    assert_no_traceback(result)
    findings = {one["check"]: one for one in json.loads(result.stdout)}
    assert findings["writes"]["detail"] == "new changes are refused, because the memory is used up"
    assert findings["memory"]["level"] == "fault"


def test_a_worker_whose_database_goes_away_alarms_once_goes_on_trying_and_works_when_it_is_back(
    google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> None:
    google_process.reset()
    with servers.server(tmp_path / "server", appendonly="yes", appendfsync="always") as server:
        service = TestService.of(f"redis://127.0.0.1:{server.port}/0", google_process, test_clock)
        service.close()
        lines = tmp_path / "worker.log"
        command = [sys.executable, "-m", "calendar_service", "work"]
        with (
            lines.open("wb") as log,
            subprocess.Popen(command, env=os.environ | service.variables, stderr=log) as worker,
        ):
            try:
                servers.until(lambda: "worker.started" in events(lines))
                server.kill()
                assert refuse_connections(server.port, 20) == 20
                servers.until(lambda: "database.unwritable" in events(lines))
                while_away = Counter(events(lines))
                server.restart()
                service.connect()
                service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
                service.clock.advance(8 * DAY / 1000)
                servers.until(
                    lambda: service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED
                )
            finally:
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(60) == 0
        service.close()
    assert (while_away["database.unwritable"], while_away["worker.trouble"]) == (1, 1)
    assert Counter(events(lines))["database.unwritable"] == 1


def events(lines: Path) -> list[str]:
    """Return the events that a process has logged."""
    return [json.loads(line)["event"] for line in lines.read_text("utf-8").splitlines() if line[:1] == "{"]


def refuse_connections(port: int, count: int) -> int:
    """Take so many connections at the port, end each at once, and return how many came within half a minute each."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(30)
        for _ in range(count):
            listener.accept()[0].close()
    return count
