"""The data page lists what is stored: compared with every key and field that journeys leave (law 11)."""

from collections import defaultdict

from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import CLAUSES
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import FIRST, SECOND, SECURE_URL, TestService
from tests.support.written import JSON, names_in, place_of
from tests.web.pages.visitor import Visitor


def _stored_fields(service: TestService) -> dict[str, set[str]]:
    """Return the fields at each place of the store now."""
    client = service.parts.store.database.client
    places: dict[str, set[str]] = defaultdict(set)
    for key in client.scan_iter("*"):
        place, kind = place_of(key), client.type(key)
        values = client.hgetall(key) if kind == "hash" else {}
        texts = list(values.values()) or ([client.get(key)] if kind == "string" else [])
        if place in JSON:
            places[place] |= {field for text in texts for field in names_in(place, text)}
        elif place == "audit-log":
            places[place] |= {field for _, entry in client.xrange(key) for field in entry}
        else:
            places[place] |= set(values) if place == "facts" else set()
    return places


def _live(visitor: Visitor, service: TestService) -> dict[str, set[str]]:
    """Use the whole service; return every field that was stored at any moment."""
    parts, agent, stored = service.parts, service.agent, defaultdict(set)

    def look() -> None:
        for place, fields in _stored_fields(service).items():
            stored[place] |= fields

    service.connect(Agent("acme", "neighbour"))
    visitor.ticket()
    visitor.enter()
    visitor.begin()
    look()
    visitor.connect(FIRST)
    parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, 1)
    notified = service.served_from(SECURE_URL)
    notified.work(2)
    look()
    parts.sessions.schedule.put(agent, "s2", service.content("Another"), By.SYSTEM, None)
    parts.sessions.schedule.cancel(agent, "s2", By.AGENT, None)
    parts.connection.pauses.set(agent, Actor.AGENT, paused=True)
    parts.sessions.schedule.put(agent, "s3", service.content("Waits"), By.AGENT, None)
    look()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    visitor.connect(SECOND)
    parts.connection.disconnect.disconnect(agent, Actor.AGENT, delete_calendar=True)
    look()
    parts.connection.erasure.erase_now(agent, Actor.AGENT)
    parts.operations.organizations.off_board("acme")
    service.work()
    look()
    return stored


@shows("PR-1", "ST-3")
def test_everything_that_is_kept_is_in_the_inventory(visitor: Visitor, service: TestService) -> None:
    named: dict[str, set[str]] = defaultdict(set)
    for item in INVENTORY:
        named[item.place] |= set(item.fields)
    stored = _live(visitor, service)
    assert set(stored) - set(named) == set(), "kept, and nowhere explained"
    assert {place: fields - named[place] for place, fields in stored.items() if fields - named[place]} == {}
    assert set(keys.SLOT_PARTS) - set(named) == set()


@shows("ST-3")
def test_every_item_has_a_reason_a_clause_and_an_end() -> None:
    assert all(item.what and item.why and item.end for item in INVENTORY)
    assert {item.clause for item in INVENTORY} <= set(CLAUSES)
