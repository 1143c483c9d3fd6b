"""A database that is shared by mistake: with another identity key, another keyring or another Google client (F39)."""

import json
import threading

import pytest

from calendar_service import config as configuration
from calendar_service.domain.connection import State
from calendar_service.domain.errors import ClientRejected, ConsentRefused
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.health.readiness import Readiness
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.ownership import NotOurDatabase, Ownership
from calendar_service.wiring import begin, build
from calendar_service.worker.loop import run
from tests.journeys.test_commands import invoke
from tests.support.evidence import shows
from tests.support.service import OTHER_CLIENT_ID, TestService, _fresh

HOUR = 3600


def beside(service: TestService, **changed: str) -> TestService:
    """Return another process over the same database, with other variables."""
    variables = service.variables | changed
    parts = build(configuration.load(variables), before_first_use=begin)
    return TestService(parts, service.google, service.clock, variables, service.agent)


def without_check_values(service: TestService) -> None:
    service.parts.store.database.client.delete(keys.CHECK_VALUES)


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_process_with_another_identity_key_exits_and_touches_nothing(
    service: TestService, command: str
) -> None:
    service.connect()
    before, calls = service.stored(), service.calls()
    result = invoke(service, command, CALENDAR_IDENTITY_KEY=_fresh(), CALENDAR_PORT="1")
    assert result.exit_code == 2
    assert "another identity key" in result.stderr
    assert "give back the former CALENDAR_IDENTITY_KEY" in result.stderr
    assert (service.stored(), service.calls()) == (before, calls)
    assert Readiness(service.parts).examine().checks["identity_key"]


@pytest.mark.parametrize("words", [("serve",), ("work",), ("connections", "list"), ("doctor",)])
def test_a_database_of_another_format_is_not_blamed_on_the_identity_key(
    service: TestService, words: tuple[str, ...]
) -> None:
    service.connect()
    _, identity_key, google_client = service.parts.store.database.check_values().split(".")
    client = service.parts.store.database.client
    client.set(keys.CHECK_VALUES, f"1.{identity_key}.{google_client}")
    before = service.stored()
    result = invoke(service, *words, CALENDAR_PORT="1")
    printed = result.output + result.stderr
    assert result.exit_code == (1 if words == ("doctor",) else 2)
    assert "with another format" in printed
    assert "start that version again" in printed
    assert "give back" not in printed
    assert service.stored() == before


@pytest.mark.parametrize(
    "words",
    [
        ("connections", "list"),
        ("connections", "revoke", "--all", "--yes"),
        ("connections", "erase", "acme", "agent-1", "--yes"),
        ("hold", "list"),
        ("keys", "status"),
        ("keys", "rotate"),
        ("keys", "adopt", "--yes"),
        ("google-client", "adopt", "--yes"),
        ("reviewer", "link"),
        ("reviewer", "list"),
        ("webhooks", "list"),
        ("audit", "verify"),
        ("report",),
    ],
)
def test_every_command_with_another_identity_key_is_refused(
    service: TestService, words: tuple[str, ...]
) -> None:
    service.connect()
    before = service.stored()
    result = invoke(service, *words, CALENDAR_IDENTITY_KEY=_fresh())
    assert (result.exit_code, "another identity key" in result.stderr) == (2, True), result.output
    assert service.stored() == before


def test_a_worker_that_started_before_its_database_stops_when_it_learns_whose_it_is(
    service: TestService,
) -> None:
    service.connect()
    before = service.stored()
    other = beside(service, CALENDAR_IDENTITY_KEY=_fresh())
    with pytest.raises(NotOurDatabase):
        run(other.parts, threading.Event())
    assert service.stored() == before
    other.close()


def test_a_process_with_another_identity_key_is_not_ready(service: TestService) -> None:
    service.connect()
    other = beside(service, CALENDAR_IDENTITY_KEY=_fresh())
    checks = Readiness(other.parts).examine().checks
    assert (checks["identity_key"], checks["google_client"]) == (False, False)
    other.close()


def test_doctor_and_readiness_begin_no_database(service: TestService) -> None:
    service.parts.store.database.client.flushdb()
    fresh = build(service.config)
    assert not Readiness(fresh).examine().checks["identity_key"]
    result = invoke(service, "doctor", "--json")
    findings = {one["check"]: one["level"] for one in json.loads(result.stdout)}
    assert (findings["identity key"], "worker" in findings) == ("note", False)
    assert invoke(service, "reviewer", "link").exit_code == 2
    assert fresh.store.database.is_empty()
    fresh.close()


def test_a_connect_over_a_replaced_database_is_refused(service: TestService) -> None:
    cookie, browser = service.browser()
    callback = service.google.consent(service.begin(browser, cookie))
    client = service.parts.store.database.client
    others = Ownership(service.parts.store.database, "another", "another")
    client.delete(keys.CHECK_VALUES)
    service.parts.store.database.set_check_values(others._own.text, "NX")
    calls = service.calls()
    with pytest.raises(NotOurDatabase):
        service.call_back(browser, cookie, callback)
    assert service.calls() == calls


# --- keys adopt ---


