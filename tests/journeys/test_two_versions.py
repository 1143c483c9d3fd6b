"""Two versions of the service at once: what only the newer one understands is left to it (F35)."""

import json

import pytest

from calendar_service.domain.clock import MINUTE
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.session import By, Status
from tests.household import Household


def note_newer(house: Household) -> str:
    """Write into the session's record what a newer version would; return the record."""
    client, key = house.service.database.client, house.key("sessions")
    record = json.dumps(json.loads(client.hget(key, "s1") or "") | {"shade": "blue"})
    client.hset(key, "s1", record)
    return record


def kept(house: Household) -> str | None:
    return house.service.database.client.hget(house.key("sessions"), "s1")


def test_a_matter_that_nobody_here_knows_waits_for_a_worker_that_does(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.service.timers.reschedule(house.agent, "polish", 0)
    house.work()
    due = house.service.slots.read(house.agent).due
    assert house.service.clock.now() < due["polish"] <= house.service.clock.now() + MINUTE
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()].count(
        "worker.unknown_matter"
    ) == 1


def test_a_record_of_a_newer_version_is_not_written_over(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    record, moved = note_newer(house), house.content(days=5)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="newer version"):
            house.service.schedule.put(house.agent, "s1", moved, By.AGENT, None)
        with pytest.raises(StoreUnavailable, match="newer version"):
            house.service.schedule.cancel(house.agent, "s1", By.AGENT, None)
    assert kept(house) == record
    assert house.service.schedule.put(house.agent, "s2", moved, By.AGENT, None).status is Status.SCHEDULED


def test_a_worker_leaves_a_newer_versions_record_where_it_is(house: Household) -> None:
    house.connect()
    house.google.fault({"path": "/calendar/v3/**"}, {"status": 503, "reason": "backendError"})
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.google.clear_faults()
    record = note_newer(house)
    house.clock.advance(60)
    house.work(2)
    assert (kept(house), house.events()) == (record, [])
