"""Public client libraries, each in its ordinary use: the local Google must look like Google to them."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import googleapiclient.discovery
import googleapiclient.errors
import googleapiclient.http
import pytest
from aiogoogle import Aiogoogle, GoogleAPI
from aiogoogle.excs import HTTPError
from gcal_sync.api import GoogleCalendarService, ListEventsRequest
from gcal_sync.auth import AbstractAuth
from gcal_sync.exceptions import ApiForbiddenException, AuthException
from gcal_sync.model import DateOrDatetime
from gcal_sync.model import Event as SyncedEvent
from gcal_sync.store import InMemoryCalendarStore
from gcal_sync.sync import CalendarEventSyncManager
from gcsa.calendar import Calendar
from gcsa.event import Event
from gcsa.google_calendar import GoogleCalendar
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow

from local_google.discovery import document
from tests.local_google.app import APP, ONE, VERIFIER, App, challenge
from tests.local_google.facts import fact
from tests.local_google.http_api import FULL
from tests.support.local_google import LocalGoogle

NODE = Path(__file__).parent / "node"
START = datetime(2030, 5, 6, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = {"dateTime": "2030-06-01T10:00:00Z"}


def body(summary: str = "one", **more: Any) -> dict[str, Any]:
    times = {"start": {"dateTime": START.isoformat()}, "end": {"dateTime": (START + HOUR).isoformat()}}
    return {"summary": summary} | times | more


@pytest.fixture
def credentials(app: App, google: LocalGoogle) -> Credentials:
    tokens = app.connect()
    return Credentials(
        tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        token_uri=google.token_uri,
        client_id=APP.client_id,
        client_secret=APP.client_secret,
    )


@pytest.fixture
def service(google: LocalGoogle, credentials: Credentials) -> Any:
    options = {"api_endpoint": google.api_endpoint}
    with googleapiclient.discovery.build(
        "calendar", "v3", credentials=credentials, client_options=options, cache_discovery=False
    ) as client:
        yield client


def test_flow_connects_with_its_own_verifier(google: LocalGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    web = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    web |= {"auth_uri": google.auth_uri, "token_uri": google.token_uri}
    flow = Flow.from_client_config({"web": web}, [FULL], redirect_uri=APP.redirect_uris[0])
    url, state = flow.authorization_url(prompt="consent")
    flow.fetch_token(authorization_response=google.consent(url))
    flow.oauth2session.close()
    credentials = flow.credentials
    assert (credentials.granted_scopes, credentials.refresh_token[:3]) == ([FULL], "1//")
    assert state


def test_google_auth_refreshes_and_knows_a_dead_grant(app: App, credentials: Credentials) -> None:
    before = credentials.token
    with_session = Request()
    credentials.refresh(with_session)
    assert credentials.token != before
    app.revoke(credentials.refresh_token)
    with pytest.raises(RefreshError) as caught:
        credentials.refresh(with_session)
    with_session.session.close()
    assert caught.value.args[1]["error"] == "invalid_grant"
    assert not caught.value.retryable


def test_googles_python_client_does_its_daily_work(service: Any) -> None:
    calendar = service.calendars().insert(body={"summary": "Python"}).execute()["id"]
    events = service.events()
    event = events.insert(calendarId=calendar, body=body(id="abcde")).execute()
    assert events.get(calendarId=calendar, eventId="abcde").execute() == event
    assert (
        events.patch(calendarId=calendar, eventId="abcde", body={"summary": "two"}).execute()["summary"]
        == "two"
    )
    change = events.update(calendarId=calendar, eventId="abcde", body=body("three"))
    change.headers["If-Match"] = event["etag"]
    with pytest.raises(googleapiclient.errors.HttpError) as caught:
        change.execute()
    assert caught.value.status_code == 412
    for number in range(4):
        events.insert(calendarId=calendar, body=body(f"n{number}")).execute()
    request, seen = events.list(calendarId=calendar, maxResults=2), []
    while request is not None:
        page = request.execute()
        seen += [event["summary"] for event in page["items"]]
        request = events.list_next(request, page)
    assert seen == ["two", "n0", "n1", "n2", "n3"]
    assert events.delete(calendarId=calendar, eventId="abcde").execute() == ""
    with pytest.raises(googleapiclient.errors.HttpError, match="Resource has been deleted"):
        events.delete(calendarId=calendar, eventId="abcde").execute()


def test_googles_python_client_batches(service: Any, google: LocalGoogle) -> None:
    calendar = service.calendars().insert(body={"summary": "Batch"}).execute()["id"]
    answers: dict[str, Any] = {}

    def collect(name: str, answer: Any, error: Any) -> None:
        answers[name] = error.status_code if error else answer["summary"]

    batch = googleapiclient.http.BatchHttpRequest(callback=collect, batch_uri=google.batch_uri)
    batch.add(service.events().insert(calendarId=calendar, body=body("a", id="abcde")), request_id="a")
    batch.add(service.events().insert(calendarId=calendar, body=body("b", id="abcde")), request_id="b")
    batch.add(service.calendars().get(calendarId=calendar), request_id="c")
    batch.execute(http=service._http)
    assert answers == {"a": "a", "b": 409, "c": "Batch"}


@fact("P", "The Python client sends a GET of more than 2048 characters as a POST with an override and a form")
def test_googles_python_client_asks_long_questions(service: Any, google: LocalGoogle) -> None:
    events = service.events()
    events.insert(calendarId="primary", body=body("word")).execute()
    listed = events.list(calendarId="primary", q="word " * 500).execute()["items"]
    assert [event["summary"] for event in listed] == ["word"]
    asking = google.journal()[-1]
    assert (asking["method"], asking["api_method"]) == ("POST", "calendar.events.list")


def test_googles_python_client_refreshes_after_a_401(
    service: Any, google: LocalGoogle, credentials: Credentials
) -> None:
    google.fault("/calendar/v3/*", {"status": 401, "reason": "authError"}, times=1)
    before = credentials.token
    assert service.calendars().get(calendarId="primary").execute()["id"] == ONE
    assert credentials.token != before


def test_googles_python_client_tries_again_when_told(service: Any, google: LocalGoogle) -> None:
    google.fault("/calendar/v3/*", {"status": 403, "reason": "rateLimitExceeded"}, times=1)
    request = service.calendars().get(calendarId="primary")
    request._sleep = lambda _seconds: None
    assert request.execute(num_retries=1)["id"] == ONE
    google.fault("/calendar/v3/*", {"status": 403, "reason": "forbidden"}, times=1)
    with pytest.raises(googleapiclient.errors.HttpError):
        service.calendars().get(calendarId="primary").execute(num_retries=1)


def test_gcsa_does_its_daily_work(service: Any, credentials: Credentials) -> None:
    gcsa = GoogleCalendar(credentials=credentials)
    gcsa.service.close()
    gcsa.service = service
    calendar = gcsa.add_calendar(Calendar("gcsa", timezone="America/Santiago")).calendar_id
    event = gcsa.add_event(Event("one", start=START, event_id="abcde"), calendar_id=calendar)
    assert (event.event_id, event.timezone) == ("abcde", "America/Santiago")
    event.summary = "two"
    assert gcsa.update_event(event, calendar_id=calendar).summary == "two"
    for number in range(3):
        gcsa.add_event(Event(f"n{number}", start=START + number * HOUR), calendar_id=calendar)
    listed = gcsa.get_events(
        START - HOUR, START + 5 * HOUR, calendar_id=calendar, order_by="startTime", single_events=True
    )
    assert [event.summary for event in listed] == ["two", "n0", "n1", "n2"]
    gcsa.delete_event(event, calendar_id=calendar)
    with pytest.raises(googleapiclient.errors.HttpError):
        gcsa.delete_event(event, calendar_id=calendar)
    assert calendar in [entry.calendar_id for entry in gcsa.get_calendar_list()]
    assert gcsa.get_settings().timezone == "America/Santiago"


def in_a_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run in a thread of its own: the main thread may hold the loop of a browser's driver."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work())).result()


class BearerAuth(AbstractAuth):
    """What gcal_sync asks its users to write."""

    def __init__(self, session: aiohttp.ClientSession, host: str, token: str) -> None:
        super().__init__(session, host)
        self._token = token

    async def async_get_access_token(self) -> str:
        return self._token


def with_gcal_sync(
    google: LocalGoogle, token: str, work: Callable[[GoogleCalendarService], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            host = google.api_endpoint.rstrip("/").replace("localhost", "127.0.0.1")
            await work(GoogleCalendarService(BearerAuth(session, host, token)))

    in_a_loop(run)


def test_gcal_sync_does_its_daily_work(app: App, google: LocalGoogle, api: Any, calendar: str) -> None:
    for _ in range(1000):  # its pages hold a thousand
        api.insert(calendar, {"summary": "later", "start": LATER, "end": LATER})

    async def work(api: GoogleCalendarService) -> None:
        for number in range(3):
            start = DateOrDatetime(date_time=START + number * HOUR)
            end = DateOrDatetime(date_time=START + (number + 1) * HOUR)
            await api.async_create_event(calendar, SyncedEvent(summary=f"n{number}", start=start, end=end))
        request = ListEventsRequest(calendar_id=calendar, start_time=START)
        events = [event async for page in await api.async_list_events(request) for event in page.items]
        assert len(events) == 1003
        event_id = next(event.id or "" for event in events if event.summary == "n0")
        await api.async_patch_event(calendar, event_id, {"summary": "changed"})
        assert (await api.async_get_event(calendar, event_id)).summary == "changed"
        await api.async_delete_event(calendar, event_id)
        assert (await api.async_get_event(calendar, event_id)).status == "cancelled"
        listed = await api.async_list_calendars()
        assert calendar in [entry.id for entry in listed.items]

    with_gcal_sync(google, app.connect()["access_token"], work)


def test_gcal_sync_follows_changes_and_starts_anew_after_410(
    app: App, google: LocalGoogle, api: Any, calendar: str
) -> None:
    api.insert(calendar, {"id": "abcde", "summary": "first"})

    async def work(service: GoogleCalendarService) -> None:
        manager = CalendarEventSyncManager(service, calendar, InMemoryCalendarStore())
        await manager.run()
        api.insert(calendar, {"id": "fghij", "summary": "second"})
        api.delete(calendar, "abcde")
        await manager.run()
        timeline = await manager.store_service.async_get_timeline()
        assert [event.summary for event in timeline] == ["second"]
        google.fault("/calendar/v3/*", {"status": 410, "reason": "fullSyncRequired"}, times=1)
        await manager.run()
        assert [e.summary for e in await manager.store_service.async_get_timeline()] == ["second"]

    with_gcal_sync(google, app.connect()["access_token"], work)


def test_gcal_sync_tells_refusals_apart(app: App, google: LocalGoogle) -> None:
    async def unknown(api: GoogleCalendarService) -> None:
        with pytest.raises(AuthException):
            await api.async_list_calendars()

    async def narrow(api: GoogleCalendarService) -> None:
        with pytest.raises(ApiForbiddenException):
            await api.async_list_calendars()

    with_gcal_sync(google, "ya29.unknown", unknown)
    scope = "https://www.googleapis.com/auth/calendar.events"
    with_gcal_sync(google, app.connect(scope=scope)["access_token"], narrow)


def test_aiogoogle_does_its_daily_work(app: App, google: LocalGoogle) -> None:
    local = json.loads(json.dumps(document())) | {
        "rootUrl": f"{google.url}/",
        "baseUrl": google.api_endpoint,
    }
    api, tokens = GoogleAPI(local), app.connect()

    async def work() -> None:
        creds = {"access_token": tokens["access_token"], "expires_at": "2999-01-01T00:00:00"}
        async with Aiogoogle(user_creds=creds) as aio:
            calendar = (await aio.as_user(api.calendars.insert(json={"summary": "aio"})))["id"]
            await aio.as_user(api.events.insert(calendarId=calendar, json=body(id="abcde")))
            change = api.events.patch(calendarId=calendar, eventId="abcde", json={"summary": "two"})
            assert (await aio.as_user(change))["summary"] == "two"
            read = api.events.get(calendarId=calendar, eventId="abcde")
            assert (await aio.as_user(read))["summary"] == "two"
            for number in range(3):
                await aio.as_user(api.events.insert(calendarId=calendar, json=body(f"n{number}")))
            pages = await aio.as_user(api.events.list(calendarId=calendar, maxResults=2), full_res=True)
            seen = [event["summary"] async for page in pages for event in page["items"]]
            assert seen == ["two", "n0", "n1", "n2"]
            await aio.as_user(api.events.delete(calendarId=calendar, eventId="abcde"))
            with pytest.raises(HTTPError) as caught:
                await aio.as_user(api.events.delete(calendarId=calendar, eventId="abcde"))
            assert caught.value.res.status_code == 410

    in_a_loop(work)


def test_googles_node_client_does_its_daily_work(app: App, google: LocalGoogle) -> None:
    if not (NODE / "node_modules").is_dir():
        pytest.fail("Google's Node client is not installed: npm ci --prefix tests/local_google/node")
    given = {
        "url": google.url,
        "clientId": APP.client_id,
        "clientSecret": APP.client_secret,
        "redirectUri": APP.redirect_uris[0],
        "code": app.code(**challenge(), scope=f"openid email {FULL}"),
        "verifier": VERIFIER,
    }
    command = ["node", str(NODE / "witness.mjs"), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["seen"]) == 5


@fact("P", "401 from the API: the Python client refreshes twice and makes three identical calls")
def test_googles_python_client_gives_up_after_three_calls(service: Any, google: LocalGoogle) -> None:
    google.fault("/calendar/v3/*", {"status": 401, "reason": "authError"})
    with pytest.raises(googleapiclient.errors.HttpError):
        service.calendars().get(calendarId="primary").execute()
    calls = [call["api_method"] for call in google.journal() if call["status"] in (200, 401)][-5:]
    assert (calls.count("calendar.calendars.get"), calls.count("oauth2.token")) == (3, 2)


@fact(
    "P",
    "httplib2 sends a POST again when the connection ends without an answer: two calendars from one insert",
)
def test_googles_python_client_doubles_an_insert_whose_answer_was_cut(
    service: Any, google: LocalGoogle
) -> None:
    google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, {"cut": "after_commit"}, times=1)
    service.calendars().insert(body={"summary": "Once?"}).execute()
    calendars = [c for c in google.state()["calendars"] if c["summary"] == "Once?"]
    assert len(calendars) == 2


@fact(
    "P", "DELETE gives the Python client an empty string; unknown body fields pass it, unknown enums do not"
)
def test_googles_python_client_checks_the_query_only(service: Any) -> None:
    events = service.events()
    event = events.insert(calendarId="primary", body=body(nonsense=1)).execute()
    assert events.delete(calendarId="primary", eventId=event["id"]).execute() == ""
    with pytest.raises(TypeError):
        events.insert(calendarId="primary", body=body(), sendUpdates="some")


@fact(
    "P", "A Warning 'Scope has changed' leaves oauthlib after the code is spent when more or less was granted"
)
@pytest.mark.parametrize("switch", ["less", "more"])
def test_flow_raises_a_warning_for_another_scope(
    google: LocalGoogle, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    google.switch(granted_scope=switch)
    web = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    web |= {"auth_uri": google.auth_uri, "token_uri": google.token_uri}
    flow = Flow.from_client_config({"web": web}, [FULL], redirect_uri=APP.redirect_uris[0])
    callback = google.consent(flow.authorization_url(prompt="consent")[0])
    with pytest.raises(Warning, match="Scope has changed"):
        flow.fetch_token(authorization_response=callback)
    flow.oauth2session.close()


@fact("P", "google-auth: 503 is tried three times, a page of 502 once; neither proves a grant dead")
@pytest.mark.parametrize(
    ("do", "calls"), [({"status": 503, "reason": "backend_error"}, 3), ({"html": 502}, 1)]
)
def test_google_auth_tells_trouble_from_death(
    google: LocalGoogle,
    credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    do: dict[str, Any],
    calls: int,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    google.fault("/token", do)
    before = len(google.journal())
    session = Request()
    with pytest.raises(RefreshError):
        credentials.refresh(session)
    session.session.close()
    assert len(google.journal()) - before == calls
