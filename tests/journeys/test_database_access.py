"""What the database is sent holds no secret in the clear, and the service needs no other rights than its user has."""

import re
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import redis

from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.session import By
from calendar_service.health.doctor import findings
from calendar_service.health.measures import Measures
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Ticket
from tests.conftest import MovableClock
from tests.support import servers
from tests.support.local_google import LocalGoogle
from tests.support.servers import Server
from tests.support.service import CLIENT_SECRET, TestService
from tests.support.spellings import spellings

ROOT: Final = Path(__file__).parents[2]
USERS: Final = ROOT / "deploy" / "redis-users.acl"
STORE: Final = ROOT / "calendar_service" / "store"
PASSWORD: Final = "password-of-the-service"
TESTS: Final = {"username": "tests", "password": "password-of-the-tests"}
OF_THE_CLIENT: Final = {"select"}
"""What the client library sends when it connects: the database's number if the address has one."""


ERRORS: Final = {"READONLY"}
"""Beginnings of errors in the store's modules that are names of commands too."""
METHODS: Final = {
    "bgrewriteaof": "bgrewriteaof",
    "config_get": "config|get",
    "dbsize": "dbsize",
    "getdel": "getdel",
    "info": "info",
    "ping": "ping",
    "scan_iter": "scan",
    "script_load": "script|load",
}
"""Commands that the store's modules send by a method of the client alone."""


REFUSED: Final = (
    "KEYS *", "FLUSHALL", "FLUSHDB", "DEBUG SLEEP 0", "MONITOR", "CONFIG SET maxmemory 1", "SHUTDOWN", "ACL LIST",
    "SLOWLOG GET", "CLIENT LIST", "REPLICAOF localhost 1", "MODULE LIST", "SCRIPT FLUSH", "DUMP key",
)  # fmt: skip


class Recorder(threading.Thread):
    """Records every command that a server gets, and the commands of its scripts, until the server ends."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.text = b""
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(url.removeprefix("unix://"))
        self._line.sendall(b"MONITOR\r\n")
        assert self._line.recv(16) == b"+OK\r\n"

    def run(self) -> None:
        parts = []
        with self._line:
            while more := self._line.recv(1 << 20):
                parts.append(more)
        self.text = b"".join(parts)


def main_job(service: TestService) -> set[str]:
    """Open a link, connect, schedule, refresh, pause, disconnect and erase; return the secrets that were in use."""
    tickets, schedule = service.parts.store.tickets, service.parts.sessions.schedule
    now = service.parts.clock.now()
    link = tickets.issue(Ticket("acme", "agent-1", "en", "UTC", "", now + HOUR))
    ticket = tickets.take(link)
    assert ticket
    cookie, browser = tickets.open_browser(ticket)
    callback = service.google.consent(service.begin(browser, cookie), account="agent-one@example.com")
    answer = parse_qs(urlsplit(callback).query)
    service.call_back(browser, cookie, callback)
    texts = {
        "title": "planted-title-77d1",
        "location": "planted-place-9b02",
        "description": "planted-text-4e6f",
    }
    schedule.put(service.agent, "s1", service.content(**texts), By.AGENT, None)
    service.clock.advance(2 * HOUR / SECOND)  # the access token is over
    schedule.put(service.agent, "s1", service.content(**texts, days=4), By.AGENT, None)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    schedule.put(service.agent, "s2", service.content(**texts), By.AGENT, None)
    service.work(2)
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=False)
    service.work(2)
    schedule.cancel(service.agent, "s2", By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.work(2)
    state = service.google.state()
    tokens = {one["token"] for kind in ("refresh_tokens", "access_tokens") for one in state[kind]}
    assert len(tokens) >= 3  # one refresh token, two access tokens
    service.clock.advance(8 * DAY / SECOND)
    service.work(3)
    assert service.facts.connection_id == ""
    return {*texts.values(), *tokens, *answer["code"], *answer["state"], link, cookie, CLIENT_SECRET}


@pytest.fixture
def clock(google_process: LocalGoogle) -> MovableClock:
    """The clock of a local Google in its first state."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    return clock


