"""Named leases on an agent's slot: for refreshing the token, for making the calendar (law 3).

One process at a time holds a lease. The database's clock ends it, so a process that dies with one keeps others away for
its length at most. A holder that was paused beyond the end does not notice, and no lease protects against it: a late
refresh is refused by its token's number, and a second calendar is found by its marker.
"""

from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Database

LeaseName = Literal["refresh", "calendar"]


class Leases:
    """The named leases of all agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, agent: Agent, name: LeaseName, length: Millis) -> int | None:
        """Take a lease for `length` ms by the database's clock; return its fencing number, or None if it is taken.

        None also for an agent without a slot: there is nothing to guard.
        """
        # The number grows with each lease. It tells `release` whether the lease is still the caller's.
        answer = self._database.step("take_lease", agent, MAINTENANCE, name=name, length=length)
        return int(answer[1]) if cast(answers.TakeLease, answer[0]) == "ok" else None

    def release(self, agent: Agent, name: LeaseName, fencing_number: int) -> None:
        """End the lease if its fencing number is still this one; another holder's lease is left alone."""
        # Without the comparison a holder that was paused would end its successor's lease.
        self._database.step("release_lease", agent, MAINTENANCE, name=name, fencing_number=fencing_number)
