import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from googleapiclient.discovery_cache import get_static_doc

from calendar_service.domain.errors import AccessForbidden, AccessTokenExpired, GoogleUnavailable
from calendar_service.domain.methods import METHODS
from calendar_service.domain.secret import Secret
from calendar_service.google.api import MOST_PAGES
from calendar_service.google.calendar import (
    API_ENDPOINT,
    AccountCalendars,
    CalendarApi,
    CalendarMissing,
    Contents,
    stamp,
)
from calendar_service.google.transport import GoogleCall, Transport
from tests.adapters.google.scripted_peer import Act, Peer, answer, says

TOKEN = Secret("ya29.planted")
EVENT: dict[str, Any] = {
    "id": "e1",
    "etag": '"1"',
    "status": "confirmed",
    "htmlLink": "https://calendar.example/e1",
    "start": {"dateTime": "2026-11-22T10:00:00+01:00", "timeZone": "Europe/Madrid"},
    "end": {"dateTime": "2026-11-22T10:30:00Z"},
    **stamp("m1", 3, "nonce", "hash"),
}
FOREIGN = {**EVENT, "id": "f1", "extendedProperties": {"private": {"other": "1"}}}

Ask = Callable[[CalendarApi], object]
WRITES: dict[str, Ask] = {
    "insert": lambda c: c.insert(TOKEN, "c1", {"id": "e1"}),
    "patch": lambda c: c.patch(TOKEN, "c1", "e1", {}, etag='"1"'),
    "create": lambda c: c.create(TOKEN, summary="s", description="d", time_zone="UTC"),
}
READS: dict[str, Ask] = {
    "get": lambda c: c.get(TOKEN, "c1", "e1"),
    "get_calendar": lambda c: c.get_calendar(TOKEN, "c1"),
    "find_ours": lambda c: c.find_ours(TOKEN, "our-marker"),
    "list_by_marker": lambda c: c.list_by_marker(TOKEN, "c1", "m1"),
    "watch": lambda c: c.watch(TOKEN, "c1", channel_id="h1", channel_token=Secret("t"), address="https://x"),
}
ENDS: dict[str, Ask] = {
    "delete": lambda c: c.delete(TOKEN, "c1", "e1", etag='"1"'),
    "delete_calendar": lambda c: c.delete_calendar(TOKEN, "c1"),
    "stop_channel": lambda c: c.stop_channel(TOKEN, "h1", "r1"),
}


def hash_of(marker: str, event_id: str) -> str:
    return "hash"


def at(peer: Peer, transport: Transport) -> CalendarApi:
    return CalendarApi(transport, f"{peer.origin}/calendar/v3/")


def says_json(value: object, status: str = "200 OK") -> Act:
    return says(answer(json.dumps(value).encode(), status))


def target_of(request: bytes) -> tuple[str, dict[str, list[str]]]:
    method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
    parts = urlsplit(target)
    return f"{method} {parts.path}", parse_qs(parts.query)


def test_only_the_methods_of_the_promise_can_be_sent_each_with_googles_own_path() -> None:
    resources = json.loads(get_static_doc("calendar", "v3"))["resources"]
    known = {
        m["id"]: (m["httpMethod"], m["path"])
        for resource in resources.values()
        for m in resource["methods"].values()
    }
    ours = {
        name: (one.verb, one.path) for name, one in METHODS.items() if one.path not in {"/token", "/revoke"}
    }
    assert {name: known[name] for name in ours} == ours
    assert {name.removeprefix("calendar.") for name in ours} == {
        "calendars.insert", "calendars.get", "calendars.delete", "calendarList.list", "channels.stop",
        "events.insert", "events.get", "events.patch", "events.delete", "events.list", "events.watch",
    }  # fmt: skip


def test_the_endpoint_is_the_real_ones_unless_another_is_configured() -> None:
    document = json.loads(get_static_doc("calendar", "v3"))
    assert document["rootUrl"] + document["servicePath"] == API_ENDPOINT


def test_an_event_is_asked_for_without_its_text(transport: Transport) -> None:
    with Peer(says_json(EVENT)) as peer:
        event = at(peer, transport).get_with_times(TOKEN, "jane@example.com", "e1")
    place, query = target_of(peer.requests[0])
    assert place == "GET /calendar/v3/calendars/jane%40example.com/events/e1"
    assert not {"summary", "description", "location", "attendees", "creator"} & set(
        query["fields"][0].replace("(", ",").replace("/", ",").split(",")
    )
    assert (event.id, event.etag, event.status, event.marker, event.revision) == (
        "e1",
        '"1"',
        "confirmed",
        "m1",
        3,
    )
    assert event.start == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert event.end == datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    assert event.html_link == "https://calendar.example/e1"


