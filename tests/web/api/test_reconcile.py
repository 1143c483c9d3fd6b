"""Reconcile: a plan that changes nothing, a plan that is carried out, and requests that are refused."""

from typing import Any

import pytest

from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import AGENT

RECONCILE = f"{AGENT}/sessions/reconcile"
ALL = {"from": "2030-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z"}


def wanted(name: str, day: int, **more: Any) -> dict[str, Any]:
    times = {"start": f"2030-01-{day:02}T10:00:00Z", "end": f"2030-01-{day:02}T11:00:00Z"}
    return {"session": name} | times | more


@pytest.fixture
def filled(api: Api, connected: TestService) -> Api:
    """An agent with two sessions in the calendar."""
    for name, day in (("s-1", 10), ("s-2", 11)):
        session = {part: value for part, value in wanted(name, day).items() if part != "session"}
        assert api.put(f"{AGENT}/sessions/{name}", session | {"by": "system"}).status_code == 201
    return api


def test_what_is_as_wanted_differs_in_nothing(filled: Api) -> None:
    answer = filled.post(RECONCILE, ALL | {"sessions": [wanted("s-1", 10), wanted("s-2", 11)]})
    assert answer.status_code == 200
    assert answer.json == {"applied": False, "equal": 2, "unknown_events": [], "differences": []}


def test_a_plan_names_the_differences_and_changes_nothing(filled: Api, connected: TestService) -> None:
    before = connected.stored()
    answer = filled.post(RECONCILE, ALL | {"sessions": [wanted("s-1", 12), wanted("s-3", 13)]}).json
    assert answer["differences"] == [
        {"session": "s-1", "difference": "times"},
        {"session": "s-3", "difference": "missing"},
        {"session": "s-2", "difference": "extra"},
    ]
    assert connected.stored() == before


def test_a_plan_that_is_carried_out_leaves_nothing_to_do(filled: Api) -> None:
    sessions = {"sessions": [wanted("s-1", 12), wanted("s-3", 13, title="New")]}
    done = filled.post(f"{RECONCILE}?apply=true", ALL | sessions).json
    assert done["applied"] is True
    assert [one["status"] for one in done["differences"]] == ["scheduled", "scheduled", "cancelled"]
    again = filled.post(f"{RECONCILE}?apply=false", ALL | sessions).json
    assert again == {"applied": False, "equal": 2, "unknown_events": [], "differences": []}


def test_what_stands_by_former_rules_of_a_zone_is_found_and_mended(api: Api, connected: TestService) -> None:
    """Until 2026, 10:00 in Vancouver in winter was 18:00 UTC."""
    former = {
        "start": "2030-01-15T18:00:00Z",
        "end": "2030-01-15T19:00:00Z",
        "time_zone": "America/Vancouver",
    }
    assert api.put(f"{AGENT}/sessions/s-1", former | {"by": "system"}).status_code == 201
    local = {"session": "s-1", "start": "2030-01-15T10:00:00", "end": "2030-01-15T11:00:00"}
    sessions = {"sessions": [local | {"time_zone": "America/Vancouver"}]}
    plan = api.post(RECONCILE, ALL | sessions).json
    assert plan["differences"] == [{"session": "s-1", "difference": "times"}]
    api.post(f"{RECONCILE}?apply=true", ALL | sessions)
    assert api.get(f"{AGENT}/sessions/s-1?read=google").json["start"] == "2030-01-15T17:00:00Z"


@pytest.mark.parametrize(
    ("body", "query", "status", "field"),
    [
        ({}, "", 400, "from"),
        (ALL, "", 400, "sessions"),
        (ALL | {"sessions": {}}, "", 400, "sessions"),
        (ALL | {"sessions": [1]}, "", 400, "sessions[0]"),
        (ALL | {"sessions": [{}]}, "", 400, "sessions[0].start"),
        (ALL | {"sessions": [wanted("s-1", 10, by="agent")]}, "", 400, "sessions[0].by"),
        (ALL | {"sessions": [wanted("a b", 10)]}, "", 422, "sessions[0].session"),
        (ALL | {"sessions": [wanted("s", 10), wanted("s", 11)]}, "", 422, "sessions[1].session"),
        (ALL | {"sessions": [wanted("s", 10, title="a\nb")]}, "", 422, "sessions[0].title"),
        (ALL | {"sessions": [wanted("s", 10, time_zone="x")]}, "", 422, "sessions[0].time_zone"),
        (ALL | {"sessions": [wanted("s", 10, start="2030-01-10T10:00:00")]}, "", 422, "sessions[0].time_zone"),
        (ALL | {"sessions": [wanted("s", 10, end="2030-01-10T09:00:00Z")]}, "", 422, "sessions[0].end"),
        (ALL | {"to": "2030-01-09T00:00:00Z", "sessions": [wanted("s", 10)]}, "", 422, "sessions[0].start"),
        (ALL | {"to": "2029-01-01T00:00:00Z", "sessions": []}, "", 422, "to"),
        (ALL | {"from": "2030-01-01T00:00:00", "sessions": []}, "", 422, "from"),
        (ALL | {"sessions": []}, "?apply=yes", 400, "apply"),
        (ALL | {"sessions": []}, "?apply=", 400, "apply"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(
    api: Api, body: dict[str, Any], query: str, status: int, field: str
) -> None:
    answer = api.post(f"{RECONCILE}{query}", body)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (
        status,
        "invalid_request",
        field,
    )


def test_without_a_connection_there_is_nothing_to_compare(api: Api) -> None:
    answer = api.post(RECONCILE, ALL | {"sessions": []})
    assert (answer.status_code, answer.json["code"]) == (409, "not_connected")


def test_a_google_that_does_not_answer_is_worth_another_try(filled: Api, google_process: LocalGoogle) -> None:
    google_process.fault("/calendar/v3/*", {"status": 503})
    answer = filled.post(RECONCILE, ALL | {"sessions": []})
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
