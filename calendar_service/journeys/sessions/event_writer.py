"""Writes one event at Google, so that exactly one stands there, in its newest desired state (laws 3, 4).

Knows Google's answers about events. Must not know the store.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from calendar_service.domain.clock import rfc3339
from calendar_service.domain.errors import (
    AccessForbidden,
    AlreadyDeleted,
    DuplicateId,
    EventMissing,
    GoogleUnavailable,
    Overtaken,
    ZoneRefused,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import Content, Record
from calendar_service.google.calendar import CalendarApi, CalendarMissing, EventAnswer, TimedEvent, stamp

_HIGHEST_COUNT = 10**12
"""The highest revision of an event that ours are raised to."""
_ROUNDS = 4
"""How often an event is read and written again before that means that somebody else keeps writing."""


class LeaseLost(Exception):
    """Another holder has the session's lease; nothing more is written here."""


@dataclass(frozen=True, slots=True)
class WriteTask:
    """What one attempt has to write."""

    calendar_id: str
    record: Record
    content: Content | None
    """None if the event has to be removed."""
    marker: str
    """The session's marker: a keyed hash that each of its events carries."""
    event_hash: Callable[[str], str]
    """Returns the keyed hash of that marker and an event id; an event whose hash is another one is a copy."""
    look_first: bool
    """True if an event may be there that the record does not know: after a lost answer, or in an adopted calendar."""
    event_id: Callable[[int], str]
    """Returns the id of the session's event, by generation."""
    neutral_title: str
    """The event's title if the backend gave none."""
    still_ours: Callable[[], bool]
    """Asks the store whether the lease is still ours. Called before an event is written over that others changed."""


