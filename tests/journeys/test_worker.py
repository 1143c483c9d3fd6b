"""One worker for everybody: what is spoilt of one agent keeps nobody else waiting."""

from dataclasses import replace
from time import monotonic

import pytest

from calendar_service.domain.clock import DAY, MINUTE, SECOND
from calendar_service.domain.session import By, Status
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from tests.household import SECOND as OTHER_ACCOUNT
from tests.household import Household
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_flow import alarms


@pytest.mark.parametrize("spoilt", ["acme/agent-1", "acme/neighbour"])
def test_a_record_that_cannot_be_read_leaves_the_others_alone(
    house: Household, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    house.connect()
    house.connect(NEIGHBOUR, OTHER_ACCOUNT)
    agents = {agent.member: agent for agent in (house.agent, NEIGHBOUR)}
    for agent in agents.values():
        house.service.disconnect.end(agent, Actor.ADMINISTRATOR)
    house.service.database.client.hset(keys.part(agents[spoilt], "facts"), "proof_at", "spoilt")
    house.work(2)
    assert len(house.live_tokens()) == 1
    assert "worker.surprise" in capsys.readouterr().err


def test_a_worker_whose_clock_is_wrong_drops_no_session(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "applied", house.content(days=10), By.AGENT, None)
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", house.content(days=10), By.AGENT, None)
    house.clock.advance((DAY + MINUTE) / SECOND)
    ahead = Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock,
        **house.variables | {"CALENDAR_TEST_SKEW": str(60 * DAY // SECOND)},
    )  # fmt: skip
    ahead.work(2)
    ahead.close()
    sessions = house.service.register.sessions
    assert {record.session for record in sessions.all(house.agent)} == {"applied", "waits"}
    assert sessions.waiting(house.agent).keys() == {"waits"}
    assert set(alarms(capsys)) == {"erasure.clocks_differ"}
    due = house.service.connections.slot(house.agent).due
    assert due["tidy"] <= house.service.clock.now() + 11 * MINUTE


def test_what_a_clock_that_was_ahead_put_far_off_is_looked_at_once_it_is_right(house: Household) -> None:
    house.connect()
    house.clock.advance(31 * DAY / SECOND)
    house.work(3)
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=1)
    wish = house.content(days=60)
    assert house.service.schedule.put(house.agent, "s1", wish, By.AGENT, None).status is Status.PENDING
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", wish, By.AGENT, None)
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=False)
    house.clock.advance(-31 * DAY / SECOND)
    house.work(2)
    slot = house.service.connections.slot(house.agent)
    assert slot.due["probe"] > slot.now + 30 * DAY
    assert house.service.register.realign() >= 4
    house.work(3)
    slot = house.service.connections.slot(house.agent)
    assert max(slot.due.values()) < slot.now + 2 * DAY
    assert len(house.events()) == 2
    assert house.service.register.realign() == 0


def test_realigning_leaves_told_ends_alone(house: Household) -> None:
    house.connect()
    house.service.organizations.pause(house.agent, Actor.AGENT, paused=True)
    house.service.schedule.put(house.agent, "waits", house.content(days=20), By.AGENT, None)
    house.connect(NEIGHBOUR, OTHER_ACCOUNT)
    house.service.disconnect.end(NEIGHBOUR, Actor.AGENT)
    before = [house.service.connections.slot(agent).due for agent in (house.agent, NEIGHBOUR)]
    assert house.service.register.realign() == 0
    assert [house.service.connections.slot(agent).due for agent in (house.agent, NEIGHBOUR)] == before


def test_an_errand_waits_for_google_no_longer_than_it_is_this_workers(house: Household) -> None:
    house.connect()
    house.service.disconnect.end(house.agent, Actor.ADMINISTRATOR)
    hurried = house.limited(worker_seconds=0.3)
    house.google.fault("/revoke", {"hang": True})
    began = monotonic()
    hurried.work()
    assert monotonic() - began < 4  # a call by itself may last twice as long
    assert house.facts.revocation == "pending"
    house.google.clear_faults()
    house.clock.advance(60)
    house.work()
    assert house.facts.revocation == "confirmed"
    hurried.close()


def test_after_seven_days_the_token_is_destroyed_however_rarely_it_was_tried(house: Household) -> None:
    house.connect()
    house.service.disconnect.end(house.agent, Actor.ADMINISTRATOR)
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    connections = house.service.connections
    (errand,) = connections.slot(house.agent).errands
    connections.errand_step(house.agent, replace(errand, tries=30), 0)  # as after days of trouble
    house.clock.advance((7 * DAY - 10 * MINUTE) / SECOND)
    house.work()
    assert house.facts.revocation == "pending"
    house.clock.advance(11 * 60)
    house.work()
    assert connections.slot(house.agent).errands == ()
    assert errand.grant not in house.stored()
