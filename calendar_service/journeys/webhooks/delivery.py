"""Delivers webhook events to the backend: at least once, in order within a connection, tried for three days.

Knows the store and the webhook sender. Must not know Google, nor send any content.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from calendar_service.domain.clock import DAY, HOUR, SECOND, Millis
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import jitter
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.webhooks.receiver_breaker import ReceiverBreaker
from calendar_service.store import keys
from calendar_service.store.outbox import LeasedEvent, Outbox, Outcome, WebhookEvent, end_of
from calendar_service.store.sessions import Sessions
from calendar_service.store.timers import Timers
from calendar_service.webhook_sender import DEADLINE, DeliveryResult, WebhookMessage, WebhookSender

_FIRST: Millis = 5 * SECOND
_SLOWEST: Millis = 6 * HOUR
_TRIED_FOR: Millis = 3 * DAY
_AFTER_GONE: Millis = HOUR
"""The pause after a 410: the receiver wants no webhooks, until its operator changes that."""
_BREAKER_PAUSE: Millis = 10 * SECOND
"""The pause while the breaker is open."""
_AGENT_SECONDS = 5.0
"""Seconds that one agent's events may take before other agents have their turn."""
_LAST_OFFER_SECONDS = 10.0
"""Seconds that the last offer before an erasure may take: the receipt waits for it."""
_ERASURES = 4
"""How many erasure events of one shard are leased at a time: four at the deadline of 5 s end within the lease."""