def test_the_token_travels_in_its_header_alone(transport: Transport, calls: list[GoogleCall]) -> None:
    with Peer(says_json(EVENT)) as peer:
        at(peer, transport).get(TOKEN, "c1", "e1")
    head = peer.requests[0].partition(b"\r\n\r\n")[0]
    assert head.count(b"ya29.planted") == 1
    assert b"Authorization: Bearer ya29.planted" in head
    assert "ya29" not in repr(calls)


@pytest.mark.parametrize("name", ["patch", "delete"])
def test_a_write_names_the_etag_it_knows(transport: Transport, name: str) -> None:
    ask = (WRITES | ENDS)[name]
    with Peer(says_json(EVENT) if name == "patch" else says(answer(b""))) as peer:
        ask(at(peer, transport))
    assert b'If-Match: "1"\r\n' in peer.requests[0]


def test_a_delete_without_a_known_etag_names_none(transport: Transport) -> None:
    with Peer(says(answer(b"", "204 No Content"))) as peer:
        at(peer, transport).delete(TOKEN, "c1", "e1", etag=None)
    assert b"if-match" not in peer.requests[0].lower()


def test_an_event_without_our_marker_is_dropped_unread(transport: Transport) -> None:
    page = says_json({"items": [FOREIGN, EVENT, {"id": "x", "start": 7}]})
    with Peer(page, page) as peer:
        google = at(peer, transport)
        assert [event.id for event in google.list_between(TOKEN, "c1", *NOVEMBER)] == ["e1"]
        assert [event.id for event in google.list_between(TOKEN, "c1", *NOVEMBER, {"f1"})] == ["f1", "e1"]


NOVEMBER: Final = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
TIMES_NOBODY_CAN_READ: Final = ({"dateTime": "not a time"}, {"dateTime": 7}, {"date": []}, {}, 7)


@pytest.mark.parametrize("when", TIMES_NOBODY_CAN_READ)
def test_times_of_events_that_are_not_ours_are_never_decoded(transport: Transport, when: object) -> None:
    foreign = FOREIGN | {"start": when, "end": when}
    page = says_json({"items": [foreign, EVENT, foreign]})
    with Peer(page, page, page, page) as peer:
        google = at(peer, transport)
        assert [event.id for event in google.list_between(TOKEN, "c1", *NOVEMBER)] == ["e1"]
        assert [event.id for event in google.list_from(TOKEN, "c1", NOVEMBER[0])] == ["e1"]
        assert [event.id for event in google.list_by_marker(TOKEN, "c1", "m1")] == ["e1"]
        assert google.contents(TOKEN, "c1", NOVEMBER[0], hash_of) == Contents(coming=1, has_others=True)


def test_only_a_read_and_a_comparison_ask_for_times_and_only_a_read_for_the_link(
    transport: Transport,
) -> None:
    """Of `start` every call asks whether there is one: without it, what has the id is no event any more."""
    times, link = {"end"}, {"htmlLink"}
    asks: dict[str, tuple[Callable[[CalendarApi], object], set[str]]] = {
        "insert": (lambda google: google.insert(TOKEN, "c1", {"id": "e1"}), set()),
        "patch": (lambda google: google.patch(TOKEN, "c1", "e1", {}, etag=None), set()),
        "get": (lambda google: google.get(TOKEN, "c1", "e1"), set()),
        "list_by_marker": (lambda google: google.list_by_marker(TOKEN, "c1", "m1"), set()),
        "list_from": (lambda google: google.list_from(TOKEN, "c1", NOVEMBER[0]), set()),
        "contents": (lambda google: google.contents(TOKEN, "c1", NOVEMBER[0], hash_of), {"end"}),
        "list_between": (lambda google: google.list_between(TOKEN, "c1", *NOVEMBER), times),
        "get_with_times": (lambda google: google.get_with_times(TOKEN, "c1", "e1"), times | link),
    }
    for name, (ask, expected) in asks.items():
        with Peer(says_json(EVENT | {"items": [EVENT]})) as peer:
            ask(at(peer, transport))
        fields = set(re.findall(r"\w+", target_of(peer.requests[0])[1]["fields"][0]))
        assert fields & (times | link) == expected, name


