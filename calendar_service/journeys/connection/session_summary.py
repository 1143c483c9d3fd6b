"""An agent's sessions as the agent's own page and export show them: counted, and what waits with its content."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Content, Record, Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.views import SessionsView, UnappliedSession
from calendar_service.store import keys
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import ALL_DAYS, DayRange, Sessions
from calendar_service.store.slots import Slot

SHOWN = 50
"""How many sessions that are not applied stand on one page."""
_COUNTED = 1_000
"""How many sessions are counted for a page, of those to come and of those that are over."""
_UNAPPLIED = frozenset({Status.PENDING, Status.WAITING, Status.FAILED})


@dataclass(frozen=True)
class SessionSummaries:
    """Reads the records of an agent's sessions, and opens the content that waits."""

    sessions: Sessions
    access: Access
    clock: Clock

    def of(self, slot: Slot, page: int = 1) -> SessionsView:
        """Return the summary of this agent's sessions, with one page of those that are not applied.

        What is read does not grow with the agent's sessions: of those to come the next ones are counted, of those that
        are over the last ones.
        """
        today = self.clock.now() // DAY
        past, has_earlier = self.sessions.newest_before(slot.agent, today, _COUNTED)
        coming, later = self.sessions.listed(slot.agent, DayRange(today, ALL_DAYS.last), None, _COUNTED)
        unapplied = [record for record in (*past, *coming) if record.status in _UNAPPLIED]
        failed = sum(record.status is Status.FAILED for record in unapplied)
        by_status = Counter(record.status for record in coming)
        reasons = Counter(record.reason for record in coming)
        shown = unapplied[(page - 1) * SHOWN : page * SHOWN]
        return SessionsView(
            scheduled=by_status[Status.SCHEDULED],
            changed_in_google=reasons[CHANGED_IN_GOOGLE],
            deleted_in_google=reasons[DELETED_IN_GOOGLE],
            lost=by_status[Status.LOST] - reasons[DELETED_IN_GOOGLE],
            underway=len(unapplied) - failed,
            failed=failed,
            unapplied=self._shown(slot, shown),
            page=page,
            has_more=page * SHOWN < len(unapplied),
            counted_at_most=_COUNTED if has_earlier or later else 0,
        )

    def contents(self, slot: Slot, names: Sequence[str]) -> dict[str, Content]:
        """Return the content of these sessions that waits for Google, by name, as far as it can be opened."""
        grant = self._open(slot)
        opened = {
            name: _readable(grant, name, sealed) if sealed else None
            for name, sealed in self.sessions.waiting(slot.agent, names).items()
        }
        return {name: content for name, content in opened.items() if content}

    def _shown(self, slot: Slot, records: Sequence[Record]) -> tuple[UnappliedSession, ...]:
        contents = self.contents(slot, [record.session for record in records])
        return tuple(_unapplied(record, contents.get(record.session)) for record in records)

    def _open(self, slot: Slot) -> Grant | None:
        if not slot.grant:
            return None
        try:
            return self.access.open(slot)
        except RecordUnreadable:
            return None


def _unapplied(record: Record, content: Content | None) -> UnappliedSession:
    return UnappliedSession(
        record.session,
        record.status,
        record.reason,
        content.title if content else "",
        content.start if content else 0,
        content.time_zone if content else "",
        record.end_day * DAY,
        _waits_until(record, content),
    )


def _waits_until(record: Record, content: Content | None) -> Millis:
    until = record.waiting_since + keys.WAITING_MAX if record.waiting_since else 0
    return until if content and until < content.start else 0


def _readable(grant: Grant | None, session: str, sealed: str) -> Content | None:
    if grant is None:
        return None
    try:
        return grant.open_content(session, sealed)
    except RecordUnreadable:
        return None
