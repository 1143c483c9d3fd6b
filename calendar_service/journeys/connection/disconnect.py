"""The disconnect: a connection ends here in one step, then the teardown undoes it at Google (RV-2, RV-3, law 6).

Must not know the web.
"""

from dataclasses import dataclass

from calendar_service.domain.connection import Revocation
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.connection.status import ConnectionStatus
from calendar_service.journeys.connection.teardown import Teardowns
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import ConnectionView
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.grants import Grant


@dataclass(frozen=True)
class Disconnect:
    """Ends connections here first, at Google as soon as Google lets us."""

    connection_end: ConnectionEnd
    teardowns: Teardowns
    status: ConnectionStatus
    throttle: Throttle

    def disconnect(self, agent: Agent, actor: Actor, *, delete_calendar: bool = False) -> ConnectionView:
        """End the connection in one step; then try the teardown at Google once, for seconds, if a slot is free.

        `delete_calendar` is the agent's own to ask, in the browser (SC-4). Never fails because Google does not answer
        or a record does not open (RV-2).
        """
        if delete_calendar and actor is not Actor.AGENT:
            raise ValueError("only the agent may ask for the calendar's deletion")
        with self.throttle.inline_teardown() as admitted:
            # The step leases the teardown to this request, so that no worker is at Google with it too. A crash after
            # the step: the connection is over, and a worker takes the teardown when the lease ends.
            lease = keys.LEASE if admitted else 0
            if self._end(agent, actor, delete_calendar=delete_calendar, teardown_lease=lease) and admitted:
                self.teardowns.run(agent)
        return self.status.of(agent)

    def end(self, agent: Agent, actor: Actor) -> bool:
        """End the connection in one step, and leave Google to the worker; false if none stood."""
        return self._end(agent, actor, delete_calendar=False, teardown_lease=0)

    def give_back(self, agent: Agent, grant: Grant, reference: str) -> Revocation:
        """Hand a permission that never becomes a connection to a teardown, and try that once, for seconds.

        Returns how it ended, `PENDING` if the worker has to go on. `reference`: the account's; empty if it is unknown.
        """
        with self.throttle.inline_teardown() as admitted:
            # The teardown keeps the sealed token until Google has answered: forgotten here, it would stay valid there.
            lease = keys.LEASE if admitted else 0
            self.connection_end.give_back(agent, grant, reference, teardown_lease=lease)
            failpoint("connect.after_refused_before_revoke")
            if not admitted:
                return Revocation.PENDING
            return self.teardowns.run_one(agent, grant.connection_id)

    def _end(self, agent: Agent, actor: Actor, *, delete_calendar: bool, teardown_lease: int) -> bool:
        # One script moves the sealed token out of the slot, into the teardown: a writer of a session that comes later
        # finds none, and what one that is at Google now reports is refused by its fence. Nothing is opened, so neither
        # a lost key nor Google stands in the way. The script also ends a consent that is under way: its callback,
        # coming later, would connect the agent again.
        is_ended = self.connection_end.disconnect(
            agent, actor, delete_calendar=delete_calendar, teardown_lease=teardown_lease
        )
        failpoint("disconnect.after_store")
        return is_ended
