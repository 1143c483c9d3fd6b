"""Bring one event at Google to its wanted state: exactly one, the newest (laws 3, 4).

Knows Google's answers about events. Must not know the store.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from calendar_service.domain.clock import rfc3339
from calendar_service.domain.errors import (
    AccessForbidden,
    AlreadyDeleted,
    DuplicateId,
    EventMissing,
    GoogleUnavailable,
    Overtaken,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import Content, Record
from calendar_service.google.calendar import Calendar, CalendarMissing, EventAnswer, stamp

_ROUNDS = 4
"""Reading and writing again more often than this means that somebody else keeps writing."""


class LeaseLost(Exception):
    """Another holder took the session over; nothing more is written here."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one attempt is about."""

    calendar_id: str
    record: Record
    content: Content | None
    """None when the event has to be gone."""
    marker: str
    look_first: bool
    """An event may be there that the record does not know: a lost answer, or an adopted calendar."""
    event_id: Callable[[int], str]
    """The id of the session's event, by generation."""
    neutral_title: str
    """What the event is called when the backend gave no title."""
    still_ours: Callable[[], bool]
    """Asks the store whether the lease is ours; asked before a person's change is written over."""


@dataclass(frozen=True)
class Writer:
    """Writes events, each answer read for what it proves."""

    calendar: Calendar

    def bring(self, token: Secret, work: Work) -> tuple[Record, str]:
        """Return the record as Google now confirms it, and the event's link (empty if unknown).

        Raises `CalendarMissing` when the whole calendar is gone, `LeaseLost` when another
        holder took over, else the facts of `domain.errors` that Google's answers prove.
        """
        try:
            return self._bring(token, work)
        except CalendarMissing:
            raise
        except EventMissing:
            self.calendar.get_calendar(
                token, work.calendar_id
            )  # 404 alone does not say which of the two is gone
            raise GoogleUnavailable("an event came and went while it was written", ambiguous=True) from None

    def _bring(self, token: Secret, work: Work) -> tuple[Record, str]:
        seen = None
        if work.look_first:
            work, seen = self._found(token, work)
        if not work.record.wanted:
            return self._remove(token, work), ""
        record, link = self._patch(token, work, seen) if work.record.placed else self._insert(token, work)
        if work.look_first:
            record, link = self._without_twins(token, work, record, link)
        return record, link

    def read(self, token: Secret, calendar_id: str, event_id: str) -> EventAnswer:
        """Return the event as it is now; raise `CalendarMissing`, or `EventMissing` if only the event is gone."""
        try:
            return self.calendar.get(token, calendar_id, event_id)
        except EventMissing:
            self.calendar.get_calendar(token, calendar_id)
            raise

    # --- the event has to be there ---

    def _insert(self, token: Secret, work: Work) -> tuple[Record, str]:
        for _ in range(_ROUNDS):
            record = work.record
            failpoint("writing.before_insert")
            try:
                event = self.calendar.insert(token, work.calendar_id, _new_event(work))
                failpoint("writing.after_insert")
                return _confirmed(record, event)
            except DuplicateId:
                pass
            try:
                event = self.calendar.get(token, work.calendar_id, record.event_id)
                if event.marker in {None, work.marker}:  # a tombstone may have lost its marker
                    return self._bring_forward(token, work, event)
            except (EventMissing, AlreadyDeleted):
                pass
            except AccessForbidden:
                if self._stands(token, work):
                    raise
            # The id is spent, its event is not to be had: the next generation has an id of its own.
            work = _next_generation(work)
        raise AccessForbidden("no id of this session's event can be used")

    def _patch(self, token: Secret, work: Work, seen: EventAnswer | None) -> tuple[Record, str]:
        record = work.record
        try:
            if seen or not record.etag:
                return self._bring_forward(token, work, seen or self._read(token, work))
            failpoint("writing.before_patch")
            event = self._write(token, work, record.etag)
            failpoint("writing.after_patch")
            return _confirmed(record, event)
        except Overtaken:
            return self._bring_forward(token, work, self._read(token, work))
        except (EventMissing, AlreadyDeleted):
            self.calendar.get_calendar(token, work.calendar_id)  # raises if the calendar itself is gone
        except AccessForbidden:
            if self._stands(token, work):
                raise  # the change was refused, not a revival: another event beside it would be a second one
        return self._insert(token, _next_generation(work))

    def _stands(self, token: Secret, work: Work) -> bool:
        try:
            return self._read(token, work).status != "cancelled"
        except (EventMissing, AlreadyDeleted, AccessForbidden):
            return False  # gone, or no longer ours

    def _bring_forward(self, token: Secret, work: Work, event: EventAnswer) -> tuple[Record, str]:
        """Decide by the revision in the event: ours is done, a higher one overtook us, a lower one is behind."""
        ours = work.record.base + work.record.revision
        for _ in range(_ROUNDS):
            if event.status != "cancelled" and (event.revision or 0) >= ours:
                return _confirmed(work.record, event)
            if not work.still_ours():
                raise LeaseLost
            try:
                return _confirmed(work.record, self._write(token, work, event.etag))
            except Overtaken:
                event = self._read(token, work)
        raise Overtaken("this event keeps changing at Google")

    def _read(self, token: Secret, work: Work) -> EventAnswer:
        return self.calendar.get(token, work.calendar_id, work.record.event_id)

    def _write(self, token: Secret, work: Work, etag: str) -> EventAnswer:
        return self.calendar.patch(token, work.calendar_id, work.record.event_id, _changes(work), etag=etag)

    # --- the event has to be gone ---

    def _remove(self, token: Secret, work: Work) -> Record:
        record = work.record
        etag: str | None = record.etag or None
        for _ in range(_ROUNDS):
            if not record.placed:
                break
            failpoint("writing.before_delete")
            try:
                self.calendar.delete(token, work.calendar_id, record.event_id, etag=etag)
            except (AlreadyDeleted, EventMissing):
                break
            except Overtaken:
                event = self._read(token, work)
                if event.status == "cancelled":
                    break
                if not work.still_ours():
                    raise LeaseLost from None
                etag = event.etag
                continue
            failpoint("writing.after_delete")
            break
        else:
            raise Overtaken("this event keeps changing at Google")
        return replace(record, settled=record.revision, etag="", sent=False)

    # --- an event that the record does not know ---

    def _found(self, token: Secret, work: Work) -> tuple[Work, EventAnswer | None]:
        """Take over the event that carries this session's marker, if there is one (law 3)."""
        record = work.record
        events = self.calendar.list_by_marker(token, work.calendar_id, work.marker)
        if not events:
            return work, None
        if not work.still_ours():
            raise LeaseLost
        event = next((event for event in events if event.id == record.event_id), events[0])
        if not record.wanted:
            for twin in events:
                if twin is not event:
                    self._delete_twin(token, work, twin)
        taken = replace(record, event_id=event.id, etag=event.etag, placed=True)
        revision = event.revision or 0
        if event.id != record.event_id or revision > record.base + record.revision:
            # Written by nobody who holds this record: its count goes on, so that ours is the higher.
            taken = replace(taken, base=revision)
        return replace(work, record=taken), event

    def _without_twins(self, token: Secret, work: Work, record: Record, link: str) -> tuple[Record, str]:
        """Remove what an undetected collision left: same marker, perhaps even the same id."""
        events = self.calendar.list_by_marker(token, work.calendar_id, work.marker)
        same = [event for event in events if event.id == record.event_id]
        for twin in [event for event in events if event.id != record.event_id] + same[1:]:
            self._delete_twin(token, work, twin)
        if len(same) < 2:
            return record, link
        # Of two under one id, whichever Google addressed went: the one that stays may be the older.
        work = replace(work, record=record)
        return self._bring_forward(token, work, self._read(token, work))

    def _delete_twin(self, token: Secret, work: Work, twin: EventAnswer) -> None:
        try:
            self.calendar.delete(token, work.calendar_id, twin.id, etag=None)
        except (AlreadyDeleted, EventMissing):
            return


