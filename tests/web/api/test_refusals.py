"""Every refusal of the contract: its code, status and field, and that nothing changed."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calendar_service.health.readiness import Readiness
from calendar_service.web.app import create_app
from calendar_service.web.problems import KINDS
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api, configured
from tests.web.api.conftest import ACME, AGENT

ONE = f"{AGENT}/sessions/s-1"
LINK = f"{AGENT}/portal-sessions"


def at(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0).isoformat()


def body(**changed: Any) -> dict[str, Any]:
    whole = {"start": at(3), "end": at(4), "by": "agent"} | changed
    return {name: value for name, value in whole.items() if value is not ...}


@dataclass(frozen=True)
class Refused:
    """One request that is refused."""

    why: str
    method: str
    path: str
    status: int
    code: str
    field: str | None = None
    caller: str = "backend"
    sent: dict[str, Any] = member(default_factory=dict)


def put(why: str, status: int, code: str, at_field: str | None, **changed: Any) -> Refused:
    return Refused(why, "PUT", ONE, status, code, at_field, sent={"json": body(**changed)})


BAD_BODIES = [
    put("an unknown member", 400, "invalid_request", "titel", titel="x"),
    put("a missing start", 400, "invalid_request", "start", start=...),
    put("a missing end", 400, "invalid_request", "end", end=...),
    put("a missing by", 400, "invalid_request", "by", by=...),
    put("a by of nobody", 400, "invalid_request", "by", by="robot"),
    put("a version in quotes", 400, "invalid_request", "version", version="1"),
    put("a version that is true", 400, "invalid_request", "version", version=True),
    put("a version below nought", 422, "invalid_request", "version", version=-1),
    put("a version too large", 422, "invalid_request", "version", version=2**53),
    put("a title that is a number", 400, "invalid_request", "title", title=7),
    put("a title too long", 422, "invalid_request", "title", title="x" * 1025),
    put("a title of two lines", 422, "invalid_request", "title", title="a\nb"),
    put("a title with a NUL", 422, "invalid_request", "title", title="a\0b"),
    put("a location too long", 422, "invalid_request", "location", location="x" * 1025),
    put("a description too long", 422, "invalid_request", "description", description="x" * 8193),
    put("a lone surrogate", 422, "invalid_request", "description", description="\ud800"),
    put("a join_url that is not https", 422, "invalid_request", "join_url", join_url="http://m.example"),
    put("a join_url with a password", 422, "invalid_request", "join_url", join_url="https://a:b@m.example"),
    put("an end before the start", 422, "invalid_request", "end", end=at(2)),
    put("an end at the start", 422, "invalid_request", "end", end=at(3)),
    put("a day that is none", 422, "invalid_request", "start", start="2026-02-30T10:00:00Z"),
    put("a leap second", 422, "invalid_request", "end", end="2030-12-31T23:59:60Z"),
    put("half a second", 422, "invalid_request", "start", start="2026-01-01T10:00:00.5Z"),
    put("a year beyond", 422, "invalid_request", "end", end="9999-12-31T23:59:59Z"),
    put("a zone that is none", 422, "invalid_request", "time_zone", time_zone="Mars/Olympus"),
    put("a local time nowhere", 422, "invalid_request", "time_zone", start="2026-05-03T14:00:00"),
    put(
        "a local time that the night skips", 422, "invalid_request", "start",
        start="2027-03-28T02:30:00", end="2027-03-28T05:00:00", time_zone="Europe/Madrid",
    ),
    put("a session already over", 422, "session_over", "end", start=at(-2), end=at(-1)),
]  # fmt: skip

BAD_REQUESTS = [
    Refused("no key", "GET", f"{AGENT}/connection", 401, "unauthenticated", "Authorization", caller=""),
    Refused(
        "a key of nobody", "GET", f"{AGENT}/connection", 401, "unauthenticated", "Authorization",
        sent={"headers": {"Authorization": "Bearer nobody's"}},
    ),
    Refused("no key, and no such call", "GET", "/v1/nothing", 401, "unauthenticated", "Authorization", caller=""),
    Refused("a foreign organization", "GET", f"{AGENT}/connection", 404, "not_found", caller="beta-admin"),
    Refused("an administrator who schedules", "PUT", ONE, 403, "forbidden", caller="admin", sent={"json": body()}),
    Refused("an administrator who reads a session", "GET", ONE, 403, "forbidden", caller="acme-admin"),
    Refused("an administrator who makes a link", "POST", LINK, 403, "forbidden", caller="admin"),
    Refused("a backend that pauses", "POST", f"{AGENT}/connection/pause", 403, "forbidden"),
    Refused("a backend that disconnects", "DELETE", f"{AGENT}/connection", 403, "forbidden"),
    Refused("a backend that off-boards", "DELETE", ACME, 403, "forbidden", caller="acme-backend"),
    Refused("a backend that counts an organization", "GET", ACME, 403, "forbidden"),
    Refused("an unknown session", "GET", f"{AGENT}/sessions/s-9", 404, "not_found"),
    Refused("an unknown call", "GET", f"{AGENT}/calendar", 404, "not_found"),
    Refused("a path with a slash too many", "GET", f"{AGENT}/connection/", 404, "not_found"),
    Refused("a path with two slashes", "GET", f"{ACME}//agents/agent-1/connection", 404, "not_found"),
    Refused("a method that is not taken", "PATCH", ONE, 405, "method_not_allowed", sent={"json": body()}),
    Refused("TRACE", "TRACE", ONE, 405, "method_not_allowed"),
    Refused("OPTIONS", "OPTIONS", ONE, 405, "method_not_allowed"),
    Refused("a name out of the alphabet", "PUT", f"{AGENT}/sessions/a%20b", 400, "invalid_request", "session",
            sent={"json": body()}),
    Refused("a name too long", "PUT", f"{AGENT}/sessions/{'x' * 129}", 400, "invalid_request", "session",
            sent={"json": body()}),
    Refused("an agent out of the alphabet", "GET", f"{ACME}/agents/ñandú/connection", 400, "invalid_request", "agent"),
    Refused("an organization out of the alphabet", "GET", "/v1/organizations/%00/connections", 400,
            "invalid_request", "organization", caller="admin"),
    Refused("a session of the name of a call", "PUT", f"{AGENT}/sessions/reconcile", 400, "invalid_request", "session",
            sent={"json": body()}),
    Refused("a read of such a session", "GET", f"{AGENT}/sessions/reconcile", 400, "invalid_request", "session"),
    Refused("a cancel of such a session", "DELETE", f"{AGENT}/sessions/reconcile?by=agent", 400, "invalid_request",
            "session"),
    Refused("a cancel by nobody", "DELETE", ONE, 400, "invalid_request", "by"),
    Refused("a cancel with a body", "DELETE", f"{ONE}?by=agent", 400, "invalid_request", "by",
            sent={"json": {"by": "agent"}}),
    Refused("a parameter twice", "DELETE", f"{ONE}?by=agent&by=system", 400, "invalid_request", "by"),
    Refused("a parameter unknown", "GET", f"{ONE}?reed=google", 400, "invalid_request", "reed"),
    Refused("a read from elsewhere", "GET", f"{ONE}?read=outlook", 400, "invalid_request", "read"),
    Refused("a status unknown", "GET", f"{AGENT}/sessions?status=done", 400, "invalid_request", "status"),
    Refused("a cursor of another list", "GET", f"{AGENT}/sessions?cursor=%2B", 422, "invalid_request", "cursor"),
    Refused("a state unknown", "GET", f"{ACME}/connections?state=gone", 400, "invalid_request", "state",
            caller="admin"),
    Refused("an erasure some day", "DELETE", f"{AGENT}/connection?erase=later", 400, "invalid_request", "erase",
            caller="admin"),
    Refused("a pause with content", "POST", f"{AGENT}/connection/pause", 400, "invalid_request", "until",
            caller="admin", sent={"json": {"until": at(1)}}),
    Refused("text that is not JSON", "PUT", ONE, 400, "invalid_request",
            sent={"data": "start=now", "content_type": "application/json"}),
    Refused("a form", "PUT", ONE, 415, "unsupported_media_type", "Content-Type", sent={"data": {"start": "now"}}),
    Refused("a compressed body", "PUT", ONE, 415, "unsupported_media_type", "Content-Encoding",
            sent={"json": body(), "headers": {"Content-Encoding": "gzip"}}),
    Refused("a body over 64 KiB", "PUT", ONE, 413, "too_large",
            sent={"json": body(description="x" * 70_000)}),
    Refused("a body over 64 KiB where none is taken", "DELETE", f"{ONE}?by=agent", 413, "too_large",
            sent={"data": b"x" * 70_000}),
    Refused("a link in no language", "POST", LINK, 422, "invalid_request", "locale", sent={"json": {"locale": "?"}}),
    Refused("a link in no zone", "POST", LINK, 422, "invalid_request", "time_zone",
            sent={"json": {"time_zone": "here"}}),
    Refused("a link that leads elsewhere", "POST", LINK, 422, "invalid_request", "return_url",
            sent={"json": {"return_url": "https://evil.example/"}}),
    Refused("a link for somebody else", "POST", LINK, 400, "invalid_request", "agent",
            sent={"json": {"agent": "agent-2"}}),
]  # fmt: skip


def test_a_refusal_says_what_is_wrong_and_changes_nothing(
    api: Api, connected: TestService, google_process: LocalGoogle
) -> None:
    api.put(f"{AGENT}/sessions/s-0", body())
    before, calls = stored_of_agents(connected), len(google_process.journal())
    for refused in (*BAD_BODIES, *BAD_REQUESTS):
        answer = api.by(refused.caller).call(refused.method, refused.path, **refused.sent)
        problem = answer.json
        problem_fields = (answer.status_code, problem["status"], problem["code"], problem.get("field"))
        assert problem_fields == (refused.status, refused.status, refused.code, refused.field), refused.why
        assert answer.content_type == "application/problem+json"
        assert problem["retryable"] is False
        members = {"type", "title", "status", "detail", "code", "retryable", "request_id"}
        assert problem.keys() - {"field"} == members
        assert problem["type"] == f"http://localhost:8080/docs#{refused.code}"
        assert answer.headers["X-Request-Id"] == problem["request_id"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert stored_of_agents(connected) == before, refused.why
    assert len(google_process.journal()) == calls


def stored_of_agents(service: TestService) -> list[str]:
    """Return what is stored, but for the tokens that the caller's limit has left."""
    return [line for line in service.stored().splitlines() if not line.startswith("call-tokens:")]


