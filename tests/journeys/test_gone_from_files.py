"""After the erasure the database's raw files hold nothing of it, and no key still held finds an id again (ST-5)."""

import json
from base64 import b32hexencode, b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.keyed import keyed_hash
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from calendar_service.worker import Worker
from tests import servers
from tests.conftest import MovableClock
from tests.household import FIRST, Household
from tests.local_google import LocalGoogle
from tests.servers import Server

WHOSE = Agent("organization-to-forget", "agent-to-forget")
SESSIONS = ("session-to-forget", "waiting-to-forget")


@pytest.fixture
def alone(tmp_path: Path, google_process: LocalGoogle) -> Iterator[tuple[Household, Server]]:
    """A household over a database of its own, whose files can be read."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with servers.server(tmp_path / "database", appendonly="yes", appendfsync="always") as server:
        house = Household.of(f"redis://127.0.0.1:{server.port}/0", google_process, clock)
        yield house, server
        house.close()


def lived(house: Household) -> dict[str, str]:
    """Let a connection live, and return everything of it that is to be gone, by name."""
    house.connect(WHOSE)
    view = house.service.schedule.put(WHOSE, SESSIONS[0], house.content("Text to forget"), By.AGENT, None)
    house.service.organizations.pause(WHOSE, Actor.AGENT, paused=True)
    house.service.schedule.put(WHOSE, SESSIONS[1], house.content("Text to forget"), By.AGENT, None)
    slot, client = house.service.connections.slot(WHOSE), house.service.database.client
    books = house.google.state()
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
        "calendar id": str(view.calendar_id),
        "event id": str(view.event_id),
        "sealed grant": json.loads(slot.grant)["sealed"] if "sealed" in slot.grant else slot.grant,
        "sealed content": client.hget(keys.part(WHOSE, "waiting"), SESSIONS[1]),
        "account mark": slot.facts.account_mark,
        "account": FIRST,
        "text": "Text to forget",
    }


NEVER_KEPT = ("refresh_tokens", "access_tokens", "account", "text")
"""Not in the clear, not even before."""


def test_nothing_erased_is_left_in_any_file(alone: tuple[Household, Server]) -> None:
    house, server = alone
    secrets = lived(house)
    before = server.files()
    for name, text in secrets.items():
        kept = name == "account mark" or not name.startswith(NEVER_KEPT)
        assert (text.encode() in before) is kept, name
    house.service.disconnect.disconnect(WHOSE, Actor.AGENT)
    house.clock.advance(7.1 * DAY / SECOND)
    for page in house.service.database.client.scan_iter("browser:*"):
        house.service.database.client.delete(
            page
        )  # an open page; gone after hours by the database's real clock
    worker = house.worker
    worker.round()  # it erases, and has the file rewritten

    def is_gone() -> bool:
        worker.round()
        return not [name for name, text in secrets.items() if text.encode() in server.files()]

    assert servers.until(is_gone)
    assert house.service.audit.ends().due == 0


def test_where_nobody_asked_for_it_the_file_is_rewritten_within_the_day(
    alone: tuple[Household, Server],
) -> None:
    house, server = alone
    calendar_id = lived(house)["calendar id"].encode()
    worker = Worker(house.service, rewritten_at=house.service.clock.now())
    house.service.disconnect.disconnect(WHOSE, Actor.AGENT)
    configure({"erase.after_store": "raise"})
    with pytest.raises(FailpointRaised):
        house.service.disconnect.erase_now(WHOSE, Actor.AGENT)
    configure({})
    house.clock.advance(DAY / 4 / SECOND)
    worker.round()
    assert calendar_id in server.files()
    house.clock.advance(DAY / 2 / SECOND)
    worker.round()
    assert servers.until(lambda: calendar_id not in server.files())


def test_no_key_that_is_still_held_finds_an_identifier_again(alone: tuple[Household, Server]) -> None:
    house, _ = alone
    lived(house)
    known = {event["id"] for event in house.all_events()} | {book["id"] for book in house.calendars()}
    house.service.disconnect.disconnect(WHOSE, Actor.AGENT)
    house.service.disconnect.erase_now(WHOSE, Actor.AGENT)
    house.work()
    names = ("CALENDAR_IDENTITY_KEY", "CALENDAR_SIGNING_KEY")
    held = [b64decode(house.variables[name]) for name in names]
    held += [b64decode(house.variables["CALENDAR_KEYRING"].partition(":")[2])]
    labels = (
        "event id",
        "content",
        "calendar marker",
        "session marker",
        "account mark",
        "check value",
        "audit trail",
    )
    found = set()
    for key in held:
        for label in labels:
            for session in SESSIONS:
                own = [WHOSE.organization, WHOSE.agent]
                for parts in ([session, 0], [*own, session], [session], own):
                    digest = keyed_hash(key, label, json.dumps(parts).encode())
                    found |= {b32hexencode(digest[:20]).decode().lower(), digest.hex()[:32], digest.hex()}
    assert known
    assert found & known == set()
    stored = house.stored()
    assert [one for one in found if one in stored] == []


def test_the_identifiers_were_found_by_a_key_that_is_gone(alone: tuple[Household, Server]) -> None:
    """The search above can fail: with the connection's data key it finds the event."""
    house, _ = alone
    lived(house)
    slot = house.service.connections.slot(WHOSE)
    grant = house.service.register.grants.open(WHOSE, slot.facts.connection_id, slot.grant)
    digest = grant.key.keyed_hash("event id", json.dumps([SESSIONS[0], 0]).encode())
    assert b32hexencode(digest[:20]).decode().lower() in {event["id"] for event in house.all_events()}
