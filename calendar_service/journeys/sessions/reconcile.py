"""Reconcile: compares the backend's sessions with the events at Google, and on request writes what differs.

Reads times and ids only, of our own events in our own calendar (ST-4). Must not know the web.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import Millis, as_datetime
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AlreadyDeleted,
    Busy,
    EventMissing,
    GoogleUnavailable,
    NotConnected,
    Overtaken,
    RateLimited,
    ServiceError,
)
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Content, Record
from calendar_service.google.calendar import EVENTS_LISTED, CalendarApi, CalendarMissing, TimedEvent
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.queue import UNSETTLED
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.sessions.session_reader import instant
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import SessionView
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot, Slots

DifferenceKind = Literal["missing", "times", "content", "extra"]
UnknownKind = Literal["forgotten", "cancelled", "second", "copy"]
"""Why nobody wants a marked event: its session is not known, is cancelled, or has another event; or the event is a copy
that a person or a program made."""


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
class UnknownEvent:
    """A marked event of the compared range that nobody wants."""

    event_id: str
    kind: UnknownKind
    etag: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan, or a plan that was carried out."""

    applied: bool
    equal: int
    unknown_events: tuple[UnknownEvent, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Reconcile:
    """Compares an agent's sessions with the calendar, and carries out the differences."""

    slots: Slots
    sessions: Sessions
    access: Access
    calendar: CalendarApi
    schedule: Schedule
    throttle: Throttle
    identity: IdentityKey
    terms: ConsentTerms

    def reconcile(
        self,
        agent: Agent,
        start: Millis,
        end: Millis,
        desired: Mapping[str, DesiredSession],
        *,
        apply: bool,
        remove_unknown: bool = False,
    ) -> Comparison:
        """Compare the sessions between `start` and `end`; with `apply` write or cancel those that differ.

        `desired`: all sessions of the range, by name. `remove_unknown`: remove marked events of the range that nobody
        wants, except copies. All of it waits for Google for `Limits.inline_seconds` at most: what is not written by
        then is accepted, and left to the worker. Raises `NotConnected` if the calendar cannot be read, `Busy` if Google
        may not be asked now.
        """
        slot = self._connected(agent)
        grant = self.access.open(slot)
        known = self.sessions.all(agent)
        # One slot for the whole call: another caller's sessions are written meanwhile, however long this list is.
        with self.throttle.inline_read(agent.organization, slot.facts.account.ref, _pages(len(known))):
            by_id = self._events(agent, grant, slot.facts, start, end, known)
            # Read after the list: a session whose event is in it was accepted before, so none that is new is unknown.
            records = {record.session: record for record in self.sessions.all(agent)}
            differences = _differences(grant, desired, records, by_id)
            unknown = self._unknown(agent, by_id, desired, records)
            if apply:
                differences = tuple(self._apply(agent, one, desired) for one in differences)
            if remove_unknown:
                unknown = tuple(self._remove(agent, grant, slot.facts, one) for one in unknown)
        return Comparison(
            applied=apply,
            equal=len(desired) - sum(one.difference != "extra" for one in differences),
            unknown_events=unknown,
            differences=differences,
        )

    def unknown(self, agent: Agent, start: Millis, end: Millis) -> tuple[UnknownEvent, ...]:
        """Return the marked events between `start` and `end` that nobody wants, for a caller who may wait long.

        Raises `NotConnected` if the calendar cannot be read.
        """
        slot = self._connected(agent)
        by_id = self._events(agent, self.access.open(slot), slot.facts, start, end, self.sessions.all(agent))
        return self._unknown(
            agent, by_id, {}, {record.session: record for record in self.sessions.all(agent)}
        )

    def _connected(self, agent: Agent) -> Slot:
        slot = self.slots.read(agent)
        if slot.facts.state(self.terms) is not State.CONNECTED:
            raise NotConnected("Only a connected calendar can be compared.")
        return slot

    def _unknown(
        self,
        agent: Agent,
        events: Mapping[str, TimedEvent],
        desired: Mapping[str, DesiredSession],
        records: Mapping[str, Record],
    ) -> tuple[UnknownEvent, ...]:
        by_id = {record.copy.id: record for record in records.values()}
        markers = {self._marker(agent, name): name for name in {*desired, *records}}
        unknown = []
        for event in events.values():
            record, session = by_id.get(event.id), markers.get(event.marker or "")
            if record:
                kind: UnknownKind | None = None if _wants(record) else "cancelled"
            elif not self._is_ours(event):
                kind = "copy"
            elif session in records:
                kind = "second"
            else:
                kind = None if session in desired else "forgotten"
            if kind:
                unknown.append(UnknownEvent(event.id, kind, event.etag))
        return tuple(unknown)

    def _marker(self, agent: Agent, session: str) -> str:
        return self.identity.session_marker(agent.organization, agent.agent, session)

    def _is_ours(self, event: TimedEvent) -> bool:
        return event.event_hash == self.identity.event_hash(event.marker or "", event.id)

    def _remove(self, agent: Agent, grant: Grant, facts: Facts, unknown: UnknownEvent) -> UnknownEvent:
        """Remove the event, unless it is a copy, was changed since it was listed, or may not be removed now.

        A PUT that took the event over changed it. One that is left is listed again by the next comparison.
        """
        if unknown.kind == "copy":
            return unknown
        try:
            with self.throttle.inline_read(agent.organization, facts.account.ref):
                self.access.in_calendar(
                    agent,
                    facts,
                    grant,
                    lambda token: self.calendar.delete(
                        token, facts.calendar.id, unknown.event_id, etag=unknown.etag
                    ),
                )
        except (Overtaken, Busy, GoogleUnavailable, RateLimited):
            return unknown
        except (AlreadyDeleted, EventMissing):
            pass
        return replace(unknown, removed=True)

    def _events(
        self,
        agent: Agent,
        grant: Grant,
        facts: Facts,
        start: Millis,
        end: Millis,
        known: Iterable[Record],
    ) -> Mapping[str, TimedEvent]:
        """Return our events of the range by their ids."""
        ids = {record.copy.id for record in known}
        try:
            events = self.access.in_calendar(
                agent,
                facts,
                grant,
                lambda token: self.calendar.list_between(
                    token, facts.calendar.id, as_datetime(start), as_datetime(end), ids
                ),
            )
        except CalendarMissing:
            raise NotConnected("The calendar is no longer in the account.") from None
        return {event.id: event for event in events}

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
    # With another ETag it is not as we wrote it: somebody changed it, perhaps the text or the zone, which are not read;
    # another program removed our properties; or our record went back.
    is_as_written = event.etag == record.copy.etag and record.digest == grant.digest(name, desired.content)
    return None if is_as_written else "content"


def _pages(events: int) -> int:
    """Return how many calls a list of so many events takes."""
    return 1 + events // EVENTS_LISTED


def _wants(record: Record) -> bool:
    """Tell whether the event may stand: it has to be there, or its removal is under way."""
    return record.must_exist or record.status in UNSETTLED