def test_a_missing_key_is_asked_for_by_its_scheme(api: Api) -> None:
    answer = api.by("").get(f"{AGENT}/connection")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_method_that_is_not_taken_is_answered_with_those_that_are(api: Api) -> None:
    answer = api.call("PATCH", ONE)
    allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
    assert allowed - {"HEAD"} == {"GET", "PUT", "DELETE"}


PROFILE = """
extends = "videsk"
[organizations.acme]
return_urls = ["https://console.example.com/settings?from=calendar"]
frame_ancestors = []
"""


def test_a_known_return_address_is_taken_and_only_as_a_whole(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text(PROFILE, "utf-8")
    changed = {"CALENDAR_API_KEYS": configured(), "CALENDAR_OPERATOR": str(profile)}
    service = TestService.of(clean_store, google_process, test_clock, **changed)
    api, known = Api(create_app(service.parts)), "https://console.example.com/settings?from=calendar"
    answer = api.post(LINK, {"return_url": known})
    ticket = service.parts.store.tickets.take(answer.json["url"].rpartition("/")[2])
    others = (f"{known}&x=1", known.upper(), "https://console.example.com/", f"{known}\n", "")
    refused = [api.post(LINK, {"return_url": other}).json["field"] for other in others]
    beta = api.post("/v1/organizations/beta/agents/agent-1/portal-sessions", {"return_url": known})
    service.close()
    assert ticket
    assert ticket.return_url == known
    assert refused == ["return_url"] * len(others)
    assert beta.status_code == 422


# --- what stands in the way of a request that is well made ---


def unconnected(service: TestService, api: Api, google: LocalGoogle) -> None:
    """Leave the agent unknown."""


def disconnected(service: TestService, api: Api, google: LocalGoogle) -> None:
    service.connect()
    api.by("admin").delete(f"{AGENT}/connection")


def revoked_at_google(service: TestService, api: Api, google: LocalGoogle) -> None:
    service.connect()
    google.fault("/token", {"invalid_grant": True})
    service.clock.advance(2 * 3600)


def closed(service: TestService, api: Api, google: LocalGoogle) -> None:
    service.connect()
    api.by("admin").delete(ACME)


@pytest.mark.parametrize(
    ("before", "method", "path", "caller", "code"),
    [
        (unconnected, "PUT", ONE, "backend", "not_connected"),
        (unconnected, "POST", f"{AGENT}/connection/pause", "admin", "not_connected"),
        (unconnected, "POST", f"{AGENT}/connection/resume", "admin", "not_connected"),
        (disconnected, "PUT", ONE, "backend", "not_connected"),
        (disconnected, "POST", f"{AGENT}/connection/pause", "admin", "not_connected"),
        (closed, "PUT", ONE, "backend", "organization_closed"),
        (closed, "POST", LINK, "backend", "organization_closed"),
    ],
)
def test_a_state_that_stands_in_the_way_is_a_conflict_and_nothing_is_written(
    api: Api,
    service: TestService,
    google_process: LocalGoogle,
    before: Callable[[TestService, Api, LocalGoogle], None],
    method: str,
    path: str,
    caller: str,
    code: str,
) -> None:
    before(service, api, google_process)
    stored = service.stored()
    answer = api.by(caller).call(method, path, **({"json": body()} if method == "PUT" else {}))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (409, code, False)
    assert service.stored() == stored


def test_a_permission_that_turns_out_to_be_gone_is_not_connected(
    api: Api, service: TestService, google_process: LocalGoogle
) -> None:
    revoked_at_google(service, api, google_process)
    answer = api.put(ONE, body())
    assert (answer.status_code, answer.json["code"]) == (409, "not_connected")
    assert api.get(f"{AGENT}/connection").json["state"] == "revoked"


def test_cancelling_without_a_connection_is_a_success(
    api: Api, service: TestService, google_process: LocalGoogle
) -> None:
    disconnected(service, api, google_process)
    answer = api.delete(f"{ONE}?by=agent")
    assert (answer.status_code, answer.json["applied"]) == (200, False)


def test_a_record_that_does_not_open_is_the_operators_concern(api: Api, connected: TestService) -> None:
    client = connected.parts.store.database.client
    name = next(key for key in client.scan_iter("*:grant"))
    client.set(name, client.get(name).replace('"tokens"', '"broken"'))
    stored = connected.stored()
    answer = api.put(ONE, body())
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (
        503,
        "store_unavailable",
        True,
    )
    assert int(answer.headers["Retry-After"]) > 0
    assert connected.stored() == stored
    assert api.by("admin").delete(f"{AGENT}/connection").json["state"] == "disconnected"


def test_without_the_database_every_call_is_refused_and_worth_repeating(
    google_process: LocalGoogle, test_clock: MovableClock
) -> None:
    service = TestService.of(
        "unix:///nowhere/socket", google_process, test_clock, CALENDAR_API_KEYS=configured()
    )
    readiness = Readiness(service.parts)
    api = Api(create_app(service.parts, readiness))
    for method, path, caller in (
        ("PUT", ONE, "backend"),
        ("GET", ONE, "backend"),
        ("DELETE", f"{ONE}?by=agent", "backend"),
        ("GET", f"{AGENT}/connection", "backend"),
        ("POST", LINK, "backend"),
        ("DELETE", f"{AGENT}/connection", "admin"),
        ("POST", f"{AGENT}/connection/pause", "admin"),
        ("GET", f"{ACME}/connections", "admin"),
        ("DELETE", ACME, "admin"),
    ):
        answer = api.by(caller).call(method, path, **({"json": body()} if method == "PUT" else {}))
        assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (
            503,
            "store_unavailable",
            True,
        )
        assert int(answer.headers["Retry-After"]) > 0
    readiness.examine()
    ready = api.by("").get("/readyz")
    assert (ready.status_code, ready.json["checks"]["database"], ready.json["writes"]) == (
        503,
        False,
        "unknown",
    )
    assert api.by("").get("/healthz").status_code == 200
    service.close()


def test_reading_from_a_google_that_does_not_answer_is_worth_repeating(
    api: Api, connected: TestService, google_process: LocalGoogle
) -> None:
    api.put(ONE, body())
    google_process.fault("/calendar/v3/*", {"status": 503})
    answer = api.get(f"{ONE}?read=google")
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "busy", True)
    assert int(answer.headers["Retry-After"]) > 0
    assert api.get(ONE).status_code == 200


def test_a_fault_of_ours_is_told_without_what_it_was(
    api: Api, connected: TestService, capfd: pytest.CaptureFixture[str]
) -> None:
    api.put(ONE, body())
    client = connected.parts.store.database.client
    name = next(key for key in client.scan_iter("*:sessions"))
    client.hset(name, "s-1", '{"status": "the secret of the store"}')
    answer = api.get(ONE)
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "secret" not in answer.text
    written = capfd.readouterr().err
    assert "secret" not in written
    assert '"event":"request.failed"' in written


def test_every_kind_of_error_has_one_status_and_a_title() -> None:
    assert all(400 <= kind.status < 600 and kind.title for kind in KINDS.values())
    assert {error.code for error, kind in KINDS.items() if error.retryable} == {
        "store_unavailable", "busy", "too_many_requests",
    }  # fmt: skip
