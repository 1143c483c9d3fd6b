"""Every form is accepted only from the service's page, in its own visit, with its token; else nothing changes."""

from collections.abc import Callable

import pytest
from flask import Flask

from calendar_service.domain.names import Agent
from tests.support.evidence import shows
from tests.support.service import PUBLIC_URL, TestService, without_times
from tests.web.pages.visitor import OWN_PAGE, Visitor

FORMS = {
    "/portal": {"ticket": "unknown"},
    "/connect": {"policy": "1"},
    "/calendar": {"create": "yes"},
    "/pause": {},
    "/resume": {},
    "/term": {"term": "86400000"},
    "/disconnect": {"delete_calendar": "yes"},
    "/erase": {},
    "/logout": {},
    "/console/agent": {"agent": "agent-2"},
    "/console/settings": {"time_zone": "UTC"},
    "/console/sessions": {
        "session": "s", "start": "2999-01-01T10:00", "time_zone": "UTC", "minutes": "5", "by": "agent"
    },
    "/console/sessions/cancel": {"session": "s", "by": "agent"},
}  # fmt: skip
REVIEWERS = {
    "/console/begin": {"time_zone": "UTC"}, "/console/check": {}, "/console/verify": {}, "/console/reset": {},
    "/console/leave": {},
}  # fmt: skip
FOREIGN = {
    "Origin null": {"Origin": "null"},
    "Origin of another site": {"Origin": "https://evil.example"},
    "Origin that only begins like ours": {"Origin": f"{PUBLIC_URL}.evil.example"},
    "Origin of another port": {"Origin": "http://localhost:8081"},
    "a form of another site": {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
    "a form of a sibling site": {"Sec-Fetch-Site": "same-site"},
    "no page at all": {"Sec-Fetch-Site": "none"},
}


def test_every_form_that_pages_take_is_tried_here(app: Flask) -> None:
    posts = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    pages = {rule for rule in posts if not rule.startswith(("/v1/", "/google/"))}
    assert pages == set(FORMS) | set(REVIEWERS)


@pytest.mark.parametrize("path", REVIEWERS)
def test_a_reviewers_form_proves_the_same(visitor: Visitor, service: TestService, path: str) -> None:
    secret, _ = service.parts.operations.reviewers.make(60)
    visitor.get(f"/reviewer/{secret}")
    visitor.get("/console")
    _nothing_changes(visitor, service, path, REVIEWERS[path] | {"csrf": "wrong"}, OWN_PAGE)
    for headers in FOREIGN.values():
        _nothing_changes(visitor, service, path, REVIEWERS[path] | {"csrf": visitor.token}, headers)


def _begin(visitor: Visitor, path: str) -> None:
    visitor.connect()
    if path.startswith("/console"):
        visitor.get("/console")


def _refused(
    visitor: Visitor, service: TestService, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    _nothing_changes(visitor, service, path, FORMS[path] | form, headers)


def _nothing_changes(
    visitor: Visitor, service: TestService, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    before, calls = without_times(service.stored()), len(service.google.journal())
    answer = visitor.raw_post(path, form, headers)
    assert answer.status_code == 403, answer.text
    assert without_times(service.stored()) == before
    assert len(service.google.journal()) == calls
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_changes_nothing(visitor: Visitor, service: TestService, path: str) -> None:
    _begin(visitor, path)
    token = {"csrf": visitor.token}
    for headers in FOREIGN.values():
        _refused(visitor, service, path, token, headers)


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_changes_nothing(visitor: Visitor, service: TestService, path: str) -> None:
    _begin(visitor, path)
    for token in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "ñ" * 43}, {"csrf": visitor.token + "x"}):
        _refused(visitor, service, path, token, OWN_PAGE)


@pytest.mark.parametrize("path", FORMS)
def test_another_visits_token_changes_nothing(
    visitor: Visitor, another_visitor: Callable[[], Visitor], service: TestService, path: str
) -> None:
    _begin(visitor, path)
    other = another_visitor()
    other.enter(Agent("acme", "agent-2"))
    if path.startswith("/console"):
        other.get("/console")
    _refused(visitor, service, path, {"csrf": other.token}, OWN_PAGE)


def test_a_closed_visits_token_changes_nothing(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    token, cookie = visitor.token, visitor.session_cookie()
    visitor.post("/logout")
    visitor.client.set_cookie("session", cookie, domain="localhost")
    before = without_times(service.stored())
    for path in ("/disconnect", "/pause", "/connect", "/erase", "/term"):
        assert visitor.raw_post(path, FORMS[path] | {"csrf": token}, OWN_PAGE).status_code == 401, path
    assert without_times(service.stored()) == before


@shows("CH-1")
def test_without_a_visit_nothing_can_be_done(visitor: Visitor, service: TestService) -> None:
    before = service.stored()
    for path, form in FORMS.items():
        answer = visitor.raw_post(path, form | {"csrf": "any"}, OWN_PAGE)
        assert answer.status_code == (403 if path.startswith("/console") else 401), path
    assert service.stored() == before


def test_no_form_is_sent_by_opening_its_address(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    before = without_times(service.stored())
    for path in FORMS:
        assert visitor.get(path).status_code == (200 if path == "/disconnect" else 405), path
    assert without_times(service.stored()) == before


def test_a_visit_is_not_judged_by_its_origin(visitor: Visitor) -> None:
    visitor.enter()
    assert visitor.get("/settings", Origin="null", Sec_Fetch_Site="cross-site").status_code == 200