def test_no_secret_is_sent_to_the_database_in_the_clear(
    tmp_path: Path, google_process: LocalGoogle, clock: MovableClock
) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        recorder = Recorder(valkey.url)
        recorder.start()
        service = TestService.of(valkey.url, google_process, clock)
        secrets = main_job(service)
        control = service.parts.store.database.client
        assert control.config_get("slowlog-max-len") == {"slowlog-max-len": "0"}
        assert control.slowlog_len() == 0
        control.echo("the job is done")
        control.echo(" ".join(sorted(secrets)))
        service.close()
    recorder.join()
    sent, _, echoed = recorder.text.partition(b"the job is done")
    assert sent.count(b" lua] ") > 50  # what scripts do is recorded too
    assert all(secret.encode() in echoed for secret in secrets)  # the search can find what it looks for
    assert [secret for secret in secrets if any(form in sent for form in spellings(secret))] == []


# --- the user of the service ---


def permitted() -> set[str]:
    """Return the commands that the file permits to the service's user."""
    line = next(line for line in USERS.read_text("ascii").splitlines() if "calendar-service" in line)
    return set(re.findall(r" \+(\S+)", line))


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A database with the users of the file, the service's password, and a user for the test."""
    default, service = USERS.read_text("ascii").splitlines()
    users = tmp_path / "users.acl"
    tests = f"user {TESTS['username']} on >{TESTS['password']} ~* &* +@all"
    password = sha256(PASSWORD.encode()).hexdigest()
    users.write_text(f"{default}\n{service} #{password}\n{tests}\n", "ascii")
    settings = {"appendonly": "yes", "appendfsync": "always", "aclfile": str(users), "maxmemory": "1gb"}
    with servers.server(tmp_path / "database", login=TESTS, **settings) as server:
        yield server


def test_the_service_does_its_job_as_a_user_with_the_rights_of_the_file(
    guarded: Server, google_process: LocalGoogle, clock: MovableClock
) -> None:
    url = f"redis://calendar-service:{PASSWORD}@127.0.0.1:{guarded.port}/0"
    service = TestService.of(url, google_process, clock)
    main_job(service)
    guarded.restart()  # scripts and users are there again
    clock.advance(2 * DAY / SECOND)
    main_job(service)
    parts = service.parts
    levels = {one.check: one.level for one in findings(Measures.of(parts))}
    parts.audit.sealer.checkpoint()
    assert service.metrics()["calendar_store_memory_ratio"] < 1
    assert parts.store.file_rewrites.begin() in {"ok", "again"}
    service.close()
    assert levels["durability"] == "ok"
    assert guarded.client.acl_log() == []


def test_the_user_may_not_look_around_change_settings_or_empty_the_database(guarded: Server) -> None:
    for command in REFUSED:
        answer = guarded.client.execute_command("ACL DRYRUN", "calendar-service", *command.split())
        assert "no permissions" in str(answer), command
    assert guarded.client.execute_command("ACL DRYRUN", "calendar-service", "GET", "key") == "OK"


def test_nobody_logs_in_without_a_name(guarded: Server) -> None:
    with redis.Redis(port=guarded.port) as nameless, pytest.raises(redis.AuthenticationError):
        nameless.ping()


def test_the_file_permits_what_the_store_names_and_nothing_else(valkey_url: str) -> None:
    scripts = "".join(path.read_text("utf-8") for path in sorted(STORE.rglob("*.lua")))
    modules = "".join(path.read_text("utf-8") for path in sorted(STORE.glob("*.py")))
    with redis.Redis(unix_socket_path=valkey_url.removeprefix("unix://")) as client:
        known = {name.decode().upper() for name in client.execute_command("COMMAND LIST")}
    of_scripts = set(re.findall(r"redis\.p?call\('(\w+)'", scripts))
    of_modules = set(re.findall(r"\"([A-Z_]{3,})\"", modules)) & known - ERRORS
    methods = {method for method in METHODS if f".{method}" in modules}
    named = {name.lower() for name in of_scripts | of_modules} | {METHODS[method] for method in methods}
    assert methods == set(METHODS)
    assert permitted() - OF_THE_CLIENT == named
