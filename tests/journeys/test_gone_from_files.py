"""After the erasure the database's raw files hold nothing of it, and no key still held finds an id again (ST-5)."""

import json
import os
import signal
from base64 import b32hexencode, b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from calendar_service.crypto.derive import keyed_hash
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import AccessRevoked, StoreUnavailable
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.health.doctor import examine
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Ticket
from tests.conftest import MovableClock
from tests.journeys.test_throttle import alarms
from tests.support import servers
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.servers import Server
from tests.support.service import FIRST, TestService

WHOSE = Agent("organization-to-forget", "agent-to-forget")
SESSIONS = ("session-to-forget", "waiting-to-forget")


@pytest.fixture
def own_database(tmp_path: Path, google_process: LocalGoogle) -> Iterator[tuple[TestService, Server]]:
    """A test service over a database of its own, whose files can be read."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with servers.server(tmp_path / "database", appendonly="yes", appendfsync="always") as server:
        service = TestService.of(f"redis://127.0.0.1:{server.port}/0", google_process, clock)
        yield service, server
        service.close()


def identifiers_of_a_connection(service: TestService) -> dict[str, str]:
    """Connect, schedule and pause; return by name every identifier and secret that an erasure has to remove."""
    service.connect(WHOSE)
    view = service.parts.sessions.schedule.put(
        WHOSE, SESSIONS[0], service.content("Text to forget"), By.AGENT, None
    )
    service.parts.connection.pauses.set(WHOSE, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(WHOSE, SESSIONS[1], service.content("Text to forget"), By.AGENT, None)
    slot, client = service.parts.store.slots.read(WHOSE), service.parts.store.database.client
    books = service.google.state()
    tokens = {
        f"{kind} {number}": one["token"]
        for kind in ("refresh_tokens", "access_tokens")
        for number, one in enumerate(books[kind])
    }
    return tokens | {
        "organization": WHOSE.organization,
        "agent": WHOSE.agent,
        "session": SESSIONS[0],
        "waiting session": SESSIONS[1],
        "calendar id": slot.facts.calendar.id,
        "event id": str(view.event_id),
        "sealed grant": json.loads(slot.grant)["sealed"] if "sealed" in slot.grant else slot.grant,
        "sealed content": client.hget(service.key("waiting", WHOSE), SESSIONS[1]),
        "account reference": slot.facts.account.ref,
        "account": FIRST,
        "text": "Text to forget",
    }


NEVER_KEPT = ("refresh_tokens", "access_tokens", "account", "text")
"""Not in the clear, not even before."""


@shows("ST-5")
def test_nothing_erased_is_left_in_any_file(own_database: tuple[TestService, Server]) -> None:
    service, server = own_database
    secrets = identifiers_of_a_connection(service)
    before = server.files()
    for name, text in secrets.items():
        may_stay = name == "account reference" or not name.startswith(NEVER_KEPT)
        assert (text.encode() in before) is may_stay, name
    service.parts.connection.disconnect.disconnect(WHOSE, Actor.AGENT)
    service.clock.advance(7.1 * DAY / SECOND)
    service.browser(WHOSE)
    service.parts.store.tickets.issue(
        Ticket(*WHOSE.member.split("/"), "en", "", "", service.parts.clock.now() + HOUR)
    )
    worker = service.worker
    worker.round()  # it erases, and has the file rewritten

    def is_gone() -> bool:
        worker.round()
        return not [name for name, text in secrets.items() if text.encode() in server.files()]

    assert servers.until(is_gone)
    assert service.parts.audit.audit_export.ends().due == 0


def test_where_nobody_asked_for_it_the_file_is_rewritten_within_the_day(
    own_database: tuple[TestService, Server],
) -> None:
    service, server = own_database
    calendar_id = identifiers_of_a_connection(service)["calendar id"].encode()
    worker = service.worker
    service.parts.operations.file_rewrites.last_begin = service.parts.clock.now()
    service.parts.connection.disconnect.disconnect(WHOSE, Actor.AGENT)
    configure({"erase.after_store": "raise"})
    with pytest.raises(FailpointRaised):
        service.parts.connection.erasure.erase_now(WHOSE, Actor.AGENT)
    configure({})
    service.parts.store.database.client.delete(keys.REWRITE)  # the teardown had asked
    service.clock.advance(DAY / 4 / SECOND)
    worker.round()
    assert calendar_id in server.files()
    service.clock.advance(DAY / 2 / SECOND)
    worker.round()
    assert servers.until(lambda: calendar_id not in server.files())


def doctors_findings(service: TestService) -> dict[str, tuple[str, str]]:
    """Return the findings of `doctor`, the worst of each check, as the report does."""
    severity = ("ok", "note", "fault")
    worst_of: dict[str, tuple[str, str]] = {}
    for one in examine(service.config):
        worst = max(
            worst_of.get(one.check, ("ok", "")),
            (one.level, one.texts()[0]),
            key=lambda it: severity.index(it[0]),
        )
        worst_of[one.check] = worst
    return worst_of


def erased(service: TestService) -> bytes:
    """Use and erase a connection; return its calendar's id."""
    calendar_id = identifiers_of_a_connection(service)["calendar id"].encode()
    service.parts.connection.disconnect.disconnect(WHOSE, Actor.AGENT)
    service.parts.connection.erasure.erase_now(WHOSE, Actor.AGENT)
    return calendar_id


