"""Log lines: allowed fields only, one line each, no field that could hold a person or a token."""

import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_service.config.database import database
from calendar_service.domain.errors import NotFound
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import Status
from calendar_service.log import FIELDS, Log
from tests.support.evidence import shows

PLANTED = "ya29.CANARY-8f2b"


def written(act: Any) -> dict[str, Any]:
    stream = io.StringIO()
    act(Log("web", stream))
    lines = stream.getvalue().split("\n")
    assert lines[1:] == [""]
    line = json.loads(lines[0])
    assert isinstance(line, dict)
    return line


def test_an_event_is_one_line_with_its_fields() -> None:
    line = written(
        lambda log: log.event("http.answered", method="GET", path="/v1/organizations/<org>", status=200, ms=3)
    )
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "process": "web",
        "event": "http.answered",
        "method": "GET",
        "path": "/v1/organizations/<org>",
        "status": 200,
        "ms": 3,
    }


def test_an_enumeration_is_written_as_its_value() -> None:
    assert written(lambda log: log.event("session.settled", state=Status.SCHEDULED))["state"] == "scheduled"


def test_an_unknown_field_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="title"):
        Log("web", io.StringIO()).event("session.accepted", title="Lunch")


@shows("LU-3")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "/v1/organizations/acme/agents/ana@example.org/connection?x=1"),
        ("path", "/portal/" + "a" * 43),
        ("code", "Not a code"),
        ("code", PLANTED),
        ("call", "events.insert primary"),
        ("status", "200"),
        ("status", True),
        ("count", 2**60),
        ("request_id", "abc\r\nforged"),
        ("error", "ValueError: " + PLANTED),
        ("method", "BREW"),
    ],
)
def test_a_value_that_could_carry_more_is_refused_and_not_repeated(field: str, value: Any) -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match=field) as refusal:
        Log("web", stream).event("some.event", **{field: value})
    assert str(value) not in str(refusal.value) or len(str(value)) <= 4
    assert stream.getvalue() == ""


@given(field=st.sampled_from(sorted(FIELDS)), value=st.text(max_size=80))
def test_no_text_can_break_a_line_or_color_a_terminal(field: str, value: str) -> None:
    stream = io.StringIO()
    try:
        Log("web", stream).event("some.event", **{field: value})
    except ValueError:
        assert stream.getvalue() == ""
        return
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.isascii()
    assert text.rstrip("\n").isprintable()


def test_a_secret_cannot_be_logged() -> None:
    with pytest.raises(ValueError, match="code"):
        Log("web", io.StringIO()).event("some.event", code=Secret(PLANTED))  # type: ignore[arg-type]


def test_what_happens_again_and_again_is_one_line_then_a_count_each_minute() -> None:
    stream, now = io.StringIO(), [0.0]
    log = Log("worker", stream, seconds=lambda: now[0])
    for now[0] in (0.0, 0.5, 59.9, 60.0, 60.5, 61.0, 300.0):
        log.repeated("worker.trouble", code="store_unavailable")
    log.repeated("worker.trouble", code="google_unavailable")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["code"], line["count"]) for line in lines] == [
        ("store_unavailable", 1), ("store_unavailable", 3), ("store_unavailable", 3), ("google_unavailable", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rediss://user:p%40ss@db.internal:6380/0?ssl_ca_certs=/ca.pem", "rediss://db.internal:6380"),
        ("redis+sentinel://:secret@one,[::1]:26380/main/0", "redis+sentinel://one:26379,[::1]:26380/main"),
        ("rediss+cluster://:secret@one:1,two:2?copies=1", "rediss+cluster://one:1,two:2"),
        ("unix://user:secret@/run/a place/valkey.sock?db=1", "unix:///run/a_place/valkey.sock"),
    ],
)
def test_a_databases_address_is_logged_without_login_and_options(address: str, shown: str) -> None:
    assert database(address).shown == shown
    assert written(lambda log: log.event("process.started", database=shown))["database"] == shown
    with pytest.raises(ValueError, match="database"):
        Log("web", io.StringIO()).event("process.started", database=address)


def test_a_failure_names_type_and_place_but_not_its_text() -> None:
    def act(log: Log) -> None:
        try:
            NotFound.of_no_such_kind  # type: ignore[attr-defined]  # noqa: B018
        except AttributeError as error:
            log.failure("http.failed", error)

    line = written(act)
    assert (line["level"], line["error"]) == ("error", "AttributeError")
    assert "of_no_such_kind" not in json.dumps(line)


TAMED = textwrap.dedent("""
    import logging, sys, threading, urllib.request, warnings
    from calendar_service.domain.names import name
    from calendar_service.log import Log, capture_all

    logging.getLogger("urllib3").addHandler(logging.StreamHandler())
    capture_all(Log("worker"))
    logging.getLogger("urllib3.connectionpool").debug("token CANARY")
    logging.getLogger("urllib3.connectionpool").warning("retry with CANARY\\nforged")
    logging.getLogger("google.auth").error("CANARY", exc_info=ValueError("CANARY"))
    warnings.warn("CANARY")
    thread = threading.Thread(target=lambda: name("CANARY !", "agent"))
    thread.start()
    thread.join()
    name("CANARY !", "agent")
""")


def test_libraries_warnings_and_crashes_leave_only_their_kind(tmp_path: Path) -> None:
    script = tmp_path / "tamed.py"
    script.write_text(TAMED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "CANARY" not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["library.warning"] * 3 + ["process.failed"] * 2
    assert lines[1]["error"] == "ValueError"
    assert lines[4]["at"].startswith("domain/names.py:")
