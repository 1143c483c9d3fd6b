"""What is stored of an agent now: names of fields with reason and end, never a value (ST-3, ST-4).

Knows the store. Must not know Google.
"""

from dataclasses import dataclass

from calendar_service.domain.inventory import INVENTORY, Item
from calendar_service.domain.names import Agent
from calendar_service.store.stored_fields import StoredFields


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item of the inventory that is stored of an agent, as a whole or in part."""

    item: Item
    fields: tuple[str, ...]
    """The item's fields that are stored, in its order."""


@dataclass(frozen=True)
class StoredData:
    """Compares the inventory with what the store has of an agent."""

    stored_fields: StoredFields

    def of(self, agent: Agent) -> list[StoredItem]:
        """Return what is stored of this agent now, in the inventory's order."""
        fields_at = self.stored_fields.of(agent)
        items = []
        for item in INVENTORY:
            fields = tuple(field for field in item.fields if field in fields_at.get(item.place, ()))
            if item.place in fields_at and (fields or not item.fields):
                items.append(StoredItem(item, fields))
        return items
