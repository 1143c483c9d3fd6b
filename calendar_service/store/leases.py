"""Named leases on an agent's slot: for refreshing the token, for making the calendar (law 3)."""

from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Database

LeaseName = Literal["refresh", "calendar"]


class Leases:
    """Each is held by one process at a time, and ends by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, agent: Agent, name: LeaseName, length: Millis) -> int | None:
        """Take a lease for `length` ms; return its fencing number, or None if it is taken."""
        answer = self._database.step("take_lease", agent, MAINTENANCE, name=name, length=length)
        return int(answer[1]) if cast(answers.TakeLease, answer[0]) == "ok" else None

    def release(self, agent: Agent, name: LeaseName, fencing_number: int) -> None:
        """Give the lease back if it is still ours."""
        self._database.step("release_lease", agent, MAINTENANCE, name=name, fencing_number=fencing_number)
