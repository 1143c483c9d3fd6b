"""Detects external changes: what people did to our events in the calendar (laws 3, 4). Must not know what triggers it.

Compares the events at Google with what was settled, and notifies the backend once of each change, without its content.
Changes nothing at Google: only a newer PUT writes over a person's change.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import DAY, Clock, Millis, as_datetime
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AlreadyDeleted,
    EventMissing,
    GoogleError,
    GoogleUnavailable,
    NotConnected,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import spread
from calendar_service.domain.methods import Purpose
from calendar_service.domain.names import Agent
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Record, Status
from calendar_service.google.calendar import CalendarApi, EventAnswer
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.channels import will_pass
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots

ExternalChange = Literal["changed", "deleted", "restored"]


@dataclass(frozen=True)
class ChangeDetector:
    """Compares one agent's calendar with the records of its sessions."""

    slots: Slots
    sessions: Sessions
    access: Access
    calendar: CalendarApi
    throttle: Throttle
    terms: ConsentTerms
    clock: Clock

    def once(self, agent: Agent) -> Millis:
        """Detect changes once; return after how long the next detection is due.

        Raises `GoogleError` for trouble that may pass: then it is due again soon.
        """
        slot = self.slots.read(agent)
        if slot.facts.state(self.terms) is State.CONNECTED:
            if self.throttle.admit(slot.facts.account.ref, 1) != "go":
                return keys.LEASE
            self._detect(agent, slot.facts, self.access.open(slot))
        return spread(keys.CHANGE_DETECTION_EVERY)

    def report(self, agent: Agent) -> int:
        """Compare the calendar now; return how many sessions were reported to differ.

        Raises `NotConnected` if it cannot be read, or Google's errors.
        """
        slot = self.slots.read(agent)
        if slot.facts.state(self.terms) is not State.CONNECTED:
            raise NotConnected("Only a connected calendar can be compared.")
        return self._compare(agent, slot.facts, self.access.open(slot))

    def _detect(self, agent: Agent, facts: Facts, grant: Grant) -> None:
        try:
            self._compare(agent, facts, grant)
        except GoogleError as trouble:
            if will_pass(trouble):
                raise

    def _compare(self, agent: Agent, facts: Facts, grant: Grant) -> int:
        """Report each session that differs; return how many."""
        today = self.clock.now() // DAY
        # The records are read before Google is. A session that we write in between has another record by then, so the
        # store refuses to report our own write as a person's change.
        records = self.sessions.with_texts(agent)
        events = self._events(agent, facts, grant, today)
        failpoint("change_detection.after_list_before_store")
        reported = 0
        for record, text in records:
            if _is_watched(record, facts, today):
                change = self._change_of(agent, facts, grant, record, events.get(record.copy.id, ()))
                if change:
                    reported += self.sessions.record_external_change(
                        agent, facts.connection_id, text, *change
                    )
        return reported

    def _events(
        self, agent: Agent, facts: Facts, grant: Grant, today: int
    ) -> Mapping[str, tuple[EventAnswer, ...]]:
        """Return our events of today and later, by id; an id may have two after an undetected collision."""
        since = as_datetime(today * DAY)
        events = self.access.in_calendar(
            agent, facts, grant, lambda token: self.calendar.list_from(token, facts.calendar.id, since)
        )
        by_id: dict[str, tuple[EventAnswer, ...]] = defaultdict(tuple)
        for event in events:
            by_id[event.id] += (event,)
        return by_id

    def _change_of(
        self, agent: Agent, facts: Facts, grant: Grant, record: Record, listed: Iterable[EventAnswer]
    ) -> tuple[Record, ExternalChange] | None:
        """Return the new record and what a person did to the event; None if there is nothing new."""
        events = [event for event in listed if event.stands]
        if any(event.etag == record.copy.etag for event in events):
            return _restored(record, record.copy.etag) if record.status is Status.LOST else None
        if events:
            return _changed(record, events[0].etag)
        if record.status is Status.LOST:
            return None
        etag = self._etag_of_unlisted(agent, facts, grant, record)
        return _changed(record, etag) if etag else _deleted(record)

    def _etag_of_unlisted(self, agent: Agent, facts: Facts, grant: Grant, record: Record) -> str:
        """Return the ETag of an event that is not listed, as when a person moved it to the past; empty if deleted."""
        if self.throttle.admit(facts.account.ref, 1) != "go":
            raise GoogleUnavailable("no more may be asked for now", ambiguous=False)
        try:
            event = self.access.in_calendar(
                agent,
                facts,
                grant,
                lambda token: self.calendar.get(
                    token, facts.calendar.id, record.copy.id, Purpose.EXTERNAL_CHANGES
                ),
            )
        except (EventMissing, AlreadyDeleted):
            return ""
        return event.etag if event.stands else ""


def _is_watched(record: Record, facts: Facts, today: int) -> bool:
    stands = record.status is Status.SCHEDULED and not record.leased
    deleted = record.status is Status.LOST and record.reason == DELETED_IN_GOOGLE
    here = record.copy.calendar_number == facts.calendar.number
    return (stands or deleted) and here and record.end_day >= today


def _changed(record: Record, etag: str) -> tuple[Record, ExternalChange] | None:
    copy = record.copy
    if etag in {copy.etag, copy.seen_etag}:
        return None  # as we wrote it, or reported before
    if record.status is Status.LOST and not copy.seen_etag:
        return _restored(record, etag)
    seen = replace(copy, seen_etag=etag)
    return replace(record, status=Status.SCHEDULED, reason=CHANGED_IN_GOOGLE, copy=seen), "changed"


def _deleted(record: Record) -> tuple[Record, ExternalChange]:
    return replace(record, status=Status.LOST, reason=DELETED_IN_GOOGLE), "deleted"


def _restored(record: Record, etag: str) -> tuple[Record, ExternalChange]:
    copy = replace(record.copy, etag=etag)
    return replace(record, status=Status.SCHEDULED, reason="", copy=copy), "restored"
