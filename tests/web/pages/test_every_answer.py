"""Rules for every answer to a browser, checked in one walk through all pages and acts: cookies, contact."""

from collections.abc import Iterator
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from calendar_service.operators import load
from calendar_service.web.api.dispatch import is_api
from calendar_service.web.app import create_app
from tests.support.evidence import shows
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

CONTACT = "google-data@videsk.io"
NEEDED = {
    "session": "whose settings are open",
    "language": "the language that was chosen",
    "receipt": "the one whole copy of a receipt",
    "console": "who sits at the stand-in console",
    "reviewer": "the desk behind a reviewer's link",
}
"""Every cookie that may be set, and what cannot be done without it."""
FILLED = {"<ticket>": "used", "<number>": "1-none", "<secret>": "none", "<path:filename>": "app.css"}


@pytest.fixture
def answers(service: TestService, tmp_path: Path) -> list[TestResponse]:
    """Every answer of the walk, by a service whose operator has given a contact."""
    profile = tmp_path / "operator.toml"
    profile.write_text(f'extends = "videsk"\nidentity.contact = "{CONTACT}"\n', "utf-8")
    app = create_app(replace(service.parts, config=replace(service.config, operator=load(str(profile)))))
    return list(_walk(app, service))


def _walk(app: Flask, service: TestService) -> Iterator[TestResponse]:
    heard: list[TestResponse] = []
    visitor = Visitor(app, service, heard.append)
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not is_api(rule.rule):
            path = rule.rule
            for part, value in FILLED.items():
                path = path.replace(part, value)
            visitor.get(path)
            visitor.raw_post(path, {}, {})
    visitor.get("/oauth/callback?refused=expired")
    visitor.get("/console?lang=es")
    visitor.post("/console/agent", {"agent": "agent-1"})
    visitor.get(visitor.ticket(), Sec_Fetch_Dest="iframe")
    visitor.connect()
    visitor.raw_post("/pause", {"csrf": "guess"}, {})
    for act in ("/pause", "/resume", "/disconnect"):
        visitor.get("/disconnect")
        visitor.post(act)
        visitor.get("/settings")
    visitor.get(visitor.post("/erase").location)
    visitor.post("/erase")
    visitor.post("/logout")
    secret, _ = service.parts.operations.reviewers.make(60)
    visitor.get(f"/reviewer/{secret}")
    visitor.get("/console")
    visitor.get("/console/video")
    visitor.post("/console/leave")
    yield from heard


@shows("LU-4", "cookies")
def test_only_cookies_that_an_act_needs_are_set_and_no_script_or_other_site_gets_them(
    answers: list[TestResponse],
) -> None:
    set_by_us = [text for answer in answers for text in answer.headers.getlist("Set-Cookie")]
    cookies = [cookie for text in set_by_us for cookie in SimpleCookie(text).values()]
    assert {cookie.key for cookie in cookies} == NEEDED.keys()
    for cookie in cookies:
        assert (cookie["httponly"], cookie["path"], cookie["domain"]) == (True, "/", "")
        assert cookie["samesite"] in {"Lax", "Strict"}


@shows("ID-1", "CO-1")
def test_the_operator_and_the_contact_stand_on_every_page(answers: list[TestResponse]) -> None:
    pages = [answer for answer in answers if answer.mimetype == "text/html" and not answer.location]
    assert {200, 400, 401, 403, 404, 405, 409, 410} <= {page.status_code for page in pages}
    for page in pages:
        foot = page.text.partition("<footer>")[2]
        assert f'href="mailto:{CONTACT}"' in foot, page.request.path
        for fact in ("Videsk SpA", "Santiago", "Chile"):
            assert fact in foot, page.request.path
        assert "Videsk" in words(page)
