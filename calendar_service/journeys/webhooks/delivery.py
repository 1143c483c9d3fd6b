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
from calendar_service.journeys.throttle.breaker import Breaker
from calendar_service.store.outbox import Letter, Letters, Outcome, Taken, end_of
from calendar_service.store.sessions import Sessions
from calendar_service.store.timers import Timers
from calendar_service.webhook_sender import Answer, Message, Webhooks

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
class Notify:
    """The story of a letter, from the queue to the receiver or to the list of those given up."""

    letters: Letters
    sessions: Sessions
    timers: Timers
    webhooks: Webhooks | None
    """None: no receiver is configured, nothing is queued, and nothing of old is sent."""
    breaker: Breaker = field(default_factory=Breaker)

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
            taken = self.letters.take(agent)
            if taken is None:
                break
            answer = self._send(self.webhooks, self._message(agent, taken.letter))
            outcome = _outcome(taken, answer)
            self.letters.done(
                agent, taken.letter, outcome, _pause(taken, answer) if outcome == "later" else 0
            )
            outcomes.update([outcome, *(["refused"] if answer.gone else [])])
        return outcomes

    def deliver_erased(self) -> Counter[Outcome | str]:
        """Tell the erasures that are due; each for itself, since their agents' slots are gone."""
        outcomes: Counter[Outcome | str] = Counter()
        if self.webhooks is None:
            return outcomes
        for shard in self.letters.erased_shards():
            for taken in self.letters.take_erased(shard, _ERASURES):
                outcomes.update([self._tell_erasure(self.webhooks, shard, taken)])
        return outcomes

    def _tell_erasure(self, webhooks: Webhooks, shard: int, taken: Taken) -> Outcome | str:
        letter = taken.letter
        if taken.now >= end_of(letter):
            self.letters.erased_done(shard, letter, None)
            return "ended"
        if not self.breaker.admit():
            self.letters.erased_done(shard, letter, taken.now + jitter(_REST))
            return "held"
        # Whose connection it was nobody knows any more: the receiver knows it by its id.
        data: dict[str, str | int] = {"connection_id": letter.connection_id, "sequence": letter.sequence}
        answer = self._send(webhooks, Message(_id(letter), letter.type, letter.at, data))
        outcome = _outcome(taken, answer)
        again = {
            "delivered": None,
            "later": taken.now + _pause(taken, answer),
            "given_up": end_of(letter),
        }[outcome]
        self.letters.erased_done(shard, letter, again)
        return outcome

    def _send(self, webhooks: Webhooks, message: Message) -> Answer:
        failpoint("notify.before_send")
        answer = webhooks.send(message)
        self.breaker.learn(answered=answer.status is not None)
        failpoint("notify.after_send_before_store")
        return answer

    def _message(self, agent: Agent, letter: Letter) -> Message:
        """Return what the letter says, as things are now: a state and a reason, never content."""
        loaded = self.sessions.load(agent, letter.session)
        data: dict[str, str | int] = {
            "organization": agent.organization,
            "agent": agent.agent,
            "connection_id": letter.connection_id,
            "sequence": letter.sequence,
        }
        if not letter.session:
            data["status"] = loaded.facts.state(SCOPE).value
        else:
            data["session"] = letter.session
            if loaded.record:
                data["status"] = loaded.record.status.value
                if loaded.record.reason:
                    data["reason"] = loaded.record.reason
        return Message(_id(letter), letter.type, letter.at, data)


def _id(letter: Letter) -> str:
    return f"msg_{letter.connection_id}_{letter.sequence}"


def _outcome(taken: Taken, answer: Answer) -> Outcome:
    if answer.delivered:
        return "delivered"
    # Given up only when it failed for three days itself; not because others before it did.
    tried_since = max(taken.letter.at, taken.trouble_since)
    is_over = taken.trouble_since > 0 and taken.now - tried_since >= _TRIED_FOR
    return "given_up" if is_over else "later"


def _pause(taken: Taken, answer: Answer) -> Millis:
    """Return the pause before the next try: as long as the trouble has lasted, so each is about twice the last."""
    trouble = taken.now - taken.trouble_since if taken.trouble_since else 0
    pause = jitter(min(max(trouble, _FIRST), _SLOWEST))
    asked = _REFUSED if answer.gone else min(answer.retry_after * SECOND, _SLOWEST)
    return max(pause, asked)
