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
from calendar_service.health.findings.database import restarts
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
OF_THE_CLIENT: Final = {"select", "cluster|slots", "command"}
"""What the client library sends: the database's number if the address has one, and questions to a cluster."""


ERRORS: Final = {"READONLY"}
"""Beginnings of errors in the store's modules that are names of commands too."""
METHODS: Final = {
    "ACL DRYRUN": "acl|dryrun",
    "bgrewriteaof": "bgrewriteaof",
    "config_get": "config|get",
    "cluster(": "cluster|nodes",
    "dbsize": "dbsize",
    "getdel": "getdel",
    "info": "info",
    "ping": "ping",
    "scan_iter": "scan",
    "script_load": "script|load",
}
"""Commands that the store's modules send by a method of the client, or that have two words."""


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
    return set(re.findall(r" \+(\S+)", rules()["calendar-service"]))


def rules() -> dict[str, str]:
    """Return the rules of the file by user."""
    lines = [line.split(" ", 2) for line in USERS.read_text("ascii").splitlines()]
    return {name: rest for _, name, rest in lines}


def give_users(*nodes: Server) -> None:
    """Give servers that run the users of the file, all with one password, and a user for the test."""
    for node in nodes:
        client = node.client
        for name, rest in {**rules(), "tests": "on ~* &* +@all", "default": rules()["default"]}.items():
            password = () if name == "default" else (f">{PASSWORD}",)
            client.execute_command("ACL SETUSER", name, "reset", *rest.split(), *password)
        client.config_set("masteruser", "replica")
        client.config_set("masterauth", PASSWORD)
        node.login = {"username": "tests", "password": PASSWORD}


def refused_commands(*nodes: Server) -> list[tuple[str, str]]:
    """Return what any user was refused: the user, and the command or key."""
    return [(entry["username"], entry["object"]) for node in nodes for entry in node.client.acl_log()]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A database with the users of the file, the service's password, and a user for the test."""
    password = sha256(PASSWORD.encode()).hexdigest()
    lines = USERS.read_text("ascii").splitlines()
    lines[1] += f" #{password}"
    tests = f"user {TESTS['username']} on >{TESTS['password']} ~* &* +@all"
    users = tmp_path / "users.acl"
    users.write_text("\n".join([*lines, tests, ""]), "ascii")
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
    assert (levels["durability"], levels["restarts"]) == ("ok", "ok")
    assert guarded.client.acl_log() == []


def test_in_a_cluster_the_same_rights_are_enough(
    tmp_path: Path, google_process: LocalGoogle, clock: MovableClock
) -> None:
    with servers.cluster(tmp_path / "servers", replicas=1) as nodes:
        give_users(*nodes)
        first, _, replica = nodes
        url = f"redis+cluster://calendar-service:{PASSWORD}@127.0.0.1:{first.port}"
        service = TestService.of(url, google_process, clock)
        main_job(service)
        replica.client.execute_command("CLUSTER FAILOVER")
        servers.until(lambda: replica.client.role()[0] == "master")
        servers.until(lambda: first.client.info("replication").get("master_link_status") == "up")
        service.parts.store.database.deployment.rediscover()
        clock.advance(2 * DAY / SECOND)
        main_job(service)
        levels = {one.check: one.level for one in findings(Measures.of(service.parts))}
        service.close()
        assert (levels["durability"], levels["replicas"], levels["restarts"]) == ("ok", "ok", "ok")
        assert refused_commands(*nodes) == []


def test_behind_a_sentinel_the_users_of_the_file_follow_a_failover(
    tmp_path: Path, google_process: LocalGoogle, clock: MovableClock
) -> None:
    with servers.watched(tmp_path / "servers") as (primary, replica, sentinel):
        give_users(primary, replica)
        for option in (("auth-user", "sentinel"), ("auth-pass", PASSWORD)):
            sentinel.client.execute_command("SENTINEL SET", "calendars", *option)
        for server in (primary, replica):  # who was connected before there were users
            server.client.execute_command("CLIENT KILL", "USER", "default")
        servers.until(lambda: replica.client.info("replication")["master_link_status"] == "up")
        servers.until(lambda: sentinel.client.sentinel_master("calendars")["flags"] == "master")
        url = f"redis+sentinel://calendar-service:{PASSWORD}@127.0.0.1:{sentinel.port}/calendars"
        service = TestService.of(url, google_process, clock)
        main_job(service)

        def has_moved() -> bool:
            if replica.client.role()[0] != "master":
                sentinel.client.execute_command("SENTINEL FAILOVER", "calendars")
            return bool(replica.client.role()[0] == "master")

        servers.until(has_moved)
        servers.until(lambda: primary.client.info("replication").get("master_link_status") == "up")
        servers.until(lambda: sentinel.client.sentinel_slaves("calendars")[0]["flags"] == "slave")
        service.close()
        service = TestService.of(url, google_process, clock)
        clock.advance(2 * DAY / SECOND)
        main_job(service)
        service.close()
        assert refused_commands(primary, replica) == []


@pytest.mark.parametrize(
    ("rights", "mended", "level"),
    [
        ("~* &* +@all", (99,), "ok"),
        ("", (99,), "fault"),
        ("~* +@all -zadd", (99,), "fault"),
        ("", (), "ok"),
    ],
)
def test_doctor_says_when_a_restart_would_lose_what_scripts_wrote(
    guarded: Server,
    google_process: LocalGoogle,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    rights: str,
    mended: tuple[int, ...],
    level: str,
) -> None:
    monkeypatch.setattr("calendar_service.store.server_checks._VALKEY_MENDED", mended)
    guarded.client.execute_command("ACL SETUSER", "default", "reset", "off", *rights.split())
    url = f"redis://calendar-service:{PASSWORD}@127.0.0.1:{guarded.port}/0"
    service = TestService.of(url, google_process, clock)
    finding = restarts(Measures.of(service.parts).database)
    service.close()
    assert finding.level == level
    assert ("user default off ~* &* +@all" in finding.advice) == (level == "fault")


def test_doctor_says_when_it_may_not_ask(
    guarded: Server, google_process: LocalGoogle, clock: MovableClock
) -> None:
    guarded.client.execute_command("ACL SETUSER", "calendar-service", "-acl|dryrun")
    url = f"redis://calendar-service:{PASSWORD}@127.0.0.1:{guarded.port}/0"
    service = TestService.of(url, google_process, clock)
    finding = restarts(Measures.of(service.parts).database)
    service.close()
    assert (finding.level, finding.advice) == ("note", "permit ACL DRYRUN and INFO")


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
    methods = {method for method in METHODS if re.search(rf"[.\"]{re.escape(method)}", modules)}
    named = {name.lower() for name in of_scripts | of_modules} | {METHODS[method] for method in methods}
    assert methods == set(METHODS)
    assert permitted() - OF_THE_CLIENT == named
