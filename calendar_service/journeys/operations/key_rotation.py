"""Which key-encryption key seals what, and the move to the current one while traffic runs (law 8).

Knows the store. Must not know Google, and must never open a token for it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.store.grants import Grants
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slots

PASSES = 5
"""What others write under a former key meanwhile is found by the next pass."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How much one key seals."""

    key_id: str
    known: bool
    """In the keyring; what an unknown key seals cannot be opened any more."""
    current: bool
    grants: int
    teardowns: int
    consents: int
    """Consents under way: they last ten minutes, and are not sealed anew."""

    @property
    def total(self) -> int:
        """How many records need this key."""
        return self.grants + self.teardowns + self.consents


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    resealed: int
    unopened: tuple[Agent, ...]
    """Whose record does not open with the keys at hand."""


@dataclass(frozen=True)
class Rotation:
    """The story of a key that is replaced."""

    scan: Scan
    slots: Slots
    grants: Grants
    key_ids: Callable[[], Sequence[str]]
    """The keyring's ids as they are now, the current one first."""

    def status(self) -> list[Sealed]:
        """Return what each key seals: the keyring's in its order, then those that are not in it."""
        grants, teardowns = Counter[str](), Counter[str]()
        for agent in self.scan.agents():
            for teardown, sealed in self._records(agent):
                (teardowns if teardown else grants)[self.grants.key_id(sealed)] += 1
        consents = Counter(self.grants.key_id(sealed) for sealed in self.scan.consents_under_way())
        known = list(self.key_ids())
        others = sorted({*grants, *teardowns, *consents} - {*known})
        return [
            Sealed(
                key_id,
                key_id in known,
                key_id == known[0],
                grants[key_id],
                teardowns[key_id],
                consents[key_id],
            )
            for key_id in (*known, *others)
        ]

    def rotate(self, told: Callable[[Sequence[Agent]], Iterator[Agent]]) -> Rotated:
        """Seal every grant and errand under the current key; `told` walks the agents and shows progress."""
        resealed, unopened = 0, set[Agent]()
        for _ in range(PASSES):
            old = [agent for agent in self.scan.agents() if agent not in unopened and self._is_old(agent)]
            if not old:
                break
            for agent in told(old):
                try:
                    resealed += self._reseal(agent)
                except StoreUnavailable:
                    unopened.add(agent)
        return Rotated(resealed, tuple(sorted(unopened, key=lambda agent: agent.member)))

    def _is_old(self, agent: Agent) -> bool:
        current = self.key_ids()[0]
        return any(self.grants.key_id(sealed) != current for _, sealed in self._records(agent))

    def _reseal(self, agent: Agent) -> int:
        done = 0
        connection = self.slots.read(agent).facts.connection_id
        for teardown, sealed in self._records(agent):
            if self.grants.key_id(sealed) != self.key_ids()[0]:
                anew = self.grants.resealed(agent, teardown or connection, sealed)
                done += self.scan.reseal(agent, teardown, sealed, anew)
        return done

    def _records(self, agent: Agent) -> list[tuple[str, str]]:
        """Return each sealed grant of the agent with its errand's connection, empty for the living one."""
        slot = self.slots.read(agent)
        living = [("", slot.grant)] if slot.grant else []
        return living + [
            (teardown.connection_id, teardown.grant) for teardown in slot.teardowns if teardown.grant
        ]
