"""How much content waits for Google, of each organization, and how full the database is. Must not know what waits.

Each process reads both some seconds apart, beside its requests, so that no request pays for it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from calendar_service.domain.caller_limits import CallerLimits, LimitName, WaitingLimit
from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis
from calendar_service.domain.errors import ServiceError, StoreUnavailable, TooManyRequests
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Database, DatabaseRefused
from calendar_service.store.server_checks import ServerChecks

READ_EVERY: Final[Millis] = 5 * SECOND
_READING_LASTS: Final[Millis] = MINUTE
"""An older reading counts as none: a database that does not answer refuses by itself."""
_RETRY_AFTER: Final = 60
"""Seconds after which to repeat what a worker or an agent has to make room for."""
_NONE: Final = WaitingLimit(0, 0)
"""Under it only what takes no more room than before is accepted."""


@dataclass(frozen=True, slots=True)
class WaitingContent:
    """How much content waits."""

    sessions: int = 0
    bytes: int = 0

    def plus(self, other: "WaitingContent") -> "WaitingContent":
        """Return the sum."""
        return WaitingContent(self.sessions + other.sessions, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class LoadReading:
    """What a process knew at an instant."""

    at: Millis = 0
    memory: float = 0.0
    """The part of the database's memory that is in use; 0 if it does not tell."""
    organizations: Mapping[str, WaitingContent] = field(default_factory=dict)


class WaitingCounts:
    """The counts in the shards, and what really waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_shards(self) -> list[dict[str, WaitingContent]]:
        """Return what is counted in each shard, by organization, in one round trip."""
        rows = self._database.read(("HGETALL", keys.waiting_load(shard)) for shard in keys.all_shards())
        return [_by_organization(row) for row in rows]

    def really(self, agents: list[Agent]) -> list[WaitingContent]:
        """Return what waits of each agent: the sessions as they lie there, the bytes as they are counted."""
        parts = [self._database.slot_keys(agent) for agent in agents]
        rows = self._database.read(
            command
            for slot in parts
            for command in (("HLEN", slot.part("waiting")), ("HGET", slot.part("facts"), "waiting_bytes"))
        )
        return [WaitingContent(rows[i], int(rows[i + 1] or 0)) for i in range(0, len(rows), 2)]

    def shard_of(self, agent: Agent) -> int:
        """Return the number of the agent's shard."""
        return self._database.slot_keys(agent).shard

    def recount(self, agent: Agent) -> bool:
        """Put the count of one agent's bytes right; true if it was wrong."""
        answer = self._database.step("recount_waiting", agent, MAINTENANCE)
        return cast(answers.RecountWaiting, answer[0]) == "corrected"

    def correct(self, shard: int, organization: str, loaded: WaitingContent, counted: WaitingContent) -> bool:
        """Put the sums of an organization in a shard right; false if they changed since `loaded` was read."""
        answer = self._database.script(
            "correct_waiting_load",
            {"waiting_load": keys.waiting_load(shard)},
            organization=organization,
            loaded_sessions=loaded.sessions,
            loaded_bytes=loaded.bytes,
            sessions=counted.sessions,
            bytes=counted.bytes,
        )
        return cast(answers.CorrectWaitingLoad, answer[0]) == "ok"


class ServiceLoad:
    """The last reading, and what it allows. Safe to share between threads."""

    def __init__(
        self, counts: WaitingCounts, checks: ServerChecks, limits: CallerLimits, clock: Clock
    ) -> None:
        self._counts = counts
        self._checks = checks
        self._clock = clock
        self._reading = LoadReading()
        self.limits = limits

    def refresh(self) -> None:
        """Read both anew; raise `StoreUnavailable` if the database does not answer."""
        organizations: defaultdict[str, WaitingContent] = defaultdict(WaitingContent)
        for shard in self._counts.of_shards():
            for organization, waiting in shard.items():
                organizations[organization] = organizations[organization].plus(waiting)
        self._reading = LoadReading(self._clock.now(), self._memory(), dict(organizations))

    def _memory(self) -> float:
        try:
            return self._checks.memory_ratio() or 0.0
        except DatabaseRefused:
            return 0.0

    @property
    def reading(self) -> LoadReading:
        """The last reading; an empty one if that is too old."""
        reading = self._reading
        return reading if abs(self._clock.now() - reading.at) <= _READING_LASTS else LoadReading()

    def allowed(self, organization: str, size: int) -> tuple[WaitingLimit, LimitName | None]:
        """Return how much content an agent of the organization may have waiting after a change of `size` sealed bytes.

        The second value: the limit by name that allows no more; None for the memory.
        """
        reading, limits = self.reading, self.limits
        if reading.memory >= limits.nearly_full and size > limits.large:
            return _NONE, None
        waiting, most = reading.organizations.get(organization, WaitingContent()), limits.organization_waiting
        if waiting.sessions >= most.sessions or waiting.bytes >= most.bytes:
            return _NONE, "organization_waiting"
        return limits.agent_waiting, "agent_waiting"


def refusal(limit: LimitName | None) -> ServiceError:
    """Return the refusal of a session for which there is no room by this limit; None: by the database's memory."""
    if limit is None:
        return StoreUnavailable(
            "The database is nearly full, so sessions with long texts are not accepted just now. Shorter ones are.",
            retry_after=_RETRY_AFTER,
        )
    return TooManyRequests(f"{_WHAT[limit]}; nothing was accepted.", limit=limit, retry_after=_RETRY_AFTER)


_WHAT: Final[Mapping[LimitName, str]] = {
    "agent_waiting": "Too many sessions of this agent wait for Google, or too much text of theirs",
    "agent_records": "Too many sessions of this agent are kept; those that ended 30 days ago are dropped daily",
    "organization_waiting": "Too many sessions of this organization wait for Google, or too much text of theirs",
}


def _by_organization(fields: Mapping[str, str]) -> dict[str, WaitingContent]:
    return {
        name: WaitingContent(int(fields.get(f"{name}/sessions", 0)), int(fields.get(f"{name}/bytes", 0)))
        for name in {field.partition("/")[0] for field in fields}
    }
