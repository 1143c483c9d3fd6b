"""One worker for everybody: what is spoilt of one agent keeps nobody else waiting."""

from time import monotonic

import pytest

from calendar_service.store import keys
from calendar_service.store.journal import Actor
from tests.household import SECOND, Household
from tests.journeys.conftest import NEIGHBOUR


@pytest.mark.parametrize("spoilt", ["acme/agent-1", "acme/neighbour"])
def test_a_record_that_cannot_be_read_leaves_the_others_alone(
    house: Household, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    house.connect()
    house.connect(NEIGHBOUR, SECOND)
    agents = {agent.member: agent for agent in (house.agent, NEIGHBOUR)}
    for agent in agents.values():
        house.service.disconnect.end(agent, Actor.ADMINISTRATOR)
    house.service.database.client.hset(keys.part(agents[spoilt], "facts"), "proof_at", "spoilt")
    house.work(2)
    assert len(house.live_tokens()) == 1
    assert "worker.surprise" in capsys.readouterr().err


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
