"""The outbox of webhook events: queued by the slot's own scripts, leased here. Must not know how they are sent.

An event at rest is its type, its session, and its number within the connection. It also has the connection's random id,
because the slot may belong to a later connection by the time it is sent. Its content is looked up when it is sent.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Command, Database, ask_time

Outcome = Literal["delivered", "later", "given_up"]

ERASED = "connection.erased"
"""The one event that waits outside its agent's slot, because the slot is gone."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event that the backend is to receive."""

    type: str
    connection_id: str
    sequence: int
    session: str
    """Empty for what concerns the whole connection."""
    at: Millis
    """When it happened (database time)."""
    text: str
    """The event as it stands in the store."""
    untold: int = 0
    """Of an erasure: how many events were erased that the backend had not confirmed."""


@dataclass(frozen=True, slots=True)
class LeasedEvent:
    """An event that is to be sent now by the process that leased it."""

    webhook_event: WebhookEvent
    trouble_since: Millis
    """Since when deliveries of this agent fail (database time); 0 = the last one succeeded."""
    now: Millis
    """The database's time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that was not delivered yet, for the operator."""

    agent: Agent | None
    """None for an erasure: the store no longer knows whose connection it was."""
    webhook_event: WebhookEvent
    given_up: bool


class Outbox:
    """The events of all agents, in order within each slot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- of an agent's slot ---

    def lease(self, agent: Agent, *, last_offer: bool = False) -> LeasedEvent | None:
        """Lease the oldest event for 30 seconds; None if none is due or another sender has it.

        `last_offer`: the connection is about to be erased, so neither a back-off nor another sender's lease is waited
        for.
        """
        answer = self._database.step("outbox_take", agent, MAINTENANCE, last_offer=str(int(last_offer)))
        if cast(answers.OutboxTake, answer[0]) != "ok":
            return None
        _, text, at, trouble_since, now = answer
        return LeasedEvent(_webhook_event(text, int(at)), int(trouble_since), int(now))

    def done(self, agent: Agent, webhook_event: WebhookEvent, outcome: Outcome, pause: Millis = 0) -> None:
        """Record how the delivery ended; the agent's next delivery is due after `pause`."""
        self._database.step(
            "outbox_finish", agent, MAINTENANCE, event=webhook_event.text, outcome=outcome, pause=pause
        )

    def end(self, agent: Agent) -> None:
        """Drop the events that are older than 7 days; none if the clocks of process and database differ."""
        self._database.step("outbox_expire", agent, MAINTENANCE, process_now=self._database.clock.now())

    def replay(self, agent: Agent) -> int:
        """Queue the events again that were given up; return how many."""
        return int(self._database.step("outbox_replay", agent, MAINTENANCE)[1])

    # --- of erasures ---

    def lease_erased(self, shard: int, limit: int) -> list[LeasedEvent]:
        """Lease up to `limit` erasure events of this shard that are due."""
        claimed = self._database.script(
            "claim_due", {"due": keys.erased_due(shard)}, limit=limit, lease=keys.OUTBOX_LEASE
        )
        if not claimed:
            return []
        scores, time = self._database.read(
            [("ZMSCORE", keys.erased(shard), *claimed), ask_time(keys.erased(shard))]
        )
        now = self._database.instant(time)
        events = [_erased(text, int(at or 0)) for text, at in zip(claimed, scores, strict=True)]
        return [LeasedEvent(webhook_event, webhook_event.at, now) for webhook_event in events]

    def erased_done(self, shard: int, webhook_event: WebhookEvent, again: Millis | None) -> None:
        """Set when an erasure event is sent next (database time); None removes the event."""
        self._database.script(
            "outbox_reschedule_erased",
            {"erased": keys.erased(shard), "erased_due": keys.erased_due(shard)},
            event=webhook_event.text,
            again_at="" if again is None else again,
        )

    def replay_erased(self) -> int:
        """Make the erasure events due now that were given up; return how many."""
        count = 0
        for shard in keys.all_shards():
            for one in self._erased_of(shard):
                if one.given_up:
                    self.erased_done(shard, one.webhook_event, self._database.clock.now())
                    count += 1
        return count

    def erased_shards(self) -> list[int]:
        """Return the shards in which an erasure event is due, or due to be removed (by the process's clock)."""
        now = self._database.clock.now()
        counts = [("ZCOUNT", keys.erased_due(shard), "-inf", now) for shard in keys.all_shards()]
        return [shard for shard, count in enumerate(self._database.read(counts)) if count]

    # --- for the operator ---

    def waiting(self) -> Iterator[Waiting]:
        """Yield every event that was not delivered yet, shard by shard, in order within each agent."""
        for shard in keys.all_shards():
            yield from self._waiting_of(self._agents(shard))
            yield from self._erased_of(shard)

    def _agents(self, shard: int) -> list[Agent]:
        """Return the agents of a shard that have a timer: every agent with an event has one."""
        members = self._database.ask(lambda client: client.zrange(keys.timers(shard), 0, -1))
        return [Agent.of_member(member) for member in sorted(members)]

    def _waiting_of(self, agents: list[Agent]) -> Iterator[Waiting]:
        commands: list[Command] = []
        for agent in agents:
            slot = self._database.slot_keys(agent)
            commands.append(("ZRANGE", slot.part("outbox"), 0, -1, "WITHSCORES"))
            commands.append(("HGET", slot.part("facts"), "webhooks_abandoned_until"))
        rows = self._database.read(commands) if agents else []
        for agent, events, abandoned_until in zip(agents, rows[::2], rows[1::2], strict=True):
            for text, at in events:
                yield Waiting(agent, _webhook_event(text, int(at)), at <= int(abandoned_until or 0))

    def _erased_of(self, shard: int) -> Iterator[Waiting]:
        names = keys.erased(shard), keys.erased_due(shard)
        events, due = self._database.read(("ZRANGE", name, 0, -1, "WITHSCORES") for name in names)
        next_due = dict(due)
        for text, at in events:
            webhook_event = _erased(text, int(at))
            yield Waiting(None, webhook_event, int(next_due.get(text, 0)) >= end_of(webhook_event))


def end_of(webhook_event: WebhookEvent) -> Millis:
    """Return when the event is dropped, delivered or not; an erasure event that is due only then was given up."""
    return webhook_event.at + keys.OUTBOX_KEPT


def _webhook_event(text: str, at: Millis) -> WebhookEvent:
    fields = json.loads(text)
    return WebhookEvent(
        fields["type"], fields["connection_id"], int(fields["sequence"]), fields.get("session", ""), at, text
    )


def _erased(text: str, at: Millis) -> WebhookEvent:
    connection_id, sequence, untold = text.split(":")
    return WebhookEvent(ERASED, connection_id, int(sequence), "", at, text, int(untold))