def test_a_database_that_refuses_the_rewrite_is_told_of_and_asked_again(
    own_database: tuple[TestService, Server], capsys: pytest.CaptureFixture[str]
) -> None:
    service, server = own_database
    server.client.execute_command("ACL", "SETUSER", "default", "-bgrewriteaof")
    calendar_id, worker = erased(service), service.worker
    worker.round()
    assert alarms(capsys).count("erasure.left_in_files") == 1
    worker.round()
    service.clock.advance(2 * MINUTE / SECOND)
    worker.round()
    assert "erasure.left_in_files" not in alarms(capsys)  # each hour, not each minute
    assert doctors_findings(service)["erasures"][0] == "ok"
    service.clock.advance(25 * HOUR / SECOND)
    worker.round()
    assert "erasure.left_in_files" in alarms(capsys)
    assert doctors_findings(service)["erasures"] == (
        "fault", "may still stand in the database's files: what was erased up to 25 hours ago",
    )  # fmt: skip
    assert service.metrics()["calendar_erasures_in_files_seconds"] > 25 * HOUR / SECOND
    assert calendar_id in server.files()
    server.client.execute_command("ACL", "SETUSER", "default", "+bgrewriteaof")
    service.clock.advance(HOUR / SECOND)

    def is_done() -> bool:
        worker.round()
        return service.metrics()["calendar_erasures_in_files_seconds"] == 0

    assert servers.until(is_done)
    assert servers.until(lambda: calendar_id not in server.files())
    assert doctors_findings(service)["erasures"][0] == "ok"


def test_a_rewrite_that_began_and_failed_is_told_of_and_asked_again(
    own_database: tuple[TestService, Server], capsys: pytest.CaptureFixture[str]
) -> None:
    service, server = own_database
    calendar_id, worker = erased(service), service.worker
    server.client.config_set("rdb-key-save-delay", "1000000")  # the rewrite takes as long as it is looked at
    worker.round()
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text("ascii")
    (child,) = children.split()
    worker.round()
    assert service.parts.store.file_rewrites.outcome() == "running"
    os.kill(int(child), signal.SIGKILL)
    servers.until(lambda: service.parts.store.file_rewrites.outcome() == "failed")
    worker.round()
    assert "erasure.left_in_files" in alarms(capsys)
    assert doctors_findings(service)["erasures"][:1] == ("fault",)
    assert calendar_id in server.files()
    server.client.config_set("rdb-key-save-delay", "0")
    service.clock.advance(2 * HOUR / SECOND)

    def is_gone() -> bool:
        worker.round()
        return calendar_id not in server.files()

    assert servers.until(is_gone)
    assert doctors_findings(service)["erasures"][0] == "ok"


def test_a_rewrite_that_a_restart_of_the_server_cut_off_is_asked_for_again(
    own_database: tuple[TestService, Server], capsys: pytest.CaptureFixture[str]
) -> None:
    service, server = own_database
    calendar_id, worker = erased(service), service.worker
    server.client.config_set("rdb-key-save-delay", "1000000")
    worker.round()
    assert service.parts.store.file_rewrites.outcome() == "running"
    server.restart()
    with suppress(StoreUnavailable):  # unless the client saw in time that its connection had ended
        worker.round()
    worker.round()
    assert "erasure.left_in_files" in alarms(capsys)
    assert doctors_findings(service)["erasures"][0] == "ok"  # a server that has only just started is no fault
    assert calendar_id in server.files()
    service.clock.advance(2 * HOUR / SECOND)

    def is_gone() -> bool:
        worker.round()
        return calendar_id not in server.files()

    assert servers.until(is_gone)
    assert servers.until(lambda: service.parts.store.file_rewrites.outcome() == "ok")


