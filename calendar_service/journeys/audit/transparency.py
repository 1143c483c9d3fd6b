"""The published checkpoints: the signed notes as they are, and day by day what they state (ST-5, LU-6). Writes nothing.

Anybody may read them, so the cost does not grow with the readers: a process reads the notes at most once in `FRESH`, in
one round trip.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from threading import Lock

from calendar_service.crypto.signed_note import VerifierKey
from calendar_service.domain.audit import ABSENT_AFTER
from calendar_service.domain.checkpoint import PATH, Checkpoint, Statement
from calendar_service.domain.clock import DAY, MINUTE, Clock, Millis
from calendar_service.domain.errors import NotFound
from calendar_service.journeys.views import DayState, PublishedDay, PublishedDays
from calendar_service.store.audit_chain import AuditChainStore

FRESH: Millis = MINUTE
"""How long a process serves what it has read; checkpoints are daily."""
NOTES_A_PAGE = 100
DAYS_A_PAGE = 90


@dataclass(frozen=True)
class _Published:
    """The notes as one reading found them. Damaged ones are left out, so their days are gaps."""

    read_at: Millis
    notes: tuple[str, ...]
    by_number: dict[int, tuple[str, Statement]]
    newest_page: bytes
    """The first page of the feed, which everybody asks for."""


class Transparency:
    """Publishes the checkpoints of one service."""

    def __init__(
        self,
        audit_chain: AuditChainStore,
        key: VerifierKey,
        clock: Clock,
        *,
        notes_a_page: int = NOTES_A_PAGE,
        days_a_page: int = DAYS_A_PAGE,
    ) -> None:
        """Take the key under which the notes verify, and how much a page holds."""
        self._notes_a_page, self._days_a_page = notes_a_page, days_a_page
        self._audit_chain, self._clock = audit_chain, clock
        self.verifier_key = str(key)
        self._published: _Published | None = None
        self._lock = Lock()  # so that many readers at once cause one reading

    def feed(self, before: int = 0) -> bytes:
        """Return a page of notes as JSON, the newest first: those with lower numbers than `before` (0: all)."""
        published = self._read()
        return self._page(published.by_number, before) if before else published.newest_page

    def note(self, number: int) -> str:
        """Return the note of this number; raise `NotFound` if there is none."""
        published = self._read().by_number.get(number)
        if published is None:
            raise NotFound("No checkpoint of this number is published.")
        return published[0]

    def days(self, before: Millis = 0) -> PublishedDays:
        """Return a page of days (UTC), the newest first: those before this one (0: all). Without a note it is a gap."""
        statements = [statement for _, statement in self._read().by_number.values()]
        by_day: dict[Millis, list[Statement]] = defaultdict(list)
        for statement in statements:
            by_day[statement.day].append(statement)
        now = self._clock.now()
        expected = self._expected_days(statements, now) if statements else range(0)
        days = sorted((day for day in {*by_day, *expected} if not before or day < before), reverse=True)
        shown = days[: self._days_a_page]
        rows = [row for day in shown for row in _rows(day, by_day[day])]
        return PublishedDays(
            tuple(rows), earlier=shown[-1] if len(days) > len(shown) else 0, is_newest=not before
        )

    @staticmethod
    def _expected_days(statements: list[Statement], now: Millis) -> range:
        """Return the days that need a checkpoint; today only once it is missing."""
        newest, today = max(statement.made_at for statement in statements), now - now % DAY
        end = today + DAY if now - newest > ABSENT_AFTER else today
        return range(min(statement.day for statement in statements), end, DAY)

    def _read(self) -> _Published:
        with self._lock:
            now, published = self._clock.now(), self._published
            # Either way: a clock that is put right may have read in the future.
            if published is None or abs(now - published.read_at) >= FRESH:
                notes = tuple(self._audit_chain.notes())
                published = self._published = self._of(notes, published, now)
            return published

    def _of(self, notes: tuple[str, ...], former: _Published | None, now: Millis) -> _Published:
        if former is not None and former.notes == notes:
            return _Published(now, notes, former.by_number, former.newest_page)
        read = [(note, Checkpoint(0, note, {}).statement) for note in notes]
        by_number = {statement.number: (note, statement) for note, statement in read if statement}
        return _Published(now, notes, by_number, self._page(by_number, 0))

    def _page(self, by_number: dict[int, tuple[str, Statement]], before: int) -> bytes:
        numbers = sorted((number for number in by_number if not before or number < before), reverse=True)
        shown = numbers[: self._notes_a_page]
        more = f"{PATH}/checkpoints?before={shown[-1]}" if len(numbers) > len(shown) else None
        page = {
            "verifier_key": self.verifier_key,
            "checkpoints": [by_number[number][0] for number in shown],
            "next": more,
        }
        return json.dumps(page, ensure_ascii=False, indent=1).encode() + b"\n"


def _rows(day: Millis, statements: list[Statement]) -> list[PublishedDay]:
    if not statements:
        return [PublishedDay(day, "gap", None)]
    newest_first = sorted(statements, key=lambda statement: -statement.number)
    return [PublishedDay(day, _state(statement), statement) for statement in newest_first]


def _state(statement: Statement) -> DayState:
    if statement.overdue:
        return "overdue"
    if statement.faults:
        return "changed"
    return "held" if statement.held else "ok"
