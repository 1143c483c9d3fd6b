"""Injected faults: what the caller gets, what was carried out, what the journal records."""

import http.client
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local_google.http_api import GoogleApi
from tests.support.local_google import LocalGoogle

EVENTS = {"method": "POST", "path": "/calendar/v3/calendars/*/events"}


def titles(google: LocalGoogle, calendar: str) -> list[str]:
    calendars = [c for c in google.state()["calendars"] if c["id"] == calendar]
    return [event.get("summary", "") for event in calendars[0]["events"]]


def last(google: LocalGoogle) -> dict[str, Any]:
    return google.journal()[-1]


def test_a_cut_before_the_commit_leaves_nothing(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"cut": "before_commit"}, times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        api.insert(calendar, {"summary": "lost"})
    assert titles(google, calendar) == []
    entry = last(google)
    assert (entry["answer"], entry["committed"], entry["status"]) == ("cut", False, None)
    assert entry["api_method"] == "calendar.events.insert"


def test_a_cut_after_the_commit_leaves_the_event(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"cut": "after_commit"}, times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        api.insert(calendar, {"summary": "done"})
    assert titles(google, calendar) == ["done"]
    entry = last(google)
    assert (entry["answer"], entry["committed"], entry["status"]) == ("cut", True, 200)
    assert entry["body"]["summary"] == "done"
    assert entry["fault"] == {"cut": "after_commit"}


def test_a_cut_can_be_a_reset(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"cut": "after_commit", "reset": True}, times=1)
    with pytest.raises(ConnectionResetError):
        api.insert(calendar)
    assert len(titles(google, calendar)) == 1


def test_a_truncated_answer_stops_in_the_middle(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"truncate": True}, times=1)
    with pytest.raises(http.client.IncompleteRead):
        api.insert(calendar)
    assert len(titles(google, calendar)) == 1


def test_a_delay_comes_after_the_work_is_done(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"delay": 0.2}, times=1)
    began = time.monotonic()
    assert api.insert(calendar).status == 200
    assert time.monotonic() - began >= 0.2


def test_a_dripped_answer_comes_byte_by_byte(google: LocalGoogle) -> None:
    google.fault("/token", {"drip": 0.005}, times=1)
    parts = urlsplit(google.url)
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=5) as raw:
        raw.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        first, second = raw.recv(1000), raw.recv(1000)
    assert b"HTTP/1.1 400".startswith((first + second)[:12])
    assert b"\r\n\r\n" not in first


@pytest.mark.parametrize(("hang", "events"), [(True, 0), ("after_commit", 1)])
def test_a_hanging_call_is_never_answered(
    api: GoogleApi, google: LocalGoogle, calendar: str, hang: Any, events: int
) -> None:
    google.fault(EVENTS, {"hang": hang}, times=1)
    api.connection.timeout = 0.2
    api.connection.close()
    with pytest.raises(TimeoutError):
        api.insert(calendar)
    api.connection.close()
    assert len(titles(google, calendar)) == events
    assert last(google)["answer"] == "hung"


def test_a_rule_waits_strikes_and_ends(api: GoogleApi, google: LocalGoogle) -> None:
    google.fault("/calendar/v3/colors", {"status": 503, "reason": "backendError"}, after=2, times=2)
    assert [api.call("GET", "colors").status for _ in range(6)] == [200, 200, 503, 503, 200, 200]


