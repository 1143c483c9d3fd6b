"""Named leases on an agent's slot: for refreshing the token, for making the calendar (law 3).

One process at a time holds a lease. The database's clock ends it, so a process that dies with one keeps others away for
its length at most. A holder that was paused beyond the end does not notice, and no lease protects against it: a late
refresh is refused by its token's number, and a second calendar is found by its marker.
"""

from dataclasses import dataclass
from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.domain.session import new_nonce
from calendar_service.store import answers
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Database

LeaseName = Literal["refresh", "calendar"]


@dataclass(frozen=True, slots=True)
class Lease:
    """A named lease as its holder took it."""

    name: LeaseName
    fencing_number: int
    """Grows with each lease of this name."""
    holder: str
    """A random id: a database that went back gives a fencing number twice."""


class Leases:
    """The named leases of all agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, agent: Agent, name: LeaseName, length: Millis) -> Lease | None:
        """Take a lease for `length` ms by the database's clock; return it, or None if it is taken.

        None also for an agent without a slot: there is nothing to guard.
        """
        # The number grows with each lease. Number and holder tell `release` whether the lease is still the caller's.
        holder = new_nonce()
        answer = self._database.step(
            "take_lease", agent, MAINTENANCE, name=name, holder=holder, length=length
        )
        is_taken = cast(answers.TakeLease, answer[0]) == "ok"
        return Lease(name, int(answer[1]), holder) if is_taken else None

    def release(self, agent: Agent, lease: Lease) -> None:
        """End the lease if it is still this one; another holder's lease is left alone."""
        # Without the comparison a holder that was paused would end its successor's lease.
        self._database.step(
            "release_lease",
            agent,
            MAINTENANCE,
            name=lease.name,
            fencing_number=lease.fencing_number,
            holder=lease.holder,
        )
