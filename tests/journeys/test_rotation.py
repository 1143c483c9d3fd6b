"""Keys rotate while traffic runs: everything is sealed anew, and nothing newer is overwritten."""

from collections.abc import Iterator, Sequence

import pytest

from calendar_service.domain.clock import HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.journeys.rotation import Sealed
from calendar_service.store.census import Census
from calendar_service.store.journal import Actor
from tests.household import Household, _fresh

OTHER = Agent("acme", "agent:2")


def with_keys(house: Household, ring: str) -> Household:
    return Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock,
        **{**house.variables, "CALENDAR_KEYRING": ring},
    )  # fmt: skip


def quietly(agents: Sequence[Agent]) -> Iterator[Agent]:
    yield from agents


@pytest.fixture
def rotated(house: Household) -> Iterator[Household]:
    """A household whose keyring has a new first key, over the same books."""
    former = house.variables["CALENDAR_KEYRING"]
    made = with_keys(house, f"k2:{_fresh()},{former}")
    yield made
    made.close()


@pytest.fixture
def without_the_former(rotated: Household) -> Iterator[Household]:
    made = with_keys(rotated, rotated.variables["CALENDAR_KEYRING"].split(",")[0])
    yield made
    made.close()


def seals(house: Household) -> dict[str, tuple[int, int, int]]:
    return {one.key_id: (one.grants, one.errands, one.consents) for one in house.service.rotation.status()}


def test_status_counts_grants_errands_and_consents(house: Household) -> None:
    house.connect()
    house.connect(OTHER)
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.disconnect.disconnect(OTHER, Actor.AGENT)
    house.connect()
    cookie, browser = house.browser()
    house.begin(browser, cookie)
    (status,) = house.service.rotation.status()
    assert status == Sealed("k1", known=True, current=True, grants=1, errands=status.errands, consents=1)
    assert status.errands >= 1


def test_everything_is_sealed_under_the_current_key_and_still_works(
    house: Household, rotated: Household, without_the_former: Household
) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.connect(OTHER, "agent-two@example.com")
    house.service.disconnect.disconnect(OTHER, Actor.AGENT)
    assert seals(rotated) == {"k2": (0, 0, 0), "k1": (1, 1, 0)}

    done = rotated.service.rotation.rotate(quietly)
    assert (done.resealed, done.unopened) == (2, ())
    assert seals(rotated) == {"k2": (1, 1, 0), "k1": (0, 0, 0)}

    house.google.clear_faults()
    view = without_the_former.service.schedule.put(
        house.agent, "s1", house.content("Moved", days=4), By.AGENT, None
    )
    assert view.status is Status.SCHEDULED
    house.clock.advance(7 * HOUR / 1000)
    without_the_former.service.disconnect.run_errands(OTHER)
    assert rotated.live_tokens() == ["agent-one@example.com"]


def test_an_errand_is_sealed_anew_also_where_its_connection_is_erased(
    house: Household, rotated: Household
) -> None:
    house.connect()
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    assert rotated.service.rotation.rotate(quietly).resealed == 1
    assert seals(rotated) == {"k2": (0, 1, 0), "k1": (0, 0, 0)}


def test_a_second_rotation_finds_nothing_to_do(house: Household, rotated: Household) -> None:
    house.connect()
    rotated.service.rotation.rotate(quietly)
    before = rotated.stored()
    assert rotated.service.rotation.rotate(quietly).resealed == 0
    assert rotated.stored() == before


def test_a_refresh_that_began_before_does_not_bring_the_former_key_back(
    house: Household, rotated: Household
) -> None:
    house.connect()
    connections, grants = house.service.connections, house.service.access.grants
    slot = house.service.slots.read(house.agent)
    grant = grants.open(house.agent, slot.facts.connection_id, slot.grant)
    newer = grants.next(grant, grant.refresh_token, grant.access_token, grant.expires_at + HOUR)
    rotated.service.rotation.rotate(quietly)
    assert not connections.refreshed(
        house.agent, grant.connection_id, grant.number, newer.sealed, slot.now + HOUR
    )
    assert seals(rotated)["k1"] == (0, 0, 0)


def test_an_errands_step_that_began_before_does_not_bring_the_former_key_back(
    house: Household, rotated: Household
) -> None:
    house.connect()
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    (errand,) = house.service.slots.read(house.agent).errands
    rotated.service.rotation.rotate(quietly)
    house.service.connections.errand_step(house.agent, errand.retried(), 1000)
    assert seals(rotated)["k1"] == (0, 0, 0)
    (kept,) = house.service.slots.read(house.agent).errands
    assert kept.tries == errand.tries + 1


def test_a_seal_made_from_an_older_reading_is_refused(house: Household) -> None:
    house.connect()
    census = Census(house.service.database)
    slot = house.service.slots.read(house.agent)
    assert not census.reseal(house.agent, "", "something older", "x")
    assert not census.reseal(house.agent, "no such errand", slot.grant, "x")
    assert house.service.slots.read(house.agent).grant == slot.grant


def test_what_one_key_seals_and_nobody_has_is_told_and_left_as_it_is(
    house: Household, without_the_former: Household
) -> None:
    house.connect()
    before = house.stored()
    done = without_the_former.service.rotation.rotate(quietly)
    assert (done.resealed, done.unopened) == (0, (house.agent,))
    assert house.stored() == before
    found = {one.key_id: one for one in without_the_former.service.rotation.status()}
    assert (found["k1"].known, found["k1"].grants) == (False, 1)


def test_what_is_no_sealed_record_is_told_too(house: Household, rotated: Household) -> None:
    house.connect()
    house.service.database.client.set(house.key("grant"), "garbled")
    assert rotated.service.rotation.rotate(quietly).unopened == (house.agent,)
    assert seals(rotated)["?"] == (1, 0, 0)
    rotated.service.disconnect.disconnect(house.agent, Actor.OPERATOR)
    assert rotated.service.overview.connection(house.agent).state is State.DISCONNECTED


def test_the_expiry_of_a_record_survives_its_new_seal(house: Household, rotated: Household) -> None:
    house.connect()
    client, name = house.service.database.client, house.key("grant")
    client.pexpire(name, HOUR)
    rotated.service.rotation.rotate(quietly)
    assert 0 < client.pttl(name) <= HOUR
