"""One worker for everybody: what is spoilt of one agent keeps nobody else waiting."""

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
