"""What the store holds of one agent, as names of places and fields alone. Must not return a value."""

import json
from typing import Any

from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.database import Database

_RECORDS = ("sessions", "errands")
"""Hashes of JSON objects, whose fields are those of the objects."""
_SETS = ("due", "letters")


class Holdings:
    """Looks which of an agent's keys are there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, agent: Agent) -> dict[str, frozenset[str]]:
        """Return the fields at each place where something of the agent lies now."""

        def look(pipeline: Any) -> None:
            pipeline.hkeys(keys.part(agent, "facts"))
            for part in _RECORDS:
                pipeline.hvals(keys.part(agent, part))
            for part in _SETS:
                pipeline.zcard(keys.part(agent, part))
            pipeline.exists(keys.part(agent, "grant"))
            pipeline.hlen(keys.part(agent, "waiting"))
            pipeline.zscore(keys.timers(agent.shard), agent.member)
            pipeline.sismember(keys.index(agent.shard, agent.organization), agent.member)
            pipeline.hget(keys.part(agent, "facts"), "account_mark")

        facts, sessions, errands, due, letters, grant, waiting, timer, listed, mark = self._database.read(
            look
        )
        found = {
            "facts": frozenset(facts),
            "sessions": _fields(sessions),
            "errands": _fields(errands),
        }
        there = {
            "due": due, "letters": letters, "grant": grant, "waiting": waiting, "timers": timer is not None,
            "org": listed, **self._marks(mark),
        }  # fmt: skip
        return {place: fields for place, fields in found.items() if fields} | {
            place: frozenset() for place, is_there in there.items() if is_there
        }

    def _marks(self, mark: str | None) -> dict[str, bool]:
        if not mark:
            return {}

        def look(pipeline: Any) -> None:
            pipeline.exists(keys.account_mark(mark))
            pipeline.exists(keys.flow_account(mark))

        joined, counted = self._database.read(look)
        return {"mark": bool(joined), "flow:account": bool(counted)}


def _fields(records: list[str]) -> frozenset[str]:
    return frozenset(field for record in records for field in json.loads(record))