def test_data_without_check_values_is_adopted_when_keys_and_records_fit(service: TestService) -> None:
    service.connect()
    without_check_values(service)
    for command in ("serve", "work"):
        refused = invoke(service, command, CALENDAR_PORT="1")
        assert (refused.exit_code, "calendar-service keys adopt" in refused.stderr) == (2, True)
    findings = json.loads(invoke(service, "doctor", "--json").stdout)
    assert [one["check"] for one in findings if one["level"] == "fault"] == ["identity key"]
    assert invoke(service, "keys", "adopt", "--yes").exit_code == 0
    assert Readiness(service.parts).examine().checks["identity_key"]
    assert Readiness(service.parts).examine().checks["google_client"]
    again = invoke(service, "doctor")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"CALENDAR_IDENTITY_KEY": _fresh()}, "CALENDAR_IDENTITY_KEY is not the key of this data"),
        ({"CALENDAR_KEYRING": f"k1:{_fresh()}"}, "no sealed record of this database opens"),
    ],
)
def test_keys_that_do_not_fit_adopt_nothing(
    service: TestService, changed: dict[str, str], words: str
) -> None:
    for number in range(4):  # so that a wrong identity key puts one of them into another shard
        service.connect(Agent("acme", f"agent-{number}"))
    without_check_values(service)
    before = service.stored()
    result = invoke(service, "keys", "adopt", "--yes", **changed)
    assert (result.exit_code, words in result.stderr) == (1, True), result.output
    assert service.stored() == before


def test_data_that_shows_nothing_is_not_adopted(service: TestService) -> None:
    without_check_values(service)
    service.parts.store.database.client.set(keys.closed("another-program"), "1")
    result = invoke(service, "keys", "adopt", "--yes")
    assert (result.exit_code, "no sealed record" in result.stderr) == (1, True)


def test_a_begun_or_an_empty_database_is_not_adopted(service: TestService) -> None:
    service.connect()
    begun = invoke(service, "keys", "adopt", "--yes")
    assert (begun.exit_code, "nothing to adopt" in begun.stderr) == (1, True)
    service.parts.store.database.client.flushdb()
    assert invoke(service, "keys", "adopt", "--yes").exit_code == 2
    assert service.parts.store.database.is_empty()


# --- another Google client ---


@shows("ST-1")
def test_a_process_with_another_google_client_ends_no_grant(service: TestService) -> None:
    service.connect()
    service.clock.advance(2 * HOUR)
    other = beside(service, CALENDAR_GOOGLE_CLIENT_ID=OTHER_CLIENT_ID)
    token_calls = [call for call in service.google.journal() if call["path"] == "/token"]
    with pytest.raises(ClientRejected, match="google-client adopt"):
        other.parts.connection.access.probe(service.agent)
    put = other.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert (put.status, put.reason) == (Status.PENDING, "operator")
    assert [call for call in service.google.journal() if call["path"] == "/token"] == token_calls
    assert not Readiness(other.parts).examine().checks["google_client"]
    assert service.facts.is_live
    service.clock.advance(10 * 60)
    service.work()
    assert (
        service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.SCHEDULED
    )
    other.close()


def test_another_google_client_is_alarmed_once_in_a_process(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    other = beside(service, CALENDAR_GOOGLE_CLIENT_ID=OTHER_CLIENT_ID)
    for _ in range(2):
        with pytest.raises(ClientRejected):
            other.parts.google.throttle.client_check.require()
    assert capsys.readouterr().err.count("google.client_differs") == 1
    assert service.metrics()["calendar_google_client_rejected"] == 0
    other.close()


def test_nobody_connects_through_another_google_client(service: TestService) -> None:
    service.connect()
    other = beside(service, CALENDAR_GOOGLE_CLIENT_ID=OTHER_CLIENT_ID)
    with pytest.raises(ConsentRefused, match="operator"):
        other.connect()
    assert service.facts.is_live
    other.close()


def test_a_disconnect_and_an_erasure_work_with_another_google_client(service: TestService) -> None:
    service.connect()
    other = beside(service, CALENDAR_GOOGLE_CLIENT_ID=OTHER_CLIENT_ID)
    view = other.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert (view.state, view.revocation) == (State.DISCONNECTED, "confirmed")
    other.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert service.live_tokens() == []
    other.close()


def test_doctor_names_another_google_client(service: TestService) -> None:
    service.connect()
    result = invoke(service, "doctor", "--json", CALENDAR_GOOGLE_CLIENT_ID=OTHER_CLIENT_ID)
    assert {one["check"] for one in json.loads(result.stdout) if one["level"] == "fault"} == {"Google client"}


def test_a_move_to_another_google_client_ends_every_connection_and_lets_agents_connect_again(
    service: TestService,
) -> None:
    service.connect()
    calendar = service.facts.calendar.id
    moved = {"CALENDAR_GOOGLE_CLIENT_ID": OTHER_CLIENT_ID}
    assert invoke(service, "google-client", "adopt", **moved).exit_code == 1  # nobody answered the question
    assert service.facts.is_live
    result = invoke(service, "google-client", "adopt", "--yes", "--json", **moved)
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"ended": 1, "failed": 0})
    assert service.live_tokens() == []
    with pytest.raises(ConsentRefused, match="operator"):
        service.connect()
    other = beside(service, **moved)
    other.connect()
    assert (other.facts.is_live, other.facts.calendar.id) == (True, calendar)
    assert invoke(service, "google-client", "adopt", "--yes", **moved).exit_code == 1
    other.close()
