"""A look at the calendar: what did people do to our events there? Told once each, without content (laws 3, 4).

Compares what Google has with what was settled, and stores nothing of a change but that it was told. Changes nothing at
Google: a person's change is written over only by a newer PUT. Must not know why it is time to look.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import DAY, Clock, Millis, as_datetime
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import (
    AccessForbidden,
    AlreadyDeleted,
    EventMissing,
    GoogleError,
    GoogleUnavailable,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import spread
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Record, Status
from calendar_service.google.calendar import CalendarApi, CalendarMissing, EventAnswer
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.channels import will_pass
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots

ExternalChange = Literal["changed", "deleted", "restored"]
_UNMARKED = "unmarked"
"""Stands for the ETag of an event from which somebody took our marker: nothing of it is read."""


@dataclass(frozen=True)
class ChangeDetector:
    """The story of a comparison that nobody asked for."""

    slots: Slots
    connections: Connections
    sessions: Sessions
    grants: Grants
    access: Access
    calendar: CalendarApi
    throttle: Throttle
    clock: Clock

    def once(self, agent: Agent) -> Millis:
        """Look, and return after how long the next look is due. Google's trouble is raised: looked again soon."""
        slot = self.slots.read(agent)
        if slot.facts.state(SCOPE) is State.CONNECTED:
            if self.throttle.admit(slot.facts.account_ref, 1) != "go":
                return keys.LEASE
            self._look(agent, slot.facts, self.grants.open(agent, slot.facts.connection_id, slot.grant))
        return spread(keys.CHANGE_DETECTION_EVERY)

    def _look(self, agent: Agent, facts: Facts, grant: Grant) -> None:
        try:
            self._compare(agent, facts, grant)
        except CalendarMissing:
            self.connections.calendar_missing(agent, facts)
        except GoogleError as trouble:
            if will_pass(trouble):
                raise

    def _compare(self, agent: Agent, facts: Facts, grant: Grant) -> None:
        today = self.clock.now() // DAY
        # Read before Google is asked: what we write from here on is found written, and is nobody else's doing.
        before = self.sessions.kept(agent)
        found = self._events(agent, facts, grant, today)
        failpoint("change_detection.after_list_before_store")
        for record, text in before:
            if _is_watched(record, facts, today):
                after = self._after(agent, facts, grant, record, found.get(record.event_id, ()))
                if after:
                    self.sessions.found(agent, facts.connection_id, text, *after)

    def _events(
        self, agent: Agent, facts: Facts, grant: Grant, today: int
    ) -> Mapping[str, tuple[EventAnswer, ...]]:
        since = as_datetime(today * DAY)
        events = self.access.with_token(
            agent, grant, lambda token: self.calendar.list_from(token, facts.calendar_id, since)
        )
        found: dict[str, tuple[EventAnswer, ...]] = defaultdict(tuple)
        for event in events:
            found[event.id] += (event,)
        return found

    def _after(
        self, agent: Agent, facts: Facts, grant: Grant, record: Record, listed: Iterable[EventAnswer]
    ) -> tuple[Record, ExternalChange] | None:
        """Return the record as it shall be, and what a person did; None if nobody did anything new."""
        events = [event for event in listed if event.status != "cancelled"]
        if any(event.etag == record.etag for event in events):
            return _restored(record, record.etag) if record.status is Status.LOST else None
        if events:
            return _changed(record, events[0].etag, events[0].revision)
        if record.status is Status.LOST:
            return None
        etag = self._elsewhere(agent, facts, grant, record)
        return _changed(record, etag, None) if etag else _deleted(record)

    def _elsewhere(self, agent: Agent, facts: Facts, grant: Grant, record: Record) -> str:
        """Return the ETag of an event that is not in the list, empty if it was deleted: it may have been moved back."""
        if self.throttle.admit(facts.account_ref, 1) != "go":
            raise GoogleUnavailable("no more may be asked for now", ambiguous=False)
        try:
            event = self.access.with_token(
                agent, grant, lambda token: self.calendar.get(token, facts.calendar_id, record.event_id)
            )
        except AccessForbidden:
            return _UNMARKED
        except (EventMissing, AlreadyDeleted):
            return ""
        return event.etag if event.status != "cancelled" else ""


def _is_watched(record: Record, facts: Facts, today: int) -> bool:
    stands = record.status is Status.SCHEDULED and not record.leased
    deleted = record.status is Status.LOST and record.reason == DELETED_IN_GOOGLE
    here = record.calendar_number == facts.calendar_number
    return (stands or deleted) and here and record.end_day >= today


def _changed(record: Record, etag: str, revision: int | None) -> tuple[Record, ExternalChange] | None:
    if (revision or 0) > record.base + record.settled or etag in {record.etag, record.noticed}:
        return None  # our own, of a write whose answer is not settled; or told before
    if record.status is Status.LOST and not record.noticed:
        return _restored(record, etag)
    told = replace(record, status=Status.SCHEDULED, reason=CHANGED_IN_GOOGLE, noticed=etag)
    return told, "changed"


def _deleted(record: Record) -> tuple[Record, ExternalChange]:
    return replace(record, status=Status.LOST, reason=DELETED_IN_GOOGLE), "deleted"


def _restored(record: Record, etag: str) -> tuple[Record, ExternalChange]:
    return replace(record, status=Status.SCHEDULED, reason="", etag=etag), "restored"
