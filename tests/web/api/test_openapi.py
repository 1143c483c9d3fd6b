"""The OpenAPI description: valid, complete, and true to what is served."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from calendar_service import operators
from calendar_service.crypto.signing import public_key_text
from calendar_service.journeys.connection import receipts
from calendar_service.web.api.dispatch import CALLS
from calendar_service.web.api.openapi import document
from calendar_service.web.api.webhook_events import EVENTS
from calendar_service.web.problems import KINDS
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import AGENT

DOCUMENT = document("http://localhost:8080", operators.load("videsk"))


def test_the_description_is_valid_openapi_3_1() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_description_is_public_and_what_was_validated(api: Api) -> None:
    answer = api.by("").get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json == msgspec.json.decode(msgspec.json.encode(DOCUMENT))


def test_every_route_of_the_api_is_described_and_no_other(app: Flask) -> None:
    served = {
        (method.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1")
        for method in (rule.methods or set()) - {"HEAD"}
    }
    described = {
        (method, path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert served == described


def test_every_call_is_described_in_words() -> None:
    for operations in DOCUMENT["paths"].values():
        for call in operations.values():
            if isinstance(call, dict):
                assert call["summary"].endswith(".")
                assert "Keys of the role" in call["description"]


def test_the_examples_of_a_session_are_taken(api: Api, connected: TestService) -> None:
    shape = DOCUMENT["components"]["schemas"]["SessionBody"]["properties"]
    examples = {name: shape[name]["examples"] for name in ("start", "end", "time_zone", "join_url")}
    assert [len(examples[name]) for name in ("start", "end")] == [2, 2]
    for start, end in zip(examples["start"], examples["end"], strict=True):
        body = {"start": start, "end": end, "time_zone": examples["time_zone"][0], "by": "agent"}
        answer = api.call("PUT", f"{AGENT}/sessions/s-1", json=body | {"join_url": examples["join_url"][0]})
        assert answer.status_code in {200, 201}


def test_every_time_that_is_taken_has_the_form_of_the_description() -> None:
    shapes = DOCUMENT["components"]["schemas"]
    form = re.compile(shapes["SessionBody"]["properties"]["start"]["pattern"])
    taken = (
        "2031-05-03T14:00:00-04:00",
        "2031-05-03t14:00:00z",
        "2031-05-03T14:00:00.000+05:45",
        "1970-01-01T00:00:00",
    )
    assert [text for text in taken if not form.search(text)] == []
    refused = (
        "",
        "2031-05-03",
        "2031-05-03 14:00:00",
        "1969-01-01T00:00:00Z",
        "2031-05-03T24:00:00Z",
        "2031-05-03T14:00:60Z",
    )
    assert [text for text in refused if form.search(text)] == []
    assert not re.search(shapes["ReconcileBody"]["properties"]["from"]["pattern"], "2031-05-03T14:00:00")


def test_no_member_that_may_be_left_out_has_a_default() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for member, inner in schema.get("properties", {}).items():
            assert "default" not in inner, f"{name}.{member}"


def test_every_example_has_the_form_of_its_schema_and_no_time_in_the_past() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    examples = [
        (media["schema"]["$ref"], media["example"])
        for call in operations()
        for media in (*media_of(call.get("requestBody")), *map(only, call["responses"].values()))
        if "example" in media
    ]
    examples += [(f"/{name}", one) for name, schema in schemas.items() for one in schema.get("examples", [])]
    assert len(examples) > 20
    for reference, example in examples:
        shape = {
            "$ref": f"#/components/schemas/{reference.rpartition('/')[2]}",
            "components": {"schemas": schemas},
        }
        OAS31Validator(shape, format_checker=oas31_format_checker).validate(example)
        times = re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", msgspec.json.encode(example).decode())
        assert {time[:4] for time in times} <= {"2099"}


@pytest.mark.parametrize("call", ["put_session", "reconcile_sessions", "create_portal_session"])
def test_the_example_of_a_body_is_taken_as_it_is(api: Api, connected: TestService, call: str) -> None:
    method, path, described = next(one for one in described_calls() if one[2]["operationId"] == call)
    (media,) = media_of(described["requestBody"])
    place = path.format(organization="acme", agent="agent-1", session="s-4711")
    answer = api.call(method, place, json=media["example"])
    assert str(answer.status_code) in described["responses"], answer.json
    assert answer.status_code < 300, answer.json


def test_every_answer_names_its_headers() -> None:
    for call in operations():
        for status, answer in call["responses"].items():
            described = DOCUMENT["components"]["responses"][status] if "$ref" in answer else answer
            names = set(described["headers"])
            assert "X-Request-Id" in names
            assert ("Retry-After" in names) == (status in {"429", "503"})
            assert ("RateLimit" in names) == (status != "401")
            assert ("Location" in names) == (status == "202" and call["tags"] == ["Sessions"])


def test_a_call_names_the_refusals_that_it_may_give_and_no_other() -> None:
    named = {call["operationId"]: set(call["responses"]) for call in operations()}
    assert all({"400", "401", "404", "429", "500", "503"} <= statuses for statuses in named.values())
    assert not any({"405", "410", "421"} & statuses for statuses in named.values())
    assert {name for name, statuses in named.items() if "403" not in statuses} == {
        "get_connection",
        "list_connections",
    }
    assert {name for name, statuses in named.items() if "415" in statuses} == {
        "create_portal_session",
        "put_session",
        "reconcile_sessions",
    }
    assert {name for name, statuses in named.items() if "422" not in statuses} == {
        "end_connection", "get_connection", "get_organization", "get_session", "off_board", "pause_connection",
        "reopen", "resume_connection",
    }  # fmt: skip
    assert set(DOCUMENT["components"]["responses"]) == {
        "400", "401", "403", "404", "413", "415", "429", "500", "503",
    }  # fmt: skip


def test_every_webhook_is_described_with_its_shape() -> None:
    assert set(DOCUMENT["webhooks"]) == set(EVENTS)
    for name, webhook in DOCUMENT["webhooks"].items():
        (media,) = media_of(webhook["post"]["requestBody"])
        shape = DOCUMENT["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
        kind = shape["properties"]["type"]
        assert name in kind.get("enum", [kind.get("const")])


def test_a_receipt_is_handed_out_as_it_is_described(api: Api, connected: TestService) -> None:
    receipt = api.by("admin").delete(f"{AGENT}/connection?erase=now").json["receipt"]
    shape = DOCUMENT["components"]["schemas"]["Receipt"]
    assert set(shape["required"]) <= set(receipt) <= set(shape["properties"])
    key = public_key_text(
        Ed25519PrivateKey.from_private_bytes(connected.parts.config.signing_key).public_key()
    )
    assert receipts.verify(msgspec.json.encode(receipt), [key]) == receipt


def described_calls() -> Iterator[tuple[str, str, Any]]:
    """Yield every call's method, path and description."""
    for path, methods in DOCUMENT["paths"].items():
        for method, call in methods.items():
            if method != "parameters":
                yield method.upper(), path, call


