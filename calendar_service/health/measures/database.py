"""The database: does it answer, is it ours, is it set up as it has to be? Must not know a connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import HOUR, Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store.database import DatabaseRefused
from calendar_service.store.file_rewrites import IN_FILES_AT_MOST, FileRewriteStore
from calendar_service.store.server_checks import ServerChecks, WrongIdentityKey

DURABILITY: Mapping[str, str] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
}
"""What the database has to be set to: acknowledged writes are on disk, and nothing is evicted (law 10)."""
CLOCKS_APART_AT_MOST: Millis = HOUR
"""Beyond this nothing is erased (law 7)."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many replicas a write waits for, and how many follow the primary."""

    required: int
    following: int

    @property
    def are_enough(self) -> bool:
        """False: no write is acknowledged."""
        return self.following >= self.required


@dataclass(frozen=True)
class DatabaseMeasures:
    """The database as a whole."""

    server_checks: ServerChecks
    files: FileRewriteStore
    identity: IdentityKey
    required_copies: int

    @cached_property
    def answers(self) -> bool:
        """Whether it answers at all; the one fact here that is never `StoreUnavailable`."""
        try:
            self.server_checks.ping()
        except StoreUnavailable:
            return False
        return True

    @cached_property
    def settings_to_change(self) -> Mapping[str, str] | None:
        """What `DURABILITY` requires and any server has otherwise; None where one does not tell."""
        try:
            servers = self.server_checks.persistence()
        except DatabaseRefused:
            return None
        return {
            setting: required
            for setting, required in DURABILITY.items()
            if any(server.get(setting) != required for server in servers)
        }

    @cached_property
    def replicas(self) -> Replicas | None:
        """The replicas; None where the database does not tell."""
        try:
            return Replicas(self.required_copies, self.server_checks.replicas())
        except DatabaseRefused:
            return None

    @cached_property
    def is_ours(self) -> bool:
        """Whether its data was made with our identity key, whose check value is noted over new data."""
        try:
            self.server_checks.check_identity(self.identity.check_value())
        except WrongIdentityKey:
            return False
        return True

    @cached_property
    def clock_difference(self) -> Millis:
        """By how much this process's clock and the database's differ."""
        return abs(self.server_checks.clocks_differ())

    @property
    def clocks_agree(self) -> bool:
        """Whether erasures may go by these clocks."""
        return self.clock_difference <= CLOCKS_APART_AT_MOST

    @cached_property
    def erased_in_files(self) -> Millis:
        """For how long something erased may have stood in the database's files; 0 = nothing does."""
        return self.files.waiting()

    @property
    def is_rewrite_late(self) -> bool:
        """Whether something erased may stand in the files for longer than is promised (ST-5)."""
        return self.erased_in_files > IN_FILES_AT_MOST

    @cached_property
    def last_rewrite(self) -> str:
        """How the last rewrite of the files ended: `ok`, `running`, `failed`, `none`, or `refused` (not told)."""
        return self.files.outcome()
