"""How a call may be wrapped: another method in a header, a query in a form, gzip, calls from pages of other origins."""

from collections.abc import Callable

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import TIMES, GoogleApi, event_path
from tests.support.local_google import LocalGoogle, fetch

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@fact(
    "V", "A GET may be sent as a POST with X-HTTP-Method-Override: GET and the query as a form (long queries)"
)
def test_a_long_query_may_be_sent_as_a_form(api: GoogleApi, calendar: str) -> None:
    api.insert(calendar, {"summary": "wanted"})
    api.insert(calendar, {"summary": "other"})
    headers = FORM | {"X-HTTP-Method-Override": "GET"}
    reply = api.call("POST", f"calendars/{calendar}/events", b"q=wanted&alt=json", headers)
    assert [event["summary"] for event in reply.document["items"]] == ["wanted"]


def test_an_override_never_inserts(api: GoogleApi, calendar: str) -> None:
    reply = api.call("POST", f"calendars/{calendar}/events", TIMES, {"X-HTTP-Method-Override": "GET"})
    assert (reply.status, reply.document["kind"], reply.document["items"]) == (200, "calendar#events", [])


@fact("V", "PATCH, PUT and DELETE may be sent as a POST with X-HTTP-Method-Override")
def test_other_methods_may_be_overridden(api: GoogleApi, calendar: str) -> None:
    path = event_path(calendar, api.insert(calendar).document["id"])
    patched = api.call("POST", path, {"summary": "x"}, {"X-HTTP-Method-Override": "PATCH"})
    assert patched.document["summary"] == "x"
    assert api.call("POST", path, None, {"X-HTTP-Method-Override": "DELETE"}).status == 204
    assert api.call("GET", path, None, {"X-HTTP-Method-Override": "DELETE"}).status == 200


@fact("V", "The query of a POST without a body may come as a form, as Google's Ruby client sends it")
def test_a_bodiless_post_takes_its_query_as_a_form(api: GoogleApi, calendar: str) -> None:
    path = event_path(calendar, api.insert(calendar).document["id"])
    moved = api.call("POST", f"{path}/move", b"destination=primary", FORM)
    assert (moved.status, moved.document["organizer"]["self"]) == (200, True)


def test_a_form_is_no_body_of_an_event(api: GoogleApi, calendar: str) -> None:
    reply = api.call("POST", f"calendars/{calendar}/events", b"summary=x", FORM)
    assert (reply.status, reply.reason) == (400, "global/badContent")


@fact("V", "gzip comes to who takes it and has gzip in the user agent")
@pytest.mark.parametrize(("agent", "encoding"), [("client (gzip)", "gzip"), ("client", None)])
def test_gzip_comes_when_asked_for(api: GoogleApi, agent: str, encoding: str | None) -> None:
    reply = api.call("GET", "colors", None, {"Accept-Encoding": "gzip", "User-Agent": agent})
    assert reply.headers["Content-Encoding"] == encoding
    assert reply.document["kind"] == "calendar#colors"


def test_a_fault_edits_what_is_then_compressed(api: GoogleApi, google: LocalGoogle) -> None:
    google.fault("/calendar/v3/colors", {"edit": {"kind": "edited"}})
    reply = api.call("GET", "colors", None, {"Accept-Encoding": "gzip", "User-Agent": "gzip"})
    assert (reply.headers["Content-Encoding"], reply.document["kind"]) == ("gzip", "edited")


def test_a_page_of_another_origin_may_call(api: GoogleApi, google: LocalGoogle) -> None:  # [R]
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"}
    headers["Access-Control-Request-Headers"] = "authorization,content-type"
    browser = GoogleApi(google.api_endpoint, None)
    reply = browser.call("OPTIONS", "calendars/primary", None, headers)
    browser.close()
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, "https://app.example")
    assert "PATCH" in reply.headers["Access-Control-Allow-Methods"]
    assert reply.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    called = api.call("GET", "colors", None, {"Origin": "https://app.example"})
    assert called.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert api.call("GET", "colors").headers["Access-Control-Allow-Origin"] is None


def test_head_has_the_headers_of_get(api: GoogleApi) -> None:  # [R]
    reply = api.call("HEAD", "calendars/primary")
    assert (reply.status, reply.raw, reply.headers["ETag"][0]) == (200, b"", '"')


@pytest.mark.parametrize("send", [fetch, lambda url: fetch(url, {"a": "b"})])
def test_an_unknown_address_is_not_found(
    google: LocalGoogle, send: Callable[[str], tuple[int, str, str]]
) -> None:
    assert send(f"{google.url}/no/such/address")[0] == 404
