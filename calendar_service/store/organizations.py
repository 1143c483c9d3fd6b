"""Organizations in the store: their members, and whether one was off-boarded. Must not know a connection's state."""

from collections.abc import Iterator

from calendar_service.domain.errors import OrganizationClosed
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor, EntryKind, note
from calendar_service.store.database import Database

_SHARDS_READ = 32
"""How many shards' members are read in one round trip."""


class OrganizationIndex:
    """The members of every organization, and which organizations are closed."""

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
        """Close an organization, or reopen it. The audit entry does not name the organization."""
        name = keys.closed(organization)
        if self.is_closed(organization) == is_closed:
            self._database.confirm(name)
            return
        # The flag may lie on another server than the audit log, so one script cannot change both. The entry comes
        # first: a crash in between leaves an entry whose act is asked for again, never an act without an entry.
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
        """Yield the organization's agents that have a slot, in a stable order, as they are taken."""
        return self.members_behind(organization, "")

    def members_behind(self, organization: str, agent: str) -> Iterator[Agent]:
        """Yield those of `members` that come behind this agent, all if it is empty.

        They are read while they are taken, so that a page of them costs no more than the page.
        """
        behind = Agent(organization, agent)
        first = self._database.slot_keys(behind).shard if agent else 0
        if agent:
            of_shard = self._members(organization, range(first, first + 1))
            yield from (each for each in of_shard if each.member > behind.member)
            first += 1
        for begin in range(first, keys.SHARDS, _SHARDS_READ):
            yield from self._members(organization, range(begin, min(begin + _SHARDS_READ, keys.SHARDS)))

    def _members(self, organization: str, shards: range) -> Iterator[Agent]:
        indexes = [keys.index(shard, organization) for shard in shards]
        for names in self._database.read(("SMEMBERS", index) for index in indexes):
            yield from (Agent.of_member(member) for member in sorted(names))


def closed() -> OrganizationClosed:
    """Return the error for anything new in an off-boarded organization."""
    return OrganizationClosed(
        "This organization was off-boarded. Reopen it first (`POST /v1/organizations/{org}/reopen`)."
    )
