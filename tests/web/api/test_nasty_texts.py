"""Nasty texts in every field: never a 500, and a text arrives unchanged or is refused."""

import base64
import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendar_service.domain.session import as_html
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import ACME, AGENT
from tests.web.api.test_calls import event_of

NASTY = [
    "", " ", "undefined", "null", "NaN", "true", "0", "-1", "1e1000", "0x0", "1,000.00", "\uff19", "١٢٣",
    "../../../etc/passwd", "..%2f..", "file:///etc/passwd", "C:\\con\\con", "%00", "%s%s%n", "{0}", "${7*7}",
    "{{7*7}}", "<%= 7*7 %>", "#{7*7}", "$(touch x)", "`id`", "; ls", "| ls", "&& ls", "' OR 1=1 --",
    '"; DROP TABLE users', "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "]]>", "<!ENTITY x>", "()'\"\\", "\\u0000", "\\x00", "\\", "\"", "'", "`", "\t", "\n", "\r\n", "\r",
    "a\0b", "\x01\x02\x1f", "\x7f", "\x80\x9f", "\x1b[31mred", "\x08\x08", "\u2028", "\u2029", "\ufeffbom",
    "\ufffe", "\uffff", "\U0010ffff", "\u200b\u200d\u2060", "\u202etxt.exe", "\u2066x\u2069", "Ω≈ç√", "田中さん",
    "社會科學院", "ปฏิ", "الكل في المجمو", "שלום", "🏳️‍🌈👩‍👩‍👧", "Z̮̞̠͙͔ͅḀ̗̞͈̻L͔̞̹G̻O", "ﷺ" * 30, "ß", "İ", "ﬀ", "K",
    "é", "é", "{s0}:a", "acme/agent", "*", "?", "[a-z]", "KEYS *", "redis.call('flushall')", "\ud800", "\udfff",
    "x" * 1024, "🙂" * 1024, "x" * 20_000, "=cmd|'/c calc'!A0", "@SUM(1+1)", "+1", "-0", "Content-Length: 0",
    "Set-Cookie: a=b", "HTTP/1.1 200 OK", "1;2;3", "a=b&c=d", "ya29.token", "Bearer x",
]  # fmt: skip
INVISIBLE = (" ", "\ufeff", "\u200b\u200d\u2060", "\u3164", "\u2800 \u00ad", "\u034f\ufe0f")
NASTY += [text for text in INVISIBLE if text not in NASTY]
NEUTRAL = "Scheduled video session"
FIELDS = ["start", "end", "by", "time_zone", "title", "description", "location", "join_url", "version"]


def as_bytes(body: dict[str, Any]) -> dict[str, Any]:
    return {"data": json.dumps(body).encode(), "content_type": "application/json"}


@pytest.mark.parametrize("place", FIELDS)
def test_a_nasty_text_in_a_session_is_kept_as_it_is_or_refused_by_name(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any], place: str
) -> None:
    google_fields = {"title": "summary", "description": "description", "location": "location"}
    for number, text in enumerate(NASTY):
        answer = api.call("PUT", f"{AGENT}/sessions/s-{number}", **as_bytes(session | {place: text}))
        assert answer.status_code < 500, repr(text)
        if answer.status_code >= 400:
            assert answer.json["field"] == place, repr(text)
        elif text and place in google_fields:
            there = event_of(google_process, answer.json).get(google_fields[place], "")
            # What shows nothing is left out; in place of a title stands the neutral one.
            left_out = NEUTRAL if place == "title" else ""
            shows_nothing = text in INVISIBLE or not text.strip()
            # Google shows a description as HTML; it shows this text.
            shown = unescape(there) if place == "description" else there
            assert shown == (left_out if shows_nothing else text), repr(text)


@pytest.mark.parametrize("text", INVISIBLE)
def test_where_the_place_shows_nothing_the_join_link_stands(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any], text: str
) -> None:
    link = "https://meet.example/x"
    put = session | {"join_url": link, "location": text, "description": text}
    event = event_of(google_process, api.call("PUT", f"{AGENT}/sessions/blank", json=put).json)
    assert (event["location"], event["description"]) == (link, link)


@pytest.mark.parametrize(
    "text", ["a < b", "1 <2", "A & B", "a=b&c=d", "x && y", "<", "&", "&;", "&#;", "fish&chips", ">"]
)
def test_a_description_that_shows_as_it_is_is_written_as_it_is(text: str) -> None:
    assert as_html(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Bring <passport> & ID", "Bring &lt;passport> & ID"),
        ('<a href="https://evil.example">Join</a>', '&lt;a href="https://evil.example">Join&lt;/a>'),
        ("<!-- x --> <?php", "&lt;!-- x --> &lt;?php"),
        ("&lt;b&gt; &#60; &#x3c &copy=1", "&amp;lt;b&amp;gt; &amp;#60; &amp;#x3c &amp;copy=1"),
    ],
)
def test_what_would_be_a_tag_or_an_entity_is_written_as_text(text: str, written: str) -> None:
    assert as_html(text) == written


@given(st.text(alphabet="&<>#;/!xX 12abcdeltgmpoy=", max_size=40))
def test_every_description_is_shown_as_it_was_given(text: str) -> None:
    html = as_html(text)
    assert unescape(html) == text
    assert re.search("<[A-Za-z/!?]", html) is None


def test_the_join_link_comes_first_and_both_together_have_a_limit(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    link = "https://meet.example/x?a=1&copy=2"
    longest = "x" * (
        8192 - len(link) - len("&amp;") + 1 - 2
    )  # a line apart; the link's `&copy` is written out
    put = session | {"join_url": link, "description": longest}
    answer = api.call("PUT", f"{AGENT}/sessions/long", json=put)
    assert answer.status_code == 201
    event = event_of(google_process, answer.json)
    assert event["description"] == f"https://meet.example/x?a=1&amp;copy=2\n\n{longest}"
    assert (len(event["description"]), event["location"]) == (8192, link)
    for more in ({"description": longest + "x"}, {"description": longest[1:] + "<b"}):
        refused = api.call("PUT", f"{AGENT}/sessions/long", json=put | more)
        assert (refused.status_code, refused.json["field"]) == (422, "description")
    assert event_of(google_process, answer.json) == event


def test_a_nasty_text_in_a_name_or_parameter_is_no_fault_of_ours(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    for text in NASTY:
        safe = quote(text.encode("utf-8", "surrogatepass"), safe="")
        for method, path, caller in (
            ("GET", f"/v1/organizations/{safe}", "admin"),
            ("GET", f"/v1/organizations/{safe}/connections", "acme-admin"),
            ("GET", f"{ACME}/agents/{safe}/connection", "backend"),
            ("DELETE", f"{ACME}/agents/{safe}/connection?erase={safe}", "admin"),
            ("GET", f"{AGENT}/sessions/{safe}?read={safe}", "backend"),
            ("DELETE", f"{AGENT}/sessions/s-1?by={safe}&version={safe}", "backend"),
            ("GET", f"{AGENT}/sessions?status={safe}&cursor={safe}", "backend"),
            ("GET", f"{AGENT}/sessions?cursor={safe}", "backend"),
            ("GET", f"{ACME}/connections?cursor={safe}", "admin"),
            ("GET", f"{ACME}/connections?state={safe}&{safe}=1", "admin"),
            ("GET", f"/{safe}", ""),
        ):
            answer = api.by(caller).call(method, path)
            assert answer.status_code < 500, (method, path)
    assert api.get(f"{AGENT}/connection").json["state"] == "connected"


def test_a_nasty_text_in_a_header_is_no_fault_of_ours(api: Api) -> None:
    names = (
        "X-Request-Id",
        "Content-Type",
        "Content-Encoding",
        "Accept",
        "Content-Length",
        "Origin",
        "Cookie",
    )
    for text in NASTY:
        value = text.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
        for name in (*names, "Authorization"):
            answer = api.call("POST", f"{AGENT}/portal-sessions", headers={name: value}, data=b"{}")
            assert answer.status_code < 500, (name, text)


@pytest.mark.parametrize("place", ["locale", "time_zone", "return_url", "x"])
def test_a_nasty_text_in_a_link_is_refused_by_name(api: Api, place: str) -> None:
    for text in NASTY:
        answer = api.call("POST", f"{AGENT}/portal-sessions", **as_bytes({place: text}))
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer.json["field"] == place, repr(text)


@pytest.mark.parametrize(
    "cursor", [b"", b"\xff", b"a/b", b"\0", b"s-1", "ñ".encode(), b"x" * 500, b"acme/agent-1"]
)
def test_a_cursor_that_was_made_up_is_no_fault_of_ours(
    api: Api, connected: TestService, cursor: bytes
) -> None:
    text = base64.urlsafe_b64encode(cursor).decode()
    assert api.get(f"{AGENT}/sessions?cursor={text}").status_code in {200, 422}
    assert api.by("admin").get(f"{ACME}/connections?cursor={text}").status_code in {200, 422}


@pytest.mark.parametrize(
    "spelling", ["{}\x84", "!{}", "{0}{0}", "{}\n", "{:.10}\x84", "{:.11}", "{:.10}Z=", "\x84"]
)
@pytest.mark.parametrize(
    ("role", "path", "place"),
    [("backend", f"{AGENT}/sessions", b"20000:s1"), ("admin", f"{ACME}/connections", b"agent-01")],
)
def test_a_cursor_has_one_spelling(
    api: Api, connected: TestService, role: str, path: str, place: bytes, spelling: str
) -> None:
    right, caller = base64.urlsafe_b64encode(place).decode(), api.by(role)
    assert caller.get(f"{path}?{urlencode({'cursor': right})}").status_code == 200
    answer = caller.get(f"{path}?{urlencode({'cursor': spelling.format(right)})}")
    assert (answer.status_code, answer.json["field"]) == (422, "cursor")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.dictionaries(st.sampled_from(FIELDS), JSON), whole=st.sampled_from(["whole", ""]))
def test_no_body_is_a_fault_of_ours(
    api: Api, service: TestService, session: dict[str, Any], changed: dict[str, Any], whole: str
) -> None:
    answer = api.call("PUT", f"{AGENT}/sessions/s-1", **as_bytes(session | changed if whole else changed))
    assert 400 <= answer.status_code < 500
    assert not service.parts.store.database.client.keys("*agent-1*")
