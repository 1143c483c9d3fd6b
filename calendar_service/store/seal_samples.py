"""Tries whether this process may write and can open what others seal. Concerns no agent."""

from typing import Final, cast

from calendar_service.domain.clock import MINUTE, Millis
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.grants import Grants

IN_USE_FOR: Final[Millis] = MINUTE
"""How long after its last sample a key counts as one by which some process seals."""
_NOBODY: Final = Agent("service", "sample")
_PURPOSE: Final = "sample"


class SealSamples:
    """One sealed value for each key-encryption key in use, written by the processes that seal by that key."""

    def __init__(self, database: Database, grants: Grants) -> None:
        self._database = database
        self._grants = grants

    def require_keys(self) -> None:
        """Open the sample of every key in use. Raises `RecordUnreadable` if the keyring lacks one. Only reads."""
        now = self._database.clock.now()
        stored = cast(dict[str, str], self._database.ask(lambda client: client.hgetall(keys.SEAL_SAMPLES)))
        for text in stored.values():
            at, _, sealed = text.partition(" ")
            if abs(now - int(at)) < IN_USE_FOR:
                self._grants.open_alone(_NOBODY, _PURPOSE, sealed)

    def write(self) -> None:
        """Leave a sample of our current key, on every server that has to hold a write.

        Raises `DatabaseFull` if memory is missing, `StoreUnavailable` if a write is refused or not confirmed.
        """
        sealed = self._grants.seal_alone(_NOBODY, _PURPOSE, Secret(_PURPOSE))
        text = f"{self._database.clock.now()} {sealed}"
        self._database.write("HSET", keys.SEAL_SAMPLES, self._grants.key_id(sealed), text)
        self._database.try_writes(keys.SEAL_SAMPLES)
