"""Every call of the contract without trouble: its answer, and the state afterwards."""

import re
from typing import Any

import pytest

from calendar_service.domain.names import Agent
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import ACME, AGENT

ONE = f"{AGENT}/sessions/s-1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def moved(session: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return session | changed


# --- the connection ---


def test_an_agent_never_seen_is_not_connected(api: Api) -> None:
    for caller in ("backend", "admin", "acme-backend", "acme-admin"):
        answer = api.by(caller).get(f"{AGENT}/connection")
        assert answer.status_code == 200
        assert answer.json == {
            "state": "not_connected",
            "since": None,
            "action": {
                "code": "connect",
                "needs": "agent",
                "text": answer.json["action"]["text"],
            },
        }
        assert set(answer.json["action"]["text"]) == {"en", "es"}


def test_a_connection_is_connected_since_a_time(api: Api, connected: TestService) -> None:
    answer = api.get(f"{AGENT}/connection").json
    assert answer["state"] == "connected"
    assert TIME.fullmatch(answer["since"])
    assert set(answer) == {"state", "since"}


def test_the_organizations_pause_is_set_and_lifted(api: Api, connected: TestService) -> None:
    admin = api.by("acme-admin")
    paused = admin.post(f"{AGENT}/connection/pause")
    assert paused.status_code == 200
    assert paused.json["state"] == "paused"
    assert paused.json["action"]["needs"] == "administrator"
    assert admin.post(f"{AGENT}/connection/pause").json == paused.json
    assert admin.post(f"{AGENT}/connection/resume", {}).json["state"] == "connected"


@shows("PR-1", "SC-4", "administrators")
def test_an_administrator_disconnects_and_the_calendar_stays(
    api: Api, connected: TestService, google_process: LocalGoogle
) -> None:
    answer = api.by("admin").delete(f"{AGENT}/connection")
    assert (answer.status_code, answer.json) == (200, {"state": "disconnected"})
    known = api.get(f"{AGENT}/connection").json
    assert known["state"] == "disconnected"
    assert TIME.fullmatch(known["erase_due"])
    assert known["revocation"] == "confirmed"
    assert known["action"]["code"] == "connect_again"
    assert not [call for call in google_process.journal() if call["method"] == "DELETE"]


def test_a_disconnect_with_erasure_hands_out_the_signed_receipt(api: Api, connected: TestService) -> None:
    answer = api.by("admin").delete(f"{AGENT}/connection?erase=now")
    assert answer.status_code == 200
    assert answer.json["state"] == "not_connected"
    assert answer.json["receipt"]["signature"]
    assert "agent-1" not in answer.text
    again = api.by("admin").delete(f"{AGENT}/connection?erase=now")
    assert (again.status_code, again.json) == (200, {"state": "not_connected"})


def test_disconnecting_nobody_is_a_success_that_writes_nothing(api: Api, service: TestService) -> None:
    before = service.stored()
    for query in ("", "?erase=now"):
        answer = api.by("admin").delete(f"{AGENT}/connection{query}")
        assert (answer.status_code, answer.json) == (200, {"state": "not_connected"})
    assert service.stored() == before


# --- sessions ---


