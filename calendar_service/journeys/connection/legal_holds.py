"""Legal holds: identifiers of an ended connection stay as long as a law requires it (ST-5, law 7).

Knows the store. Must not keep a token, and must not read an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from calendar_service.domain.clock import Clock, Millis, as_datetime
from calendar_service.domain.errors import InvalidRequest, NotConnected
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slots

LONGEST_TEXT = 500
_NEEDED = ("placed_by", "approved_by", "authority", "reason")


@dataclass(frozen=True)
class Holds:
    """Places, lifts and lists legal holds."""

    slots: Slots
    hold_store: LegalHoldStore
    scan: Scan
    clock: Clock

    def place(self, agent: Agent, hold: Hold, *, replace: bool = False) -> None:
        """Place the hold; `replace` allows it to replace one that stands.

        Raises `InvalidRequest` for a hold that is not well founded or ends too late, `NotConnected` if nothing of the
        agent is stored.
        """
        self._check(hold)
        failpoint("hold.before_store")
        # One script stores the hold, moves the erasure's timer to its end and sets the database's own expiry behind
        # it: no crash leaves a hold under which something still erases.
        answer = self.hold_store.place(agent, hold, replace=replace)
        failpoint("hold.after_store")
        if answer == "not_connected":
            raise NotConnected("Nothing is kept of this agent that could be held.")
        if answer == "held":
            raise InvalidRequest("A hold stands already: release it, or replace it.", field="replace")
        if answer == "over":
            raise InvalidRequest("The hold would be over by the database's clock.", field="until")

    def release(self, agent: Agent) -> None:
        """Lift the hold; raise `NotConnected` if none stands."""
        # The same script sets the erasure's timer: a term that is over is erased by the worker's next round.
        if self.hold_store.lift(agent, Actor.OPERATOR, released=True) == "none":
            raise NotConnected("No hold stands for this agent.")

    def end(self, agent: Agent) -> None:
        """Remove a hold whose end has passed (the worker)."""
        # The script compares the end again, by the database's clock: the hold may have been replaced by a longer one.
        self.hold_store.lift(agent, Actor.SERVICE, released=False)

    def standing(self) -> Iterator[tuple[Agent, Hold]]:
        """Yield every hold that has not ended, with its agent. Reads every agent's slot."""
        for slot in self.slots.each(self.scan.agents()):
            if slot.facts.hold.until > slot.now:
                yield slot.agent, Hold.of_facts(slot.facts.hold)

    def _check(self, hold: Hold) -> None:
        """Raise `InvalidRequest` if the hold lacks a reason or a second person, or has no acceptable end."""
        for name in _NEEDED:
            if not 0 < len(getattr(hold, name).strip()) <= LONGEST_TEXT:
                raise InvalidRequest(
                    f"`{name}` has to be given, with at most {LONGEST_TEXT} characters.", field=name
                )
        # Two persons: one member of staff alone must not be able to keep what the agent was promised to be erased.
        if hold.placed_by.strip().casefold() == hold.approved_by.strip().casefold():
            raise InvalidRequest(
                "A hold is approved by somebody else than who places it.", field="approved_by"
            )
        now = self.clock.now()
        if hold.until <= now:
            raise InvalidRequest("The hold's end lies in the past.", field="until")
        # A hold that nobody ends must not stand for ever: it has to be placed again, with its reason.
        if hold.until > a_year_after(now):
            raise InvalidRequest(
                "A hold ends after 12 months at most; it can be replaced then.", field="until"
            )
        if hold.silent_until > hold.until:
            raise InvalidRequest(
                "The agent may be told when the hold ends at the latest.", field="silent_until"
            )


def a_year_after(instant: Millis) -> Millis:
    """Return the same moment of the next year; for a 29 February, that of the 28th."""
    moment = as_datetime(instant)
    if (moment.month, moment.day) == (2, 29):
        moment -= timedelta(days=1)
    return int(moment.replace(year=moment.year + 1).timestamp() * 1000)
