"""Compare what the backend wants with what Google has, and bring the two together when asked.

Reads times and ids only, of our own events in our own calendar (ST-4). Must not know the web.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import Millis, as_datetime
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import NotConnected, ServiceError
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Content, Record
from calendar_service.google.calendar import CalendarApi, CalendarMissing, EventAnswer
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.sessions.session_reader import instant
from calendar_service.journeys.views import SessionView
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots

DifferenceKind = Literal["missing", "times", "content", "extra"]


@dataclass(frozen=True, slots=True)
class DesiredSession:
    """One session as the backend wants it in the compared range."""

    content: Content
    version: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One session that is not at Google as it is wanted."""

    session: str
    difference: DifferenceKind
    """`missing` there, other `times` there, other `content` than was last written, or `extra`: not wanted."""
    status: str = ""
    """What became of it when the plan was carried out; empty for a plan."""
    reason: str = ""
    """The code of the refusal, where carrying it out was refused; the others are carried out all the same."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan, or a plan that was carried out."""

    applied: bool
    equal: int
    unknown_events: int
    """Events of ours whose session is not in the store: left alone, a PUT of their session takes them over."""
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Reconcile:
    """The story of a comparison."""

    slots: Slots
    sessions: Sessions
    access: Access
    calendar: CalendarApi
    schedule: Schedule
    terms: ConsentTerms

    def reconcile(
        self, agent: Agent, start: Millis, end: Millis, wanted: Mapping[str, DesiredSession], *, apply: bool
    ) -> Comparison:
        """Compare the sessions between `start` and `end`; with `apply` write and cancel what differs."""
        slot = self.slots.read(agent)
        if slot.facts.state(self.terms) is not State.CONNECTED:
            raise NotConnected("Only a connected calendar can be compared.")
        grant = self.access.open(slot)
        events = self._events(agent, grant, slot.facts, start, end)
        records = {record.session: record for record in self.sessions.all(agent)}
        found = {event.id: event for event in events}
        differences = _differences(grant, wanted, records, found)
        if apply:
            differences = tuple(self._apply(agent, one, wanted) for one in differences)
        known = {record.copy.id for record in records.values()}
        return Comparison(
            applied=apply,
            equal=len(wanted) - sum(one.difference != "extra" for one in differences),
            unknown_events=len(found.keys() - known),
            differences=differences,
        )

    def _events(
        self, agent: Agent, grant: Grant, facts: Facts, start: Millis, end: Millis
    ) -> tuple[EventAnswer, ...]:
        try:
            return self.access.in_calendar(
                agent,
                facts,
                grant,
                lambda token: self.calendar.list_between(
                    token, facts.calendar.id, as_datetime(start), as_datetime(end)
                ),
            )
        except CalendarMissing:
            raise NotConnected("The calendar is no longer in the account.") from None

    def _apply(self, agent: Agent, one: Difference, wanted: Mapping[str, DesiredSession]) -> Difference:
        try:
            return replace(one, status=self._carried_out(agent, one, wanted).status.value)
        except ServiceError as refusal:
            return replace(one, status="refused", reason=refusal.code)

    def _carried_out(
        self, agent: Agent, one: Difference, wanted: Mapping[str, DesiredSession]
    ) -> SessionView:
        if one.difference == "extra":
            return self.schedule.cancel(agent, one.session, By.SYSTEM, None, rewrite=True)
        desired = wanted[one.session]
        return self.schedule.put(
            agent, one.session, desired.content, By.SYSTEM, desired.version, rewrite=True
        )


def _differences(
    grant: Grant,
    wanted: Mapping[str, DesiredSession],
    records: Mapping[str, Record],
    found: Mapping[str, EventAnswer],
) -> tuple[Difference, ...]:
    kinds = {
        name: _difference(grant, name, desired, records.get(name), found) for name, desired in wanted.items()
    }
    different = [Difference(name, kind) for name, kind in sorted(kinds.items()) if kind]
    extra = [
        Difference(name, "extra")
        for name, record in sorted(records.items())
        if name not in wanted and record.copy.id in found and record.must_exist
    ]
    return (*different, *extra)


def _difference(
    grant: Grant, name: str, desired: DesiredSession, record: Record | None, found: Mapping[str, EventAnswer]
) -> DifferenceKind | None:
    event = found.get(record.copy.id) if record else None
    if record is None or event is None:
        return "missing"
    if (instant(event.start), instant(event.end)) != (desired.content.start, desired.content.end):
        return "times"
    is_ours = not record.copy.seen_etag  # a person changed it, and it may be the text
    return None if is_ours and record.digest == grant.digest(name, desired.content) else "content"
