"""An agent's sessions as the agent's own page and export show them: counted, and what waits with its content."""

from collections import Counter
from dataclasses import dataclass

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Content, Record, Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.views import SessionsView, WaitingSession
from calendar_service.store import keys
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot


@dataclass(frozen=True)
class SessionSummaries:
    """Reads the records of an agent's sessions, and opens the content that waits."""

    sessions: Sessions
    access: Access
    clock: Clock

    def of(self, slot: Slot) -> SessionsView:
        """Return the summary of this agent's sessions."""
        records = self.sessions.all(slot.agent)
        today = self.clock.now() // DAY
        coming = Counter(record.status for record in records if record.end_day >= today)
        reasons = Counter(record.reason for record in records if record.end_day >= today)
        return SessionsView(
            scheduled=coming[Status.SCHEDULED],
            changed_in_google=reasons[CHANGED_IN_GOOGLE],
            deleted_in_google=reasons[DELETED_IN_GOOGLE],
            lost=coming[Status.LOST] - reasons[DELETED_IN_GOOGLE],
            waiting=self._waiting(slot, records),
        )

    def readable(self, slot: Slot) -> dict[str, Content]:
        """Return the content that waits for Google, by session, as far as it can be opened."""
        grant = self._open(slot)
        opened = {
            session: _readable(grant, session, sealed)
            for session, sealed in self.sessions.waiting(slot.agent).items()
        }
        return {session: content for session, content in opened.items() if content}

    def _waiting(self, slot: Slot, records: list[Record]) -> tuple[WaitingSession, ...]:
        contents = self.readable(slot)
        shown = []
        for record in records:
            if record.status not in {Status.PENDING, Status.WAITING, Status.FAILED}:
                continue
            content = contents.get(record.session)
            shown.append(
                WaitingSession(
                    record.session,
                    record.status,
                    record.reason,
                    content.title if content else "",
                    content.start if content else 0,
                    content.time_zone if content else "",
                    record.end_day * DAY,
                    _waits_until(record, content),
                )
            )
        return tuple(shown)

    def _open(self, slot: Slot) -> Grant | None:
        if not slot.grant:
            return None
        try:
            return self.access.open(slot)
        except RecordUnreadable:
            return None


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
