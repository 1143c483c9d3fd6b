"""The operator's commands over a living service: states and ids, ends, keys; and never content."""

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
from calendar_service.journeys.receipts import concerns, verify
from calendar_service.store.journal import Actor
from tests.household import SECOND, Household, _fresh
from tests.support.evidence import shows

Command = Callable[..., Result]
OTHER = Agent("acme", "agent-2")


def invoke(house: Household, *words: str, **changed: str) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **house.variables, **changed})


def state(house: Household, agent: Agent | None = None) -> State:
    return house.service.overview.connection(agent or house.agent).state


def test_the_list_shows_states_and_no_content(house: Household) -> None:
    house.connect()
    house.connect(OTHER, SECOND)
    house.service.schedule.put(house.agent, "s1", house.content("Very private"), By.AGENT, None)
    house.service.disconnect.disconnect(OTHER, Actor.AGENT)
    found = json.loads(invoke(house, "connections", "list", "--json").stdout)
    assert [(one["agent"], one["state"]) for one in found] == [
        ("agent-1", "connected"),
        ("agent-2", "disconnected"),
    ]
    for answer in (
        invoke(house, "connections", "list"),
        invoke(house, "connections", "show", "acme", "agent-1"),
    ):
        assert answer.exit_code == 0
        assert "private" not in answer.output
        assert "ya29" not in answer.output


def test_the_list_can_be_narrowed(house: Household) -> None:
    house.connect()
    house.connect(Agent("umbrella", "agent-9"), SECOND)
    words = ("connections", "list", "--json")
    assert len(json.loads(invoke(house, *words, "--organization", "umbrella").stdout)) == 1
    assert len(json.loads(invoke(house, *words, "--state", "connected").stdout)) == 2
    assert json.loads(invoke(house, *words, "--state", "revoked").stdout) == []
    assert invoke(house, *words, "--state", "happy").exit_code == 2


def test_one_connection_is_shown_with_its_ids(house: Household) -> None:
    house.connect()
    view = house.service.schedule.put(house.agent, "s1", house.content("Very private"), By.AGENT, None)
    shown = json.loads(invoke(house, "connections", "show", "acme", "agent-1", "--json").stdout)
    assert shown["calendar_id"] == view.calendar_id
    assert shown["sessions"] == [
        {"session": "s1", "status": "scheduled", "event_id": view.event_id, "revision": 1}
    ]
    assert shown["key_id"] == "k1"
    assert "private" not in json.dumps(shown)


def test_whoever_is_not_known_is_shown_as_not_connected(house: Household) -> None:
    shown = json.loads(invoke(house, "connections", "show", "acme", "nobody", "--json").stdout)
    assert (shown["state"], shown["sessions"]) == ("not_connected", [])
    bad = invoke(house, "connections", "show", "acme", "no body")
    assert (bad.exit_code, "agent" in bad.stderr) == (1, True)


def test_nothing_ends_without_a_yes(house: Household) -> None:
    house.connect()
    before = house.stored()
    for words in (("revoke", "acme", "agent-1"), ("revoke", "--all"), ("erase", "acme", "agent-1")):
        answer = invoke(house, "connections", *words)
        assert (answer.exit_code, "Nothing was done" in answer.stderr) == (1, True)
    assert house.stored() == before


@shows("SC-4")
def test_one_connection_is_revoked_here_and_at_google(house: Household) -> None:
    house.connect()
    answer = invoke(house, "connections", "revoke", "acme", "agent-1", "--yes", "--json")
    assert json.loads(answer.stdout) == {"ended": 1, "pending": 0, "not_connected": 0, "failed": 0}
    assert (state(house), house.live_tokens()) == (State.DISCONNECTED, [])
    assert len(house.calendars()) == 1


def test_all_are_revoked_and_what_google_does_not_confirm_is_left_to_the_worker(house: Household) -> None:
    house.connect()
    house.connect(OTHER, SECOND)
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    answer = invoke(house, "connections", "revoke", "--all", "--yes", "--json")
    assert json.loads(answer.stdout) == {"ended": 1, "pending": 1, "not_connected": 0, "failed": 0}
    assert "Ending" in answer.stderr  # progress, apart from what programs read
    assert {state(house), state(house, OTHER)} == {State.DISCONNECTED}
    house.clock.advance(60)
    house.work(2)
    assert house.live_tokens() == []
    again = invoke(house, "connections", "revoke", "--all", "--yes")
    assert (again.exit_code, "no such connection" in again.stderr) == (1, True)


