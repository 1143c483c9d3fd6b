"""What Google says at this moment of the agent's calendar, for the agent's own page. Nothing of it is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import Clock, as_datetime
from calendar_service.domain.connection import BlockCause
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AccessRevoked,
    GoogleError,
    InsufficientScope,
    ServiceError,
)
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi, CalendarInfo, CalendarMissing, Contents
from calendar_service.google.transport import Transport
from calendar_service.journeys.connection.access import Access, block_cause
from calendar_service.journeys.views import Trouble
from calendar_service.store.slots import Slot

_PAGE_WAITS = 2.5
"""Seconds that a page waits for Google before it is shown without what Google knows."""


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """What Google said to a page, or who has to end what kept it from answering."""

    info: CalendarInfo | None = None
    contents: Contents | None = None
    trouble: Trouble = ""


@dataclass(frozen=True)
class CalendarNow:
    """Asks Google about the agent's calendar, within the seconds that a page waits."""

    access: Access
    calendar: CalendarApi
    transport: Transport
    identity: IdentityKey
    terms: ConsentTerms
    clock: Clock

    def account(self, slot: Slot) -> CalendarAnswer:
        """Ask whose account the calendar is in, and its name."""
        calendar_id = slot.facts.calendar.id
        return self._ask(
            slot, lambda token: CalendarAnswer(info=self.calendar.get_calendar(token, calendar_id))
        )

    def contents(self, slot: Slot) -> CalendarAnswer:
        """Ask what the calendar holds."""
        calendar_id, now = slot.facts.calendar.id, as_datetime(self.clock.now())
        return self._ask(
            slot,
            lambda token: CalendarAnswer(
                contents=self.calendar.contents(token, calendar_id, now, self.identity.event_hash)
            ),
        )

    def _ask(self, slot: Slot, question: Callable[[Secret], CalendarAnswer]) -> CalendarAnswer:
        """Ask Google about the calendar; a page is not kept waiting for that.

        Where there is no calendar to ask about, what Google refused last tells who has to act. Where it was never made,
        the token is asked for besides.
        """
        facts = slot.facts
        if not slot.grant or not facts.usable(self.terms):
            return CalendarAnswer()
        last = CalendarAnswer(trouble=_TROUBLES.get(facts.block.cause, ""))
        if facts.calendar.status == "missing":
            return last
        try:
            grant = self.access.open(slot)
            with self.transport.within(_PAGE_WAITS):
                if facts.calendar.since:
                    return self.access.in_calendar(slot.agent, facts, grant, question)
                self.access.usable(slot.agent, grant)
                return last
        except CalendarMissing:
            return CalendarAnswer()
        except ServiceError as trouble:
            return CalendarAnswer(trouble=_responsible(trouble))


_TROUBLES: Mapping[str, Trouble] = {
    BlockCause.ADMINISTRATOR: "administrator",
    BlockCause.OPERATOR: "ours",
    BlockCause.QUOTA: "quota",
}


def _responsible(trouble: ServiceError) -> Trouble:
    if isinstance(trouble, AccessRevoked | InsufficientScope):
        return ""  # no trouble, but a state of the connection
    if not isinstance(trouble, GoogleError):
        return "ours"
    cause = block_cause(trouble)
    return _TROUBLES[cause] if cause else "google"
