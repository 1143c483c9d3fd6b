"""Google's channels of notifications, as the store knows them."""

import secrets
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database


class ChannelStore:
    """Which channel is in force for which agent; each change is a step with its audit entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self, agent: Agent) -> str:
        """Return a random id for a channel; it names the shard, so that a notification finds its agent in one place."""
        return f"{self._database.slot_keys(agent).shard:02x}{secrets.token_hex(16)}"

    def agent_of(self, channel_id: str) -> Agent | None:
        """Return whose calendar this channel is about; None if it is not in force."""
        index = keys.channels(int(channel_id[:2], 16))
        member = self._database.ask(lambda client: client.hget(index, channel_id))
        return Agent.of_member(member) if member else None

    def wake_change_detection(self, agent: Agent, channel_id: str) -> None:
        """Let the worker look for changes soon, unless it will anyway."""
        self._database.step("wake_change_detection", agent, MAINTENANCE, channel=channel_id)

    def open(
        self,
        agent: Agent,
        connection_id: str,
        calendar_id: str,
        channel_id: str,
        resource_id: str,
        renew_at: Millis,
    ) -> bool:
        """Let this channel be the one in force; false if it is to be stopped, because what it watches is gone."""
        answer = self._database.step(
            "open_channel",
            agent,
            entry(EntryKind.CHANNEL_OPENED, Actor.SERVICE),
            connection_id=connection_id,
            calendar=calendar_id,
            channel=channel_id,
            resource=resource_id,
            renew_at=renew_at,
        )
        return cast(answers.OpenChannel, answer[0]) == "ok"

    def remove(self, agent: Agent, connection_id: str, channel_id: str) -> None:
        """Forget a channel that Google has stopped."""
        made = entry(EntryKind.CHANNEL_STOPPED, Actor.SERVICE)
        self._database.step("remove_channel", agent, made, connection_id=connection_id, channel=channel_id)
