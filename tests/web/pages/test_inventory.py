"""What the data page says is kept is what is kept: compared with every key and field that journeys leave (law 11)."""

import json
from collections import defaultdict

from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import CLAUSES
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from tests.household import FIRST, SECOND, SECURE_URL, Household
from tests.support.evidence import shows
from tests.web.pages.visitor import Visitor
from tests.written import JSON, place_of


def _kept(household: Household) -> dict[str, set[str]]:
    """Return the fields at each place of the store, as they are just now."""
    client = household.service.database.client
    found: dict[str, set[str]] = defaultdict(set)
    for key in client.scan_iter("*"):
        place, kind = place_of(key), client.type(key)
        values = client.hgetall(key) if kind == "hash" else {}
        texts = list(values.values()) or ([client.get(key)] if kind == "string" else [])
        if place in JSON:
            found[place] |= {field for text in texts for field in json.loads(text)}
        elif place == "journal":
            found[place] |= {field for _, entry in client.xrange(key) for field in entry}
        else:
            found[place] |= set(values) if place == "facts" else set()
    return found


def _live(visitor: Visitor, household: Household) -> dict[str, set[str]]:
    """Do everything that a service does, and return what was ever kept meanwhile."""
    service, agent, kept = household.service, household.agent, defaultdict(set)

    def look() -> None:
        for place, fields in _kept(household).items():
            kept[place] |= fields

    household.connect(Agent("acme", "neighbour"))
    visitor.ticket()
    visitor.enter()
    visitor.begin()
    look()
    visitor.connect(FIRST)
    service.schedule.put(agent, "s1", household.content(), By.AGENT, 1)
    notified = household.served_from(SECURE_URL)
    notified.work(2)
    look()
    service.schedule.put(agent, "s2", household.content("Another"), By.SYSTEM, None)
    service.schedule.cancel(agent, "s2", By.AGENT, None)
    service.organizations.pause(agent, Actor.AGENT, paused=True)
    service.schedule.put(agent, "s3", household.content("Waits"), By.AGENT, None)
    look()
    household.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    visitor.connect(SECOND)
    service.disconnect.disconnect(agent, Actor.AGENT, delete_calendar=True)
    look()
    service.disconnect.erase_now(agent, Actor.AGENT)
    service.organizations.off_board("acme")
    household.work()
    look()
    return kept


@shows("PR-1", "ST-3")
def test_everything_that_is_kept_is_in_the_inventory(visitor: Visitor, household: Household) -> None:
    named: dict[str, set[str]] = defaultdict(set)
    for item in INVENTORY:
        named[item.place] |= set(item.fields)
    kept = _live(visitor, household)
    assert set(kept) - set(named) == set(), "kept, and nowhere explained"
    assert {place: fields - named[place] for place, fields in kept.items() if fields - named[place]} == {}
    assert set(keys.SLOT_PARTS) - set(named) == set()


@shows("ST-3")
def test_every_item_has_a_reason_a_clause_and_an_end() -> None:
    assert all(item.what and item.why and item.end for item in INVENTORY)
    assert {item.clause for item in INVENTORY} <= set(CLAUSES)