@dataclass(frozen=True)
class EventWriter:
    """Inserts, patches and deletes events, and concludes from each answer what stands at Google."""

    calendar: CalendarApi

    def bring(self, token: Secret, task: WriteTask) -> Record:
        """Return the record as Google now confirms it.

        Raises `CalendarMissing` if the whole calendar is gone, `LeaseLost` if another holder has the session, else the
        errors of `domain.errors` that Google's answers prove.
        """
        try:
            return self._bring(token, task)
        except CalendarMissing:
            raise
        except EventMissing:
            # A 404 does not say whether the event or the calendar is gone: this raises if it is the calendar.
            self.calendar.get_calendar(token, task.calendar_id)
            raise GoogleUnavailable("an event came and went while it was written", ambiguous=True) from None

    def _bring(self, token: Secret, task: WriteTask) -> Record:
        current = None
        if task.look_first:
            # A write whose answer was lost may stand there, also under another id. Without this look, an insert would
            # make a second event.
            task, current = self._take_over(token, task)
        if not task.record.must_exist:
            return self._remove(token, task)
        exists = task.record.copy.exists
        record = self._patch(token, task, current) if exists else self._insert(token, task)
        # Looked again after the write: the lost request may have arrived at Google only now.
        if task.look_first:
            record = self._without_twins(token, task, record)
        return record

    def look_again(self, token: Secret, task: WriteTask) -> Record:
        """Remove what a late write left of a settled session, and return its record without doubt.

        That is the event of a cancelled session, and each twin of a scheduled one. Raises as `bring` does.
        """
        record = task.record
        if record.must_exist:
            # Of two with one id, the late one is the newer, which Google addresses: it goes, and ours stays.
            self._delete_twins(token, task, record)
        else:
            record = self.bring(token, task)
        return replace(record, copy=replace(record.copy, in_doubt=False))

    def read(self, token: Secret, calendar_id: str, event_id: str) -> TimedEvent:
        """Return the event as it is now, with times and link.

        Raises `CalendarMissing`, or `EventMissing` if only the event is gone.
        """
        try:
            return self.calendar.get_with_times(token, calendar_id, event_id)
        except EventMissing:
            self.calendar.get_calendar(token, calendar_id)
            raise

    def marked(
        self, token: Secret, calendar_id: str, marker: str, event_hash: Callable[[str], str]
    ) -> list[EventAnswer]:
        """Return the events with this marker that this service made; raise `CalendarMissing`.

        A copy that a person or a program made carries the marker too. Its id is not the one that was hashed, so it is
        left out here, and with that never taken over, changed or deleted (law 3).
        """
        events = self.calendar.list_by_marker(token, calendar_id, marker)
        return [event for event in events if event.event_hash == event_hash(event.id)]

    # --- the event has to be there ---

    def _insert(self, token: Secret, task: WriteTask) -> Record:
        for _ in range(_ROUNDS):
            record = task.record
            failpoint("event_writer.before_insert")
            try:
                event = _in_its_zone(task, partial(self._insert_in_zone, token, task))
                failpoint("event_writer.after_insert")
                return _confirmed(record, event)
            except DuplicateId:
                pass
            try:
                # Ours, perhaps of a lost answer, because nobody else can compute the id. Our properties may be gone: a
                # deleted event loses them, and another program may have removed them.
                return self._bring_forward(token, task, self._read(token, task))
            except (EventMissing, AlreadyDeleted):
                pass
            except AccessForbidden:
                if self._stands(token, task):
                    raise
            # Google keeps the id and does not give the event out: the next generation has an id of its own.
            task = _next_generation(task)
        raise AccessForbidden("no id of this session's event can be used")

    def _patch(self, token: Secret, task: WriteTask, current: EventAnswer | None) -> Record:
        record = task.record
        try:
            if current or not record.copy.etag:
                return self._bring_forward(token, task, current or self._read(token, task))
            failpoint("event_writer.before_patch")
            # With the ETag of our last settled write: Google refuses a paused holder's late patch with 412.
            event = self._write(token, task, record.copy.etag)
            failpoint("event_writer.after_patch")
            return _confirmed(record, event)
        except Overtaken:
            return self._bring_forward(token, task, self._read(token, task))
        except (EventMissing, AlreadyDeleted):
            self.calendar.get_calendar(token, task.calendar_id)  # raises if the calendar itself is gone
        except AccessForbidden:
            if self._stands(token, task):
                raise  # the change was refused, not a revival: another event beside it would be a second one
        return self._insert(token, _next_generation(task))

    def _stands(self, token: Secret, task: WriteTask) -> bool:
        try:
            return self._read(token, task).stands
        except (EventMissing, AlreadyDeleted, AccessForbidden):
            return False  # gone, or no longer ours

    def _bring_forward(self, token: Secret, task: WriteTask, event: EventAnswer) -> Record:
        """Write over an event, unless it shows this very desired state already: then that write is confirmed."""
        for _ in range(_ROUNDS):
            if event.stands and _shows(event, task.record):
                # A write of ours whose answer was lost, perhaps by a holder that had raised the offset.
                return _confirmed(_counted_from(task.record, event.revision or 0), event)
            # A lower revision: a person's change, or an older write of ours. An equal or higher one of another desired
            # state: a successor's, or, while the lease is ours, one that our database has forgotten (it went back).
            # All are written over, but only while the lease is ours.
            if not task.still_ours():
                raise LeaseLost
            task = replace(task, record=_counted_from(task.record, (event.revision or 0) + 1))
            try:
                return _confirmed(task.record, self._write(token, task, event.etag))
            except Overtaken:
                event = self._read(token, task)
        raise Overtaken("this event keeps changing at Google")

    def _read(self, token: Secret, task: WriteTask) -> EventAnswer:
        return self.calendar.get(token, task.calendar_id, task.record.copy.id)

    def _write(self, token: Secret, task: WriteTask, etag: str) -> EventAnswer:
        return _in_its_zone(task, partial(self._patch_in_zone, token, task, etag))

    def _insert_in_zone(self, token: Secret, task: WriteTask, zone: str) -> EventAnswer:
        return self.calendar.insert(token, task.calendar_id, _new_event(task, zone))

    def _patch_in_zone(self, token: Secret, task: WriteTask, etag: str, zone: str) -> EventAnswer:
        event_id = task.record.copy.id
        return self.calendar.patch(token, task.calendar_id, event_id, _changes(task, zone), etag=etag)

    # --- the event has to be gone ---

    def _remove(self, token: Secret, task: WriteTask) -> Record:
        """Delete the event. A record in doubt stays so where there was none: a late write may still come (F43)."""
        record = task.record
        # In doubt, the event of a lost insert may stand without our marker: another program may have removed it.
        may_stand = record.copy.exists or record.copy.in_doubt
        is_deleted = may_stand and self._delete(token, task)
        in_doubt = record.copy.in_doubt and not is_deleted
        copy = replace(record.copy, applied_revision=record.revision, etag="", in_doubt=in_doubt)
        return replace(record, copy=copy)

    def _delete(self, token: Secret, task: WriteTask) -> bool:
        """Delete the event at an ETag that was read (law 4); false if it does not stand."""
        etag = task.record.copy.etag
        for _ in range(_ROUNDS):
            try:
                if not etag:
                    event = self._read(token, task)
                    if not event.stands:
                        return False
                    # Changed since our last write, or never known: deleted, but only while the lease is ours.
                    if not task.still_ours():
                        raise LeaseLost
                    etag = event.etag
                failpoint("event_writer.before_delete")
                self.calendar.delete(token, task.calendar_id, task.record.copy.id, etag=etag)
                failpoint("event_writer.after_delete")
                return True
            except (AlreadyDeleted, EventMissing):
                return False
            except Overtaken:
                etag = ""
        raise Overtaken("this event keeps changing at Google")

    # --- an event that the record does not know ---

    def _take_over(self, token: Secret, task: WriteTask) -> tuple[WriteTask, EventAnswer | None]:
        """Take over the event that carries this session's marker (law 3); None if there is none.

        Of a session that has to be removed, further events with the marker are deleted.
        """
        record = task.record
        events = self.marked(token, task.calendar_id, task.marker, task.event_hash)
        if not events:
            return task, None
        if not task.still_ours():
            raise LeaseLost
        event = next((event for event in events if event.id == record.copy.id), events[0])
        if not record.must_exist:
            for twin in events:
                if twin is not event:
                    self._delete_twin(token, task, twin)
        copy = replace(record.copy, id=event.id, etag=event.etag, exists=True)
        return replace(task, record=replace(record, copy=copy)), event

    def _without_twins(self, token: Secret, task: WriteTask, record: Record) -> Record:
        """Remove twins: other events with the marker, after a lost answer, or with the same id after a collision."""
        if not self._delete_twins(token, task, record):
            return record
        # Of two events with one id, Google deleted the one that it addresses: the remaining one may be the older.
        task = replace(task, record=record)
        return self._bring_forward(token, task, self._read(token, task))

    def _delete_twins(self, token: Secret, task: WriteTask, record: Record) -> bool:
        """Delete all events with the marker but one of the record's id; tell whether another had that id too."""
        events = self.marked(token, task.calendar_id, task.marker, task.event_hash)
        same = [event for event in events if event.id == record.copy.id]
        for twin in [event for event in events if event.id != record.copy.id] + same[1:]:
            self._delete_twin(token, task, twin)
        return len(same) > 1

    def _delete_twin(self, token: Secret, task: WriteTask, twin: EventAnswer) -> None:
        try:
            self.calendar.delete(token, task.calendar_id, twin.id, etag=None)
        except (AlreadyDeleted, EventMissing):
            return


