"""Bodies and parameters: strictly parsed, and every refusal names its field."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from werkzeug.test import EnvironBuilder

from calendar_service.domain.errors import InvalidRequest
from calendar_service.web.api.body import body
from calendar_service.web.api.connections import EndQuery
from calendar_service.web.api.query import query
from calendar_service.web.api.session_body import SessionBody, content
from calendar_service.web.api.sessions import CancelQuery, ListQuery
from calendar_service.web.api.text import is_visible
from calendar_service.web.problems import Misshapen, UnsupportedMediaType, kind_of

WHOLE = '"start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z", "by": "agent"'


def sent(data: bytes | str, **more: Any) -> Request:
    builder = EnvironBuilder(method="PUT", data=data, content_type="application/json", **more)
    return Request(builder.get_environ())


def refused(data: bytes | str) -> tuple[int, str | None]:
    with pytest.raises(InvalidRequest) as error:
        body(sent(data), SessionBody)
    return kind_of(error.value).status, error.value.field


@pytest.mark.parametrize(
    ("data", "status", "field"),
    [
        ("", 400, "start"),
        ("{}", 400, "start"),
        ("[]", 400, None),
        ("null", 400, None),
        ('"text"', 400, None),
        ("1", 400, None),
        (f'{{{WHOLE}, "tittle": "x"}}', 400, "tittle"),
        (f'{{{WHOLE}, "organization": "beta"}}', 400, "organization"),
        (f'{{{WHOLE}, "event_id": "x"}}', 400, "event_id"),
        (f'{{{WHOLE}, "version": "1"}}', 400, "version"),
        (f'{{{WHOLE}, "version": true}}', 400, "version"),
        (f'{{{WHOLE}, "version": 1.0}}', 400, "version"),
        (f'{{{WHOLE}, "version": 1e3}}', 400, "version"),
        (f'{{{WHOLE}, "version": 1e999}}', 400, "version"),
        (f'{{{WHOLE}, "version": null}}', 400, "version"),
        (f'{{{WHOLE}, "version": [1]}}', 400, "version"),
        (f'{{{WHOLE}, "version": -1}}', 422, "version"),
        (f'{{{WHOLE}, "version": 9007199254740992}}', 422, "version"),
        (f'{{{WHOLE}, "version": {"9" * 4000}}}', 422, "version"),
        (f'{{{WHOLE}, "version": {"9" * 5000}}}', 422, "version"),
        (f'{{{WHOLE}, "version": NaN}}', 400, None),
        (f'{{{WHOLE}, "version": Infinity}}', 400, None),
        (f'{{{WHOLE}, "title": 1}}', 400, "title"),
        (f'{{{WHOLE}, "title": null}}', 400, "title"),
        (f'{{{WHOLE}, "title": "{"x" * 1025}"}}', 422, "title"),
        (f'{{{WHOLE}, "location": "{"x" * 1025}"}}', 422, "location"),
        (f'{{{WHOLE}, "description": "{"x" * 8193}"}}', 422, "description"),
        (f'{{{WHOLE}, "by": "system"}}', 400, "by"),
        ('{"start": "a", "end": "b", "by": "robot"}', 400, "by"),
        ('{"start": "a", "end": "b", "by": ["agent"]}', 400, "by"),
        ('{"start": 1, "end": "b", "by": "agent"}', 400, "start"),
        (f'{{{WHOLE}, "start": "2030-01-01T10:00:00Z"}}', 400, "start"),
        (f'{{{WHOLE}, "a` - at `$.version": 1}}', 400, "version.a"),
        (f'{{{WHOLE}, "\\ud800": 1}}', 400, "\\ud800"),
        (f'{{{WHOLE}, "ti\\u0000tle": 1}}', 400, "ti?tle"),
        (f'{{{WHOLE}, "{"x" * 9000}": 1}}', 400, "x" * 80),
        (f'{{{WHOLE}, "version": -{"9" * 5001}}}', 422, "version"),
        (f'{{{WHOLE}, "title": {"9" * 5001}}}', 400, "title"),
        (f"{{{WHOLE}", 400, None),
        (f"{{{WHOLE}}} {{}}", 400, None),
        (f"{{{WHOLE},}}", 400, None),
        ("{'start': 1}", 400, None),
        ("[" * 60_000, 400, None),
        ('{"a":' * 10_000, 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"title": "\xc3"}', 400, None),
        (b"\xef\xbb\xbf{}", 400, None),
        ("{}".encode("utf-16"), 400, None),
        (b"\0", 400, None),
    ],
)  # fmt: skip
def test_a_body_of_another_form_is_refused_by_name(data: bytes | str, status: int, field: str | None) -> None:
    assert refused(data) == (status, field)


def test_a_number_that_is_too_long_is_called_so() -> None:
    with pytest.raises(InvalidRequest) as error:
        body(sent(f'{{{WHOLE}, "version": {"9" * 5001}}}'), SessionBody)
    assert error.value.detail == "`version` has to be int <= 9007199254740991."


def test_what_is_refused_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as error:
        body(sent(f'{{{WHOLE[:-8]} "the secret value"}}'), SessionBody)
    assert "secret" not in error.value.detail


def test_the_longest_texts_and_the_largest_version_fit() -> None:
    parsed = body(
        sent(
            f'{{{WHOLE}, "title": "{"é" * 1024}", "location": "{"ü" * 1024}", '
            f'"description": "{"🙂" * 8192}", "version": 9007199254740991}}'
        ),
        SessionBody,
    )
    assert content(parsed).title == "é" * 1024
    assert parsed.version == 2**53 - 1


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({"Content-Encoding": "gzip"}, "application/json"),
        ({"Content-Encoding": "identity, br"}, "application/json"),
        ({}, "text/plain"),
        ({}, "application/x-www-form-urlencoded"),
        ({}, "application/json; charset=latin-1"),
        ({}, "application/jsonp"),
        ({}, ""),
    ],
)
def test_anything_but_plain_json_is_refused(headers: dict[str, str], content_type: str) -> None:
    builder = EnvironBuilder(method="PUT", data=b"{}", headers=headers, content_type=content_type or None)
    with pytest.raises(UnsupportedMediaType) as error:
        body(Request(builder.get_environ()), SessionBody)
    assert error.value.field in {"Content-Type", "Content-Encoding"}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8"])
def test_plain_json_is_taken(kind: str) -> None:
    builder = EnvironBuilder(method="PUT", data=f"{{{WHOLE}}}".encode(), content_type=kind)
    assert body(Request(builder.get_environ()), SessionBody).by == "agent"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "a\nb"),
        ("title", "a\rb"),
        ("title", "a\tb"),
        ("title", "a\0b"),
        ("title", "a\x1b[31mb"),
        ("title", "a\x7fb"),
        ("title", "a\x85b"),
        ("title", "a\u2028b"),
        ("title", "a\ud800b"),
        ("location", "a\nb"),
        ("location", "\udfff"),
        ("description", "a\0b"),
        ("description", "a\x0bb"),
        ("description", "a\x9bb"),
        ("description", "\udc00"),
        ("join_url", "http://meet.example.com/1"),
        ("join_url", "https://"),
        ("join_url", "https:///path"),
        ("join_url", "https:meet.example.com"),
        ("join_url", "//meet.example.com"),
        ("join_url", "meet.example.com"),
        ("join_url", "https://user@meet.example.com/"),
        ("join_url", "https://user:pass@meet.example.com/"),
        ("join_url", "https://@meet.example.com/"),
        ("join_url", "https://meet.example.com:0/"),
        ("join_url", "https://meet.example.com:99999/"),
        ("join_url", "https://meet.example.com:x/"),
        ("join_url", "https://[::1/"),
        ("join_url", "https://meet.example.com/a b"),
        ("join_url", "https://meet.example.com\\@evil.example"),
        ("join_url", "https://meet.example.com/\n"),
        ("join_url", "https://méet.example.com/"),
        ("join_url", "javascript:alert(1)"),
        ("join_url", "\ud800"),
        ("time_zone", "Nowhere"),
        ("time_zone", ""),
        ("end", "2030-01-01T10:00:00Z"),
        ("end", "2030-01-01T09:00:00Z"),
        ("start", "2030-01-01T10:00:00"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_meant_is_refused_by_name(field: str, value: str) -> None:
    fields = {"start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z", "by": "agent"} | {field: value}
    with pytest.raises(InvalidRequest) as error:
        content(SessionBody(**fields))  # type: ignore[arg-type]
    assert kind_of(error.value).status == 422
    assert error.value.field == ("time_zone" if field == "start" else field)


@settings(deadline=None)
@given(st.text(max_size=50))
def test_a_text_arrives_as_it_was_sent_or_not_at_all(text: str) -> None:
    shape = SessionBody(
        start="2030-01-01T10:00:00Z",
        end="2030-01-01T11:00:00Z",
        by="agent",
        description=text,  # type: ignore[arg-type]
    )
    parsed = outcome(lambda: content(shape).description)
    shown = text if any(map(is_visible, text)) else ""
    assert parsed in {shown, "description"}


def outcome(read: Callable[[], str]) -> str:
    """Return the parsed value, or the name of the refused field."""
    try:
        return read()
    except InvalidRequest as refusal:
        return refusal.field or ""


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        body(sent(data), SessionBody)


@pytest.mark.parametrize(
    ("text", "status", "field"),
    [
        ("", 400, "by"),
        ("by=robot", 400, "by"),
        ("by=", 400, "by"),
        ("by=agent&by=agent", 400, "by"),
        ("by=agent&who=me", 400, "who"),
        ("by=agent&version=", 400, "version"),
        ("by=agent&version=1.0", 400, "version"),
        ("by=agent&version=1e0", 400, "version"),
        ("by=agent&version=01", 400, "version"),
        ("by=agent&version=-0", 400, "version"),
        ("by=agent&version=true", 400, "version"),
        ("by=agent&version=-1", 422, "version"),
        ("by=agent&version=9007199254740992", 422, "version"),
        ("BY=agent", 400, "BY"),
        ("by=agent&%00=1", 400, "?"),
        ("by=agent&%ff=1", 400, "%FF"),
        ("by=agent&by[]=agent", 400, "by[]"),
        ("by=agent%0A", 400, "by"),
    ],
)  # fmt: skip
def test_parameters_are_as_strict_as_bodies(text: str, status: int, field: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        query(Request(EnvironBuilder(query_string=text).get_environ()), CancelQuery)
    assert (kind_of(error.value).status, error.value.field) == (status, field)


def test_parameters_in_their_plain_spelling_are_taken() -> None:
    parsed = query(
        Request(EnvironBuilder(query_string="version=9007199254740991&by=system").get_environ()), CancelQuery
    )
    assert (parsed.by, parsed.version) == ("system", 2**53 - 1)


def test_an_empty_filter_is_none() -> None:
    parsed = query(Request(EnvironBuilder(query_string="status=&cursor=").get_environ()), ListQuery)
    assert (parsed.status, parsed.cursor) == (UNSET, "")


@pytest.mark.parametrize("value", ["", "later", "NOW", "true", "1"])
def test_an_erasure_is_asked_for_in_one_word_only(value: str) -> None:
    with pytest.raises(Misshapen):
        query(Request(EnvironBuilder(query_string=f"erase={value}").get_environ()), EndQuery)
