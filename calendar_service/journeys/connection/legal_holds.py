"""Legal hold: identifiers stay as long as a law demands it, and not a sweep longer (ST-5, law 7).

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
    """The story of a duty to keep."""

    slots: Slots
    hold_store: LegalHoldStore
    scan: Scan
    clock: Clock

    def place(self, agent: Agent, hold: Hold, *, replace: bool = False) -> None:
        """Place the hold, or refuse it; a standing one is replaced only where that is asked."""
        self._refuse(hold)
        failpoint("hold.before_store")
        answer = self.hold_store.place(agent, hold, replace=replace)
        failpoint("hold.after_store")
        if answer == "not_connected":
            raise NotConnected("Nothing is kept of this agent that could be held.")
        if answer == "held":
            raise InvalidRequest("A hold stands already: release it, or replace it.", field="replace")
        if answer == "over":
            raise InvalidRequest("The hold would be over by the database's clock.", field="until")

    def release(self, agent: Agent) -> None:
        """Lift the hold; what is due is erased by the worker's next sweep."""
        if self.hold_store.lift(agent, Actor.OPERATOR, released=True) == "none":
            raise NotConnected("No hold stands for this agent.")

    def end(self, agent: Agent) -> None:
        """Forget a hold that is over (the worker)."""
        self.hold_store.lift(agent, Actor.SERVICE, released=False)

    def standing(self) -> Iterator[tuple[Agent, Hold]]:
        """Yield every hold that is not over."""
        for agent in self.scan.agents():
            slot = self.slots.read(agent)
            if slot.facts.hold.until > slot.now:
                yield agent, Hold.of_facts(slot.facts.hold)

    def _refuse(self, hold: Hold) -> None:
        for name in _NEEDED:
            if not 0 < len(getattr(hold, name).strip()) <= LONGEST_TEXT:
                raise InvalidRequest(
                    f"`{name}` has to be given, with at most {LONGEST_TEXT} characters.", field=name
                )
        if hold.placed_by.strip().casefold() == hold.approved_by.strip().casefold():
            raise InvalidRequest(
                "A hold is approved by somebody else than who places it.", field="approved_by"
            )
        now = self.clock.now()
        if hold.until <= now:
            raise InvalidRequest("The hold's end lies in the past.", field="until")
        if hold.until > a_year_after(now):
            raise InvalidRequest(
                "A hold ends after 12 months at most; it can be replaced then.", field="until"
            )
        if hold.silent_until > hold.until:
            raise InvalidRequest(
                "The agent may be told when the hold ends at the latest.", field="silent_until"
            )


def a_year_after(instant: Millis) -> Millis:
    """Return the same moment of the next year; of a 29 February, the 28th."""
    moment = as_datetime(instant)
    if (moment.month, moment.day) == (2, 29):
        moment -= timedelta(days=1)
    return int(moment.replace(year=moment.year + 1).timestamp() * 1000)
