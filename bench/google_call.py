"""Processor time of one call at Google (insert, patch): our client, bare `http.client`, and other clients.

Each client is a process of its own with one calendar, and calls the local Google one call after the other. They take
turns within each round; the figures are the median of the rounds, least and most in brackets. The time is that of the
whole process, user and system, and nothing is subtracted. At the end all events are looked up at Google.

  bare             `http.client` on a kept connection, `json`
  service          `calendar_service.google`, which keeps googleapiclient's resource and has a socket of its own
  kept client      googleapiclient with credentials, as `build()` returns it, and its resource kept
  resource a call  the same client, `service.events()` for each call
  build() a call   what the guides show: a client for each call
  gcsa, gcal_sync, aiogoogle   in their ordinary use; gcsa's patch is an update, gcal_sync's reads no answer
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from chart import Bar, chart, write  # noqa: E402
from driver import Spread, machine, progress  # noqa: E402

from local_google.state.clients import RegisteredClient  # noqa: E402
from tests.local_google.app import App  # noqa: E402
from tests.local_google.http_api import GoogleApi  # noqa: E402
from tests.support.local_google import LocalGoogle  # noqa: E402

INSERT, PATCH = "insert", "patch"
START = datetime(2031, 5, 3, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOVED = timedelta(minutes=5)
TEXT = "What was agreed. " * 6
Call = Callable[[str, str, int], None]
"""Makes one call of a kind on the event of this id and number."""


def body(number: int, kind: str) -> dict[str, Any]:
    """Return the event before or after it is moved."""
    start = START + timedelta(hours=number) + (MOVED if kind == PATCH else timedelta())
    return {
        "summary": f"Session {number}",
        "description": TEXT,
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": (start + HOUR).isoformat(), "timeZone": "UTC"},
    }


def event_id(number: int) -> str:
    """Return an event's id; decimal digits are base32hex ones."""
    return f"session{number:08}"


# --- the clients; each runs in a process of its own and loads its own libraries only ---


def bare(endpoint: str, token: str, calendar: str) -> Call:
    """`http.client` on a kept connection."""
    google = urlsplit(endpoint)
    connection = http.client.HTTPConnection(google.netloc, timeout=30)
    events = f"{google.path}calendars/{quote(calendar)}/events"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(kind: str, event: str, number: int) -> None:
        content = body(number, kind)
        if kind == INSERT:
            connection.request("POST", events, json.dumps({"id": event} | content).encode(), headers)
        else:
            connection.request("PATCH", f"{events}/{event}", json.dumps(content).encode(), headers)
        answer = connection.getresponse()
        json.loads(answer.read())

    return call


def service(endpoint: str, token: str, calendar: str) -> Call:
    """The service's own client."""
    from calendar_service.domain.secret import Secret  # noqa: PLC0415
    from calendar_service.google.calendar import CalendarApi  # noqa: PLC0415
    from calendar_service.google.transport import Transport  # noqa: PLC0415

    api, secret, etags = CalendarApi(Transport(), endpoint), Secret(token), dict[str, str]()

    def call(kind: str, event: str, number: int) -> None:
        if kind == INSERT:
            answer = api.insert(secret, calendar, {"id": event} | body(number, kind))
        else:
            answer = api.patch(secret, calendar, event, body(number, kind), etag=etags[event])
        etags[event] = answer.etag

    return call


def _built(endpoint: str, token: str) -> Any:
    from google.oauth2.credentials import Credentials  # noqa: PLC0415
    from googleapiclient.discovery import build  # noqa: PLC0415

    return build("calendar", "v3", credentials=Credentials(token), client_options={"api_endpoint": endpoint})


def _execute(events: Any, calendar: str, kind: str, event: str, number: int) -> None:
    if kind == INSERT:
        events.insert(calendarId=calendar, body={"id": event} | body(number, kind)).execute()
    else:
        events.patch(calendarId=calendar, eventId=event, body=body(number, kind)).execute()


def kept_client(endpoint: str, token: str, calendar: str) -> Call:
    """Google's client, built once."""
    events = _built(endpoint, token).events()
    return lambda kind, event, number: _execute(events, calendar, kind, event, number)


def resource_a_call(endpoint: str, token: str, calendar: str) -> Call:
    """Google's client, built once, with a new resource for each call."""
    client = _built(endpoint, token)
    return lambda kind, event, number: _execute(client.events(), calendar, kind, event, number)