@pytest.mark.parametrize(
    ("changed", "stands"),
    [
        ({}, True),
        ({"start": {"date": "2026-11-22"}, "end": {"date": "2026-11-23"}}, True),
        ({"status": "cancelled"}, False),
        (
            {"start": None, "end": None},
            False,
        ),  # left under the id of an event that was moved to another calendar
    ],
)
def test_an_event_stands_unless_it_is_deleted_or_has_no_time(
    transport: Transport, changed: dict[str, Any], *, stands: bool
) -> None:
    with Peer(says_json(EVENT | changed)) as peer:
        assert at(peer, transport).get(TOKEN, "c1", "e1").stands is stands


@pytest.mark.parametrize("revision", ["", "x", "-1", "1.0", "٣", "9" * 14, "9" * 400, 7, None])
def test_a_revision_that_is_none_of_ours_is_none(transport: Transport, revision: object) -> None:
    private = {"csMarker": "m1", "csRevision": revision}
    with Peer(says_json(EVENT | {"extendedProperties": {"private": private}})) as peer:
        assert at(peer, transport).get(TOKEN, "c1", "e1").revision is None


def test_an_event_a_person_made_last_all_day_has_dates(transport: Transport) -> None:
    with Peer(says_json(EVENT | {"start": {"date": "2026-11-22"}, "end": {"date": "2026-11-23"}})) as peer:
        event = at(peer, transport).get_with_times(TOKEN, "c1", "e1")
    assert (event.start, event.end) == (date(2026, 11, 22), date(2026, 11, 23))


def test_a_list_is_followed_through_short_and_empty_pages(transport: Transport) -> None:
    pages = [
        {"items": [EVENT], "nextPageToken": "p2"},
        {"nextPageToken": "p3"},
        {"items": [EVENT | {"id": "e2"}]},
    ]
    with Peer(*map(says_json, pages)) as peer:
        events = at(peer, transport).list_by_marker(TOKEN, "c1", "m1", show_deleted=True)
    targets = [target_of(request)[1] for request in peer.requests]
    assert [event.id for event in events] == ["e1", "e2"]
    assert [query.get("pageToken") for query in targets] == [None, ["p2"], ["p3"]]
    assert {query["privateExtendedProperty"][0] for query in targets} == {"csMarker=m1"}
    assert {query["showDeleted"][0] for query in targets} == {"true"}


def test_a_list_without_an_end_is_given_up(transport: Transport) -> None:
    with Peer(says_json({"items": [], "nextPageToken": "again"})) as peer:
        with pytest.raises(GoogleUnavailable):
            at(peer, transport).list_by_marker(TOKEN, "c1", "m1")
        assert len(peer.requests) == MOST_PAGES


def test_of_all_calendars_only_ours_and_the_primary_id_are_kept(transport: Transport) -> None:
    items = [
        {"id": "jane@example.com", "primary": True, "accessRole": "owner", "description": "our-marker"},
        {"id": "ours-1", "accessRole": "owner", "description": "Made by us. [our-marker]"},
        {"id": "readable", "accessRole": "reader", "description": "our-marker"},
        {"id": "other", "accessRole": "owner", "description": "holidays"},
        {"id": "bare", "accessRole": "owner"},
        {"id": "odd", "accessRole": "owner", "description": None},
    ]
    with Peer(
        says_json({"items": items, "nextPageToken": "p2"}),
        says_json({"items": [{"id": "ours-2", "accessRole": "owner", "description": "our-marker"}]}),
    ) as peer:
        calendars = at(peer, transport).find_ours(TOKEN, "our-marker")
    assert calendars == AccountCalendars("jane@example.com", ("ours-1", "ours-2"))
    query = target_of(peer.requests[0])[1]
    assert query["fields"] == ["nextPageToken,items(id,description,accessRole,primary)"]
    assert query["showHidden"] == ["true"]


def test_an_empty_marker_finds_nothing(transport: Transport) -> None:
    with Peer(says_json({"items": []})) as peer:
        with pytest.raises(ValueError, match="marker"):
            at(peer, transport).find_ours(TOKEN, "")
        assert peer.requests == []


