"""Keys rotate while traffic runs: everything is sealed anew, and nothing newer is overwritten."""

from collections.abc import Iterator, Sequence

import pytest

from calendar_service.domain.clock import HOUR
from calendar_service.domain.connection import State
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.journeys.operations.key_rotation import Sealed
from calendar_service.store.audit_log import Actor
from calendar_service.store.scan import Scan
from tests.support.evidence import shows
from tests.support.service import TestService, _fresh

OTHER = Agent("acme", "agent:2")


def with_keys(service: TestService, ring: str) -> TestService:
    return TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        **{**service.variables, "CALENDAR_KEYRING": ring},
    )  # fmt: skip


def quietly(agents: Sequence[Agent]) -> Iterator[Agent]:
    yield from agents


@pytest.fixture
def rotated(service: TestService) -> Iterator[TestService]:
    """A test service whose keyring has a new first key, over the same books."""
    former = service.variables["CALENDAR_KEYRING"]
    service_with_both = with_keys(service, f"k2:{_fresh()},{former}")
    yield service_with_both
    service_with_both.close()


@pytest.fixture
def without_the_former(rotated: TestService) -> Iterator[TestService]:
    successor = with_keys(rotated, rotated.variables["CALENDAR_KEYRING"].split(",")[0])
    yield successor
    successor.close()


def seals(service: TestService) -> dict[str, tuple[int, int, int]]:
    return {
        one.key_id: (one.grants, one.teardowns, one.consents)
        for one in service.parts.operations.rotation.status()
    }


def test_status_counts_grants_teardowns_and_consents(service: TestService) -> None:
    service.connect()
    service.connect(OTHER)
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    service.connect()
    cookie, browser = service.browser()
    service.begin(browser, cookie)
    (status,) = service.parts.operations.rotation.status()
    assert status == Sealed("k1", known=True, current=True, grants=1, teardowns=status.teardowns, consents=1)
    assert status.teardowns >= 1


@shows("ST-1")
def test_everything_is_sealed_under_the_current_key_and_still_works(
    service: TestService, rotated: TestService, without_the_former: TestService
) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.connect(OTHER, "agent-two@example.com")
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    assert seals(rotated) == {"k2": (0, 0, 0), "k1": (1, 1, 0)}

    done = rotated.parts.operations.rotation.rotate(quietly)
    assert (done.resealed, done.unopened) == (2, ())
    assert seals(rotated) == {"k2": (1, 1, 0), "k1": (0, 0, 0)}

    service.google.clear_faults()
    view = without_the_former.parts.sessions.schedule.put(
        service.agent, "s1", service.content("Moved", days=4), By.AGENT, None
    )
    assert view.status is Status.SCHEDULED
    service.clock.advance(7 * HOUR / 1000)
    without_the_former.parts.connection.teardowns.run(OTHER)
    assert rotated.live_tokens() == ["agent-one@example.com"]


def test_a_teardown_is_sealed_anew_also_where_its_connection_is_erased(
    service: TestService, rotated: TestService
) -> None:
    service.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert rotated.parts.operations.rotation.rotate(quietly).resealed == 1
    assert seals(rotated) == {"k2": (0, 1, 0), "k1": (0, 0, 0)}


def test_a_second_rotation_finds_nothing_to_do(service: TestService, rotated: TestService) -> None:
    service.connect()
    rotated.parts.operations.rotation.rotate(quietly)
    before = rotated.stored()
    assert rotated.parts.operations.rotation.rotate(quietly).resealed == 0
    assert rotated.stored() == before


def test_a_refresh_that_began_before_does_not_bring_the_former_key_back(
    service: TestService, rotated: TestService
) -> None:
    service.connect()
    connections, grants = service.parts.store.connections, service.parts.connection.access.grants
    slot = service.parts.store.slots.read(service.agent)
    grant = grants.open(service.agent, slot.facts.connection_id, slot.grant)
    newer = grants.next(grant, grant.refresh_token, grant.access_token, grant.expires_at + HOUR)
    rotated.parts.operations.rotation.rotate(quietly)
    assert not connections.save_refreshed(
        service.agent, grant.connection_id, grant.number, newer.sealed, slot.now + HOUR
    )
    assert seals(rotated)["k1"] == (0, 0, 0)


def test_a_teardowns_step_that_began_before_does_not_bring_the_former_key_back(
    service: TestService, rotated: TestService
) -> None:
    service.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    rotated.parts.operations.rotation.rotate(quietly)
    service.parts.store.connections.teardown_step(service.agent, teardown.retried(), 1000)
    assert seals(rotated)["k1"] == (0, 0, 0)
    (stored,) = service.parts.store.slots.read(service.agent).teardowns
    assert stored.tries == teardown.tries + 1


def test_a_seal_made_from_an_older_reading_is_refused(service: TestService) -> None:
    service.connect()
    scan = Scan(service.parts.store.database)
    slot = service.parts.store.slots.read(service.agent)
    assert not scan.reseal(service.agent, "", "something older", "x")
    assert not scan.reseal(service.agent, "no such teardown", slot.grant, "x")
    assert service.parts.store.slots.read(service.agent).grant == slot.grant


def test_what_one_key_seals_and_nobody_has_is_told_and_left_as_it_is(
    service: TestService, without_the_former: TestService
) -> None:
    service.connect()
    before = service.stored()
    done = without_the_former.parts.operations.rotation.rotate(quietly)
    assert (done.resealed, done.unopened) == (0, (service.agent,))
    assert service.stored() == before
    statuses = {one.key_id: one for one in without_the_former.parts.operations.rotation.status()}
    assert (statuses["k1"].known, statuses["k1"].grants) == (False, 1)


def test_what_is_no_sealed_record_is_told_too(service: TestService, rotated: TestService) -> None:
    service.connect()
    service.parts.store.database.client.set(service.key("grant"), "garbled")
    assert rotated.parts.operations.rotation.rotate(quietly).unopened == (service.agent,)
    assert seals(rotated)["?"] == (1, 0, 0)
    rotated.parts.connection.disconnect.disconnect(service.agent, Actor.OPERATOR)
    assert rotated.parts.connection.status.of(service.agent).state is State.DISCONNECTED


def test_the_expiry_of_a_record_survives_its_new_seal(service: TestService, rotated: TestService) -> None:
    service.connect()
    client, name = service.parts.store.database.client, service.key("grant")
    client.pexpire(name, HOUR)
    rotated.parts.operations.rotation.rotate(quietly)
    assert 0 < client.pttl(name) <= HOUR
