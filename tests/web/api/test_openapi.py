"""The OpenAPI description: valid, complete, and true to what is served."""

import re
from html.parser import HTMLParser

import msgspec
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from calendar_service.web.api.dispatch import CALLS
from calendar_service.web.api.openapi import document
from calendar_service.web.problems import KINDS
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import AGENT

DOCUMENT = document("http://localhost:8080")


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
