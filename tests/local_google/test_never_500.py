"""Generated requests: whatever is sent, the local Google never answers 500."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_google.application import Application
from local_google.discovery import document, methods
from local_google.oauth import grants
from local_google.protocol.messages import Request
from local_google.server import make_context
from local_google.state.clients import RegisteredClient
from tests.local_google.http_api import FULL, TIMES

ONE = "agent-one@example.com"
NAMES = sorted(
    {name for schema in ("Event", "EventDateTime", "Calendar", "Channel", "CalendarListEntry", "FreeBusyRequest")
     for name in document()["schemas"][schema]["properties"]}
)  # fmt: skip
QUERY = sorted({name for method in methods().values() for name in method.parameters})
SOME_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "2030-05-06T10:00:00Z",
            "2030-05-06",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "UTC",
            "true",
            "1",
            "*",
        ]
    ),
)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), SOME_TEXT)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*NAMES, "private"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODY = st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6)
PAIRS = st.lists(st.tuples(st.sampled_from(QUERY), SOME_TEXT), max_size=4)


@pytest.fixture(scope="module")
def google() -> tuple[Application, str]:
    client = RegisteredClient("c", "s", "p", ("http://localhost:9/cb",))
    application = Application(make_context(None, [client]))
    token = grants.issue_access_token(application.context, ONE, client, [FULL]).token
    return application, token


def status(google: tuple[Application, str], method: str, path: str, query: str, body: Any) -> int:
    application, token = google
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    data = b"" if body is None else json.dumps(body).encode()
    answer = application.handle(Request(method, path, query, headers, data)).answer
    assert answer is not None
    return answer.status


@settings(deadline=None)
@given(body=BODY, pairs=PAIRS, times=st.sampled_from([{}, TIMES]))
def test_no_event_breaks_the_local_google(
    google: tuple[Application, str], body: dict[str, Any], pairs: list[tuple[str, str]], times: dict[str, Any]
) -> None:
    query = urlencode(pairs)
    events = f"/calendar/v3/calendars/{ONE}/events"
    whole = body | times
    assert status(google, "POST", events, query, whole) < 500 or "recurrence" in body
    assert status(google, "POST", events, "", TIMES | {"id": "abcdefgh"}) in (200, 409)
    for method in ("PATCH", "PUT"):
        assert status(google, method, f"{events}/abcdefgh", query, whole) < 500 or "recurrence" in body
    assert status(google, "GET", events, query, None) < 500


@pytest.mark.parametrize(
    "start",
    [
        {"dateTime": "0001-01-01T00:00:00Z"},
        {"dateTime": "9999-12-31T23:59:59-12:00"},
        {"dateTime": "2030-02-30T00:00:00Z"},
        {"dateTime": "2030-01-01T00:00:00+99:99"},
        {"dateTime": "٢٠٣٠-01-01T00:00:00Z"},
        {"date": "0001-01-01"},
        {"date": "2030-1-1"},
    ],
)
def test_impossible_times_are_refused(google: tuple[Application, str], start: dict[str, str]) -> None:
    events = f"/calendar/v3/calendars/{ONE}/events"
    assert status(google, "POST", events, "", {"start": start, "end": start}) == 400


@pytest.mark.parametrize(
    "life", [{"params": {"ttl": "²"}}, {"params": {"ttl": "9" * 30}}, {"expiration": "9" * 30}]
)
def test_impossible_lives_of_channels_are_refused(
    google: tuple[Application, str], life: dict[str, Any]
) -> None:
    body = {"id": "c", "type": "web_hook", "address": "https://localhost:1/"} | life
    assert status(google, "POST", f"/calendar/v3/calendars/{ONE}/events/watch", "", body) == 400


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "a(" * 2000},
        {"fields": "items/" * 3000},
        {"maxResults": "²"},
        {"timeZone": "../etc/passwd"},
        {"pageToken": "é"},
        {"alt": "media"},
    ],
)
def test_impossible_queries_are_refused(google: tuple[Application, str], query: dict[str, str]) -> None:
    assert status(google, "GET", f"/calendar/v3/calendars/{ONE}/events", urlencode(query), None) == 400


@settings(deadline=None)
@given(body=BODY, pairs=PAIRS, number=st.integers(min_value=0, max_value=60))
def test_no_method_breaks_on_any_body(
    google: tuple[Application, str], body: dict[str, Any], pairs: list[tuple[str, str]], number: int
) -> None:
    method = sorted(methods().values(), key=lambda method: method.id)[number % len(methods())]
    parts = [part if part[0] != "{" else "primary" for part in method.segments]
    code = status(google, method.http_method, "/calendar/v3/" + "/".join(parts), urlencode(pairs), body)
    assert code < 500 or code == 501


@settings(deadline=None)
@given(
    text=st.text(max_size=40), pairs=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4)
)
def test_no_form_breaks_the_oauth_endpoints(
    google: tuple[Application, str], text: str, pairs: list[tuple[str, str]]
) -> None:
    application, _ = google
    form = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {text}"}
    names = (
        "grant_type",
        "code",
        "client_id",
        "client_secret",
        "redirect_uri",
        "refresh_token",
        "token",
        "scope",
    )
    body = urlencode([*pairs, *((name, text) for name in names)]).encode()
    for path in (
        "/token",
        "/revoke",
        "/o/oauth2/v2/auth",
        "/permissions",
        "/calendar",
        "/_control/faults",
        "/tokeninfo",
    ):
        for method in ("GET", "POST"):
            answer = application.handle(Request(method, path, urlencode(pairs), form, body)).answer
            assert answer is not None
            assert answer.status < 500


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from(["account", "week", "hl", "eid"]), SOME_TEXT), max_size=4))
def test_no_address_breaks_a_page(google: tuple[Application, str], pairs: list[tuple[str, str]]) -> None:
    application, _ = google
    for path in ("/", "/calendar", "/calendar/event", "/permissions", "/%ff%00"):
        answer = application.handle(Request("GET", path, urlencode(pairs), {}, b"")).answer
        assert answer is not None
        assert answer.status < 500
