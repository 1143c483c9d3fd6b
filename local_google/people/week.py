"""The calendar page: a week of an account's calendars, in columns of days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from local_google.calendar.calendar_list import resource
from local_google.context import Context
from local_google.people.week_words import DAYS, day_with_name, days_of_week, long_date
from local_google.protocol.messages import Request, Response, first
from local_google.rendering.page import language, page
from local_google.state.records import Account, Calendar, Event
from local_google.zones import zone

DAY = 24 * 60
SHORTEST = 30
"""Minutes that a block takes at least, so that one line fits in."""
WORKING_HOURS = range(9, 17)
"""The hours that are shown of a week without events."""


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

    @property
    def short(self) -> bool:
        """Whether it has room for one line only."""
        return self.bottom - self.top <= SHORTEST


@dataclass(frozen=True)
class Band:
    """An hour of the grid, or several quiet ones folded into half a row; ``top`` and ``rows`` count rows."""

    first: int
    last: int
    top: float
    rows: float

    @property
    def folded(self) -> bool:
        """Whether it stands for several hours."""
        return self.last - self.first > 1


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
    unfolded = first(request.query, "hours") == "all"
    bands = _bands(set(range(24)) if unfolded else _busy(columns))
    shown: dict[int, Block] = {}
    for block in (block for column in columns for block in [*column.whole, *column.timed]):
        shown.setdefault(block.event.uid, block)
    return page(
        request,
        "week.html",
        account=account,
        accounts=[a for email in context.books.accounts if (a := context.known(email))],
        calendars=[(c, resource(entry, c) if entry else {}, n % 6) for n, (c, entry) in enumerate(entries)],
        columns=columns,
        deleted=[] if context.switches.trash_emptied else deleted,
        bands=bands,
        row=partial(_row, bands),
        shown=shown,
        unfolded=unfolded,
        link=partial(_link, account, unfolded=unfolded),
        monday=monday,
        long_date=partial(long_date, lang=language(request)),
        day_with_name=partial(day_with_name, lang=language(request)),
        title=days_of_week(monday, language(request)),
        previous=monday - timedelta(days=7),
        following=monday + timedelta(days=7),
        refused=first(request.query, "refused"),
    )


def _link(account: Account, week: date | None = None, *, unfolded: bool) -> str:
    """The address of a week, or of the present one."""
    wanted = {"account": account.email, "week": week, "hours": "all" if unfolded else None}
    return "/calendar?" + urlencode({name: value for name, value in wanted.items() if value is not None})


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
    return [Column(day, DAYS[lang][n], day == today) for n, day in enumerate(days)]


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
        highest = min(top, DAY - SHORTEST)
        block = Block(event, calendar, begins, ends, highest, max(bottom, highest + SHORTEST), tint)
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


def _busy(columns: Iterable[Column]) -> set[int]:
    """The hours in which an event lies, and one before and after."""
    blocks = [block for column in columns for block in column.timed]
    if not blocks:
        return set(WORKING_HOURS)
    return {hour for b in blocks for hour in range(b.top // 60 - 1, (b.bottom - 1) // 60 + 2)}


def _bands(visible: set[int]) -> list[Band]:
    """The hours of a day from top to bottom; two and more in a row that are not visible are one band."""
    bands: list[Band] = []
    hour, top = 0, 0.0
    while hour < 24:
        last = hour
        while last < 24 and last not in visible:
            last += 1
        last = max(last, hour + 1)
        rows = 0.5 if last - hour > 1 else 1
        bands.append(Band(hour, last, top, rows))
        hour, top = last, top + rows
    return bands


def _row(bands: Sequence[Band], minute: int) -> float:
    """Where a minute of the day lies, in rows from the top."""
    band = next(each for each in bands if minute <= each.last * 60)
    return band.top + (minute / 60 - band.first) * band.rows / (band.last - band.first)