def test_a_rule_meets_its_method_and_path_only(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    google.fault(EVENTS, {"status": 500, "reason": "backendError"})
    assert api.events(calendar).status == 200
    assert api.insert(calendar).status == 500
    assert titles(google, calendar) == []


@pytest.mark.parametrize("value", [7, "1000000000", "-1", "Wed, 21 Oct 2030 07:28:00 GMT"])
def test_a_refusal_may_name_when_to_come_again(api: GoogleApi, google: LocalGoogle, value: int | str) -> None:
    google.fault("*", {"status": 429, "reason": "rateLimitExceeded", "retry_after": value})
    assert api.call("GET", "colors").headers["Retry-After"] == str(value)


def test_chance_is_the_same_for_the_same_seed(api: GoogleApi, google: LocalGoogle) -> None:
    runs = []
    for _ in range(2):
        google.clear_faults()
        google.fault("*", {"status": 500}, probability=0.5)
        runs.append([api.call("GET", "colors").status for _ in range(40)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_clients_and_grants_can_be_refused_on_request(app: Any, google: LocalGoogle) -> None:
    token = app.connect()["refresh_token"]
    google.fault("/token", {"invalid_client": True}, times=1)
    google.fault("/token", {"invalid_grant": True}, times=1)
    replies = [app.refresh(token) for _ in range(3)]
    assert [(status, doc.get("error")) for status, doc in replies] == [
        (401, "invalid_client"),
        (400, "invalid_grant"),
        (200, None),
    ]


def test_any_answer_can_be_put_in_the_place_of_the_real_one(app: Any, google: LocalGoogle) -> None:
    token = app.connect()["refresh_token"]
    raw = {"status": 200, "content_type": "text/plain", "body": {"expires_in": -1}, "headers": {"X-A": "b"}}
    google.fault("/token", {"answer": raw}, times=1)
    assert app.refresh(token) == (200, {"expires_in": -1})


def test_the_real_answer_can_be_edited(app: Any, google: LocalGoogle) -> None:
    google.fault("/token", {"edit": {"expires_in": "soon", "scope": None}}, times=1)
    tokens = app.connect()
    assert tokens["expires_in"] == "soon"
    assert "scope" not in tokens


@pytest.mark.parametrize(
    "rule", [{}, {"do": {}}, {"do": {"dance": 1}}, {"do": {"hang": True}, "when": 1}, {"do": 5}, "x"]
)
def test_a_rule_that_makes_no_sense_is_refused(google: LocalGoogle, rule: Any) -> None:
    with pytest.raises(ValueError, match="error"):
        google.control("POST", "faults", rule)


@pytest.mark.parametrize("switch", [{"nonsense": 1}, {"testing_mode": "yes"}, {"granted_scope": "half"}])
def test_a_switch_that_does_not_exist_is_refused(google: LocalGoogle, switch: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        google.switch(**switch)


def test_reset_turns_everything_off(app: Any, google: LocalGoogle) -> None:
    token = app.connect()["refresh_token"]
    google.fault("*", {"status": 500})
    google.switch(testing_mode=True)
    google.reset()
    state = google.state()
    assert (state["faults"], state["switches"]["testing_mode"]) == ([], False)
    assert [a["email"] for a in state["accounts"]] == ["agent-one@example.com", "agent-two@example.com"]
    assert app.refresh(token)[0] == 400


def test_the_journal_goes_on_across_a_reset_and_holds_no_token(app: Any, google: LocalGoogle) -> None:
    tokens = app.connect()
    app.works(tokens["access_token"])
    app.revoke(tokens["refresh_token"])
    before = len(google.whole_journal())
    google.reset()
    app.callback()
    everything = google.whole_journal()
    assert [call["seq"] for call in everything] == list(range(1, len(everything) + 1))
    assert len(everything) > before
    text = repr(everything)
    assert not any(secret in text for secret in ("ya29.", "1//", "4/0A", app.client.client_secret))


def test_the_journal_names_client_account_and_method(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:
    api.insert(calendar, {"summary": "noted"})
    entry = last(google)
    assert (entry["method"], entry["status"], entry["api_method"]) == ("POST", 200, "calendar.events.insert")
    assert (entry["client_id"], entry["account"]) == ("app.apps.test", "agent-one@example.com")
    assert (entry["answer"], entry["committed"], entry["body"]["summary"]) == ("sent", True, "noted")


def test_a_refused_call_is_not_committed(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.delete(calendar, "nothere")
    assert (last(google)["status"], last(google)["committed"]) == (404, False)


def test_the_state_gives_resources_as_the_api_does(
    api: GoogleApi, google: LocalGoogle, calendar: str
) -> None:
    event = api.insert(calendar).document
    resource = next(c for c in google.state()["calendars"] if c["id"] == calendar)
    assert resource["events"] == [event]
    assert resource["owner"] == "agent-one@example.com"
    kinds = [google.state()[name][0]["token"][:3] for name in ("access_tokens", "refresh_tokens")]
    assert kinds == ["ya2", "1//"]
