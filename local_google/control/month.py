"""A month of a contact centre, generated from a seed: accounts, a calendar each, and their sessions. No grants.

The same seed gives the same accounts and times; calendar ids and timestamps differ.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from local_google.calendar import calendars, events
from local_google.calendar.call import MethodCall
from local_google.context import Context
from local_google.discovery import methods
from local_google.state.records import Account, Token
from local_google.zones import zone

ZONES = ("America/Santiago", "America/Bogota", "America/Mexico_City", "America/Lima", "Europe/Madrid")
TITLES = ("Video session", "Identity check", "Claim review", "Signature", "Follow-up")
SCOPES = ["https://www.googleapis.com/auth/calendar"]


def fill(context: Context, agents: int, first_day: date, seed: int) -> Iterator[int]:
    """Create one agent after the other; yields the number of events of each."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for number in range(1, agents + 1):
        email = f"agent-{number:03}@contact-centre.example"
        account = Account(email, f"Agent {number:03}", chance.choice(ZONES))
        if context.known(email) is None:
            context.add_account(account)
        yield _month_of(context, account, first_day, chance)


def _call(context: Context, account: Account, method: str, calendar: str, body: dict[str, Any]) -> MethodCall:
    now = context.now()
    token = Token("", account.email, "", "month", SCOPES, now)
    return MethodCall(context, methods()[method], {"calendarId": calendar}, {}, {}, account, token, now, body)


def _month_of(context: Context, account: Account, first_day: date, chance: random.Random) -> int:
    body = {"summary": "Sessions", "timeZone": account.time_zone}
    calendar = calendars.insert(_call(context, account, "calendar.calendars.insert", "", body))["id"]
    count = 0
    for day in (first_day + timedelta(days=n) for n in range(28)):
        if day.weekday() == 6 or (day.weekday() == 5 and chance.random() < 0.8):
            continue
        for session in _day(day, account, chance):
            events.insert(_call(context, account, "calendar.events.insert", calendar, session))
            count += 1
    return count


def _day(day: date, account: Account, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Four to eight sessions of 15 to 45 minutes, one after the other, with pauses."""
    local = zone(account.time_zone)
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=local)
    for _ in range(chance.randint(4, 8)):
        moment += timedelta(minutes=chance.choice((0, 15, 30, 45)))
        end = moment + timedelta(minutes=chance.choice((15, 30, 45)))
        yield {
            "summary": chance.choice(TITLES),
            "visibility": "private",
            "start": {"dateTime": moment.isoformat(), "timeZone": account.time_zone},
            "end": {"dateTime": end.isoformat(), "timeZone": account.time_zone},
        }
        moment = end


def first_monday(context: Context) -> date:
    """The Monday of the present week."""
    today = datetime.fromtimestamp(context.now(), UTC).date()
    return today - timedelta(days=today.weekday())
