"""The agent's export: all stored data but the keys, as `docs/rights.md` describes it."""

import json
import re
from pathlib import Path
from typing import Any

from calendar_service.domain.clock import rfc3339
from calendar_service.domain.connection import Facts
from calendar_service.domain.session import By
from calendar_service.journeys.connection import export
from calendar_service.store.audit_log import Actor
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


def _taken(service: TestService) -> dict[str, Any]:
    return dict(json.loads(json.dumps(service.parts.personal_data.export.of(service.agent))))


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
    file = _taken(service)
    members = set(file) | set(file["connection"]) | set(file["connection"]["last_act_of_others"] or {})
    for part in ("sessions", "waiting", "closing"):
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
    file = _taken(service)
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
    connection = _taken(service)["connection"]
    facts = service.parts.store.slots.read(service.agent).facts
    assert connection["last_act_of_others"] == {
        "act": "connection.disconnected",
        "by": "administrator",
        "at": rfc3339(facts.grant.since),
    }
    assert connection["erased_on"] == rfc3339(facts.end.erase_due)
    assert connection["keys"] == "none"


def test_it_is_made_on_the_fly_and_kept_nowhere(service: TestService) -> None:
    service.connect()
    before, calls = service.stored(), len(service.google.journal())
    service.parts.personal_data.export.of(service.agent)
    assert (service.stored(), len(service.google.journal())) == (before, calls)


def test_an_agent_of_whom_nothing_is_kept_gets_an_empty_one(service: TestService) -> None:
    file = _taken(service)
    assert file["connection"]["state"] == "not_connected"
    assert (file["sessions"], file["waiting"], file["closing"]) == ([], [], [])
