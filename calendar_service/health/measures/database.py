"""Measures of the database: answers, identity, settings, replicas, clocks and files."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from calendar_service.config.declaration import DatabaseDeclaration
from calendar_service.domain.clock import HOUR, Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.net.obstacles import Obstacle
from calendar_service.store.database import DatabaseFull, DatabaseRefused
from calendar_service.store.durability import Durability, DurabilityState
from calendar_service.store.file_rewrites import IN_FILES_AT_MOST, FileRewriteStore
from calendar_service.store.ownership import Owner, Ownership
from calendar_service.store.reachability import obstacle
from calendar_service.store.server_checks import ServerChecks

MEMORY_HIGH, MEMORY_NEARLY_FULL = 0.70, 0.85
"""Shares of the permitted memory at which the operator is alarmed."""
CLOCKS_APART_AT_MOST: Millis = HOUR
"""With a greater difference nothing is erased (law 7)."""


class Writes(StrEnum):
    """Whether the database takes a new change."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Its memory is used up. What ends something still works, so the process stays ready."""
    UNKNOWN = "unknown"
    """It is away, read-only, or lacks replicas."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many replicas a write waits for, and how many follow the primary now; in a cluster at its worst primary."""

    required: int
    following: int

    @property
    def missing(self) -> int:
        """How many more have to follow; above 0 no write is acknowledged."""
        return max(0, self.required - self.following)


@dataclass(frozen=True)
class DatabaseMeasures:
    """The database as a whole."""

    server_checks: ServerChecks
    files: FileRewriteStore
    ownership: Ownership
    durability: Durability

    @cached_property
    def obstacle(self) -> Obstacle | None:
        """Why it does not answer; None if it does. Never raises `StoreUnavailable`."""
        try:
            self.server_checks.ping()
        except StoreUnavailable as error:
            return obstacle(error)
        return None

    @property
    def answers(self) -> bool:
        """Whether it answers at all."""
        return self.obstacle is None

    @cached_property
    def writes(self) -> Writes:
        """Whether it takes a change now, found out by a marker that lasts a second. For our own database only."""
        try:
            self.server_checks.try_writes()
        except DatabaseFull:
            return Writes.REFUSED
        except StoreUnavailable:
            return Writes.UNKNOWN
        return Writes.ACCEPTED

    @cached_property
    def durability_state(self) -> DurabilityState:
        """How the settings stand without which an acknowledged write can be lost."""
        return self.durability.state()

    @property
    def declaration(self) -> DatabaseDeclaration | None:
        """The operator's word for settings that the database does not tell."""
        return self.durability.declaration

    @cached_property
    def forgetful_versions(self) -> list[str] | None:
        """Versions of servers that would lose what scripts wrote at a restart; None if a server does not tell."""
        try:
            return self.server_checks.forgetful()
        except DatabaseRefused:
            return None

    @cached_property
    def replicas(self) -> Replicas | None:
        """The replicas; None if the database does not tell them."""
        try:
            primaries = self.server_checks.primaries()
        except DatabaseRefused:
            return None
        each = [Replicas(one.copies, one.following) for one in primaries if one.following is not None]
        return max(each, key=lambda replicas: replicas.required - replicas.following, default=None)

    @cached_property
    def memory_ratio(self) -> float | None:
        """Which share of its permitted memory the fullest primary uses; None without a limit."""
        return self.server_checks.memory_ratio()

    @cached_property
    def owner(self) -> Owner:
        """Whose the data is, by the check values in the database."""
        return self.ownership.owner()

    @cached_property
    def is_google_client_ours(self) -> bool:
        """Whether the permissions in the database were given to the configured Google client."""
        return self.ownership.is_google_client_ours()

    @cached_property
    def clock_difference(self) -> Millis:
        """The difference between this process's clock and the database's."""
        return abs(self.server_checks.clocks_differ())

    @property
    def clocks_agree(self) -> bool:
        """Whether the difference permits erasures."""
        return self.clock_difference <= CLOCKS_APART_AT_MOST

    @cached_property
    def erased_in_files(self) -> Millis:
        """For how long something erased may have been in the database's files; 0 = nothing is."""
        return self.files.waiting()

    @property
    def is_rewrite_late(self) -> bool:
        """Whether something erased may be in the files for longer than promised (ST-5)."""
        return self.erased_in_files > IN_FILES_AT_MOST

    @cached_property
    def last_rewrite(self) -> str:
        """How the last rewrite of the files ended: `ok`, `running`, `failed`, `none`; `refused` if that is not told."""
        return self.files.outcome()
