"""The tables: accounts, consents, tokens, calendars, events, channels. Used from one thread."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from local_google.state import records
from local_google.state.ledger import Ledger

Row = Any
FIRST_ACCOUNTS = (
    records.Account("agent-one@example.com", "Agent One", "America/Santiago"),
    records.Account("agent-two@example.com", "Agent Two", "America/Bogota"),
)


class EventTable:
    """One calendar's events by internal number. An id leads to one event, or after a collision to several."""

    def __init__(self) -> None:
        self.by_uid: dict[int, records.Event] = {}
        self._uids: dict[str, int | list[int]] = {}
        self.updated = ""  # when any of them was changed last

    def put(self, event: records.Event) -> None:
        """Add or replace."""
        if event.uid not in self.by_uid:
            held = self._uids.get(event.id)
            if held is None:
                self._uids[event.id] = event.uid
            else:
                self._uids[event.id] = [*(held if isinstance(held, list) else [held]), event.uid]
        self.by_uid[event.uid] = event
        self.updated = max(self.updated, event.resource.get("updated", ""))

    def addressed(self, event_id: str) -> records.Event | None:
        """[I] Of events that share an id, the newest that is not deleted; if all are deleted, the newest."""
        held = self._uids.get(event_id)
        if held is None:
            return None
        if isinstance(held, int):
            return self.by_uid[held]
        twins = [self.by_uid[uid] for uid in reversed(held)]
        return next((event for event in twins if not event.cancelled), twins[0])

    def drop(self, uid: int) -> None:
        """Remove an event without a tombstone."""
        event = self.by_uid.pop(uid)
        held = self._uids.pop(event.id)
        if isinstance(held, list):
            self._uids[event.id] = [other for other in held if other != uid]


class Books:
    """The tables and the ledger that stores them. Callers change a record, then ``save`` it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tables()
        self._load()

    def _tables(self) -> None:
        self.accounts: dict[str, records.Account] = {}
        self.consents: dict[str, records.GivenConsent] = {}
        self.refresh_tokens: dict[str, records.Token] = {}
        self.access_tokens: dict[str, records.Token] = {}
        self.codes: dict[str, records.Code] = {}
        self.calendars: dict[str, records.Calendar] = {}
        self.entries: dict[str, records.ListEntry] = {}
        self.channels: dict[str, records.Channel] = {}
        self.used_channels: dict[str, str] = {}
        self.events: dict[str, EventTable] = {}
        self._change = itertools.count(1)
        self._last_change = 0
        self._last_etag = 0

    def _keyed(self) -> dict[str, tuple[dict[str, Row], type]]:
        return {
            "account": (self.accounts, records.Account),
            "consent": (self.consents, records.GivenConsent),
            "refresh": (self.refresh_tokens, records.Token),
            "access": (self.access_tokens, records.Token),
            "code": (self.codes, records.Code),
            "calendar": (self.calendars, records.Calendar),
            "entry": (self.entries, records.ListEntry),
            "channel": (self.channels, records.Channel),
            "used_channel": (self.used_channels, str),
        }

    def _load(self) -> None:
        keyed = self._keyed()
        for table, key, value in self._ledger.read():
            if table == "event":
                self._load_event(key, value)
            elif value is None:
                keyed[table][0].pop(key, None)
                if table == "calendar":
                    self.events.pop(key, None)
            else:
                rows, kind = keyed[table]
                rows[key] = msgspec.convert(value, kind)
        self._go_on_counting()
        self._change = itertools.count(self._last_change + 1)
        self._ledger.rewrite(self._everything())

    def _go_on_counting(self) -> None:
        """Continue the numbers of changes and ETags, so that none is given twice, also after a restart."""
        events = [event for table in self.events.values() for event in table.by_uid.values()]
        etags = [event.resource["etag"] for event in events]
        etags += [row.etag for rows in (self.calendars, self.entries) for row in rows.values()]
        changes = [event.change for event in events] + [entry.change for entry in self.entries.values()]
        self._last_change = max(changes, default=0)
        self._last_etag = max((int(etag.strip('"')) for etag in etags), default=0)

    def _load_event(self, key: str, value: Any) -> None:
        calendar, _, uid = key.rpartition(" ")
        if calendar not in self.calendars:
            return
        table = self.events.setdefault(calendar, EventTable())
        if value is not None:
            table.put(msgspec.convert(value, records.Event))
        elif int(uid) in table.by_uid:
            table.drop(int(uid))

    def _everything(self) -> Iterator[tuple[str, str, Any]]:
        for name, (rows, _) in self._keyed().items():
            for key, row in rows.items():
                yield name, key, row
        for calendar, table in self.events.items():
            for uid, event in table.by_uid.items():
                yield "event", f"{calendar} {uid}", event

    def clear(self) -> None:
        """Remove all records. Numbers of changes and ETags continue, so that no old token or ETag can match."""
        change, etag = self._last_change, self._last_etag
        self._tables()
        self._last_change, self._last_etag = change, etag
        self._change = itertools.count(change + 1)
        self._ledger.rewrite(())

    def save(self, table: str, key: str, row: Row) -> None:
        """Store a record under its key."""
        self._keyed()[table][0][key] = row
        self._ledger.write(table, key, row)

    def remove(self, table: str, key: str) -> None:
        """Remove a record."""
        self._keyed()[table][0].pop(key, None)
        if table == "calendar":
            self.events.pop(key, None)
        self._ledger.write(table, key, None)

    def save_event(self, calendar: str, event: records.Event) -> None:
        """Store an event of a calendar."""
        self.events.setdefault(calendar, EventTable()).put(event)
        self._ledger.write("event", f"{calendar} {event.uid}", event)

    def drop_event(self, calendar: str, uid: int) -> None:
        """Remove an event without a tombstone, in the ledger too."""
        self.events[calendar].drop(uid)
        self._ledger.write("event", f"{calendar} {uid}", None)

    def events_of(self, calendar: str) -> EventTable:
        """A calendar's events."""
        return self.events.setdefault(calendar, EventTable())

    def next_change(self) -> int:
        """The number of this change; sync tokens hold such numbers."""
        self._last_change = next(self._change)
        return self._last_change

    def last_change(self) -> int:
        """The number of the newest change."""
        return self._last_change

    def next_etag(self, now: float) -> str:
        """A new ETag: a quoted number that no resource has had."""
        self._last_etag = max(self._last_etag + 2, int(now * 1_000_000) * 2)
        return f'"{self._last_etag}"'

    def tokens_of(self, account: str, project: str) -> Iterable[tuple[str, records.Token]]:
        """Every token of the account and project, with its table."""
        for table, rows in (("refresh", self.refresh_tokens), ("access", self.access_tokens)):
            for token in list(rows.values()):
                if token.account == account and token.project == project:
                    yield table, token
