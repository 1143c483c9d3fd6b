"""Reconcile: compares the backend's sessions with the events at Google, and on request writes what differs.

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
from calendar_service.google.calendar import CalendarApi, CalendarMissing, TimedEvent
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
    """One session of the compared range, as the backend wants it."""

    content: Content
    version: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One session whose event at Google differs from its desired state."""

    session: str
    difference: DifferenceKind
    """`missing` or other `times` at Google, other `content` than was last written, or `extra`: not desired."""
    status: str = ""
    """The session's status after the plan was carried out; empty for a plan."""
    reason: str = ""
    """The code of the refusal if this session was refused; the others are carried out all the same."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan, or a plan that was carried out."""

    applied: bool
    equal: int
    unknown_events: int
    """Events of ours whose session is not in the store. They are left alone; a PUT of their session takes them over."""
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Reconcile:
    """Compares an agent's sessions with the calendar, and carries out the differences."""

    slots: Slots
    sessions: Sessions
    access: Access
    calendar: CalendarApi
    schedule: Schedule
    terms: ConsentTerms

    def reconcile(
        self, agent: Agent, start: Millis, end: Millis, desired: Mapping[str, DesiredSession], *, apply: bool
    ) -> Comparison:
        """Compare the sessions between `start` and `end`; with `apply` write or cancel those that differ.

        `desired`: all sessions of the range, by name. Raises `NotConnected` if the calendar cannot be read.
        """
        slot = self.slots.read(agent)
        if slot.facts.state(self.terms) is not State.CONNECTED:
            raise NotConnected("Only a connected calendar can be compared.")
        grant = self.access.open(slot)
        events = self._events(agent, grant, slot.facts, start, end)
        records = {record.session: record for record in self.sessions.all(agent)}
        by_id = {event.id: event for event in events}
        differences = _differences(grant, desired, records, by_id)
        if apply:
            differences = tuple(self._apply(agent, one, desired) for one in differences)
        known_ids = {record.copy.id for record in records.values()}
        return Comparison(
            applied=apply,
            equal=len(desired) - sum(one.difference != "extra" for one in differences),
            unknown_events=len(by_id.keys() - known_ids),
            differences=differences,
        )

    def _events(
        self, agent: Agent, grant: Grant, facts: Facts, start: Millis, end: Millis
    ) -> tuple[TimedEvent, ...]:
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

    def _apply(self, agent: Agent, one: Difference, desired: Mapping[str, DesiredSession]) -> Difference:
        try:
            return replace(one, status=self._write(agent, one, desired).status.value)
        except ServiceError as refusal:
            return replace(one, status="refused", reason=refusal.code)

    def _write(self, agent: Agent, one: Difference, desired: Mapping[str, DesiredSession]) -> SessionView:
        if one.difference == "extra":
            return self.schedule.cancel(agent, one.session, By.SYSTEM, None, rewrite=True)
        session = desired[one.session]
        return self.schedule.put(
            agent, one.session, session.content, By.SYSTEM, session.version, rewrite=True
        )


def _differences(
    grant: Grant,
    desired: Mapping[str, DesiredSession],
    records: Mapping[str, Record],
    events: Mapping[str, TimedEvent],
) -> tuple[Difference, ...]:
    kinds = {
        name: _difference(grant, name, session, records.get(name), events)
        for name, session in desired.items()
    }
    different = [Difference(name, kind) for name, kind in sorted(kinds.items()) if kind]
    extra = [
        Difference(name, "extra")
        for name, record in sorted(records.items())
        if name not in desired and record.copy.id in events and record.must_exist
    ]
    return (*different, *extra)


def _difference(
    grant: Grant,
    name: str,
    desired: DesiredSession,
    record: Record | None,
    events: Mapping[str, TimedEvent],
) -> DifferenceKind | None:
    event = events.get(record.copy.id) if record else None
    if record is None or event is None:
        return "missing"
    if (instant(event.start), instant(event.end)) != (desired.content.start, desired.content.end):
        return "times"
    is_ours = not record.copy.seen_etag  # else a person changed it, perhaps the text, which is not read
    return None if is_ours and record.digest == grant.digest(name, desired.content) else "content"
