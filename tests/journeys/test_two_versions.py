"""Two versions of the service at once: the older one leaves alone what only the newer one understands (F35)."""

import json

import pytest

from calendar_service.domain.clock import MINUTE
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.session import By, Status
from tests.support.service import TestService


def note_newer(service: TestService, part: str = "record") -> str:
    """Write into the session's record, or into its `copy`, what a newer version would; return the record."""
    client, key = service.parts.store.database.client, service.key("sessions")
    record = json.loads(client.hget(key, "s1") or "")
    (record if part == "record" else record[part])["shade"] = "blue"
    text = json.dumps(record)
    client.hset(key, "s1", text)
    return text


def stored_value(service: TestService) -> str | None:
    return service.parts.store.database.client.hget(service.key("sessions"), "s1")


def test_an_item_that_nobody_here_knows_waits_for_a_worker_that_does(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """During a rolling upgrade a newer worker sets timers that an older one does not know.

    It must neither drop them nor spin on them.
    """
    service.connect()
    service.parts.store.timers.reschedule(service.agent, "polish", 0)
    service.work()
    due = service.parts.store.slots.timed(service.agent).due
    assert service.parts.clock.now() < due["polish"] <= service.parts.clock.now() + MINUTE
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()].count(
        "worker.unknown_item"
    ) == 1


@pytest.mark.parametrize("part", ["record", "copy"])
def test_a_record_of_a_newer_version_is_not_written_over(service: TestService, part: str) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    record, moved = note_newer(service, part), service.content(days=5)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="newer version"):
            service.parts.sessions.schedule.put(service.agent, "s1", moved, By.AGENT, None)
        with pytest.raises(StoreUnavailable, match="newer version"):
            service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert stored_value(service) == record
    assert (
        service.parts.sessions.schedule.put(service.agent, "s2", moved, By.AGENT, None).status
        is Status.SCHEDULED
    )


def test_a_worker_leaves_a_newer_versions_record_where_it_is(service: TestService) -> None:
    service.connect()
    service.google.fault({"path": "/calendar/v3/**"}, {"status": 503, "reason": "backendError"})
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.google.clear_faults()
    record = note_newer(service)
    service.clock.advance(60)
    service.work(2)
    assert (stored_value(service), service.events()) == (record, [])