def _confirmed(record: Record, event: EventAnswer) -> tuple[Record, str]:
    confirmed = replace(record, settled=record.revision, etag=event.etag, placed=True, sent=False, noticed="")
    return confirmed, event.html_link or ""


def _next_generation(work: Work) -> Work:
    generation = work.record.generation + 1
    return replace(
        work,
        record=replace(
            work.record, generation=generation, event_id=work.event_id(generation), etag="", placed=False
        ),
    )


def _new_event(work: Work) -> Mapping[str, Any]:
    filled = {name: value for name, value in _fields(work).items() if value is not None}
    return {"id": work.record.event_id, **filled}


def _changes(work: Work) -> Mapping[str, Any]:
    """Return the whole wanted state as a patch: null clears, and a deleted event is confirmed again."""
    fields = _fields(work)
    # A person may have made it an all-day event: the other form has to go.
    fields["start"] |= {"date": None}
    fields["end"] |= {"date": None}
    return {**fields, "status": "confirmed"}


def _fields(work: Work) -> dict[str, Any]:
    content = work.content
    if content is None:
        raise ValueError("an event to be written needs its content")
    zone = {"timeZone": content.time_zone} if content.time_zone else {}
    described = "\n\n".join(part for part in (content.description, content.join_url) if part)
    return {
        "summary": content.title or work.neutral_title,
        "description": described or None,
        "location": content.location or content.join_url or None,
        "start": {"dateTime": rfc3339(content.start), **zone},
        "end": {"dateTime": rfc3339(content.end), **zone},
        "visibility": "private",
        **stamp(work.marker, work.record.base + work.record.revision),
    }