def test_a_session_is_created_moved_left_alone_and_cancelled(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    created = api.put(ONE, session)
    assert created.status_code == 201
    assert created.json.keys() == {"session", "status", "event_id", "revision"}
    assert (created.json["session"], created.json["status"], created.json["revision"]) == (
        "s-1",
        "scheduled",
        1,
    )

    calls = len(google_process.journal())
    same = api.put(ONE, session)
    assert (same.status_code, same.json["revision"]) == (200, 1)
    assert len(google_process.journal()) == calls

    changed = api.put(ONE, moved(session, title="Another talk"))
    assert (changed.status_code, changed.json["revision"]) == (200, 2)
    assert changed.json["event_id"] == created.json["event_id"]

    gone = api.delete(f"{ONE}?by=system")
    assert gone.status_code == 200
    assert (gone.json["status"], gone.json["applied"], gone.json["revision"]) == ("cancelled", True, 3)
    assert api.get(ONE).json["status"] == "cancelled"

    nothing = api.delete(f"{ONE}?by=agent")
    assert (nothing.status_code, nothing.json["status"], nothing.json["applied"]) == (200, "cancelled", False)

    assert api.put(ONE, session).status_code == 201


def test_what_was_sent_is_what_stands_in_google(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    texts = {
        "title": "Reunión «Ñandú» 🙂 — עברית",
        "description": "One\ntwo\ttabbed <b>not bold</b> & ' \"",
        "location": "Santiago; DROP TABLE",
        "join_url": "https://meet.example.com/a?b=c&d=%20#e",
    }
    answer = api.put(ONE, session | texts)
    assert answer.status_code == 201
    event = event_of(google_process, answer.json)
    assert event["summary"] == texts["title"]
    assert event["location"] == texts["location"]
    plain = "One\ntwo\ttabbed &lt;b>not bold&lt;/b> & ' \""
    assert event["description"] == f"{texts['join_url']}\n\n{plain}"
    assert event["visibility"] == "private"


def test_an_absent_optional_is_cleared(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    first = api.put(ONE, session | {"description": "Text", "location": "Place"})
    bare = {name: session[name] for name in ("start", "end", "by")}
    assert api.put(ONE, bare).status_code == 200
    event = event_of(google_process, first.json)
    assert "description" not in event
    assert "location" not in event
    assert event["summary"] == connected.parts.operator.session_title["en"]


def test_local_times_are_times_of_the_zone(api: Api, connected: TestService, session: dict[str, Any]) -> None:
    local = {"start": "2031-01-10T10:00:00", "end": "2031-01-10T11:00:00", "time_zone": "America/Santiago"}
    assert api.put(ONE, session | local).status_code == 201
    read = api.get(f"{ONE}?read=google").json
    assert (read["start"], read["end"]) == ("2031-01-10T13:00:00Z", "2031-01-10T14:00:00Z")


def test_times_and_link_are_told_to_the_backend_alone_and_only_when_asked_for(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    plain = {"session", "status", "event_id", "revision"}
    assert api.put(ONE, session).json.keys() == plain
    assert api.get(ONE).json.keys() == plain
    [listed] = api.get(f"{AGENT}/sessions").json["sessions"]
    assert listed.keys() == plain
    assert api.get(f"{ONE}?read=google").json.keys() == plain | {"start", "end", "html_link", "in_google"}
    assert api.by("admin").get(f"{ONE}?read=google").status_code == 403
    assert api.delete(f"{ONE}?by=agent").json.keys() == plain | {"applied"}
    assert api.get(f"{ONE}?read=google").json.keys() == plain | {"in_google"}


def test_a_version_counts_up(api: Api, connected: TestService, session: dict[str, Any]) -> None:
    largest = 2**53 - 1
    assert api.put(ONE, moved(session, version=0)).status_code == 201
    assert api.put(ONE, moved(session, version=0)).status_code == 200
    assert api.put(ONE, moved(session, version=largest, title="New")).status_code == 200
    stale = api.put(ONE, moved(session, version=largest, title="Newer"))
    assert (stale.status_code, stale.json["code"], stale.json["field"]) == (409, "stale_version", "version")
    assert api.delete(f"{ONE}?by=agent&version={largest - 1}").status_code == 409
    assert api.put(ONE, moved(session, title="No version")).json["field"] == "version"


def test_a_paused_agents_session_waits_and_says_where_to_ask(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    api.by("admin").post(f"{AGENT}/connection/pause")
    answer = api.put(ONE, session)
    assert (answer.status_code, answer.json["status"], answer.json["reason"]) == (202, "waiting", "paused")
    assert answer.headers["Location"] == ONE
    assert api.get(answer.headers["Location"]).json["status"] == "waiting"


def test_a_session_that_google_does_not_take_now_is_accepted(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    google_process.fault("/calendar/v3/*", {"status": 503})
    put = api.put(ONE, session)
    assert (put.status_code, put.json["status"], put.headers["Location"]) == (202, "pending", ONE)
    gone = api.delete(f"{ONE}?by=agent")
    assert (gone.status_code, gone.json["status"], gone.json["applied"]) == (202, "cancelled", True)
    assert gone.headers["Location"] == ONE


@pytest.mark.parametrize(
    ("method", "at_google"), [("put", "POST"), ("put", "PATCH"), ("delete", "DELETE")], ids=str
)
def test_a_change_that_google_refuses_for_good_is_refused_and_the_session_is_failed_everywhere(
    api: Api,
    connected: TestService,
    google_process: LocalGoogle,
    session: dict[str, Any],
    method: str,
    at_google: str,
) -> None:
    stands = at_google != "POST"
    if stands:
        assert api.put(ONE, session).status_code == 201
    google_process.fault(
        {"method": at_google, "path": "/calendar/v3/*"}, {"status": 400, "reason": "invalid"}, times=2
    )
    for _ in range(2):  # the same change sent again is refused again
        answer = (
            api.put(ONE, moved(session, title="Another talk"))
            if method == "put"
            else api.delete(f"{ONE}?by=agent")
        )
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
        assert (answer.json["code"], answer.json["retryable"]) == ("google_refused", False)
        [listed] = api.get(f"{AGENT}/sessions").json["sessions"]
        assert listed == api.get(ONE).json
        assert (listed["status"], listed["reason"], "event_id" in listed) == (
            "failed",
            "google_refused",
            stands,
        )
        assert [event["summary"] for event in connected.events()] == ([session["title"]] if stands else [])
    gone = api.delete(f"{ONE}?by=agent")
    assert (gone.status_code, gone.json["status"], gone.json["applied"]) == (200, "cancelled", True)
    assert connected.events() == []


def test_a_change_that_google_refuses_is_no_refusal_of_a_newer_one(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    assert api.put(ONE, session).status_code == 201
    refusal = {"status": 400, "reason": "invalid"}
    google_process.fault({"method": "PATCH", "path": "/calendar/v3/*"}, refusal, times=1)
    newer = api.by("acme-backend")
    connected.at_call(
        "calendar.events.patch", lambda: newer.put(ONE, moved(session, title="Newer")).status_code
    )
    assert api.put(ONE, moved(session, title="Refused")).status_code == 422
    assert api.get(ONE).json["status"] == "pending"
    connected.work(2)
    assert (api.get(ONE).json["status"], connected.events()[0]["summary"]) == ("scheduled", "Newer")


def test_a_refusal_whose_lease_was_lost_is_not_the_last_word(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    assert api.put(ONE, session).status_code == 201
    refusal = {"status": 400, "reason": "invalid"}
    google_process.fault({"method": "PATCH", "path": "/calendar/v3/*"}, refusal, times=1)

    def another_process_goes_on() -> None:
        connected.clock.advance(60)
        connected.parts.sessions.unsettled.resume(connected.agent, "s-1")

    connected.at_call("calendar.events.patch", another_process_goes_on)
    answer = api.put(ONE, moved(session, title="Another talk"))
    assert (answer.status_code, api.get(ONE).json["status"]) == (202, "scheduled")
    assert [event["summary"] for event in connected.events()] == ["Another talk"]


def test_cancelling_what_was_never_there_is_a_success_that_writes_nothing(
    api: Api, service: TestService
) -> None:
    before = service.stored()
    answer = api.delete(f"{ONE}?by=agent")
    assert answer.status_code == 200
    assert answer.json == {"session": "s-1", "status": "cancelled", "revision": 0, "applied": False}
    assert service.stored() == before


def test_sessions_are_listed_page_by_page(api: Api, connected: TestService, session: dict[str, Any]) -> None:
    api.by("admin").post(f"{AGENT}/connection/pause")
    names = [f"s-{number:03}" for number in range(103)]
    for name in names:
        assert api.put(f"{AGENT}/sessions/{name}", session).status_code == 202
    first = api.get(f"{AGENT}/sessions?status=waiting").json
    second = api.get(f"{AGENT}/sessions?status=waiting&cursor={first['cursor']}").json
    assert [one["session"] for one in first["sessions"] + second["sessions"]] == names
    assert "cursor" not in second
    assert api.get(f"{AGENT}/sessions?status=scheduled&cursor=").json == {"sessions": []}


@pytest.mark.parametrize("name", ["a", "x" * 128, "A.b_c~d:e@f-g", "user@example.com", "..."])
def test_a_name_of_the_alphabet_is_taken(api: Api, name: str) -> None:
    answer = api.get(f"/v1/organizations/{name}/agents/{name}/connection")
    assert (answer.status_code, answer.json["state"]) == (200, "not_connected")


# --- the link ---


def test_a_link_is_made_for_one_visit(api: Api, service: TestService) -> None:
    answer = api.post(f"{AGENT}/portal-sessions", {"locale": "es-CL", "time_zone": "America/Santiago"})
    assert answer.status_code == 201
    assert answer.json.keys() == {"url", "expires_at"}
    assert TIME.fullmatch(answer.json["expires_at"])
    base, _, secret = answer.json["url"].rpartition("/")
    assert base == "http://localhost:8080/portal"
    assert len(secret) == 43
    assert secret not in service.stored()
    ticket = service.parts.store.tickets.take(secret)
    assert ticket
    assert (ticket.organization, ticket.agent, ticket.locale) == ("acme", "agent-1", "es")
    assert service.parts.store.tickets.take(secret) is None


@pytest.mark.parametrize("body", [None, {}])
def test_a_link_needs_nothing_but_the_path(api: Api, body: dict[str, str] | None) -> None:
    assert api.post(f"{AGENT}/portal-sessions", body).status_code == 201


# --- the organization ---


def test_members_are_listed_and_counted_by_state(api: Api, connected: TestService) -> None:
    connected.connect(Agent("acme", "agent-2"), account="agent-two@example.com")
    connected.connect(Agent("beta", "agent-3"), account="agent-two@example.com")
    admin = api.by("acme-admin")
    admin.post(f"{AGENT}/connection/pause")
    listed = admin.get(f"{ACME}/connections").json["connections"]
    assert {one["agent"]: one["state"] for one in listed} == {"agent-1": "paused", "agent-2": "connected"}
    only = admin.get(f"{ACME}/connections?state=paused&cursor=").json["connections"]
    assert [one["agent"] for one in only] == ["agent-1"]
    counted = admin.get(ACME).json
    assert counted["organization"] == "acme"
    assert {state: n for state, n in counted["connections"].items() if n} == {"paused": 1, "connected": 1}


def test_off_boarding_ends_every_connection_and_closes_the_door_until_it_is_reopened(
    api: Api, connected: TestService, google_process: LocalGoogle, session: dict[str, Any]
) -> None:
    connected.connect(Agent("beta", "agent-3"), account="agent-two@example.com")
    admin = api.by("acme-admin")
    answer = admin.delete(ACME)
    assert (answer.status_code, answer.json) == (202, {"organization": "acme", "disconnected": 1})
    assert _progress(admin) == (True, {"disconnected": 1}, {"pending": 1})
    connected.work()
    assert _progress(admin) == (True, {"disconnected": 1}, {"confirmed": 1})
    assert api.get(f"{AGENT}/connection").json["state"] == "disconnected"
    assert api.get("/v1/organizations/beta/agents/agent-3/connection").json["state"] == "connected"
    for refused in (api.post(f"{AGENT}/portal-sessions"), api.put(ONE, session)):
        assert (refused.status_code, refused.json["code"]) == (409, "organization_closed")
    assert not [call for call in google_process.journal() if call["method"] == "DELETE"]
    assert admin.post(f"{ACME}/reopen").json["closed"] is False
    assert api.post(f"{AGENT}/portal-sessions").status_code == 201


def _progress(admin: Api) -> tuple[bool, dict[str, int], dict[str, int]]:
    """Return the counts of an off-boarding that are not zero."""
    answer = admin.get(ACME).json
    return (
        answer["closed"],
        {state: n for state, n in answer["connections"].items() if n},
        {outcome: n for outcome, n in answer["revocations"].items() if n},
    )


def event_of(google: LocalGoogle, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the event as the local Google has it."""
    calendars = google.state()["calendars"]
    return find(calendars, answer["event_id"])


def find(books: Any, event_id: str) -> dict[str, Any]:
    if isinstance(books, dict):
        if books.get("id") == event_id and "start" in books:
            return books
        books = list(books.values())
    if isinstance(books, list):
        for part in books:
            value = find(part, event_id)
            if value:
                return value
    return {}