def test_after_a_key_is_stolen_only_what_it_sealed_is_revoked(house: Household) -> None:
    house.connect()
    ring = f"k2:{_fresh()},{house.variables['CALENDAR_KEYRING']}"
    newer = Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock,
        **{**house.variables, "CALENDAR_KEYRING": ring},
    )  # fmt: skip
    newer.connect(OTHER, SECOND)
    newer.close()
    answer = invoke(
        house, "connections", "revoke", "--key-id", "k1", "--yes", "--json", CALENDAR_KEYRING=ring
    )
    assert json.loads(answer.stdout)["ended"] == 1
    assert (state(house), state(house, OTHER)) == (State.DISCONNECTED, State.CONNECTED)


@pytest.mark.parametrize(
    "words",
    [(), ("acme",), ("acme", "agent-1", "--all"), ("--all", "--key-id", "k1"), ("acme", "--key-id", "k1")],
)
def test_a_revocation_has_to_say_whose(house: Household, words: tuple[str, ...]) -> None:
    house.connect()
    assert invoke(house, "connections", "revoke", *words, "--yes").exit_code == 2
    assert state(house) is State.CONNECTED


def test_an_unknown_key_seals_nobodys_connection(house: Household) -> None:
    house.connect()
    assert invoke(house, "connections", "revoke", "--key-id", "k9", "--yes").exit_code == 1
    assert state(house) is State.CONNECTED


@shows("RV-2")
def test_what_cannot_be_opened_is_ended_all_the_same(house: Household) -> None:
    house.connect()
    answer = invoke(
        house, "connections", "revoke", "--all", "--yes", "--json", CALENDAR_KEYRING=f"k7:{_fresh()}"
    )
    assert json.loads(answer.stdout)["pending"] == 1
    assert state(house) is State.DISCONNECTED


@shows("CH-1")
def test_an_ended_connection_is_erased_and_the_receipt_tells_whom_it_concerns(house: Household) -> None:
    house.connect()
    standing = invoke(house, "connections", "erase", "acme", "agent-1", "--yes")
    assert (standing.exit_code, "end it first" in standing.stderr) == (1, True)
    invoke(house, "connections", "revoke", "acme", "agent-1", "--yes")
    answer = invoke(house, "connections", "erase", "acme", "agent-1", "--yes", "--json")
    receipt = verify(answer.stdout.encode(), house.service.public_keys)
    assert concerns(receipt, house.agent)
    assert state(house) is State.NOT_CONNECTED
    again = invoke(house, "connections", "erase", "acme", "agent-1", "--yes")
    assert (again.exit_code, "Nothing is kept" in again.stderr) == (1, True)


# --- keys ---


@pytest.fixture
def ring(house: Household, tmp_path: Path) -> Path:
    """A keyring's file whose second key sealed what is there."""
    house.connect()
    path = tmp_path / "keyring"
    path.touch(mode=0o600)
    path.write_text(f"k2:{_fresh()},{house.variables['CALENDAR_KEYRING']}\n", "utf-8")
    del house.variables["CALENDAR_KEYRING"]
    house.variables["CALENDAR_KEYRING_FILE"] = str(path)
    return path


def test_status_tells_which_key_can_be_retired(house: Household, ring: Path) -> None:
    assert "in use" in invoke(house, "keys", "status").stdout
    invoke(house, "keys", "rotate")
    assert "can be retired" in invoke(house, "keys", "status").stdout
    found = json.loads(invoke(house, "keys", "status", "--json").stdout)
    assert [(one["key_id"], one["grants"]) for one in found] == [("k2", 1), ("k1", 0)]


def test_a_key_that_seals_nothing_more_is_taken_out_of_the_file(house: Household, ring: Path) -> None:
    answer = invoke(house, "keys", "rotate", "--retire", "k1", "--json")
    assert json.loads(answer.stdout) == {"resealed": 1, "unopened": 0, "left": {"k1": 0}, "retired": "k1"}
    assert ring.read_text("utf-8").startswith("k2:")
    assert "k1:" not in ring.read_text("utf-8")
    assert ring.stat().st_mode & 0o777 == 0o600
    assert list(ring.parent.iterdir()) == [ring]
    assert json.loads(invoke(house, "connections", "list", "--json").stdout)[0]["key_id"] == "k2"


