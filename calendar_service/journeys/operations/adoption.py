"""The operator's word that a database is this service's, or moves to another Google client.

Must not know Google.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from calendar_service.domain.errors import ServiceError, StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import AllConnections
from calendar_service.store.grants import Grants
from calendar_service.store.ownership import Ownership
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slot, Slots


class CannotAdopt(Exception):
    """The configured keys do not fit the data; the text says which, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class ClientMove:
    """How a move to another Google client ended."""

    ended: int
    failed: tuple[Agent, ...]
    """Connections that could not be ended; then the move is not complete."""


@dataclass(frozen=True)
class Adoption:
    """Sets check values of the database that no start sets."""

    ownership: Ownership
    scan: Scan
    slots: Slots
    grants: Grants
    all_connections: AllConnections

    def adopt_keys(self) -> None:
        """Set the check values over data that has none, after the data has shown that our keys fit it.

        Raises `CannotAdopt` if an agent lies in another shard than our identity key gives, or if no sealed record
        opens with our keyring; `NotOurDatabase` if other check values were set meanwhile.
        """
        if misplaced := self.scan.misplaced_agents():
            raise CannotAdopt(
                f"CALENDAR_IDENTITY_KEY is not the key of this data: {misplaced} agents lie elsewhere under it"
            )
        if not any(map(self._opens, self.slots.each(self.scan.agents()))):
            raise CannotAdopt(
                "no sealed record of this database opens with CALENDAR_KEYRING, so nothing shows that the data is "
                "this service's"
            )
        self.ownership.adopt()

    def _opens(self, slot: Slot) -> bool:
        sealed = [(slot.facts.connection_id, slot.grant)] if slot.grant else []
        sealed += [(teardown.connection_id, teardown.grant) for teardown in slot.teardowns if teardown.grant]
        try:
            return any(self.grants.open(slot.agent, *one) for one in sealed)
        except StoreUnavailable:
            return False

    def adopt_google_client(self, walk: Callable[[Sequence[Agent]], Iterator[Agent]]) -> ClientMove:
        """End every live connection, then let our Google client be the one of new ones. `walk` shows progress.

        The permissions of the former client cannot be refreshed by ours; they are ended here and revoked at Google,
        for which no client is needed.
        """
        # 1. No client fits: a process of the former client starts no connection during step 2, and one of ours asks
        #    for no token, which Google could answer by `invalid_grant`. A crash leaves it so; the command is repeated.
        self.ownership.release_google_client()
        # 2. End what stands, until none is left: a consent that was under way at step 1 may have connected since.
        ended, failed = 0, list[Agent]()
        while living := [agent for agent in self.all_connections.living() if agent not in failed]:
            for agent in walk(living):
                try:
                    self.all_connections.revoke(agent)
                    ended += 1
                except ServiceError:
                    failed.append(agent)
        # 3. Only when nothing of the former client is left.
        if not failed:
            self.ownership.adopt_google_client()
        return ClientMove(ended, tuple(failed))