def operations() -> list[Any]:
    return [call for _, _, call in described_calls()]


def media_of(described: Any) -> list[Any]:
    return list(described["content"].values()) if described else []


def only(answer: Any) -> Any:
    """Return what an answer holds; nothing where it stands elsewhere."""
    return next(iter(answer.get("content", {"": {}}).values()))


def test_no_two_shapes_share_a_name() -> None:
    shapes = {shape for call in CALLS for shape in (call.query, call.body, *call.answers.values())}
    assert len({shape.__name__ for shape in shapes}) == len(shapes)


class _Page(HTMLParser):
    """The links and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.tags: set[str] = set()
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        target = values.get("href") or ""
        if target.startswith("#"):
            self.targets.add(target[1:])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)


def test_the_readable_description_needs_no_script_and_every_link_in_it_leads_somewhere(api: Api) -> None:
    answer = api.by("").get("/docs")
    page = _Page()
    page.feed(answer.text)
    assert answer.status_code == 200
    assert "script" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert page.targets <= set(page.ids)
    assert page.headings.count("h1") == 1
    assert "?lang=" not in answer.text, "it is offered in a language that it is not written in"
    for call in CALLS:
        assert call.name in page.ids


def test_every_code_of_a_problem_has_its_place_in_the_readable_description(api: Api) -> None:
    page = _Page()
    page.feed(api.by("").get("/docs").text)
    assert {error.code for error in KINDS} <= set(page.ids)
