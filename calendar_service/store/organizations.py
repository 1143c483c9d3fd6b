"""Organizations as the store knows them: who belongs to one, and whether it was off-boarded."""

from collections.abc import Iterator

from calendar_service.domain.errors import OrganizationClosed
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor, EntryKind, note
from calendar_service.store.database import Database


class OrganizationIndex:
    """The members of every organization, and the flags of those that are closed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_closed(self, organization: str) -> bool:
        """Tell whether the organization was off-boarded."""
        return bool(self._database.ask(lambda client: client.exists(keys.closed(organization))))

    def refuse_closed(self, organization: str) -> None:
        """Raise `OrganizationClosed` if the organization was off-boarded."""
        if self.is_closed(organization):
            raise closed()

    def set_closed(self, organization: str, actor: Actor, *, is_closed: bool) -> None:
        """Close an organization, or reopen it; its entry names none."""
        name = keys.closed(organization)
        if self.is_closed(organization) == is_closed:
            self._database.confirm(name)
            return
        # It lies on another server than the journal, so the entry is a step of its own, and comes first: a crash in
        # between leaves an act written down that is asked for again, never one that is not.
        note(
            self._database,
            EntryKind.ORGANIZATION_CLOSED if is_closed else EntryKind.ORGANIZATION_REOPENED,
            actor,
        )
        if is_closed:
            self._database.script("set_flag", {"flag": name})
        else:
            self._database.write("DEL", name)

    def members(self, organization: str) -> Iterator[Agent]:
        """Yield the organization's agents that have a slot, in a stable order."""
        indexes = [keys.index(shard, organization) for shard in keys.all_shards()]
        for names in self._database.read(("SMEMBERS", index) for index in indexes):
            yield from (Agent.of_member(member) for member in sorted(names))


def closed() -> OrganizationClosed:
    """Return the refusal of everything new in an off-boarded organization."""
    return OrganizationClosed(
        "This organization was off-boarded. Reopen it first (`POST /v1/organizations/{org}/reopen`)."
    )
