"""Nasty texts in every field of every form: never an error of ours, never markup, and the page goes on."""

from itertools import product
from urllib.parse import quote

import pytest
from markupsafe import escape
from werkzeug.test import TestResponse

from tests.support.service import PUBLIC_URL, TestService
from tests.web.pages.visitor import OWN_PAGE, Visitor

MARK = "<script>alert(1)</script>"
NASTY = [
    "", " ", "0", "-1", "1e1000", "../../../etc/passwd", "%00%ff", "{{7*7}}${7*7}#{7*7}", "' OR 1=1 --\"", MARK,
    '"><img src=x onerror=alert(1)>', "]]>&lt;!--", "a\r\nSet-Cookie: a=b", "a\0b\x01\x1b[31m\x7f",
    "\u2028\ufeff\uffff",
    "\u202etxt.exe\u2066", "\u200b\u200d", "\ud800", "Z̮̞̠͙͔ͅḀ̗̞͈̻", "🏳️‍🌈", "الكل", "{s0}:a*?", "a=b&csrf=c", "x" * 20_000,
]  # fmt: skip
"""One of each kind; the API is asked with very many more (tests/web/api/test_nasty_texts.py)."""
SESSION = {
    "session": "s-1", "title": "A talk", "start": "2999-05-03T14:00", "time_zone": "America/Santiago",
    "minutes": "45", "by": "agent",
}  # fmt: skip
FORMS = {
    "/connect": {"policy": ""},
    "/calendar": {"create": "yes"},
    "/pause": {},
    "/resume": {},
    "/term": {"term": ""},
    "/disconnect": {"delete_calendar": "yes"},
    "/erase": {},
    "/portal": {"ticket": ""},
    "/logout": {},
    "/console/agent": {"agent": "ana"},
    "/console/settings": {"time_zone": "UTC"},
    "/console/sessions": SESSION,
    "/console/sessions/cancel": {"session": "s-1", "by": "agent"},
}
"""Each form's path, and its fields beside `csrf`."""
BODIES = {
    "no body": (b"", "application/x-www-form-urlencoded"),
    "overlong escapes": (b"csrf=%C0%AF&session=%E0%80%AF", "application/x-www-form-urlencoded"),
    "half an escape": (b"csrf=%&session=%E&start=%zz", "application/x-www-form-urlencoded"),
    "no escapes": (bytes(range(256)), "application/x-www-form-urlencoded"),
    "json": (b'{"csrf": "x"}', "application/json"),
    "text": (b"csrf=x", "text/plain"),
    "no type": (b"csrf=x", ""),
    "an unknown charset": (b"csrf=x", "application/x-www-form-urlencoded; charset=nothing"),
    "parts without an end": (
        b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nx',
        "multipart/form-data; boundary=b",
    ),
    "parts without a boundary": (b"--b\r\n\r\n", "multipart/form-data"),
    "a file": (
        b'--b\r\nContent-Disposition: form-data; name="csrf"; filename="../x"\r\n\r\nx\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "very many fields": (b"&".join(b"f%d=1" % number for number in range(9_000)), "application/x-www-form-urlencoded"),
}  # fmt: skip


def _ready(visitor: Visitor, path: str) -> None:
    """Stand before the page with this form."""
    if path.startswith("/console"):
        visitor.get("/console")
    else:
        visitor.connect()


def _is_well_answered(answer: TestResponse, text: str) -> None:
    assert answer.status_code < 500, repr(text)
    assert MARK not in answer.text, repr(text)
    assert "\n" not in answer.headers.get("Location", "")
    if answer.status_code >= 400:
        assert answer.mimetype == "text/html", repr(text)
        assert "<h1" in answer.text, repr(text)


@pytest.mark.parametrize("path", FORMS)
def test_a_nasty_text_in_a_form_is_taken_or_refused_by_a_page(
    visitor: Visitor, service: TestService, path: str
) -> None:
    _ready(visitor, path)
    for field, text in product(("csrf", *FORMS[path]), NASTY):
        form = {"csrf": visitor.token} | FORMS[path] | {field: text}
        if path == "/connect" and field == "csrf":
            form["policy"] = visitor.policy
        body = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in form.items())
        answer = visitor.client.post(
            path, base_url=PUBLIC_URL, headers=OWN_PAGE, data=body,
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        _is_well_answered(answer, text)
        service.clock.advance(1)  # otherwise the browser session's limit answers
    _is_well_answered(visitor.get("/settings"), "")
    _is_well_answered(visitor.get("/console"), "")


@pytest.mark.parametrize("path", FORMS)
def test_a_body_that_is_no_form_changes_nothing(visitor: Visitor, service: TestService, path: str) -> None:
    _ready(visitor, path)
    before = service.facts
    for body, (data, content_type) in BODIES.items():
        answer = visitor.client.post(
            path, base_url=PUBLIC_URL, headers=OWN_PAGE, data=data, content_type=content_type
        )
        _is_well_answered(answer, body)
        assert answer.status_code >= 400, body
    assert service.facts == before


@pytest.mark.parametrize("path", FORMS)
def test_a_field_that_is_sent_twice_is_no_way_around_the_token(visitor: Visitor, path: str) -> None:
    _ready(visitor, path)
    body = f"csrf=another&csrf={visitor.token}"
    answer = visitor.client.post(
        path,
        base_url=PUBLIC_URL,
        headers=OWN_PAGE,
        data=body,
        content_type="application/x-www-form-urlencoded",
    )
    _is_well_answered(answer, "")
    assert answer.status_code in {400, 403, 410}


def test_what_was_typed_survives_a_refusal_and_is_never_markup(
    visitor: Visitor, service: TestService
) -> None:
    visitor.get("/console")
    for text in NASTY:
        readable = text.encode("utf-8", "replace").decode()
        answer = visitor.post("/console/sessions", SESSION | {"title": readable, "start": "soon"})
        _is_well_answered(answer, text)
        assert answer.status_code == 422
        if readable.isprintable() and len(readable) < 1_000:
            assert f'value="{escape(readable)}"' in answer.text
        service.clock.advance(1)