def test_no_library_logs_an_address_or_a_token(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {"error": {"errors": [{"reason": "forbidden"}], "message": "planted-message", "code": 403}}
    with Peer(says_json(EVENT), says_json(refused, "403 Forbidden")) as peer, caplog.at_level(logging.DEBUG):
        calendar = at(peer, transport)
        calendar.get(TOKEN, "jane@example.com", "e1")
        with pytest.raises(AccessForbidden):
            calendar.get(TOKEN, "jane@example.com", "e1")
    assert "jane" not in caplog.text
    assert "planted" not in caplog.text


def test_an_account_without_a_primary_calendar_is_not_taken_for_one(transport: Transport) -> None:
    with Peer(says_json({"items": []})) as peer, pytest.raises(GoogleUnavailable):
        at(peer, transport).find_ours(TOKEN, "our-marker")


@pytest.mark.parametrize("name", [*WRITES, *READS, *ENDS])
@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome</html>",
        b"[]",
        b'"x"',
        b"7",
        b"null",
        b"\xff{}",
        b"[" * 200_000,
        b"9" * 5000,
        b'{"id":',
    ],
)
def test_a_success_that_is_not_googles_json_is_none(transport: Transport, name: str, body: bytes) -> None:
    with Peer(says(answer(body))) as peer:
        with pytest.raises(GoogleUnavailable) as fault:
            (WRITES | READS | ENDS)[name](at(peer, transport))
        assert fault.value.ambiguous
        assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"id": 7}, {"id": None}, {"status": 7}, {"start": {}}, {"start": {"dateTime": "noon"}},
     {"end": {"dateTime": "2026-11-22T10:00:00"}}, {"end": {"date": 7}}],
)  # fmt: skip
def test_an_event_that_cannot_be_read_is_no_answer(transport: Transport, wrong: dict[str, Any]) -> None:
    asks: list[Ask] = [lambda c: c.get_with_times(TOKEN, "c1", "e1")]
    if wrong.keys() <= {"id", "status"}:
        asks.append(WRITES["insert"])
    for ask in asks:
        with Peer(says_json(EVENT | wrong)) as peer, pytest.raises(GoogleUnavailable) as fault:
            ask(at(peer, transport))
        assert fault.value.ambiguous


@pytest.mark.parametrize("name", [*WRITES, *READS])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": 7},
        {"items": [7]},
        {"id": "", "items": [{"primary": True, **stamp("m1", 1, "nonce", "hash")}]},
    ],
)
def test_a_resource_that_lacks_what_every_one_has_is_no_answer(
    transport: Transport, name: str, body: dict[str, Any]
) -> None:
    if name == "list_by_marker" and "items" not in body:
        body = {"items": "none"}
    with Peer(says_json(body)) as peer, pytest.raises(GoogleUnavailable):
        (WRITES | READS)[name](at(peer, transport))


@pytest.mark.parametrize("name", [*WRITES, *READS, *ENDS])
def test_a_401_is_asked_about_once(transport: Transport, name: str) -> None:
    refusal = {"error": {"errors": [{"reason": "authError"}], "code": 401}}
    with Peer(says_json(refusal, "401 Unauthorized")) as peer:
        with pytest.raises(AccessTokenExpired):
            (WRITES | READS | ENDS)[name](at(peer, transport))
        assert len(peer.requests) == 1


@pytest.mark.parametrize("name", ["get_calendar", "delete_calendar"])
def test_a_404_for_a_calendar_says_that_the_calendar_is_missing(transport: Transport, name: str) -> None:
    refusal = {"error": {"errors": [{"reason": "notFound"}], "code": 404}}
    with Peer(says_json(refusal, "404 Not Found")) as peer, pytest.raises(CalendarMissing):
        (READS | ENDS)[name](at(peer, transport))


def test_the_observer_is_told_googles_method_and_the_path_template(
    transport: Transport, calls: list[GoogleCall]
) -> None:
    with Peer(says_json(EVENT)) as peer:
        at(peer, transport).insert(TOKEN, "jane@example.com", {"id": "e1"})
    assert [(c.method.name, c.method.verb, c.method.path, c.status) for c in calls] == [
        ("calendar.events.insert", "POST", "calendars/{calendarId}/events", 200)
    ]


def test_the_environment_cannot_move_the_service_elsewhere(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "evil.example")
    monkeypatch.setenv("GOOGLE_API_USE_MTLS_ENDPOINT", "always")
    with Peer(says_json(EVENT)) as peer:
        assert at(peer, transport).get(TOKEN, "c1", "e1").id == "e1"
