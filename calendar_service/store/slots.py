"""An agent's slot as a whole, read in one round trip. Must not change anything."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from functools import cache
from itertools import chain, islice
from typing import Any, Final, cast, get_type_hints

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, GrantState
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.store.database import Command, Database, ask_time
from calendar_service.store.keys import SlotKeys

STATE_FACTS: Final = (
    "connection_id", "grant_state", "consent_scope", "consent_policy", "consent_required_since",
    "pause_by_agent", "pause_by_organization", "calendar_since", "end_revocation",
)  # fmt: skip
"""The facts that decide which state is shown, with whose connection it is and how its revocation stands."""
AGENTS_READ: Final = 500
"""How many agents' slots a walk over many reads in one round trip."""
_READERS: Final[Mapping[object, Callable[[str], Any]]] = {
    str: str,
    int: int,
    bool: lambda text: text == "1",
    GrantState: GrantState,
    Mapping[str, str]: json.loads,
}
"""How a fact is read from the text that the scripts wrote, by its type."""


@dataclass(frozen=True, slots=True)
class Teardown:
    """What is left to do at Google after a disconnect. It alone holds the connection's sealed token (law 6)."""

    connection_id: str
    grant: str
    account_ref: str
    started: Millis
    tries: int
    delete_calendar: bool
    calendar_id: str
    channels: Mapping[str, str] = field(default_factory=dict)
    """Channels that Google has to stop: Google's id of the resource that each watches, by the channel's id."""
    calendar_deletion: str = ""
    """The outcome of a deletion that the agent asked for: `deleted` or `refused`; empty while it is not decided."""

    def to_json(self) -> str:
        """Return the teardown as the store keeps it under its connection's id."""
        values = asdict(self)
        del values["connection_id"]
        return json.dumps({**values, "started": str(self.started)})

    @classmethod
    def of_json(cls, connection_id: str, text: str) -> "Teardown":
        """Return the teardown that a script or `to_json` wrote."""
        values = json.loads(text)
        return cls(connection_id=connection_id, **{**values, "started": int(values["started"])})

    def retried(self) -> "Teardown":
        """Return the teardown after one more try that decided nothing."""
        return replace(self, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """An agent's slot at one moment."""

    agent: Agent
    facts: Facts
    grant: str
    """The sealed grant, or empty."""
    teardowns: tuple[Teardown, ...]
    now: Millis
    """The database's time."""

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """The agent's connections: the present one, and former ones whose teardowns have not ended."""
        return self.facts.connection_id, *(teardown.connection_id for teardown in self.teardowns)


@dataclass(frozen=True, slots=True)
class TimedSlot(Slot):
    """A slot with all its timers: one for each session that is not settled, so there may be thousands."""

    due: Mapping[str, Millis]
    """When each timer is due, by its name, the earliest first."""


class Slots:
    """Reads the slots of all agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, agent: Agent) -> Slot:
        """Return the slot in one round trip, which costs the same however many sessions wait."""
        *answers, time = self._database.read(_with_time(_commands(self._database.slot_keys(agent))))
        return self._slot(agent, time, *answers)

    def each(self, agents: Iterable[Agent]) -> Iterator[Slot]:
        """Yield the slots of these agents in their order, some hundred in one round trip. For walks over many."""
        rest = iter(agents)
        while chunk := list(islice(rest, AGENTS_READ)):
            commands = [_commands(self._database.slot_keys(agent)) for agent in chunk]
            *answers, time = self._database.read(_with_time(chain.from_iterable(commands)))
            each_answers = iter(answers)
            for agent, listed in zip(chunk, commands, strict=True):
                yield self._slot(agent, time, *islice(each_answers, len(listed)))

    def timed(self, agent: Agent) -> TimedSlot:
        """Return the slot and its timers in one round trip, for those who work on them or show them."""
        slot_keys = self._database.slot_keys(agent)
        timers = ("ZRANGE", slot_keys.part("due"), 0, -1, "WITHSCORES")
        due, *answers, time = self._database.read(_with_time([timers, *_commands(slot_keys)]))
        slot = self._slot(agent, time, *answers)
        return TimedSlot(
            slot.agent, slot.facts, slot.grant, slot.teardowns, slot.now, {what: int(at) for what, at in due}
        )

    def _slot(self, agent: Agent, time: Any, facts: Any, grant: Any, teardowns: Any) -> Slot:
        return Slot(
            agent,
            facts_of(facts),
            grant or "",
            tuple(Teardown.of_json(name, text) for name, text in teardowns.items()),
            self._database.instant(time),
        )

    def facts(self, agents: Sequence[Agent]) -> tuple[list[Facts], Millis]:
        """Return the facts of these agents' slots, at least one, and the database's time, in one round trip."""
        parts = [self._database.slot_keys(agent).part("facts") for agent in agents]
        *stored, time = self._database.read([*(("HGETALL", part) for part in parts), ask_time(parts[0])])
        return [facts_of(each) for each in stored], self._database.instant(time)

    def states(self, agents: Sequence[Agent]) -> list[Facts]:
        """Return `STATE_FACTS` of these agents, at least one, in one round trip: a third of what `facts` reads."""
        parts = [self._database.slot_keys(agent).part("facts") for agent in agents]
        return [
            state_facts_of(each)
            for each in self._database.read(("HMGET", part, *STATE_FACTS) for part in parts)
        ]


def _commands(slot_keys: SlotKeys) -> list[Command]:
    """Return the commands that read a slot without its timers."""
    return [
        ("HGETALL", slot_keys.part("facts")),
        ("GET", slot_keys.part("grant")),
        ("HGETALL", slot_keys.part("teardowns")),
    ]


def _with_time(commands: Iterable[Command]) -> list[Command]:
    """Add the question for the time, to the server of the first key."""
    listed = list(commands)
    return [*listed, ask_time(str(listed[0][1]))]


def state_facts_of(stored: Sequence[str | None]) -> Facts:
    """Return `STATE_FACTS` as the store keeps them, in their order; every other fact has its default."""
    texts = {name: text for name, text in zip(STATE_FACTS, stored, strict=True) if text is not None}
    return cast(Facts, _group(Facts, "", STATE_FACTS, texts))


def facts_of(stored: Mapping[str, str]) -> Facts:
    """Return the facts that the store keeps; what is absent has its default."""
    return cast(Facts, _group(Facts, "", None, stored))


def _group(group: type, prefix: str, only: tuple[str, ...] | None, stored: Mapping[str, str]) -> Any:
    values: dict[str, Any] = {}
    for name, key, inner, reader in _fields(group, prefix, only):
        if inner is not None:
            values[name] = _group(inner, key, only, stored)
        elif (text := stored.get(key)) is not None:
            values[name] = reader(text)
    return group(**values)


@cache
def _fields(
    group: type, prefix: str, only: tuple[str, ...] | None
) -> tuple[tuple[str, str, type | None, Callable[[str], Any]], ...]:
    """Return each field's name, its stored name, the group that it is or None, and how it is read from its text.

    A group's stored name is what its fields' begin with. `only`: leave out fields with other stored names, and groups
    that have none of these; None: all fields.
    """
    fields: list[tuple[str, str, type | None, Callable[[str], Any]]] = []
    for name, kind in get_type_hints(group).items():
        if isinstance(kind, type) and is_dataclass(kind):
            if _fields(kind, f"{prefix}{name}_", only):
                fields.append((name, f"{prefix}{name}_", kind, str))
        elif only is None or prefix + name in only:
            fields.append((name, prefix + name, None, _READERS[kind]))
    return tuple(fields)


def record_of(session: str, text: str | None) -> Record | None:
    """Return a session's record as a script wrote it."""
    return Record.of_json(session, text) if text else None
