"""Google's notification channels: which one is in force for which agent."""

import secrets
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database


class ChannelStore:
    """The channels of all agents. Each change is one script together with its audit entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self, agent: Agent) -> str:
        """Return a new channel's id: the agent's shard in two hex digits, to look it up there, and 128 random bits."""
        return f"{self._database.slot_keys(agent).shard:02x}{secrets.token_hex(16)}"

    def agent_of(self, channel_id: str) -> Agent | None:
        """Return the agent whose calendar this channel watches; None if the channel is not in force."""
        index = keys.channels(int(channel_id[:2], 16))
        member = self._database.ask(lambda client: client.hget(index, channel_id))
        return Agent.of_member(member) if member else None

    def wake_change_detection(self, agent: Agent, channel_id: str) -> None:
        """Make the change detection due in ten seconds, unless it is due earlier or another channel is in force."""
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
        """Put a channel that Google opened in force; the former one is then to be stopped.

        `renew_at`: an instant of this process's clock. False if the connection or its calendar is no longer what the
        channel watches: then this one is to be stopped.
        """
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
        """Remove a channel that Google has stopped."""
        audit_entry = entry(EntryKind.CHANNEL_STOPPED, Actor.SERVICE)
        self._database.step(
            "remove_channel", agent, audit_entry, connection_id=connection_id, channel=channel_id
        )
