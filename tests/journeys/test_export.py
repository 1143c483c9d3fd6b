"""The agent's export: all stored data but the keys, as `docs/rights.md` describes it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from calendar_service.domain.clock import DAY, MINUTE, rfc3339
from calendar_service.domain.connection import Facts
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.connection import export
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Ticket
from tests.support.evidence import shows
from tests.support.service import TestService

DOCUMENT = Path("docs/rights.md")
OTHERWISE = {
    "grant_state": "told as `state` and `keys`",
    "end_agent_retention": "told in days",
    "channel_to_stop": "told as a list",
    "end_erase_due": "told as `erased_on`",
    "hold_placed_at": "told as `kept_by_law_since`, unless telling is forbidden",
    "hold_until": "told as `kept_by_law_until`, unless telling is forbidden",
    "last_admin_action": "told in words",
    "hold_statement": "whose order it is, is not the agent's",
    "hold_silent_until": "from when the hold may be told",
    "calendar_number": "a counter",
    "calendar_adopted": "how the calendar was found",
    "webhooks_abandoned_until": "until which of its notices the console is not told again",
    "consent_pending_state": "a consent under way, gone in ten minutes",
}
"""Facts that stand in the export otherwise than as they are kept, or not at all, and why."""


def _ticket(service: TestService) -> Ticket:
    return Ticket("acme", "agent-1", "es", "", "", service.parts.clock.now() + MINUTE)


@shows("access")
def test_every_fact_that_is_kept_is_exported_or_has_its_reason() -> None:
    exported = {*export.INSTANTS, *export.PLAIN}
    assert exported.isdisjoint(OTHERWISE)
    assert exported | set(OTHERWISE) == set(Facts().by_name())


@shows("portability")
def test_the_document_names_every_member(service: TestService) -> None:
    service.connect()
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"})
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.parts.connection.disconnect.end(service.agent, Actor.ADMINISTRATOR)
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s2", service.content(), By.AGENT, None)
    service.parts.store.tickets.issue(_ticket(service))
    file = service.export()
    members = set(file) | set(file["connection"]) | set(file["connection"]["last_act_of_others"] or {})
    for part in ("sessions", "waiting", "closing", "history", "open_pages", "unused_links"):
        members |= set(file[part][0])
    named = set(re.findall(r"`([a-z_]+)`", DOCUMENT.read_text("utf-8")))
    assert members - named == set()


def test_it_holds_what_waits_in_full_and_no_key(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    content = service.content(
        "Reunión", description="Con Ana", location="Sala 2", join_url="https://meet.videsk.io/1"
    )
    service.parts.sessions.schedule.put(service.agent, "s1", content, By.AGENT, 9007199254740991)
    file = service.export()
    assert file["waiting"] == [
        {
            "session": "s1",
            "start": rfc3339(content.start),
            "end": rfc3339(content.end),
            "time_zone": "America/Santiago",
            "title": "Reunión",
            "description": "Con Ana",
            "location": "Sala 2",
            "join_url": "https://meet.videsk.io/1",
        }
    ]
    assert file["sessions"][0]["version"] == 9007199254740991
    assert file["connection"]["paused_by_you"]
    slot = service.parts.store.slots.read(service.agent)
    grant = json.loads(slot.grant)
    for secret in ("ya29.", "1//", *(str(value) for value in grant.values() if len(str(value)) > 20)):
        assert secret not in json.dumps(file)


def test_an_administrators_act_is_in_it_with_its_day(service: TestService) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.ADMINISTRATOR)
    connection = service.export()["connection"]
    facts = service.parts.store.slots.read(service.agent).facts
    assert connection["last_act_of_others"] == {
        "act": "connection.disconnected",
        "by": "administrator",
        "at": rfc3339(facts.grant.since),
    }
    assert connection["erased_on"] == rfc3339(facts.end.erase_due)
    assert connection["keys"] == "none"


@shows("access")
def test_it_holds_the_audit_entries_of_the_agents_own_connection(service: TestService) -> None:
    neighbour = next(
        agent
        for number in range(10_000)
        if service.shard_of(agent := Agent("acme", f"neighbour-{number}")) == service.shard_of()
    )
    service.connect(neighbour)
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.SYSTEM, None)
    history = service.export()["history"]
    assert [(entry["what"], entry["by"]) for entry in history][-1] == ("connection.connected", "agent")
    assert {"session.accepted", "session.settled"} <= {entry["what"] for entry in history}
    own = service.facts.connection_id
    assert {entry["facts"]["connection"] for entry in history} == {own}
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert service.export()["history"][0]["what"] in {"connection.disconnected", "teardown.step"}
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert service.export()["history"] == []


def test_it_says_how_far_back_the_entries_were_searched(
    service: TestService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.connect()
    whole = service.export()
    assert whole["history_searched_back_to"] <= whole["history"][-1]["at"]
    monkeypatch.setattr(export, "HISTORY_READ", 1)
    part = service.export()
    assert part["history"] == whole["history"][:1]
    assert part["history_searched_back_to"] == part["history"][0]["at"]


def test_while_telling_is_forbidden_it_holds_no_entry_of_the_hold(service: TestService) -> None:
    service.connect()
    now = service.parts.clock.now()
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", now + 30 * DAY, now + 5 * DAY)
    holds = service.parts.personal_data.holds
    holds.place(service.agent, hold)
    assert "hold" not in json.dumps(service.export()["history"])
    holds.release(service.agent)
    assert "hold" not in json.dumps(service.export()["history"]), "the order may still forbid to tell"
    holds.place(service.agent, replace(hold, silent_until=0))
    assert "hold.placed" in {entry["what"] for entry in service.export()["history"]}


@shows("access")
def test_it_holds_the_agents_open_pages_and_unused_links(service: TestService) -> None:
    service.browser(Agent("acme", "somebody-else"))
    _, browser = service.browser()
    service.parts.store.tickets.issue(_ticket(service))
    file = service.export()
    assert [page["opened_at"] for page in file["open_pages"]] == [rfc3339(browser.began)]
    assert [link["language"] for link in file["unused_links"]] == ["es"]
    service.clock.advance(31 * MINUTE / 1000)
    file = service.export()
    assert (file["open_pages"], file["unused_links"]) == ([], [])


def test_it_is_made_on_the_fly_and_kept_nowhere(service: TestService) -> None:
    service.connect()
    before, calls = service.stored(), len(service.google.journal())
    service.export()
    assert (service.stored(), len(service.google.journal())) == (before, calls)


def test_sessions_are_read_some_hundred_at_a_time_as_they_are_taken(service: TestService) -> None:
    service.connect()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    for number in range(201):
        service.parts.sessions.schedule.put(service.agent, f"s{number}", service.content(), By.SYSTEM, None)

    def reads() -> int:
        stats = service.parts.store.database.client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("hmget", "zrange"))

    members = service.parts.personal_data.export.members(service.agent)
    sessions = next(value for name, value in members if name == "sessions")
    before = reads()
    next(sessions)
    first = reads() - before
    assert len(list(sessions)) == 200
    assert 0 < first < reads() - before
    assert len(list(next(value for name, value in members if name == "waiting"))) == 201


def test_an_agent_of_whom_nothing_is_kept_gets_an_empty_one(service: TestService) -> None:
    file = service.export()
    assert file["connection"]["state"] == "not_connected"
    lists = ("sessions", "waiting", "closing", "history", "open_pages", "unused_links")
    assert [file[name] for name in lists] == [[]] * 6
