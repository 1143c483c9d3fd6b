"""A foreign organization is always 404, with the same bytes, whatever exists there."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calendar_service.domain.caller_limits import CallerLimits
from calendar_service.domain.names import Agent
from calendar_service.web.api.call import ApiCall
from calendar_service.web.api.dispatch import CALLS
from calendar_service.web.app import create_app
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api

SECOND = "agent-two@example.com"
CALLERS_OWN = {"X-Request-Id", "RateLimit", "RateLimit-Policy"}
QUERIES = {"cancel_session": "?by=agent", "end_connection": "?erase=now"}


def path_of(call: ApiCall, organization: str, agent: str = "agent-1", session: str = "s-1") -> str:
    path = call.path.replace("<organization>", organization).replace("<agent>", agent)
    return path.replace("<session>", session) + QUERIES.get(call.name, "")


def without_request_id(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return all of an answer but its request id and its caller's limits: a path in another spelling has no caller."""
    return (
        answer.status_code,
        answer.data.replace(answer.headers["X-Request-Id"].encode(), b"id"),
        sorted(pair for pair in answer.headers if pair[0] not in CALLERS_OWN),
    )


def ask(api: Api, call: ApiCall, path: str, session: dict[str, Any], **more: Any) -> TestResponse:
    sent = {"json": session} if call.name == "put_session" else {}
    return api.call(call.method, path, **(sent | more))


@pytest.mark.parametrize("role", ["backend", "admin"])
def test_nothing_that_exists_elsewhere_shows_in_an_answer(
    api: Api, service: TestService, google_process: LocalGoogle, session: dict[str, Any], role: str
) -> None:
    service.connect(Agent("beta", "agent-1"), account=SECOND)
    api.put("/v1/organizations/beta/agents/agent-1/sessions/s-1", session)
    unlimited = service.allowing(calls=CallerLimits.lifted().calls)  # a lease of calls would be a round trip
    acme = Api(create_app(unlimited.parts), f"acme-{role}")
    acme.get(
        "/v1/organizations/acme/agents/agent-1/connection"
    )  # the first use also asks whose database it is
    stored, calls = service.stored(), len(google_process.journal())
    trips = unlimited.parts.store.database.round_trips
    answers = {
        repr(without_request_id(answer)) for call in CALLS for answer in everywhere_else(acme, call, session)
    }
    assert len(answers) == 1
    assert answers.pop().startswith("(404, ")
    assert unlimited.parts.store.database.round_trips == trips
    assert service.stored() == stored
    assert len(google_process.journal()) == calls
    unlimited.close()


def everywhere_else(acme: Api, call: ApiCall, session: dict[str, Any]) -> Iterator[TestResponse]:
    """Call every path outside acme: with data, without, unknown, malformed, disguised."""
    foreign = path_of(call, "beta")
    for place in (
        foreign,
        path_of(call, "beta", session="s-2"),
        path_of(call, "beta", agent="agent-2"),
        path_of(call, "gamma"),
        path_of(call, "b%20d"),
        path_of(call, "ACME"),
        path_of(call, "acme%20"),
        path_of(call, "*"),
        path_of(call, "x" * 200),
        path_of(call, "beta", agent="%00", session="%ff"),
        path_of(call, "beta%2F..%2Facme"),
    ):
        yield ask(acme, call, place, session)
    yield ask(acme, call, foreign, session, headers={"X-Organization": "acme", "Idempotency-Key": "s-1"})
    yield acme.call(call.method, f"{foreign}{'&' if '?' in foreign else '?'}organization=acme")
    yield acme.call(call.method, foreign, data=b"{", content_type="text/plain")
    yield acme.call(call.method, foreign, data=b"x" * 70_000)
    yield acme.call("PROPFIND", foreign)
    yield acme.call("GET", "/v1/organizations/beta/nothing")