def test_a_database_that_tells_nothing_of_itself_is_told_of(own_database: tuple[TestService, Server]) -> None:
    service, server = own_database
    identifiers_of_a_connection(service)
    server.client.execute_command("ACL", "SETUSER", "default", "-config", "-info")
    checks = doctors_findings(service)
    assert checks["durability"] == (
        "note", "the database does not tell appendonly, appendfsync, maxmemory-policy",
    )  # fmt: skip
    assert checks["replicas"] == ("note", "the database does not tell its replicas")
    assert checks["erasures"] == ("note", "the database does not tell how its files were rewritten")


def test_without_an_answer_nothing_counts_as_gone_from_the_files(
    own_database: tuple[TestService, Server], capsys: pytest.CaptureFixture[str]
) -> None:
    service, server = own_database
    server.client.execute_command("ACL", "SETUSER", "default", "-info")
    erased(service)
    worker = service.worker
    for _ in range(3):
        worker.round()
    assert alarms(capsys).count("erasure.left_in_files") == 1
    assert service.parts.store.database.client.hget(keys.REWRITE, "requests") == "2"


@shows("ST-5")
def test_no_key_that_is_still_held_finds_an_identifier_again(
    own_database: tuple[TestService, Server],
) -> None:
    service, _ = own_database
    identifiers_of_a_connection(service)
    known = {event["id"] for event in service.all_events()} | {book["id"] for book in service.calendars()}
    service.parts.connection.disconnect.disconnect(WHOSE, Actor.AGENT)
    service.parts.connection.erasure.erase_now(WHOSE, Actor.AGENT)
    service.work()
    names = ("CALENDAR_IDENTITY_KEY", "CALENDAR_SIGNING_KEY")
    held = [b64decode(service.variables[name]) for name in names]
    held += [b64decode(service.variables["CALENDAR_KEYRING"].partition(":")[2])]
    labels = (
        "event id",
        "content",
        "calendar marker",
        "session marker",
        "account reference",
        "check value",
        "audit trail",
    )
    hashes = set()
    for key in held:
        for label in labels:
            for session in SESSIONS:
                own = [WHOSE.organization, WHOSE.agent]
                for parts in ([session, 0], [*own, session], [session], own):
                    digest = keyed_hash(key, label, json.dumps(parts).encode())
                    hashes |= {b32hexencode(digest[:20]).decode().lower(), digest.hex()[:32], digest.hex()}
    assert known
    assert hashes & known == set()
    stored = service.stored()
    assert [one for one in hashes if one in stored] == []


def test_the_identifiers_were_found_by_a_key_that_is_gone(own_database: tuple[TestService, Server]) -> None:
    """Shows that the search above can fail: with the connection's data key it finds the event."""
    service, _ = own_database
    identifiers_of_a_connection(service)
    slot = service.parts.store.slots.read(WHOSE)
    grant = service.parts.store.grants.open(WHOSE, slot.facts.connection_id, slot.grant)
    digest = grant.key.keyed_hash("event id", json.dumps([SESSIONS[0], 0]).encode())
    assert b32hexencode(digest[:20]).decode().lower() in {event["id"] for event in service.all_events()}


def sealed_token(service: TestService) -> bytes:
    """Return the sealed refresh token of the agent's live connection."""
    return str(json.loads(service.parts.store.slots.read(WHOSE).grant)["tokens"]).encode()


def ended_by_teardown(service: TestService) -> None:
    service.parts.connection.disconnect.disconnect(WHOSE, Actor.AGENT)


def ended_by_google(service: TestService) -> None:
    service.google.fault("/token", {"invalid_grant": True})
    with suppress(AccessRevoked):
        service.parts.connection.access.probe(WHOSE)


def replaced(service: TestService) -> None:
    service.connect(WHOSE)


@shows("ST-5")
@pytest.mark.parametrize("end", [ended_by_teardown, ended_by_google, replaced])
def test_a_token_that_is_used_no_more_goes_from_the_file_within_the_day(
    own_database: tuple[TestService, Server], end: Callable[[TestService], None]
) -> None:
    """It may be alive at Google: where another connection uses the account, nothing was revoked."""
    service, server = own_database
    service.connect(WHOSE)
    worker, sealed = service.worker, sealed_token(service)
    end(service)
    service.clock.advance(HOUR / SECOND)
    assert sealed in server.files()
    assert service.metrics()["calendar_erasures_in_files_seconds"] >= HOUR / SECOND

    def is_gone() -> bool:
        worker.round()
        return service.metrics()["calendar_erasures_in_files_seconds"] == 0

    assert servers.until(is_gone)
    assert sealed not in server.files()