@dataclass(frozen=True)
class WebhookDelivery:
    """Sends the events of the outbox, and records for each whether it was delivered, comes later or is given up."""

    outbox: Outbox
    sessions: Sessions
    timers: Timers
    terms: ConsentTerms
    webhooks: WebhookSender | None
    """None: no receiver is configured. Then nothing is queued, and nothing that was queued before is sent."""
    breaker: ReceiverBreaker = field(default_factory=ReceiverBreaker)
    seconds: Callable[[], float] = monotonic
    """A clock that only goes forward, in seconds."""

    def deliver(self, agent: Agent) -> Counter[Outcome | str]:
        """Send this agent's events until one fails or its time is up; return how many had which outcome.

        `refused` counts those to which the receiver answered 410.
        """
        outcomes: Counter[Outcome | str] = Counter()
        if self.webhooks is None:
            self.timers.reschedule(agent, TimerKind.WEBHOOK, None)
            return outcomes
        deadline = self.seconds() + _AGENT_SECONDS
        while self.seconds() < deadline and outcomes["later"] == 0:
            if not self.breaker.admit():
                self.timers.reschedule(agent, TimerKind.WEBHOOK, jitter(_BREAKER_PAUSE))
                break
            leased = self.outbox.lease(agent)
            if leased is None:
                break
            answer = self._send(self.webhooks, self._message(agent, leased.webhook_event))
            outcome = _outcome(leased, answer)
            self.outbox.done(
                agent, leased.webhook_event, outcome, _pause(leased, answer) if outcome == "later" else 0
            )
            outcomes.update([outcome, *(["refused"] if answer.gone else [])])
        return outcomes

    def offer_last(self, agent: Agent) -> None:
        """Send this agent's events, each once and in order, before they are erased with the connection (law 7).

        Ends at the first that is not taken, as the next must not overtake it, and after ten seconds at most. What is
        left is counted in `connection.erased`.
        """
        if self.webhooks is None:
            return
        deadline = self.seconds() + _LAST_OFFER_SECONDS
        while (left := deadline - self.seconds()) > 0 and self.breaker.admit():
            leased = self.outbox.lease(agent, last_offer=True)
            if leased is None:
                break
            answer = self._send(self.webhooks, self._message(agent, leased.webhook_event), at_most=left)
            outcome = _outcome(leased, answer)
            # A worker keeps away until the lease would end: the next event is sent here.
            pause = keys.OUTBOX_LEASE if outcome == "delivered" else _pause(leased, answer)
            self.outbox.done(agent, leased.webhook_event, outcome, pause)
            if outcome != "delivered":
                break

    def deliver_erased(self) -> Counter[Outcome | str]:
        """Send the erasure events that are due. They wait outside the slots, because their agents' slots are gone."""
        outcomes: Counter[Outcome | str] = Counter()
        if self.webhooks is None:
            return outcomes
        for shard in self.outbox.erased_shards():
            for leased in self.outbox.lease_erased(shard, _ERASURES):
                outcomes.update([self._deliver_erasure(self.webhooks, shard, leased)])
        return outcomes

    def _deliver_erasure(self, webhooks: WebhookSender, shard: int, leased: LeasedEvent) -> Outcome | str:
        webhook_event = leased.webhook_event
        if leased.now >= end_of(webhook_event):
            self.outbox.erased_done(shard, webhook_event, None)
            return "ended"
        if not self.breaker.admit():
            self.outbox.erased_done(shard, webhook_event, leased.now + jitter(_BREAKER_PAUSE))
            return "held"
        # The store no longer knows whose connection it was. The receiver knows it by its id.
        data: dict[str, str | int] = {
            "connection_id": webhook_event.connection_id,
            "sequence": webhook_event.sequence,
            "untold": webhook_event.untold,
        }
        answer = self._send(
            webhooks, WebhookMessage(_id(webhook_event), webhook_event.type, webhook_event.at, data)
        )
        outcome = _outcome(leased, answer)
        next_due = {
            "delivered": None,
            "later": leased.now + _pause(leased, answer),
            "given_up": end_of(webhook_event),
        }[outcome]
        self.outbox.erased_done(shard, webhook_event, next_due)
        return outcome

    def _send(
        self, webhooks: WebhookSender, message: WebhookMessage, at_most: float = DEADLINE
    ) -> DeliveryResult:
        failpoint("webhooks.before_send")
        answer = webhooks.send(message, at_most)
        self.breaker.learn(answered=answer.status is not None)
        # A crash here sends the event again when its lease ends; the receiver sees the same webhook id twice.
        failpoint("webhooks.after_send_before_store")
        return answer

    def _message(self, agent: Agent, webhook_event: WebhookEvent) -> WebhookMessage:
        """Return the message of an event: the present state and reason, never content."""
        loaded = self.sessions.load(agent, webhook_event.session)
        data: dict[str, str | int] = {
            "organization": agent.organization,
            "agent": agent.agent,
            "connection_id": webhook_event.connection_id,
            "sequence": webhook_event.sequence,
        }
        if not webhook_event.session:
            data["status"] = loaded.facts.state(self.terms).value
        else:
            data["session"] = webhook_event.session
            if loaded.record:
                data["status"] = loaded.record.status.value
                if loaded.record.reason:
                    data["reason"] = loaded.record.reason
        return WebhookMessage(_id(webhook_event), webhook_event.type, webhook_event.at, data)


def _id(webhook_event: WebhookEvent) -> str:
    return f"msg_{webhook_event.connection_id}_{webhook_event.sequence}"


def _outcome(leased: LeasedEvent, answer: DeliveryResult) -> Outcome:
    if answer.delivered:
        return "delivered"
    # Given up only when this event has failed for three days, whatever events before it did.
    tried_since = max(leased.webhook_event.at, leased.trouble_since)
    is_over = leased.trouble_since > 0 and leased.now - tried_since >= _TRIED_FOR
    return "given_up" if is_over else "later"


def _pause(leased: LeasedEvent, answer: DeliveryResult) -> Millis:
    """Return the pause before the next try: as long as the trouble has lasted, so it about doubles each time."""
    trouble = leased.now - leased.trouble_since if leased.trouble_since else 0
    pause = jitter(min(max(trouble, _FIRST), _SLOWEST))
    at_least = _AFTER_GONE if answer.gone else min(answer.retry_after * SECOND, _SLOWEST)
    return max(pause, at_least)
