"""The benches of an operation and of a call run, and what they count is right; times are not looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

BENCH = Path(__file__).parents[2] / "bench"


def measured(name: str, *arguments: str) -> dict[str, Any]:
    """Run a bench as a person does; return what it prints."""
    command = [sys.executable, str(BENCH / name), "--json", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def test_an_operation_is_measured_beside_its_peers_and_is_right_at_google() -> None:
    result = measured(
        "operation.py", "--rounds", "1", "--operations", "6", "--clients", "1", "--delay", "0.01"
    )
    assert set(result["google_calls"].values()) == {1}
    assert (
        result["operations"] == 3 * (4 * 6 * 3) + 2 * 6
    )  # four blocks of each side, and the equal PUTs of two
    messages = {(one["side"], one["operation"]): one["median"] for one in result["messages"]}
    assert messages["service", "reschedule"] >= 3  # the worker's are among them
    assert messages["service", "equal PUT"] >= 1
    assert messages["bare", "reschedule"] == 1
    assert {(one["side"], one["operation"]) for one in result["cpu_ms"]} == {*messages}
    assert {(one["side"], one["operation"]) for one in result["valkey_ms"]} == {*messages}
    assert len(result["aims"]) == 5


def test_a_bench_refuses_more_clients_than_may_wait_for_google() -> None:
    command = [sys.executable, str(BENCH / "operation.py"), "--clients", "7"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert "at most 6 clients" in run.stderr


def test_every_client_s_call_is_measured_drawn_and_right_at_google(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "calls.svg"
    result = measured("google_call.py", "--rounds", "1", "--calls", "3", "--chart", str(picture))
    clients = {one["client"] for one in result["calls"]}
    assert clients >= {"bare", "service", "build() a call", "gcsa", "gcal_sync", "aiogoogle"}
    assert len(result["calls"]) == 2 * len(clients)
    assert {one["over_bare"]["median"] for one in result["calls"] if one["client"] == "bare"} == {1}
    drawing = ElementTree.fromstring(picture.read_text("utf-8"))  # noqa: S314 - made here
    labels = {text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert clients <= labels
    assert "prefers-color-scheme: dark" in picture.read_text("utf-8")
