"""Signed receipts of erasures, by their number, which names the shard of the receipt. Must not know what they say."""

import secrets
from typing import cast

from calendar_service.domain.names import Agent
from calendar_service.domain.numbers import whole_number
from calendar_service.store import keys
from calendar_service.store.database import Database


class ReceiptStore:
    """Finds receipts. The script that erases a connection stores them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_number(self, agent: Agent) -> str:
        """Return a random number for a receipt of this agent. It leads to the receipt, and to no person."""
        return f"{self._database.slot_keys(agent).shard}-{secrets.token_hex(12)}"

    def find(self, number: str) -> str | None:
        """Return a receipt as it is stored, without its salt; None if no receipt has this number."""
        shard = _shard_of_receipt(number)
        if shard is None:
            return None
        return cast(str | None, self._database.ask(lambda client: client.hget(keys.receipts(shard), number)))


def _shard_of_receipt(number: str) -> int | None:
    shard, _, rest = number.partition("-")
    return whole_number(shard, keys.SHARDS - 1) if len(rest) == 24 and rest.isalnum() else None