def test_an_unknown_session_of_an_own_agent_looks_as_foreign_ones_do(
    api: Api, service: TestService, session: dict[str, Any]
) -> None:
    service.connect(Agent("acme", "agent-1"))
    acme = api.by("acme-backend")
    foreign = without_request_id(acme.get("/v1/organizations/beta/agents/agent-1/sessions/s-1"))
    assert without_request_id(acme.get("/v1/organizations/acme/agents/agent-1/sessions/s-1")) == foreign
    assert without_request_id(acme.get("/v1/organizations/acme/agents/agent-1/nothing")) == foreign


@shows("no-transfer")
def test_a_session_of_another_agent_is_not_found_and_not_touched(
    api: Api, service: TestService, session: dict[str, Any]
) -> None:
    service.connect(Agent("acme", "agent-1"))
    service.connect(Agent("acme", "agent-2"), account=SECOND)
    acme = api.by("acme-backend")
    acme.put("/v1/organizations/acme/agents/agent-1/sessions/s-1", session)
    assert acme.get("/v1/organizations/acme/agents/agent-2/sessions/s-1").status_code == 404
    assert acme.delete("/v1/organizations/acme/agents/agent-2/sessions/s-1?by=agent").json["applied"] is False
    assert acme.get("/v1/organizations/acme/agents/agent-1/sessions/s-1").json["status"] == "scheduled"


def test_members_of_another_organization_are_in_no_list(api: Api, service: TestService) -> None:
    service.connect(Agent("acme", "agent-1"))
    service.connect(Agent("beta", "agent-2"), account=SECOND)
    listed = api.by("beta-admin").get("/v1/organizations/beta/connections").json["connections"]
    assert [one["agent"] for one in listed] == ["agent-2"]
    assert api.by("beta-admin").get("/v1/organizations/beta").json["connections"]["connected"] == 1


STATES_AND_ENDS = {
    ("GET", "/agents/<agent>/connection"),
    ("POST", "/agents/<agent>/connection/pause"),
    ("POST", "/agents/<agent>/connection/resume"),
    ("DELETE", "/agents/<agent>/connection"),
    ("GET", "/connections"),
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/reopen"),
}
SESSIONS = {
    ("POST", "/agents/<agent>/portal-sessions"),
    ("GET", "/agents/<agent>/connection"),
    ("GET", "/connections"),
    ("GET", "/agents/<agent>/sessions"),
    ("PUT", "/agents/<agent>/sessions/<session>"),
    ("GET", "/agents/<agent>/sessions/<session>"),
    ("DELETE", "/agents/<agent>/sessions/<session>"),
    ("POST", "/agents/<agent>/sessions/reconcile"),
}


@shows("PR-1", "SC-4", "administrators", "no-transfer")
@pytest.mark.parametrize(("role", "opened"), [("admin", STATES_AND_ENDS), ("backend", SESSIONS)])
def test_a_key_opens_these_calls_and_no_others(role: str, opened: set[tuple[str, str]]) -> None:
    calls = [(call.method, call.path.partition("<organization>")[2]) for call in CALLS if role in call.roles]
    assert set(calls) == opened
    assert len(calls) == len(opened)


@shows("PR-1")
def test_a_key_of_the_wrong_role_is_forbidden_before_anything_is_read(
    api: Api, service: TestService, session: dict[str, Any]
) -> None:
    trips = service.parts.store.database.round_trips
    for call in CALLS:
        for role in {"backend", "admin"} - set(call.roles):
            for caller in (role, f"acme-{role}"):
                answer = ask(api.by(caller), call, path_of(call, "acme"), session)
                assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert service.parts.store.database.round_trips == trips


def test_who_asks_for_a_foreign_organization_is_written_down_without_what_was_asked(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    api.by("acme-backend").get("/v1/organizations/beta/agents/agent-1/connection")
    written = capfd.readouterr().err
    assert '"event":"request.foreign"' in written
    assert '"caller":"acme-backend"' in written
    assert "beta" not in written
