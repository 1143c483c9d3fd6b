"""The checker sees each broken law in evidence from outside; neither checker imports anything of the service."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults import checker
from faults.checker import LATENESS, LAWS, EpisodeEvidence, check
from faults.paths import ROOT

FOLDERS = ROOT / "faults" / "checker", ROOT / "faults" / "http_checker"
START = "2030-01-01T10:00:00Z"
RETENTION = 7 * 86_400.0


# --- what it imports ---


def foreign_imports(folder: Path) -> Iterator[str]:
    """Yield every import of a module that is neither the checkers' own nor the standard library's."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{'.' * node.level}{node.module or ''}"]
            for name in names:
                is_own = f"{name}.".startswith(("faults.checker.", "faults.http_checker."))
                if not is_own and name.partition(".")[0] not in sys.stdlib_module_names:
                    yield f"{file.name}: {name}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checker_imports_the_standard_library_alone(folder: Path) -> None:
    assert list(foreign_imports(folder)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import calendar_service",
        "import calendar_service.store.keys",
        "from calendar_service.domain import clock",
        "def late():\n    from calendar_service import vault",
        "from faults.cluster import ServiceCluster",
        "from faults import cluster",
        "from .. import cluster",
        "import redis",
    ],
)
def test_an_import_from_elsewhere_is_noticed(tmp_path: Path, line: str) -> None:
    shutil.copytree(FOLDERS[0], tmp_path / "checker")
    file = tmp_path / "checker" / "grants.py"
    file.write_text(f"{file.read_text('utf-8')}\n\n{line}\n", "utf-8")
    assert len(list(foreign_imports(tmp_path / "checker"))) == 1


