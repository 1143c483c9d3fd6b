"""The erasure of an ended connection, when its term is over or on request, and its receipt (ST-5, law 7).

Knows the store and the delivery of webhooks. Must not know Google.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Revocation
from calendar_service.domain.errors import (
    Busy,
    NotConnected,
    NotFound,
    RetentionRequiredByLaw,
    ServiceError,
    StoreUnavailable,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.receipts import Receipts, without_salt
from calendar_service.journeys.webhooks.delivery import WebhookDelivery
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.slots import Slot, Slots
from calendar_service.store.tickets import Tickets


@dataclass(frozen=True)
class Erasure:
    """Erases everything of an ended connection in one step, and returns a signed receipt."""

    slots: Slots
    receipt_store: ReceiptStore
    connections: Connections
    receipts: Receipts
    tickets: Tickets
    files: FileRewriteStore
    webhook_delivery: WebhookDelivery

    def erase_now(self, agent: Agent, actor: Actor, cookie: str = "") -> dict[str, Any]:
        """Erase an ended connection at once; return the signed receipt with its salt.

        Before that, the webhook events that wait are offered to the backend for ten seconds at most. `cookie`: of the
        page that asks, if one does; it stays open, to show the receipt.

        Raises `NotConnected` if there is none or it has not ended, `RetentionRequiredByLaw` under a legal hold, or
        `Busy` where the agent may not be informed of the hold.
        """
        # The backend would otherwise never hear how the connection and its accepted sessions ended (law 2). A crash
        # after this leaves an ended connection, whose erasure has its day and can be asked for again.
        self.webhook_delivery.offer_last(agent)
        receipt = self._erase(agent, actor, timed=False, cookie=cookie)
        if receipt == "held":
            raise self._hold_refusal(agent, actor)
        if isinstance(receipt, str):
            raise NotConnected(
                "Nothing is kept of this agent, or the connection is not ended: disconnect first."
            )
        return receipt

    def erase_due(self, agent: Agent) -> str:
        """Erase the connection if its term is over (the worker).

        Answers `ok`, `early`, `not_ended`, `held`, or `clock` where the clocks of process and database differ.
        """
        receipt = self._erase(agent, Actor.SERVICE, timed=True)
        return receipt if isinstance(receipt, str) else "ok"

    def receipt(self, number: str) -> dict[str, Any]:
        """Return the receipt of this number without its salt; raise `NotFound` if there is none."""
        text = self.receipt_store.find(number)
        if text is None:
            raise NotFound("No receipt of this number.")
        return dict(json.loads(text))

    def _hold_refusal(self, agent: Agent, actor: Actor) -> ServiceError:
        slot = self.slots.read(agent)
        # An authority may forbid to inform the agent of its hold: then the agent gets an error like any passing one.
        telling_is_forbidden = slot.facts.hold.silent_until > slot.now
        if actor is Actor.AGENT and telling_is_forbidden:
            return Busy("What is kept cannot be erased just now. Nothing was changed.")
        return RetentionRequiredByLaw(
            f"A law requires that identifiers are kept until {rfc3339(slot.facts.hold.until)} at most; they are "
            "erased when that ends. The connection is over, and its tokens are not kept."
        )

    def _erase(self, agent: Agent, actor: Actor, *, timed: bool, cookie: str = "") -> dict[str, Any] | str:
        # 1. Sign the receipt, in memory. It promises when a teardown that still holds a token ends at the latest. A
        #    crash leaves everything as it was; the timer of a due erasure stands still.
        slot = self.slots.read(agent)
        until = _teardowns_until(slot)
        revocation = Revocation.PENDING.value if until else slot.facts.end.revocation
        number = self.receipt_store.new_number(agent)
        receipt = self.receipts.write(agent, number, revocation, until)
        failpoint("erase.before_store")
        # 2. One script checks that the connection is ended, the clocks agree, the term is over and no hold stands; then
        #    it erases facts, grant, sessions, waiting content, timers and webhook events, and keeps the receipt without
        #    its salt. Only teardowns stay. It decides by what stands then: an agent who connected again since step 1
        #    keeps everything; a teardown that ended since leaves a receipt that promises its end later than it was.
        #    A crash before the answer arrives: all is erased and the salt is lost, so nobody can show whom the receipt
        #    concerns.
        answer = self.connections.erase(agent, actor, receipt["number"], without_salt(receipt), timed=timed)
        if answer != "ok":
            return answer
        failpoint("erase.after_store")
        # 3. Close the agent's links and pages, which bear its name and lie outside the slot. A crash before, or a
        #    database that fails: they end by themselves, within eight hours.
        with suppress(StoreUnavailable):
            self.tickets.close_pages(agent, cookie)
        # 4. Ask for the append-only files to be rewritten: they still hold what was erased. A crash before: every
        #    worker asks at its start and every half day.
        self.files.request()
        return receipt


def _teardowns_until(slot: Slot) -> Millis:
    """Return when the last teardown that still holds a token ends at the latest; 0 = none does."""
    return max(
        (teardown.started + keys.TEARDOWN_MAX for teardown in slot.teardowns if teardown.grant), default=0
    )
