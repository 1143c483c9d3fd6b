"""What is kept of an agent at this moment: names of fields with reason and end, never a value (ST-3, ST-4).

Knows the store. Must not know Google.
"""

from dataclasses import dataclass

from calendar_service.domain.inventory import INVENTORY, Item
from calendar_service.domain.names import Agent
from calendar_service.store.stored_fields import StoredFields


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item of the inventory of which something is there."""

    item: Item
    fields: tuple[str, ...]
    """Those of the item's fields that are there, in its order."""


@dataclass(frozen=True)
class StoredData:
    """The inventory, looked up in the live store."""

    stored_fields: StoredFields

    def of(self, agent: Agent) -> list[StoredItem]:
        """Return what is kept of this agent now, in the inventory's order."""
        there = self.stored_fields.of(agent)
        found = []
        for item in INVENTORY:
            fields = tuple(field for field in item.fields if field in there.get(item.place, ()))
            if item.place in there and (fields or not item.fields):
                found.append(StoredItem(item, fields))
        return found
