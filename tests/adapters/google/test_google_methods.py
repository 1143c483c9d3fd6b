"""The closed list of Google methods with the purpose of each (law 1, LU-1); the transport refuses all others."""

import io
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from calendar_service.domain.methods import METHODS, PURPOSES, Purpose
from calendar_service.domain.operator import CLAUSES
from calendar_service.domain.secret import Secret
from calendar_service.google.api import ApiClient
from calendar_service.google.call_log import CallLog
from calendar_service.google.transport import GoogleCall, Transport
from calendar_service.log import Log
from tests.adapters.google.scripted_peer import Peer, answer, says
from tests.support.evidence import shows

ROOT = Path(__file__).parents[3]
WITHOUT_ONE = """
from calendar_service.google.transport import Transport

def send(transport: Transport) -> None:
    transport.named(METHODS["oauth.revoke"]).request("https://oauth2.example/revoke")
    transport.named()
    transport.named("calendar.events.get")
    transport.request("https://calendar.example/")
"""


@shows("SC-6")
def test_every_method_has_a_purpose_a_clause_and_something_that_the_agent_sees() -> None:
    purposes = {purpose for method in METHODS.values() for purpose in method.purposes}
    assert purposes == set(PURPOSES) == set(Purpose)
    assert {method.clause for method in METHODS.values()} <= set(CLAUSES)
    assert all(method.feature.endswith(".") for method in METHODS.values())


@shows("LU-1")
def test_a_call_that_names_no_method_of_the_list_is_an_error_of_type(tmp_path: Path) -> None:
    script = tmp_path / "call.py"
    script.write_text(f"from calendar_service.domain.methods import METHODS{WITHOUT_ONE}", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", script],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert [int(line) for line in re.findall(r"call\.py:(\d+): error", done.stdout)] == [6, 7, 8]


@shows("LU-1")
def test_another_method_of_google_s_cannot_be_sent(transport: Transport) -> None:
    with Peer(says(answer(b"{}"))) as peer:
        api = ApiClient(transport, f"{peer.origin}/calendar/v3/")
        with pytest.raises(KeyError, match=r"calendar\.calendars\.clear"):
            api.run(Secret("ya29.x"), api.calendars.clear(calendarId="primary"))
        assert peer.requests == []


@shows("LU-1")
def test_a_method_is_called_for_its_own_purposes_alone(transport: Transport) -> None:
    with Peer(says(answer(b"{}"))) as peer:
        api = ApiClient(transport, f"{peer.origin}/calendar/v3/")
        request = api.events.insert(calendarId="c1", body={})
        with pytest.raises(ValueError, match="not called for external_changes"):
            api.run(Secret("ya29.x"), request, Purpose.EXTERNAL_CHANGES)
        assert peer.requests == []


@shows("LU-1")
@pytest.mark.parametrize(
    ("status", "fault", "fields"), [(200, None, {"status": 200}), (None, "cut", {"reason": "cut"})]
)
def test_log_and_numbers_name_the_purpose_of_each_call(
    status: int | None, fault: str | None, fields: dict[str, object]
) -> None:
    stream = io.StringIO()
    calls = CallLog(Log("web", stream))
    calls.observe(GoogleCall(METHODS["calendar.events.insert"], status, fault, 0.25))
    line = json.loads(stream.getvalue())
    assert {name: line[name] for name in line.keys() - {"time", "level", "process"}} == {
        "event": "google.called", "call": "events.insert", "purpose": "sessions", "ms": 250, **fields,
    }  # fmt: skip
    assert calls.counts() == {("events.insert", "sessions", str(*fields.values())): 1}


def test_a_listener_is_told_of_the_calls_of_its_own_thread_until_it_is_detached() -> None:
    calls, call = (
        CallLog(Log("web", io.StringIO())),
        GoogleCall(METHODS["calendar.events.insert"], 200, None, 0.25),
    )
    heard: list[GoogleCall] = []
    calls.observe(call)
    for _ in range(2):
        calls.attach(heard.append)  # twice counts once
    calls.observe(call)
    other = threading.Thread(target=calls.observe, args=(call,))
    other.start()
    other.join()
    assert heard == [call]
    calls.detach(heard.append)
    calls.detach(heard.append)
    calls.observe(call)
    assert (heard, calls.listeners) == ([call], ())


def test_a_purpose_outside_the_list_cannot_be_logged() -> None:
    with pytest.raises(ValueError, match="purpose"):
        Log("web", io.StringIO()).event("google.called", purpose="advertising")
