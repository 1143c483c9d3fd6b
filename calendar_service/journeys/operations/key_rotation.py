"""Key rotation: counts what each key-encryption key seals, and reseals it under the current one (law 8).

Works while traffic runs. Knows the store. Must not know Google.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.store.grants import Grants
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slot, Slots

PASSES = 5
"""How often all agents are scanned at most: processes with the former keyring may write under it during a pass."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many records one key-encryption key seals."""

    key_id: str
    known: bool
    """The key is in the keyring. A record under an unknown key cannot be opened."""
    current: bool
    grants: int
    teardowns: int
    consents: int
    """Consents that Google has not answered: they last ten minutes, and are not resealed."""

    @property
    def total(self) -> int:
        """How many records need this key."""
        return self.grants + self.teardowns + self.consents


@dataclass(frozen=True, slots=True)
class Rotated:
    """The outcome of a rotation."""

    resealed: int
    unopened: tuple[Agent, ...]
    """The agents whose record does not open with the keys at hand."""


@dataclass(frozen=True)
class Rotation:
    """Reports which keys are in use, and reseals every grant under the current key."""

    scan: Scan
    slots: Slots
    grants: Grants
    key_ids: Callable[[], Sequence[str]]
    """Returns the ids in the keyring as they are now, the current key first."""

    def status(self) -> list[Sealed]:
        """Return how much each key seals: first the keyring's in its order, then the unknown ones."""
        grants, teardowns = Counter[str](), Counter[str]()
        for slot in self.slots.each(self.scan.agents()):
            for teardown, sealed in _records(slot):
                (teardowns if teardown else grants)[self.grants.key_id(sealed)] += 1
        consents = Counter(self.grants.key_id(sealed) for sealed in self.scan.consents_under_way())
        keyring = list(self.key_ids())
        others = sorted({*grants, *teardowns, *consents} - {*keyring})
        return [
            Sealed(
                key_id,
                key_id in keyring,
                key_id == keyring[0],
                grants[key_id],
                teardowns[key_id],
                consents[key_id],
            )
            for key_id in (*keyring, *others)
        ]

    def rotate(self, walk: Callable[[Sequence[Agent]], Iterator[Agent]]) -> Rotated:
        """Reseal every grant, also those of teardowns, under the current key. `walk` iterates and shows progress."""
        resealed, unopened = 0, set[Agent]()
        for _ in range(PASSES):
            agents = (agent for agent in self.scan.agents() if agent not in unopened)
            old = [slot.agent for slot in self.slots.each(agents) if self._is_old(slot)]
            if not old:
                break
            for agent in walk(old):
                try:
                    resealed += self._reseal(agent)
                except RecordUnreadable:
                    unopened.add(agent)
        return Rotated(resealed, tuple(sorted(unopened, key=lambda agent: agent.member)))

    def _is_old(self, slot: Slot) -> bool:
        current = self.key_ids()[0]
        return any(self.grants.key_id(sealed) != current for _, sealed in _records(slot))

    def _reseal(self, agent: Agent) -> int:
        count, slot = 0, self.slots.read(agent)
        for teardown, sealed in _records(slot):
            if self.grants.key_id(sealed) != self.key_ids()[0]:
                resealed = self.grants.resealed(agent, teardown or slot.facts.connection_id, sealed)
                count += self.scan.reseal(agent, teardown, sealed, resealed)
        return count


def _records(slot: Slot) -> list[tuple[str, str]]:
    """Return each sealed grant of the slot with the connection of its teardown, empty for the live one."""
    living = [("", slot.grant)] if slot.grant else []
    return living + [
        (teardown.connection_id, teardown.grant) for teardown in slot.teardowns if teardown.grant
    ]
