"""How a connection ends in the store: by a disconnect, or by Google's proof that its grant is dead (RV-1, RV-2, law 7).

Knows the store. Must not know Google: the teardown undoes there what is left.
"""

from dataclasses import dataclass

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.grants import Grant


@dataclass(frozen=True)
class ConnectionEnd:
    """Ends a connection in one step, which also sets when its identifiers are erased."""

    connections: Connections
    files: FileRewriteStore
    erase_after: Millis
    """The operator's retention period. The store prefers the agent's own if that is shorter."""

    def disconnect(
        self,
        agent: Agent,
        actor: Actor,
        *,
        delete_calendar: bool = False,
        teardown_lease: Millis = 0,
        erase_after: Millis | None = None,
    ) -> bool:
        """End a live connection, and leave its sealed token to a teardown; false if no connection was live.

        `teardown_lease`: how long the worker leaves the teardown to the caller. `erase_after`: a retention period
        other than the operator's, as when a backup is restored.
        """
        # One script moves the token and sets the erasure's timer: no crash leaves an ended connection that nothing
        # erases, or a token that nobody revokes.
        answer, _ = self.connections.disconnect(
            agent,
            actor,
            delete_calendar=delete_calendar,
            erase_after=self.erase_after if erase_after is None else erase_after,
            teardown_lease=teardown_lease,
        )
        return answer == "ok"

    def give_back(self, agent: Agent, grant: Grant, reference: str, *, teardown_lease: Millis) -> None:
        """Leave a grant that never becomes a connection to a teardown; `reference` may be empty (unknown)."""
        self.connections.give_back(
            agent, grant.connection_id, grant.sealed, account_ref=reference, teardown_lease=teardown_lease
        )

    def mark_revoked(self, agent: Agent, grant: Grant) -> bool:
        """End the connection of a grant that Google proved dead; false if it ended before or has a newer token."""
        # The token's number goes along: an `invalid_grant` for an older token proves nothing about the newest (law 5).
        answer = self.connections.mark_revoked(agent, grant.connection_id, grant.number, self.erase_after)
        if answer == "ok":
            # The append-only files still hold the sealed token. A crash before this line: every worker asks at its
            # start and every half day.
            self.files.request()
        return answer == "ok"
