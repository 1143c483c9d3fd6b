"""The operator's commands on a running service: states, ids, ends and keys, never content."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.connection import State
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.connection.receipts import concerns, verify
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import SECOND, TestService, _fresh

Command = Callable[..., Result]
OTHER = Agent("acme", "agent-2")


def invoke(service: TestService, *words: str, **changed: str) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **service.variables, **changed})


def state(service: TestService, agent: Agent | None = None) -> State:
    return service.parts.connection.status.of(agent or service.agent).state


def test_the_list_shows_states_and_no_content(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Very private"), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    listing = json.loads(invoke(service, "connections", "list", "--json").stdout)
    assert [(one["agent"], one["state"]) for one in listing] == [
        ("agent-1", "connected"),
        ("agent-2", "disconnected"),
    ]
    for answer in (
        invoke(service, "connections", "list"),
        invoke(service, "connections", "show", "acme", "agent-1"),
    ):
        assert answer.exit_code == 0
        assert "private" not in answer.output
        assert "ya29" not in answer.output


def test_the_list_can_be_narrowed(service: TestService) -> None:
    service.connect()
    service.connect(Agent("umbrella", "agent-9"), SECOND)
    words = ("connections", "list", "--json")
    assert len(json.loads(invoke(service, *words, "--organization", "umbrella").stdout)) == 1
    assert len(json.loads(invoke(service, *words, "--state", "connected").stdout)) == 2
    assert json.loads(invoke(service, *words, "--state", "revoked").stdout) == []
    assert invoke(service, *words, "--state", "happy").exit_code == 2


def test_one_connection_is_shown_without_identifiers_of_google(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Very private"), By.AGENT, None)
    shown = json.loads(invoke(service, "connections", "show", "acme", "agent-1", "--json").stdout)
    assert (shown["calendar"], shown["held_calendars"]) == ("there", 0)
    assert shown["sessions"] == [{"session": "s1", "status": "scheduled", "revision": 1}]
    assert shown["key_id"] == "k1"
    assert "private" not in json.dumps(shown)
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    service.parts.store.connections.calendar_missing(service.agent, service.facts)
    shown = json.loads(invoke(service, "connections", "show", "acme", "agent-1", "--json").stdout)
    assert shown["calendar"] == "missing"


def test_whoever_is_not_known_is_shown_as_not_connected(service: TestService) -> None:
    shown = json.loads(invoke(service, "connections", "show", "acme", "nobody", "--json").stdout)
    assert (shown["state"], shown["calendar"], shown["sessions"]) == ("not_connected", None, [])
    bad = invoke(service, "connections", "show", "acme", "no body")
    assert (bad.exit_code, "agent" in bad.stderr) == (1, True)


def test_nothing_ends_without_a_yes(service: TestService) -> None:
    service.connect()
    before = service.stored()
    for words in (("revoke", "acme", "agent-1"), ("revoke", "--all"), ("erase", "acme", "agent-1")):
        answer = invoke(service, "connections", *words)
        assert (answer.exit_code, "Nothing was done" in answer.stderr) == (1, True)
    assert service.stored() == before


@shows("SC-4")
def test_one_connection_is_revoked_here_and_at_google(service: TestService) -> None:
    service.connect()
    answer = invoke(service, "connections", "revoke", "acme", "agent-1", "--yes", "--json")
    assert json.loads(answer.stdout) == {"ended": 1, "pending": 0, "not_connected": 0, "failed": 0}
    assert (state(service), service.live_tokens()) == (State.DISCONNECTED, [])
    assert len(service.calendars()) == 1


def test_all_are_revoked_and_what_google_does_not_confirm_is_left_to_the_worker(service: TestService) -> None:
    service.connect()
    service.connect(OTHER, SECOND)
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    answer = invoke(service, "connections", "revoke", "--all", "--yes", "--json")
    assert json.loads(answer.stdout) == {"ended": 1, "pending": 1, "not_connected": 0, "failed": 0}
    assert "Ending" in answer.stderr  # progress, apart from what programs read
    assert {state(service), state(service, OTHER)} == {State.DISCONNECTED}
    service.clock.advance(60)
    service.work(2)
    assert service.live_tokens() == []
    again = invoke(service, "connections", "revoke", "--all", "--yes")
    assert (again.exit_code, "no live connection" in again.stderr) == (1, True)


def test_after_a_key_is_stolen_only_what_it_sealed_is_revoked(service: TestService) -> None:
    service.connect()
    ring = f"k2:{_fresh()},{service.variables['CALENDAR_KEYRING']}"
    newer = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        **{**service.variables, "CALENDAR_KEYRING": ring},
    )  # fmt: skip
    newer.connect(OTHER, SECOND)
    newer.close()
    answer = invoke(
        service, "connections", "revoke", "--key-id", "k1", "--yes", "--json", CALENDAR_KEYRING=ring
    )
    assert json.loads(answer.stdout)["ended"] == 1
    assert (state(service), state(service, OTHER)) == (State.DISCONNECTED, State.CONNECTED)


@pytest.mark.parametrize(
    "words",
    [(), ("acme",), ("acme", "agent-1", "--all"), ("--all", "--key-id", "k1"), ("acme", "--key-id", "k1")],
)
def test_a_revocation_has_to_say_whose(service: TestService, words: tuple[str, ...]) -> None:
    service.connect()
    assert invoke(service, "connections", "revoke", *words, "--yes").exit_code == 2
    assert state(service) is State.CONNECTED


def test_an_unknown_key_seals_nobodys_connection(service: TestService) -> None:
    service.connect()
    assert invoke(service, "connections", "revoke", "--key-id", "k9", "--yes").exit_code == 1
    assert state(service) is State.CONNECTED


@shows("RV-2")
def test_what_cannot_be_opened_is_ended_all_the_same(service: TestService) -> None:
    service.connect()
    answer = invoke(
        service, "connections", "revoke", "--all", "--yes", "--json", CALENDAR_KEYRING=f"k7:{_fresh()}"
    )
    assert json.loads(answer.stdout)["pending"] == 1
    assert state(service) is State.DISCONNECTED


@shows("CH-1")
def test_an_ended_connection_is_erased_and_the_receipt_tells_whom_it_concerns(service: TestService) -> None:
    service.connect()
    standing = invoke(service, "connections", "erase", "acme", "agent-1", "--yes")
    assert (standing.exit_code, "end it first" in standing.stderr) == (1, True)
    invoke(service, "connections", "revoke", "acme", "agent-1", "--yes")
    answer = invoke(service, "connections", "erase", "acme", "agent-1", "--yes", "--json")
    receipt = verify(answer.stdout.encode(), service.parts.audit.public_keys)
    assert concerns(receipt, service.agent)
    assert state(service) is State.NOT_CONNECTED
    again = invoke(service, "connections", "erase", "acme", "agent-1", "--yes")
    assert (again.exit_code, "Nothing is kept" in again.stderr) == (1, True)


# --- keys ---


@pytest.fixture
def ring(service: TestService, tmp_path: Path) -> Path:
    """A keyring file whose second key sealed the stored data."""
    service.connect()
    path = tmp_path / "keyring"
    path.touch(mode=0o600)
    path.write_text(f"k2:{_fresh()},{service.variables['CALENDAR_KEYRING']}\n", "utf-8")
    del service.variables["CALENDAR_KEYRING"]
    service.variables["CALENDAR_KEYRING_FILE"] = str(path)
    return path


def test_status_tells_which_key_can_be_retired(service: TestService, ring: Path) -> None:
    assert "in use" in invoke(service, "keys", "status").stdout
    invoke(service, "keys", "rotate")
    assert "can be retired" in invoke(service, "keys", "status").stdout
    status = json.loads(invoke(service, "keys", "status", "--json").stdout)
    assert [(one["key_id"], one["grants"]) for one in status] == [("k2", 1), ("k1", 0)]


def test_a_key_that_seals_nothing_more_is_taken_out_of_the_file(service: TestService, ring: Path) -> None:
    answer = invoke(service, "keys", "rotate", "--retire", "k1", "--json")
    assert json.loads(answer.stdout) == {"resealed": 1, "unopened": 0, "left": {"k1": 0}, "retired": "k1"}
    assert ring.read_text("utf-8").startswith("k2:")
    assert "k1:" not in ring.read_text("utf-8")
    assert ring.stat().st_mode & 0o777 == 0o600
    assert list(ring.parent.iterdir()) == [ring]
    assert json.loads(invoke(service, "connections", "list", "--json").stdout)[0]["key_id"] == "k2"


def test_a_key_that_a_consent_under_way_needs_is_retired_only_by_force(
    service: TestService, ring: Path
) -> None:
    cookie, browser = service.browser()
    service.begin(browser, cookie)  # this process still has the former keyring
    refused = invoke(service, "keys", "rotate", "--retire", "k1")
    assert (refused.exit_code, "still seals 1 record " in refused.stderr) == (1, True)
    assert "k1:" in ring.read_text("utf-8")
    assert invoke(service, "keys", "rotate", "--retire", "k1", "--force").exit_code == 0
    assert "k1:" not in ring.read_text("utf-8")


@pytest.mark.parametrize(("key", "words"), [("k2", "is the current key"), ("k9", "is not in the keyring")])
def test_the_current_key_and_an_unknown_one_are_not_retired(
    service: TestService, ring: Path, key: str, words: str
) -> None:
    before, text = service.stored(), ring.read_text("utf-8")
    answer = invoke(service, "keys", "rotate", "--retire", key, "--force")
    assert (answer.exit_code, words in answer.stderr) == (1, True)
    assert (service.stored(), ring.read_text("utf-8")) == (before, text)


def test_a_keyring_in_the_environment_is_the_operators_to_change(service: TestService) -> None:
    service.connect()
    ring = f"k2:{_fresh()},{service.variables['CALENDAR_KEYRING']}"
    answer = invoke(service, "keys", "rotate", "--retire", "k1", CALENDAR_KEYRING=ring)
    assert (answer.exit_code, "out of CALENDAR_KEYRING" in answer.stdout) == (0, True)


def test_doctor_names_what_no_key_opens_and_the_sum_of_retention(service: TestService) -> None:
    service.connect()
    result = invoke(service, "doctor", "--json", CALENDAR_KEYRING=f"k7:{_fresh()}")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)
    assert {one["check"] for one in findings if one["level"] == "fault"} == {"keys"}
    retention = next(one for one in findings if one["check"] == "retention")
    assert retention["detail"].endswith("= 23, of 30 promised")


def test_doctor_finds_nothing_wrong_with_a_sound_service(service: TestService) -> None:
    service.connect()
    result = invoke(service, "doctor", "--json")
    levels = {one["check"]: one["level"] for one in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert {levels[check] for check in ("database", "durability", "identity key", "clocks")} == {"ok"}
    assert levels["operator"] == "note"


def test_doctor_names_a_foreign_identity_key(service: TestService) -> None:
    result = invoke(service, "doctor", "--json", CALENDAR_IDENTITY_KEY=_fresh())
    assert result.exit_code == 1
    assert {one["check"] for one in json.loads(result.stdout) if one["level"] == "fault"} == {"identity key"}


def test_doctor_names_clocks_that_differ(service: TestService) -> None:
    result = invoke(service, "doctor", "--json", CALENDAR_TEST_SKEW="7200")
    assert result.exit_code == 1
    assert {one["check"] for one in json.loads(result.stdout) if one["level"] == "fault"} == {"clocks"}


def test_doctor_and_the_numbers_tell_that_no_worker_comes(service: TestService) -> None:
    service.connect()
    service.work()
    service.clock.advance(25 * 3600)
    result = invoke(service, "doctor", "--json")
    (worker,) = [one for one in json.loads(result.stdout) if one["check"] == "worker"]
    assert (result.exit_code, worker["level"]) == (1, "fault")
    assert "agents that are due: 1;" in worker["detail"]
    assert service.metrics()["calendar_longest_wait_seconds"] > 3600
    service.work()
    assert service.metrics()["calendar_longest_wait_seconds"] == 0
    assert invoke(service, "doctor").exit_code == 0


def at_a_terminal(service: TestService, *words: str) -> str:
    """Return what a person at a terminal sees besides the command's output."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "calendar_service", *words]
    environment = {"PATH": os.environ["PATH"], **service.variables}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed: everything was read
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    return shown.decode()


def test_at_a_terminal_no_log_line_tears_the_bar_apart(service: TestService) -> None:
    service.connect()
    shown = at_a_terminal(service, "connections", "revoke", "--all", "--yes")
    assert "1/1" in shown
    assert "google.called" not in shown
    assert state(service) is State.DISCONNECTED


def test_away_from_a_terminal_the_log_goes_to_standard_error(service: TestService) -> None:
    service.connect()
    assert "google.called" in invoke(service, "connections", "revoke", "--all", "--yes").stderr
