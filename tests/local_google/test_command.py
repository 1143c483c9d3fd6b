"""The command that starts the local Google: its help, its options, its environment variables."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local_google.state.clients import parse_client
from local_google.state.switches import Switches
from tests.support.local_google import LocalGoogle, fetch

COMMAND = [sys.executable, "-m", "local_google"]


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
    return subprocess.run(
        [*COMMAND, *arguments],
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def state_of(*arguments: str, **environment: str) -> Mapping[str, Any]:
    """Start it, read `/_control/state`, stop it."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=bare | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    state: Mapping[str, Any] = json.loads(fetch(f"{url}/_control/state")[2])
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()
    return state


def test_the_help_names_every_option() -> None:
    text = run("--help").stdout
    for name in ("--port", "--data-dir", "--client", "--clock", "--seed", "--month", "/_control/switches"):
        assert name in text


def test_without_clients_the_service_of_this_machine_is_registered() -> None:
    client = state_of("--port", "0", CALENDAR_PUBLIC_URL="https://calendar.example.org/")["clients"][0]
    assert client["client_id"] == "local-client.apps.local-google.test"
    assert client["project"] == "local-project"
    assert client["redirect_uris"] == ["https://calendar.example.org/oauth/callback"]


def test_the_ports_and_places_come_from_the_environment(tmp_path: Path) -> None:
    state = state_of(CALENDAR_GOOGLE_PORT="0", CALENDAR_PORT="8090", CALENDAR_DATA_DIR=str(tmp_path))
    assert state["clients"][0]["redirect_uris"] == ["http://localhost:8090/oauth/callback"]
    assert (tmp_path / "google" / "books.jsonl").exists()


def test_a_month_of_a_contact_centre_can_be_loaded_and_repeated() -> None:
    first, second = (state_of("--port", "0", "--month", "3", "--seed", "5") for _ in range(2))
    times = [
        [[event["start"]["dateTime"] for event in calendar["events"]] for calendar in state["calendars"]]
        for state in (first, second)
    ]
    assert times[0] == times[1]
    assert len(first["accounts"]) == 5
    assert sum(map(len, times[0])) > 200


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with LocalGoogle.start() as google:
        port = google.url.rpartition(":")[2]
        done = run("--port", port)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_switch_is_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "local-google.md").read_text("utf-8")
    assert [name for name in Switches.__struct_fields__ if f"`{name}`" not in page] == []


@pytest.mark.parametrize("text", ["", "id", "id|secret|project", "|secret|project|uri", "a|b|c|d|e|f"])
def test_a_client_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a client is written"):
        parse_client(text)
