"""The calendar page: a week of an account's calendars, in columns of days."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from local_google.calendar.calendar_list import resource
from local_google.context import Context
from local_google.people.week_words import DAYS, long_date
from local_google.protocol.messages import Request, Response, first
from local_google.rendering.page import language, page
from local_google.state.records import Account, Calendar, Event
from local_google.zones import zone

DAY = 24 * 60


@dataclass
class Block:
    """One event on one day: from and to in minutes of that day, and its lane among those it overlaps."""

    event: Event
    calendar: Calendar
    begins: datetime
    ends: datetime
    top: int
    bottom: int
    tint: int
    lane: int = 0
    lanes: int = 1

    @property
    def whole_day(self) -> bool:
        """Whether it has a date and no time."""
        return "date" in self.event.resource["start"]


@dataclass
class Column:
    """One day."""

    day: date
    name: str
    today: bool
    whole: list[Block] = field(default_factory=list)
    timed: list[Block] = field(default_factory=list)


def week_page(context: Context, request: Request, account: Account) -> Response:
    """The page of the week in the query, or of the present week."""
    seen_in = zone(account.time_zone) or ZoneInfo("UTC")
    today = datetime.fromtimestamp(context.now(), seen_in).date()
    monday = _monday(first(request.query, "week"), today)
    mine = [c for c in context.books.calendars.values() if c.owner == account.email]
    columns = _columns(monday, today, language(request))
    deleted: list[Block] = []
    for tint, calendar in enumerate(mine):
        for event in context.books.events_of(calendar.id).by_uid.values():
            _place(columns, deleted, event, (calendar, tint % 6), seen_in)
    for column in columns:
        _lanes(column.timed)
    entries = [(c, context.books.entries.get(f"{account.email} {c.id}")) for c in mine]
    hours = _hours(columns)
    return page(
        request,
        "week.html",
        account=account,
        accounts=[a for email in context.books.accounts if (a := context.known(email))],
        calendars=[(c, resource(entry, c) if entry else {}, n % 6) for n, (c, entry) in enumerate(entries)],
        columns=columns,
        deleted=[] if context.switches.trash_emptied else deleted,
        hours=hours,
        monday=monday,
        long_date=partial(long_date, lang=language(request)),
        title=long_date(monday, language(request)),
        previous=monday - timedelta(days=7),
        following=monday + timedelta(days=7),
        refused=first(request.query, "refused"),
    )


def _monday(text: str | None, today: date) -> date:
    try:
        day = date.fromisoformat(text) if text else today
        if not 1970 <= day.year <= 9990:  # outside of these years a time zone could leave the range of dates
            day = today
        return day - timedelta(days=day.weekday())
    except (ValueError, OverflowError):
        return today - timedelta(days=today.weekday())


def _columns(monday: date, today: date, lang: str) -> list[Column]:
    days = [monday + timedelta(days=n) for n in range(7)]
    return [Column(day, f"{DAYS[lang][n]} {day.day}", day == today) for n, day in enumerate(days)]


def _place(
    columns: list[Column], deleted: list[Block], event: Event, whose: tuple[Calendar, int], seen_in: ZoneInfo
) -> None:
    calendar, tint = whose
    if event.is_stub:
        return
    begins = datetime.fromtimestamp(event.start, seen_in)
    ends = datetime.fromtimestamp(event.end, seen_in)
    whole = "date" in event.resource["start"]
    first_day, last_day = begins.date(), ends.date()
    if whole:
        first_day = date.fromisoformat(event.resource["start"]["date"])
        last_day = date.fromisoformat(event.resource["end"]["date"]) - timedelta(days=1)
    for column in columns:
        if not first_day <= column.day <= last_day:
            continue
        top = begins.hour * 60 + begins.minute if column.day == first_day else 0
        bottom = ends.hour * 60 + ends.minute if column.day == last_day else DAY
        block = Block(event, calendar, begins, ends, top, max(bottom, top + 30), tint)
        if event.cancelled:
            deleted.append(block)
            return
        if whole:
            column.whole.append(block)
        elif bottom > 0 or column.day == first_day:
            column.timed.append(block)


def _lanes(blocks: list[Block]) -> None:
    """Put overlapping blocks side by side."""
    blocks.sort(key=lambda block: (block.top, -block.bottom))
    group: list[Block] = []
    for block in blocks:
        if group and block.top >= max(other.bottom for other in group):
            _spread(group)
            group = []
        taken = {other.lane for other in group if other.bottom > block.top}
        block.lane = next(lane for lane in range(len(group) + 1) if lane not in taken)
        group.append(block)
    _spread(group)


def _spread(group: list[Block]) -> None:
    for block in group:
        block.lanes = max(other.lane for other in group) + 1


def _hours(columns: Iterable[Column]) -> tuple[int, int]:
    """First and last hour of the grid: 8 to 18, extended to the earliest and latest event."""
    blocks = [block for column in columns for block in column.timed]
    low = min([8 * 60, *(block.top for block in blocks)]) // 60
    high = -(-max([18 * 60, *(block.bottom for block in blocks)]) // 60)
    return low, min(high, 25)
