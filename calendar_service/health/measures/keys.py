"""Measures of the keys: faults of their files, and how many records each key seals."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.config import Config
from calendar_service.journeys.operations.key_rotation import Rotation, Sealed


@dataclass(frozen=True, slots=True)
class SealedRecords:
    """The sealed records, by the key that seals them."""

    by_key: tuple[Sealed, ...]
    current_key: str

    @property
    def total(self) -> int:
        """The number of sealed records."""
        return sum(one.total for one in self.by_key)

    @property
    def by_former_keys(self) -> tuple[Sealed, ...]:
        """Records that a former key of the keyring seals."""
        return tuple(one for one in self.by_key if one.total and one.known and not one.current)

    @property
    def by_unknown_keys(self) -> tuple[Sealed, ...]:
        """Records that no key of the keyring opens."""
        return tuple(one for one in self.by_key if one.total and not one.known)


@dataclass(frozen=True)
class KeyMeasures:
    """The keyring and its files."""

    config: Config
    rotation: Rotation

    @cached_property
    def file_faults(self) -> tuple[str, ...]:
        """What is wrong with keys' files; their last good values stay in force."""
        return tuple(map(str, self.config.file_faults()))

    @cached_property
    def sealed(self) -> SealedRecords:
        """The sealed records; reads every agent's slot."""
        return SealedRecords(tuple(self.rotation.status()), self.rotation.key_ids()[0])
