"""What is known of an agent's sessions, and of one event's times as Google has them now (ST-4)."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import EventMissing, NotFound
from calendar_service.domain.names import Agent
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.paging import LOOKED_AT, PAGE, read_cursor, unknown_cursor, write_cursor
from calendar_service.domain.session import Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.decide import view
from calendar_service.journeys.sessions.event_writer import EventWriter
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import SessionView
from calendar_service.store.sessions import ALL_DAYS, DayRange, Position, Sessions
from calendar_service.store.slots import Slots


@dataclass(frozen=True)
class SessionReader:
    """Reads sessions for the backend; changes none."""

    sessions: Sessions
    slots: Slots
    access: Access
    event_writer: EventWriter
    throttle: Throttle
    terms: ConsentTerms

    def get(self, agent: Agent, session: str, *, read_google: bool) -> SessionView:
        """Return the session's status; with `read_google` also times and link of its event as they are there now.

        The event's id is the only identifier of Google's in it. A link of Google's contains the calendar's id.
        Raises `Busy` if Google may not be asked now.
        """
        loaded = self.sessions.load(agent, session)
        if loaded.record is None:
            raise NotFound("No such session.")
        known = view(loaded.facts, loaded.record, "read")
        facts = loaded.facts
        if not (
            read_google and loaded.record.copy.exists and facts.usable(self.terms) and facts.calendar.since
        ):
            return known
        grant = self.access.open(loaded)
        calendar_id, event_id = loaded.facts.calendar.id, loaded.record.copy.id
        try:
            with self.throttle.inline_read(agent.organization, facts.account.ref):
                event = self.access.in_calendar(
                    agent, facts, grant, lambda token: self.event_writer.read(token, calendar_id, event_id)
                )
        except EventMissing:
            return replace(known, in_google="missing")
        if event.status == "cancelled":
            return replace(known, in_google="cancelled")
        if not event.stands:
            return replace(known, in_google="missing")  # a person moved it to another calendar
        start, end = instant(event.start), instant(event.end)
        stands = replace(known, start=start, end=end, html_link=event.html_link or "")
        return replace(stands, in_google="tentative" if event.status == "tentative" else "confirmed")

    def listed(
        self,
        agent: Agent,
        status: Status | None,
        cursor: str,
        *,
        days: DayRange = ALL_DAYS,
        limit: int = PAGE,
    ) -> tuple[tuple[SessionView, ...], str]:
        """Return up to `limit` sessions that end on these days, and the next cursor (empty at the end).

        They come by the day of their end, then by name. With `status` a page may have fewer, though there is a cursor.
        """
        position = _position(cursor)
        facts = self.slots.read(agent).facts
        views: list[SessionView] = []
        # Most of what is read with a status may be of another one: a short page must not read it one by one.
        count = PAGE if status else limit
        for _ in range(0, LOOKED_AT, count):
            records, position = self.sessions.listed(agent, days, position, count)
            for number, record in enumerate(records, 1):
                if status is None or record.status is status:
                    views.append(view(facts, record, "read"))
                if len(views) == limit:
                    is_last = position is None and number == len(records)
                    return tuple(views), "" if is_last else _cursor(Position(record.end_day, record.session))
            if position is None:
                return tuple(views), ""
        return tuple(views), _cursor(position) if position else ""


def _cursor(position: Position) -> str:
    return write_cursor(f"{position.day}:{position.name}")


def _position(cursor: str) -> Position | None:
    if not cursor:
        return None
    day, colon, session = read_cursor(cursor).partition(":")
    number = whole_number(day, ALL_DAYS.last)
    if not colon or number is None:
        raise unknown_cursor()
    return Position(number, session)


def instant(at: datetime | date | None) -> Millis:
    """Return an event's time; an all-day event has a date, read as its first moment in UTC."""
    if at is None:
        return 0
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return int(moment.timestamp() * SECOND)