def test_no_module_of_the_service_is_loaded_with_the_checkers() -> None:
    code = (
        "import sys, faults.http_checker; print([m for m in sys.modules if m.startswith('calendar_service')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- what it explains ---


def test_the_checker_explains_every_law_and_so_does_the_document() -> None:
    assert re.findall(r"^\| `(\w+)` \|", checker.__doc__ or "", re.MULTILINE) == list(LAWS)
    document = (ROOT / "docs" / "faults.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE)) == set(LAWS)


# --- what it sees ---


class Evidence(EpisodeEvidence):
    """Evidence of an episode in which one agent was connected and one session was accepted and written."""

    def __init__(self) -> None:
        super().__init__([], [], {"calendars": [], "refresh_tokens": []}, {})
        self.line("request", op="connect", agent="a", account="a@x")
        self.line("state", agent="a", state="connected")
        self.operation("put", 1)
        event = {"id": "e1", "status": "confirmed", "summary": "a|s|1", "start": {"dateTime": START}}
        self.google["calendars"] = [
            {"id": "a@x", "owner": "a@x", "events": []},
            {"id": "calendar-1", "owner": "a@x", "description": "a's", "events": [event]},
        ]
        self.google["refresh_tokens"] = [{"account": "a@x", "alive": True}]
        self.store = {
            "s0:a:acme/a:facts": {"grant_state": "live"},
            "s0:a:acme/a:grant": "sealed",
            "s0:a:acme/a:sessions": {"s": json.dumps(self.record())},
        }
        body = {"summary": "a|s|1"}
        self.calls = [
            {
                "api_method": "calendar.events.insert",
                "account": "a@x",
                "path": "/e1",
                "body": body,
                "status": 200,
            }
        ]
        self.durability_settings = {
            "appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"
        }  # fmt: skip
        self.append_only_text = b"something"

    def record(self, **fields: Any) -> dict[str, Any]:
        return {"status": "scheduled", "leased": False, "copy": {"id": "e1"}} | fields

    def line(self, kind: str, *, at: float = 0.0, **fields: Any) -> int:
        number = len(self.lines) + 1
        self.lines.append({"number": number, "line": kind, "at": at, "offset": 0.0, **fields})
        return number

    def operation(self, op: str, version: int, status: int = 200, **fields: Any) -> None:
        common = {"agent": "a", "session": "s", "version": version, "versioned": True, "op": op}
        request = self.line("request", **common, start=START if op == "put" else None)
        applied = {"revision": version, "applied": True}
        self.line("response", **common, request=request, status=status, **applied, **fields)

    def disconnect(self, *, receipt: bool = False) -> None:
        request = self.line("request", op="disconnect", agent="a")
        self.line("response", op="disconnect", agent="a", request=request, status=200, receipt=receipt)

    def note(self, event: str, **fields: Any) -> None:
        self.line("note", event=event, agent="a", **fields)


def laws_of(evidence: Evidence) -> set[str]:
    return {violation.law for violation in check(evidence)}


def event_of(evidence: Evidence) -> dict[str, Any]:
    event: dict[str, Any] = evidence.google["calendars"][1]["events"][0]
    return event


def set_record(evidence: Evidence, **fields: Any) -> None:
    evidence.store["s0:a:acme/a:sessions"]["s"] = json.dumps(evidence.record(**fields))


def end_connection(evidence: Evidence, *, receipt: bool = False) -> None:
    """The agent disconnects, and the store and Google are as they should be then."""
    evidence.disconnect(receipt=receipt)
    evidence.google["refresh_tokens"] = []
    evidence.google["calendars"] = evidence.google["calendars"][:1]
    evidence.store = {} if receipt else {"s0:a:acme/a:facts": {"grant_state": "released"}}


def test_a_connection_that_was_ended_and_erased_breaks_no_law() -> None:
    evidence = Evidence()
    end_connection(evidence, receipt=True)
    assert check(evidence) == []


def event_missing(evidence: Evidence) -> None:
    evidence.google["calendars"][1]["events"] = []


def event_doubled(evidence: Evidence) -> None:
    evidence.google["calendars"][1]["events"] = [event_of(evidence), event_of(evidence) | {"id": "e2"}]


def event_in_two_calendars(evidence: Evidence) -> None:
    other = {"id": "calendar-2", "owner": "a@x", "description": "another", "events": [event_of(evidence)]}
    evidence.google["calendars"].append(other)


def event_left_beside_another_without_its_marker(evidence: Evidence) -> None:
    event = event_of(evidence)
    event["extendedProperties"] = {"private": {"csMarker": "m"}}
    evidence.google["calendars"][1]["events"].append(
        event | {"id": "e2", "summary": "a|s|2", "extendedProperties": {}}
    )


def add_copy(evidence: Evidence) -> dict[str, Any]:
    """Let a person's program copy the session's event; return the copy."""
    copy = event_of(evidence) | {"id": "copy", "etag": "1"}
    evidence.google["calendars"][1]["events"].append(copy)
    evidence.note("event_copied", session="s", calendar="calendar-1", copy="copy", etag="1")
    return copy


def copy_changed(evidence: Evidence) -> None:
    add_copy(evidence)["etag"] = "2"


def copy_deleted(evidence: Evidence) -> None:
    add_copy(evidence)["status"] = "cancelled"


def older_version_in_google(evidence: Evidence) -> None:
    evidence.operation("put", 2)


def other_start_in_google(evidence: Evidence) -> None:
    event_of(evidence)["start"] = {"dateTime": "2030-01-01T11:00:00Z"}


def event_after_a_cancel(evidence: Evidence) -> None:
    evidence.operation("cancel", 2)
    set_record(evidence, status="cancelled")


def two_calendars(evidence: Evidence) -> None:
    evidence.google["calendars"].append(evidence.google["calendars"][1] | {"id": "calendar-2", "events": []})


def put_after_the_end(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.operation("put", 2)


def alive_after_the_end(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.line("state", agent="a", state="connected")


def grant_left_after_the_end(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.store["s0:a:acme/a:grant"] = "sealed"


def sessions_left_after_an_erasure(evidence: Evidence) -> None:
    end_connection(evidence, receipt=True)
    evidence.store["s0:a:acme/a:sessions"] = {"s": json.dumps(evidence.record())}


def mention_left_after_an_erasure(evidence: Evidence) -> None:
    end_connection(evidence, receipt=True)
    evidence.store["s0:timers"] = {"acme/a": 1.0}


def calendar_id_left_in_the_file(evidence: Evidence) -> None:
    evidence.disconnect(receipt=True)
    evidence.google["refresh_tokens"] = []
    evidence.store, evidence.append_only_text = {}, b"SET calendar-1"


def asked_to_reconnect(evidence: Evidence) -> None:
    evidence.line("state", agent="a", state="reconsent_required")


def marked_dead(evidence: Evidence) -> None:
    evidence.store["s0:a:acme/a:facts"]["grant_state"] = "dead"
    del evidence.store["s0:a:acme/a:grant"]
    evidence.google["refresh_tokens"] = []


def content_waiting(evidence: Evidence) -> None:
    evidence.store["s0:a:acme/a:waiting"] = {"s": "sealed"}
    evidence.store["s0:a:acme/a:facts"]["waiting_bytes"] = "6"
    evidence.store["s0:waiting-load"] = {"acme/sessions": "1", "acme/bytes": "6"}


def content_counted_that_does_not_wait(evidence: Evidence) -> None:
    evidence.store["s1:waiting-load"] = {"acme/sessions": "1", "acme/bytes": "6"}


def bytes_counted_that_do_not_wait(evidence: Evidence) -> None:
    evidence.store["s0:a:acme/a:facts"]["waiting_bytes"] = "6"


def content_not_counted(evidence: Evidence) -> None:
    evidence.store["s0:a:acme/a:waiting"] = {"s": "sealed"}


def session_leased(evidence: Evidence) -> None:
    set_record(evidence, leased=True)


def session_pending(evidence: Evidence) -> None:
    set_record(evidence, status="pending")


def session_failed(evidence: Evidence) -> None:
    set_record(evidence, status="failed")


def token_missing(evidence: Evidence) -> None:
    del evidence.store["s0:a:acme/a:grant"]


def written_with_another_account(evidence: Evidence) -> None:
    evidence.calls[0]["account"] = "b@x"


def more_calls_than_allowed(evidence: Evidence) -> None:
    evidence.note(
        "call_limit", since=0, until=1, method="calendar.events", contains="|s|", grant_type=None, at_most=0,
        why="a lease",
    )  # fmt: skip


def call_of_another_client(evidence: Evidence) -> None:
    evidence.calls[0]["client_id"] = "another.apps"
    evidence.note(
        "call_limit", since=0, until=1, method="calendar.events", contains="another.apps", grant_type=None, at_most=0,
        why="another client",
    )  # fmt: skip


def token_alive_after_the_end(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.google["refresh_tokens"] = [{"account": "a@x", "alive": True}]


def token_dead_at_google(evidence: Evidence) -> None:
    evidence.google["refresh_tokens"] = [{"account": "a@x", "alive": False}]


def teardown_waiting(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.store["s0:a:acme/a:teardowns"] = {"1": "sealed"}


def slot_gone_before_its_term(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.line("note", event="slot", agent="a", exists=False, at=RETENTION - 1)


def slot_there_after_its_term(evidence: Evidence) -> None:
    end_connection(evidence)
    evidence.line("note", event="slot", agent="a", exists=True, at=RETENTION + LATENESS + 1)


def answered_500(evidence: Evidence) -> None:
    evidence.operation("put", 2, status=500)


def weaker_durability(evidence: Evidence) -> None:
    evidence.durability_settings["appendfsync"] = "everysec"


BREAKS: list[tuple[Callable[[Evidence], None], str]] = [
    (event_missing, "lost"),
    (session_failed, "lost"),
    (token_missing, "lost"),
    (event_doubled, "duplicate"),
    (event_in_two_calendars, "duplicate"),
    (event_left_beside_another_without_its_marker, "duplicate"),
    (older_version_in_google, "wrong_final"),
    (other_start_in_google, "wrong_final"),
    (event_after_a_cancel, "wrong_final"),
    (two_calendars, "twin_calendar"),
    (put_after_the_end, "resurrected"),
    (alive_after_the_end, "resurrected"),
    (grant_left_after_the_end, "half_erased"),
    (sessions_left_after_an_erasure, "half_erased"),
    (mention_left_after_an_erasure, "half_erased"),
    (calendar_id_left_in_the_file, "residue"),
    (asked_to_reconnect, "false_reconnect"),
    (marked_dead, "false_reconnect"),
    (content_waiting, "content_left"),
    (content_counted_that_does_not_wait, "miscounted"),
    (bytes_counted_that_do_not_wait, "miscounted"),
    (content_not_counted, "miscounted"),
    (session_leased, "unsettled"),
    (session_pending, "unsettled"),
    (written_with_another_account, "foreign_grant"),
    (copy_changed, "foreign_event"),
    (copy_deleted, "foreign_event"),
    (more_calls_than_allowed, "too_many_calls"),
    (call_of_another_client, "too_many_calls"),
    (token_alive_after_the_end, "token_alive"),
    (token_dead_at_google, "grant_killed"),
    (teardown_waiting, "teardown_left"),
    (slot_gone_before_its_term, "early_erasure"),
    (slot_there_after_its_term, "late_erasure"),
    (answered_500, "unanswered"),
    (weaker_durability, "durability"),
]


@pytest.mark.parametrize(("break_law", "law"), BREAKS, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_law_is_seen(break_law: Callable[[Evidence], None], law: str) -> None:
    evidence = Evidence()
    break_law(evidence)
    assert law in laws_of(evidence)


@pytest.mark.parametrize("law", LAWS)
def test_what_a_scenario_expects_in_vain_breaks_the_law_that_it_names(law: str) -> None:
    evidence = Evidence()
    evidence.note("expectation", law=law, expected=1, actual=2, why="")
    assert laws_of(evidence) == {law}


def test_every_law_can_be_seen_broken_but_those_that_others_see() -> None:
    assert set(LAWS) - {law for _, law in BREAKS} == {
        "unnoticed",
        "late_write",
        "audit_chain_broken",
        "wrong_answer",  # the second checker's (`test_http_checker.py`)
    }


# --- what it allows ---


def test_content_that_waits_and_is_counted_is_left_and_not_miscounted() -> None:
    evidence = Evidence()
    content_waiting(evidence)
    assert laws_of(evidence) == {"content_left"}


def test_an_operation_without_an_answer_may_have_happened() -> None:
    happened, not_happened = Evidence(), Evidence()
    for evidence in (happened, not_happened):
        evidence.operation("put", 2, status=0)
    event_of(happened)["summary"] = "a|s|2"
    assert check(happened) == check(not_happened) == []


def test_a_copy_is_neither_a_twin_nor_the_sessions_event() -> None:
    both, copy_alone = Evidence(), Evidence()
    add_copy(both)
    copy_alone.google["calendars"][1]["events"] = [add_copy(copy_alone)]
    assert check(both) == []
    assert laws_of(copy_alone) == {"lost"}


def test_a_copy_that_went_with_its_calendar_breaks_no_law() -> None:
    evidence = Evidence()
    evidence.note("event_copied", session="s", calendar="calendar-0", copy="copy", etag="1")
    assert check(evidence) == []


def test_a_revocation_at_google_excuses_a_dead_grant() -> None:
    evidence = Evidence()
    evidence.note("revoked_at_google")
    marked_dead(evidence)
    evidence.line("state", agent="a", state="revoked")
    assert check(evidence) == []


def test_an_event_that_google_refused_for_good_is_not_lost() -> None:
    evidence = Evidence()
    event_missing(evidence)
    set_record(evidence, status="failed")
    evidence.calls[0] |= {"status": 403, "fault": {"reason": "forbidden"}}
    assert check(evidence) == []


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "notACalendarUser", "aReasonThatNobodyKnows"])
def test_an_event_that_is_given_up_for_a_refusal_that_passes_is_lost(reason: str) -> None:
    evidence = Evidence()
    event_missing(evidence)
    set_record(evidence, status="failed")
    evidence.calls[0] |= {"status": 403, "fault": {"reason": reason}}
    assert laws_of(evidence) == {"lost"}


def test_without_versions_the_revision_says_which_operation_was_last() -> None:
    evidence = Evidence()
    for number, line in enumerate(evidence.lines):
        if line.get("op") == "put":
            evidence.lines[number] = line | {"versioned": False, "version": 9, "revision": 1}
    event_of(evidence)["summary"] = "a|s|9"
    assert check(evidence) == []


def test_a_disconnect_beside_a_consent_ends_nothing_for_certain() -> None:
    evidence = Evidence()
    request = evidence.line("request", op="disconnect", agent="a")
    evidence.line("request", op="connect", agent="a", account="a@x")
    evidence.line("response", op="disconnect", agent="a", request=request, status=200)
    evidence.line("state", agent="a", state="connected")
    assert check(evidence) == []


def test_data_under_a_legal_hold_is_not_late() -> None:
    evidence = Evidence()
    end_connection(evidence)
    evidence.note("hold_placed")
    evidence.line("note", event="slot", agent="a", exists=True, at=2 * RETENTION)
    assert check(evidence) == []
    evidence.line("note", event="hold_released", agent="a", at=2 * RETENTION)
    evidence.line("note", event="slot", agent="a", exists=True, at=2 * RETENTION + LATENESS + 1)
    assert laws_of(evidence) == {"late_erasure"}