def build_a_call(endpoint: str, token: str, calendar: str) -> Call:
    """Google's client, built for each call."""

    def call(kind: str, event: str, number: int) -> None:
        with _built(endpoint, token) as client:
            _execute(client.events(), calendar, kind, event, number)

    return call


def gcsa(endpoint: str, token: str, calendar: str) -> Call:
    """The library gcsa over Google's client."""
    from gcsa.event import Event  # noqa: PLC0415
    from gcsa.google_calendar import GoogleCalendar  # noqa: PLC0415
    from google.oauth2.credentials import Credentials  # noqa: PLC0415

    google = GoogleCalendar(credentials=Credentials(token))
    google.service = _built(endpoint, token)

    def call(kind: str, event: str, number: int) -> None:
        start = START + timedelta(hours=number) + (MOVED if kind == PATCH else timedelta())
        change = Event(
            f"Session {number}",
            start=start,
            end=start + HOUR,
            timezone="UTC",
            description=TEXT,
            event_id=event,
        )
        if kind == INSERT:
            google.add_event(change, calendar_id=calendar)
        else:
            google.update_event(change, calendar_id=calendar)

    return call


def gcal_sync(endpoint: str, token: str, calendar: str) -> Call:
    """The library of Home Assistant."""
    import aiohttp  # noqa: PLC0415
    from gcal_sync.api import GoogleCalendarService  # noqa: PLC0415
    from gcal_sync.auth import AbstractAuth  # noqa: PLC0415
    from gcal_sync.model import DateOrDatetime, Event  # noqa: PLC0415

    class BearerAuth(AbstractAuth):
        async def async_get_access_token(self) -> str:
            return token

    loop = asyncio.new_event_loop()

    async def begun() -> GoogleCalendarService:
        host = endpoint.rstrip("/").replace("localhost", "127.0.0.1")
        return GoogleCalendarService(BearerAuth(aiohttp.ClientSession(), host))

    api = loop.run_until_complete(begun())

    def call(kind: str, event: str, number: int) -> None:
        start = START + timedelta(hours=number)
        work: Coroutine[Any, Any, None]
        if kind == INSERT:
            times = {"start": DateOrDatetime(date_time=start), "end": DateOrDatetime(date_time=start + HOUR)}
            session = Event(id=event, summary=f"Session {number}", description=TEXT, **times)
            work = api.async_create_event(calendar, session)
        else:
            work = api.async_patch_event(calendar, event, body(number, kind))
        loop.run_until_complete(work)

    return call


def aiogoogle(endpoint: str, token: str, calendar: str) -> Call:
    """The asynchronous client aiogoogle."""
    from aiogoogle import Aiogoogle, GoogleAPI  # noqa: PLC0415
    from googleapiclient.discovery_cache import get_static_doc  # noqa: PLC0415

    root = endpoint.removesuffix("calendar/v3/")
    api = GoogleAPI(json.loads(get_static_doc("calendar", "v3")) | {"rootUrl": root, "baseUrl": endpoint})
    google = Aiogoogle(user_creds={"access_token": token, "expires_at": "2999-01-01T00:00:00"})
    loop, context = asyncio.new_event_loop(), copy_context()

    def wait(work: Coroutine[Any, Any, Any]) -> None:  # in one context, in which it keeps its connections
        loop.run_until_complete(loop.create_task(work, context=context))

    wait(google.__aenter__())

    def call(kind: str, event: str, number: int) -> None:
        if kind == INSERT:
            request = api.events.insert(calendarId=calendar, json={"id": event} | body(number, kind))
        else:
            request = api.events.patch(calendarId=calendar, eventId=event, json=body(number, kind))
        wait(google.as_user(request))

    return call


CLIENTS: dict[str, Callable[[str, str, str], Call]] = {
    "bare": bare,
    "service": service,
    "kept client": kept_client,
    "resource a call": resource_a_call,
    "build() a call": build_a_call,
    "gcsa": gcsa,
    "gcal_sync": gcal_sync,
    "aiogoogle": aiogoogle,
}


def run(name: str, endpoint: str, token: str, calendar: str, orders: Connection) -> None:
    """Carry out orders (kind, first number, count) until there is none; answer each with seconds of processor time."""
    call = CLIENTS[name](endpoint, token, calendar)
    while order := orders.recv():
        kind, first, count = order
        began = time.process_time()
        for number in range(first, first + count):
            call(kind, event_id(number), number)
        orders.send(time.process_time() - began)
    os._exit(0)  # otherwise the asynchronous clients warn of the connections that they keep


