"""Which fields the store has of one agent: names of places and fields. Must not return a value."""

import json
from collections.abc import Iterator
from typing import Any

from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.database import Database


class StoredFields:
    """Finds out which of an agent's keys and fields exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, agent: Agent) -> dict[str, frozenset[str]]:
        """Return the names of the fields at each place that exists for this agent now."""
        slot = self._database.slot_keys(agent)
        facts, sessions, teardowns, days, due, outbox, grant, waiting, account_ref, pages = (
            self._database.read(
                [
                    ("HKEYS", slot.part("facts")),
                    ("HVALS", slot.part("sessions")),
                    ("HVALS", slot.part("teardowns")),
                    ("ZCARD", slot.part("days")),
                    ("ZCARD", slot.part("due")),
                    ("ZCARD", slot.part("outbox")),
                    ("EXISTS", slot.part("grant")),
                    ("HLEN", slot.part("waiting")),
                    ("HGET", slot.part("facts"), "account_ref"),
                    ("ZRANGE", keys.open_pages(agent.member), 0, -1),
                ]
            )
        )
        fields_at = {
            "facts": frozenset(facts),
            "sessions": _fields(sessions, nested="copy"),
            "teardowns": _fields(teardowns),
            **self._pages(pages),
        }
        exists_at = {
            "days": days, "due": due, "outbox": outbox, "grant": grant, "waiting": waiting, "open-pages": pages,
            **self._of_shard(slot), **self._account_refs(account_ref),
        }  # fmt: skip
        return {place: fields for place, fields in fields_at.items() if fields} | {
            place: frozenset() for place, exists in exists_at.items() if exists
        }

    def _pages(self, names: list[str]) -> dict[str, frozenset[str]]:
        """Return the fields of the links and pages under these keys, those that have ended left out."""
        texts = self._database.read(("GET", name) for name in names) if names else []
        return {
            name.partition(":")[0]: frozenset(json.loads(text))
            for name, text in zip(names, texts, strict=True)
            if text
        }

    def _of_shard(self, slot: keys.SlotKeys) -> dict[str, bool]:
        timer, deadline, listed = self._database.read(
            [
                ("ZSCORE", keys.timers(slot.shard), slot.member),
                ("ZSCORE", keys.erasure_deadlines(slot.shard), slot.member),
                ("SISMEMBER", keys.index(slot.shard, slot.organization), slot.member),
            ]
        )
        return {"timers": timer is not None, "erasure-deadlines": deadline is not None, "org": bool(listed)}

    def _account_refs(self, account_ref: str | None) -> dict[str, bool]:
        if not account_ref:
            return {}
        names = keys.account_ref(account_ref), keys.throttle_account(account_ref)
        joined, counted = self._database.read(("EXISTS", name) for name in names)
        return {"account-ref": bool(joined), "throttle:account": bool(counted)}


def _fields(records: list[str], nested: str = "") -> frozenset[str]:
    """Return the names of the records' fields, and of those of their field `nested`, as `<nested>_<field>`."""
    return frozenset(name for record in records for name in _names(json.loads(record), nested))


def _names(record: dict[str, Any], nested: str) -> Iterator[str]:
    for name, value in record.items():
        yield from (f"{name}_{field}" for field in value) if name == nested else [name]