def _revision(record: Record) -> int:
    """Return the revision that the event carries."""
    return record.copy.revision_offset + record.revision


def _counted_from(record: Record, revision: int) -> Record:
    """Return the record with its offset raised so far that the event carries at least this revision.

    One above 10^12 is no count: a person or a program wrote it. It is not followed, so ours keep to 13 digits.
    """
    if revision > _HIGHEST_COUNT:
        return record
    raised = max(record.copy.revision_offset, revision - record.revision)
    return replace(record, copy=replace(record.copy, revision_offset=raised))


def _shows(event: EventAnswer, record: Record) -> bool:
    """Tell whether the event shows the record's desired state, or was written for it and changed by a person."""
    return event.nonce == record.nonce and (event.revision or 0) >= _revision(record)


def _confirmed(record: Record, event: EventAnswer) -> Record:
    copy = replace(
        record.copy,
        applied_revision=record.revision,
        etag=event.etag,
        exists=True,
        in_doubt=False,
        seen_etag="",
    )
    return replace(record, copy=copy)


def _next_generation(task: WriteTask) -> WriteTask:
    generation = task.record.copy.generation + 1
    copy = replace(
        task.record.copy, generation=generation, id=task.event_id(generation), etag="", exists=False
    )
    return replace(task, record=replace(task.record, copy=copy))


def _in_its_zone(task: WriteTask, write: Callable[[str], EventAnswer]) -> EventAnswer:
    """Write the event in the content's time zone; if Google does not know that, once more in the calendar's.

    The instant has its offset: the zone only says how the event is shown. The refused request changed nothing.
    """
    zone = _content(task).time_zone
    try:
        return write(zone)
    except ZoneRefused:
        if not zone:
            raise
        return write("")


def _content(task: WriteTask) -> Content:
    if task.content is None:
        raise ValueError("an event to be written needs its content")
    return task.content


def _new_event(task: WriteTask, zone: str) -> Mapping[str, Any]:
    filled = {name: value for name, value in _fields(task, zone).items() if value is not None}
    return {"id": task.record.copy.id, **filled}


def _changes(task: WriteTask, zone: str) -> Mapping[str, Any]:
    """Return the whole desired state as a patch: null clears a field, and a deleted event is confirmed again."""
    fields = _fields(task, zone)
    # A person may have made it an all-day event. An event has either `date` or `dateTime`, so the other is cleared.
    # Without a zone the event is shown in the calendar's.
    for name in ("start", "end"):
        fields[name] = {"date": None, "timeZone": None, **fields[name]}
    return {**fields, "status": "confirmed"}


def _fields(task: WriteTask, zone: str) -> dict[str, Any]:
    content = _content(task)
    shown_in = {"timeZone": zone} if zone else {}
    return {
        "summary": content.title or task.neutral_title,
        "description": content.event_description or None,
        "location": content.location or content.join_url or None,
        "start": {"dateTime": rfc3339(content.start), **shown_in},
        "end": {"dateTime": rfc3339(content.end), **shown_in},
        "visibility": "private",
        **stamp(
            task.marker,
            _revision(task.record),
            task.record.nonce,
            task.event_hash(task.record.copy.id),
        ),
    }