# --- the measurement ---


@contextmanager
def clients(names: list[str]) -> Iterator[tuple[LocalGoogle, dict[str, Connection]]]:
    """Start a local Google and a process for each client."""
    apps = {
        name: RegisteredClient(f"{number}.apps.test", "secret", name, ("http://localhost:9/cb",), name)
        for number, name in enumerate(names)
    }
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        google = stack.enter_context(LocalGoogle.start(clients=[*apps.values()]))
        pipes = {}
        for name, app in apps.items():
            token = App(google, app).connect()["access_token"]
            api = GoogleApi(google.api_endpoint, token)
            calendar = api.new_calendar(summary=name)["id"]
            api.close()
            pipes[name], theirs = context.Pipe()
            process = context.Process(
                target=run, args=(name, google.api_endpoint, token, calendar, theirs), daemon=True
            )
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(pipes[name].send, None)
        yield google, pipes


def measured(names: list[str], rounds: int, count: int) -> dict[tuple[str, str], list[float]]:
    """Return the milliseconds of a call in each round, by client and kind."""
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    with clients(names) as (google, pipes):
        for turn in range(rounds + 1):  # the first one imports and connects, and is not counted
            progress(f"round {turn} of {rounds}" if turn else "starting, and a first round …")
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                for kind in (INSERT, PATCH):
                    pipes[name].send((kind, turn * count, count))
                    seconds = pipes[name].recv()
                    if turn:
                        figures[name, kind].append(seconds / count * 1000)
        check(google, names, (rounds + 1) * count)
    return figures


def check(google: LocalGoogle, names: list[str], count: int) -> None:
    """End with an error unless every client has moved so many events, with two calls each."""
    books = {book["summary"]: book["events"] for book in google.state()["calendars"]}
    calls = Counter(
        (one.get("client_id"), one["status"]) for one in google.whole_journal() if "/events" in one["path"]
    )
    for position, name in enumerate(names):
        wanted = {
            event_id(number): datetime.fromisoformat(body(number, PATCH)["start"]["dateTime"])
            for number in range(count)
        }
        held = {one["id"]: datetime.fromisoformat(one["start"]["dateTime"]) for one in books[name]}
        if held != wanted or calls[f"{position}.apps.test", 200] != 2 * count:
            raise SystemExit(
                f"{name}: {len(held)} events of {count}, or not all moved, or not by two calls each"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="(7)")
    parser.add_argument("--calls", type=int, default=100, help="of each kind, client and round (100)")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="write a picture of the inserts too (SVG)")
    parser.add_argument("--json", action="store_true", help="print an object instead of the table")
    options = parser.parse_args()
    if min(options.rounds, options.calls) < 1:
        parser.error("at least one round and one call")
    load, names = os.getloadavg()[0], [*CLIENTS]
    figures = measured(names, options.rounds, options.calls)
    loads = [load, os.getloadavg()[0]]

    def over_bare(name: str, kind: str) -> Spread:
        pairs = zip(figures[name, kind], figures["bare", kind], strict=True)
        return Spread.of([one / other for one, other in pairs])

    if options.chart:
        bars = [Bar(name, over_bare(name, INSERT), is_ours=name == "service") for name in names]
        write(
            options.chart,
            chart("Processor time of an insert at Google", "times the bare http.client's", [bars]),
        )
    if options.json:
        rows = [
            {
                "client": name,
                "call": kind,
                "ms": asdict(Spread.of(times)),
                "over_bare": asdict(over_bare(name, kind)),
            }
            for (name, kind), times in figures.items()
        ]
        print(json.dumps({"calls": rows, "machine": machine(), "load": loads}))
        return
    print("| client | insert, ms CPU | over bare | patch, ms CPU | over bare |")
    print("|---|---|---|---|---|")
    for name in names:
        cells = [
            f"{Spread.of(figures[name, kind]).text(3)} | {over_bare(name, kind).text(1)}"
            for kind in (INSERT, PATCH)
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\n{machine()}; load {loads[0]:.1f} at the beginning, {loads[1]:.1f} at the end.")


if __name__ == "__main__":
    main()