def test_a_key_that_a_consent_under_way_needs_is_retired_only_by_force(house: Household, ring: Path) -> None:
    cookie, browser = house.browser()
    house.begin(browser, cookie)  # this process still has the former keyring
    refused = invoke(house, "keys", "rotate", "--retire", "k1")
    assert (refused.exit_code, "still seals 1 record " in refused.stderr) == (1, True)
    assert "k1:" in ring.read_text("utf-8")
    assert invoke(house, "keys", "rotate", "--retire", "k1", "--force").exit_code == 0
    assert "k1:" not in ring.read_text("utf-8")


@pytest.mark.parametrize(("key", "words"), [("k2", "is the current key"), ("k9", "is not in the keyring")])
def test_the_current_key_and_an_unknown_one_are_not_retired(
    house: Household, ring: Path, key: str, words: str
) -> None:
    before, text = house.stored(), ring.read_text("utf-8")
    answer = invoke(house, "keys", "rotate", "--retire", key, "--force")
    assert (answer.exit_code, words in answer.stderr) == (1, True)
    assert (house.stored(), ring.read_text("utf-8")) == (before, text)


def test_a_keyring_in_the_environment_is_the_operators_to_change(house: Household) -> None:
    house.connect()
    ring = f"k2:{_fresh()},{house.variables['CALENDAR_KEYRING']}"
    answer = invoke(house, "keys", "rotate", "--retire", "k1", CALENDAR_KEYRING=ring)
    assert (answer.exit_code, "out of CALENDAR_KEYRING" in answer.stdout) == (0, True)


def test_doctor_names_what_no_key_opens_and_the_sum_of_retention(house: Household) -> None:
    house.connect()
    found = invoke(house, "doctor", "--json", CALENDAR_KEYRING=f"k7:{_fresh()}")
    assert found.exit_code == 1
    findings = json.loads(found.stdout)
    assert {one["check"] for one in findings if one["level"] == "fault"} == {"keys"}
    retention = next(one for one in findings if one["check"] == "retention")
    assert retention["detail"].endswith("= 23, of 30 promised")


def test_doctor_finds_nothing_wrong_with_a_sound_service(house: Household) -> None:
    house.connect()
    found = invoke(house, "doctor", "--json")
    levels = {one["check"]: one["level"] for one in json.loads(found.stdout)}
    assert found.exit_code == 0
    assert {levels[check] for check in ("database", "durability", "identity key", "clocks")} == {"ok"}
    assert levels["operator"] == "note"


def test_doctor_names_a_foreign_identity_key(house: Household) -> None:
    house.service.upkeep.check_identity(house.service.identity.check_value())
    found = invoke(house, "doctor", "--json", CALENDAR_IDENTITY_KEY=_fresh())
    assert found.exit_code == 1
    assert {one["check"] for one in json.loads(found.stdout) if one["level"] == "fault"} == {"identity key"}


def test_doctor_names_clocks_that_differ(house: Household) -> None:
    found = invoke(house, "doctor", "--json", CALENDAR_TEST_SKEW="7200")
    assert found.exit_code == 1
    assert {one["check"] for one in json.loads(found.stdout) if one["level"] == "fault"} == {"clocks"}


def test_doctor_and_the_numbers_tell_that_no_worker_comes(house: Household) -> None:
    house.connect()
    house.work()
    house.clock.advance(25 * 3600)
    found = invoke(house, "doctor", "--json")
    (worker,) = [one for one in json.loads(found.stdout) if one["check"] == "worker"]
    assert (found.exit_code, worker["level"]) == (1, "fault")
    assert "agents that are due: 1;" in worker["detail"]
    assert house.service.metrics()["calendar_longest_wait_seconds"] > 3600
    house.work()
    assert house.service.metrics()["calendar_longest_wait_seconds"] == 0
    assert invoke(house, "doctor").exit_code == 0


def at_a_terminal(house: Household, *words: str) -> str:
    """Return what a person at a terminal sees beside the command's output."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "calendar_service", *words]
    environment = {"PATH": os.environ["PATH"], **house.variables}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed: everything was read
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    return shown.decode()


def test_at_a_terminal_no_log_line_tears_the_bar_apart(house: Household) -> None:
    house.connect()
    shown = at_a_terminal(house, "connections", "revoke", "--all", "--yes")
    assert "1/1" in shown
    assert "google.called" not in shown
    assert state(house) is State.DISCONNECTED


def test_away_from_a_terminal_the_log_goes_to_standard_error(house: Household) -> None:
    house.connect()
    assert "google.called" in invoke(house, "connections", "revoke", "--all", "--yes").stderr
