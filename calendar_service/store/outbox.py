"""What the backend is to be told: queued by the slot's own scripts, taken here. Must not know how it is sent.

At rest a letter is its type, session and number within the connection, whose random id it bears because it may
outlive the connection in the slot; what it says is looked up when it is sent.
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
"""The one letter that waits outside its agent's slot, because the slot is gone."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing to tell."""

    type: str
    connection_id: str
    sequence: int
    session: str
    """Empty for what concerns the whole connection."""
    at: Millis
    """When it happened."""
    kept: str
    """As the store keeps it."""


@dataclass(frozen=True, slots=True)
class LeasedEvent:
    """A letter to be sent now by whoever took it."""

    webhook_event: WebhookEvent
    trouble_since: Millis
    """Since when nothing of this agent was delivered; 0 = all is well."""
    now: Millis
    """The database's time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that was not delivered yet, for the operator."""

    agent: Agent | None
    """None for an erasure: nobody knows any more whose it was."""
    webhook_event: WebhookEvent
    given_up: bool


class Outbox:
    """The letters of all agents, in order within each slot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- of an agent's slot ---

    def take(self, agent: Agent) -> LeasedEvent | None:
        """Take the oldest letter that is due; None if there is none or another sender has it."""
        answer = self._database.step("outbox_take", agent, MAINTENANCE)
        if cast(answers.OutboxTake, answer[0]) != "ok":
            return None
        _, text, at, trouble_since, now = answer
        return LeasedEvent(_webhook_event(text, int(at)), int(trouble_since), int(now))

    def done(self, agent: Agent, webhook_event: WebhookEvent, outcome: Outcome, pause: Millis = 0) -> None:
        """Note how the sending ended; the next sending is due after `pause`."""
        self._database.step(
            "outbox_finish", agent, MAINTENANCE, event=webhook_event.kept, outcome=outcome, pause=pause
        )

    def end(self, agent: Agent) -> None:
        """Drop the letters that were kept as long as any may be; none if the clocks disagree."""
        self._database.step("outbox_expire", agent, MAINTENANCE, process_now=self._database.clock.now())

    def replay(self, agent: Agent) -> int:
        """Let the letters that were given up wait again; return how many."""
        return int(self._database.step("outbox_replay", agent, MAINTENANCE)[1])

    # --- of erasures ---

    def take_erased(self, shard: int, limit: int) -> list[LeasedEvent]:
        """Take the erasures of this shard that are due to be told, each leased."""
        claimed = self._database.script(
            "claim_due", {"due": keys.erased_due(shard)}, limit=limit, lease=keys.OUTBOX_LEASE
        )
        if not claimed:
            return []
        scores, time = self._database.read(
            [("ZMSCORE", keys.erased(shard), *claimed), ask_time(keys.erased(shard))]
        )
        now = self._database.instant(time)
        outbox = [_erased(text, int(at or 0)) for text, at in zip(claimed, scores, strict=True)]
        return [LeasedEvent(webhook_event, webhook_event.at, now) for webhook_event in outbox]

    def erased_done(self, shard: int, webhook_event: WebhookEvent, again: Millis | None) -> None:
        """Note when the telling of an erasure is due again; None = never, it is forgotten."""
        self._database.script(
            "outbox_reschedule_erased",
            {"erased": keys.erased(shard), "erased_due": keys.erased_due(shard)},
            event=webhook_event.kept,
            again_at="" if again is None else again,
        )

    def replay_erased(self) -> int:
        """Let the erasures that were given up be told once more; return how many."""
        count = 0
        for shard in keys.all_shards():
            for one in self._erased_of(shard):
                if one.given_up:
                    self.erased_done(shard, one.webhook_event, self._database.clock.now())
                    count += 1
        return count

    def erased_shards(self) -> list[int]:
        """Return the shards in which an erasure is due to be told, or given up on."""
        now = self._database.clock.now()
        counts = [("ZCOUNT", keys.erased_due(shard), "-inf", now) for shard in keys.all_shards()]
        return [shard for shard, count in enumerate(self._database.read(counts)) if count]

    # --- for the operator ---

    def waiting(self) -> Iterator[Waiting]:
        """Yield everything that was not delivered yet, shard by shard, in order within each agent."""
        for shard in keys.all_shards():
            yield from self._waiting_of(self._agents(shard))
            yield from self._erased_of(shard)

    def _agents(self, shard: int) -> list[Agent]:
        """Return the agents who have something due at some time: who has a letter is among them."""
        members = self._database.ask(lambda client: client.zrange(keys.timers(shard), 0, -1))
        return [Agent.of_member(member) for member in sorted(members)]

    def _waiting_of(self, agents: list[Agent]) -> Iterator[Waiting]:
        commands: list[Command] = []
        for agent in agents:
            slot = self._database.slot_keys(agent)
            commands.append(("ZRANGE", slot.part("outbox"), 0, -1, "WITHSCORES"))
            commands.append(("HGET", slot.part("facts"), "webhooks_abandoned_until"))
        found = self._database.read(commands) if agents else []
        for agent, kept, account_ref in zip(agents, found[::2], found[1::2], strict=True):
            for text, at in kept:
                yield Waiting(agent, _webhook_event(text, int(at)), at <= int(account_ref or 0))

    def _erased_of(self, shard: int) -> Iterator[Waiting]:
        names = keys.erased(shard), keys.erased_due(shard)
        kept, due = self._database.read(("ZRANGE", name, 0, -1, "WITHSCORES") for name in names)
        next_due = dict(due)
        for text, at in kept:
            webhook_event = _erased(text, int(at))
            yield Waiting(None, webhook_event, int(next_due.get(text, 0)) >= end_of(webhook_event))


def end_of(webhook_event: WebhookEvent) -> Millis:
    """Return when the letter is dropped whatever became of it; an erasure that is due only then was given up."""
    return webhook_event.at + keys.OUTBOX_KEPT


def _webhook_event(text: str, at: Millis) -> WebhookEvent:
    kept = json.loads(text)
    return WebhookEvent(
        kept["type"], kept["connection_id"], int(kept["sequence"]), kept.get("session", ""), at, text
    )


def _erased(text: str, at: Millis) -> WebhookEvent:
    connection_id, _, sequence = text.partition(":")
    return WebhookEvent(ERASED, connection_id, int(sequence), "", at, text)
