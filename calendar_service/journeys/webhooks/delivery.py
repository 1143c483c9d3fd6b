"""Tell the backend what happened: at least once, in order within a connection, for three days, then given up.

Knows the store and the way to the receiver. Must not know Google, nor send any content.
"""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from calendar_service.domain.clock import DAY, HOUR, SECOND, Millis
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import jitter
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.webhooks.receiver_breaker import ReceiverBreaker
from calendar_service.store.outbox import LeasedEvent, Outbox, Outcome, WebhookEvent, end_of
from calendar_service.store.sessions import Sessions
from calendar_service.store.timers import Timers
from calendar_service.webhook_sender import DeliveryResult, WebhookMessage, WebhookSender

_FIRST: Millis = 5 * SECOND
_SLOWEST: Millis = 6 * HOUR
_TRIED_FOR: Millis = 3 * DAY
_REFUSED: Millis = HOUR
"""After a 410: the receiver wants none, and only its operator can mean something else."""
_REST: Millis = 10 * SECOND
_BUDGET = 5.0
"""Seconds that one agent's letters may take before other agents have their turn."""
_ERASURES = 16
"""Erasures of one shard that are told at a time."""


@dataclass(frozen=True)
class WebhookDelivery:
    """The story of a letter, from the queue to the receiver or to the list of those given up."""

    outbox: Outbox
    sessions: Sessions
    timers: Timers
    webhooks: WebhookSender | None
    """None: no receiver is configured, nothing is queued, and nothing of old is sent."""
    breaker: ReceiverBreaker = field(default_factory=ReceiverBreaker)

    def deliver(self, agent: Agent) -> Counter[Outcome | str]:
        """Send what waits for this agent until something fails or its time is over; return what became of it.

        Counts outcomes, and `refused` where the receiver answered that it wants no webhooks.
        """
        outcomes: Counter[Outcome | str] = Counter()
        if self.webhooks is None:
            self.timers.reschedule(agent, TimerKind.WEBHOOK, None)
            return outcomes
        give_way = monotonic() + _BUDGET
        while monotonic() < give_way and outcomes["later"] == 0:
            if not self.breaker.admit():
                self.timers.reschedule(agent, TimerKind.WEBHOOK, jitter(_REST))
                break
            taken = self.outbox.take(agent)
            if taken is None:
                break
            answer = self._send(self.webhooks, self._message(agent, taken.webhook_event))
            outcome = _outcome(taken, answer)
            self.outbox.done(
                agent, taken.webhook_event, outcome, _pause(taken, answer) if outcome == "later" else 0
            )
            outcomes.update([outcome, *(["refused"] if answer.gone else [])])
        return outcomes

    def deliver_erased(self) -> Counter[Outcome | str]:
        """Tell the erasures that are due; each for itself, since their agents' slots are gone."""
        outcomes: Counter[Outcome | str] = Counter()
        if self.webhooks is None:
            return outcomes
        for shard in self.outbox.erased_shards():
            for taken in self.outbox.take_erased(shard, _ERASURES):
                outcomes.update([self._tell_erasure(self.webhooks, shard, taken)])
        return outcomes

    def _tell_erasure(self, webhooks: WebhookSender, shard: int, taken: LeasedEvent) -> Outcome | str:
        webhook_event = taken.webhook_event
        if taken.now >= end_of(webhook_event):
            self.outbox.erased_done(shard, webhook_event, None)
            return "ended"
        if not self.breaker.admit():
            self.outbox.erased_done(shard, webhook_event, taken.now + jitter(_REST))
            return "held"
        # Whose connection it was nobody knows any more: the receiver knows it by its id.
        data: dict[str, str | int] = {
            "connection_id": webhook_event.connection_id,
            "sequence": webhook_event.sequence,
        }
        answer = self._send(
            webhooks, WebhookMessage(_id(webhook_event), webhook_event.type, webhook_event.at, data)
        )
        outcome = _outcome(taken, answer)
        again = {
            "delivered": None,
            "later": taken.now + _pause(taken, answer),
            "given_up": end_of(webhook_event),
        }[outcome]
        self.outbox.erased_done(shard, webhook_event, again)
        return outcome

    def _send(self, webhooks: WebhookSender, message: WebhookMessage) -> DeliveryResult:
        failpoint("webhooks.before_send")
        answer = webhooks.send(message)
        self.breaker.learn(answered=answer.status is not None)
        failpoint("webhooks.after_send_before_store")
        return answer

    def _message(self, agent: Agent, webhook_event: WebhookEvent) -> WebhookMessage:
        """Return what the letter says, as things are now: a state and a reason, never content."""
        loaded = self.sessions.load(agent, webhook_event.session)
        data: dict[str, str | int] = {
            "organization": agent.organization,
            "agent": agent.agent,
            "connection_id": webhook_event.connection_id,
            "sequence": webhook_event.sequence,
        }
        if not webhook_event.session:
            data["status"] = loaded.facts.state(SCOPE).value
        else:
            data["session"] = webhook_event.session
            if loaded.record:
                data["status"] = loaded.record.status.value
                if loaded.record.reason:
                    data["reason"] = loaded.record.reason
        return WebhookMessage(_id(webhook_event), webhook_event.type, webhook_event.at, data)


def _id(webhook_event: WebhookEvent) -> str:
    return f"msg_{webhook_event.connection_id}_{webhook_event.sequence}"


def _outcome(taken: LeasedEvent, answer: DeliveryResult) -> Outcome:
    if answer.delivered:
        return "delivered"
    # Given up only when it failed for three days itself; not because others before it did.
    tried_since = max(taken.webhook_event.at, taken.trouble_since)
    is_over = taken.trouble_since > 0 and taken.now - tried_since >= _TRIED_FOR
    return "given_up" if is_over else "later"


def _pause(taken: LeasedEvent, answer: DeliveryResult) -> Millis:
    """Return the pause before the next try: as long as the trouble has lasted, so each is about twice the last."""
    trouble = taken.now - taken.trouble_since if taken.trouble_since else 0
    pause = jitter(min(max(trouble, _FIRST), _SLOWEST))
    asked = _REFUSED if answer.gone else min(answer.retry_after * SECOND, _SLOWEST)
    return max(pause, asked)
