"""When too few replicas follow a primary for long, an alarm says so."""

import json
from io import StringIO

import redis

from calendar_service.log import Log
from calendar_service.store.replica_alarm import READINGS_BEFORE, READINGS_BETWEEN, ReplicaAlarm
from calendar_service.store.replication import Primary


class RecordedAlarm:
    """An alarm, and what it has logged."""

    def __init__(self) -> None:
        self._stream = StringIO()
        self.alarm = ReplicaAlarm(Log("web", self._stream))

    def read(self, following: int | None, times: int = 1) -> list[tuple[str, int | None]]:
        """Observe so many readings of a primary that needs two replicas beside one that needs none; return the log."""
        client = redis.Redis()
        for _ in range(times):
            self.alarm.observe([Primary(client, ("a", 1), 2, following), Primary(client, ("b", 1), 0, 0)])
        lines = [json.loads(line) for line in self._stream.getvalue().splitlines()]
        return [(line["event"], line.get("count")) for line in lines]


def test_a_replica_that_is_away_for_a_failover_alarms_nobody() -> None:
    recorded = RecordedAlarm()
    assert recorded.read(1, READINGS_BEFORE - 1) == []
    assert recorded.read(2) == []
    assert recorded.read(1, READINGS_BEFORE - 1) == []


def test_a_replica_that_stays_away_alarms_with_the_number_that_is_missing_and_again_later() -> None:
    recorded = RecordedAlarm()
    assert recorded.read(1, READINGS_BEFORE) == [("database.replicas_missing", 1)]
    assert recorded.read(0, READINGS_BETWEEN - 1) == [("database.replicas_missing", 1)]
    assert recorded.read(0) == [("database.replicas_missing", 1), ("database.replicas_missing", 2)]
    assert recorded.read(2)[-1] == ("database.replicas_back", None)


def test_a_database_that_does_not_tell_its_replicas_alarms_nobody() -> None:
    assert RecordedAlarm().read(None, READINGS_BEFORE) == []
