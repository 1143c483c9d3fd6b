"""Reconsent: under a newer policy no grant is used until the agent agrees again; agent and backend are told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from calendar_service.domain.connection import State
from calendar_service.domain.consent import ConsentTerms, is_newer
from calendar_service.domain.errors import ConsentRefused, NotConnected
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.health.readiness import Readiness
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.store.audit_log import Actor
from calendar_service.store.consents import Consents
from calendar_service.web.app import create_app
from tests.journeys.test_commands import invoke
from tests.support.backend import SECRET, Backend, backend
from tests.support.evidence import shows
from tests.support.service import SECOND, TestService
from tests.web.pages.visitor import Visitor, words

OTHER = Agent("acme", "agent-2")
CHANGES = 'changes = { en = "Rooms are named.", es = "Las salas tienen nombre." }'
Restarted = Callable[..., TestService]


@pytest.fixture
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        yield listening


@pytest.fixture
def restarted(service: TestService, tmp_path: Path, receiver: Backend) -> Iterator[Restarted]:
    """The same service, started again under another version of the policy."""
    services: list[TestService] = []

    def start(version: str, changes: str = CHANGES) -> TestService:
        overlay = tmp_path / f"policy-{version}.toml"
        overlay.write_text(f'extends = "videsk"\n[policy]\nversion = "{version}"\n{changes}\n', "utf-8")
        changed = {
            **service.variables,
            "CALENDAR_OPERATOR": str(overlay),
            "CALENDAR_WEBHOOK_URL": receiver.url,
            "CALENDAR_WEBHOOK_SECRET": SECRET,
        }
        services.append(
            TestService.of(service.variables["CALENDAR_REDIS_URL"], service.google, service.clock, **changed)
        )
        return services[-1]

    yield start
    for each in services:
        each.close()


@pytest.fixture
def connected(service: TestService) -> TestService:
    """A connection with one session in its calendar, under version 1."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Before"), By.AGENT, None)
    service.work()
    return service


def state(service: TestService, agent: Agent | None = None) -> State:
    return service.parts.connection.status.of(agent or service.agent).state


@shows("SC-5")
def test_from_the_restart_on_nothing_is_used_until_the_agent_agrees(
    connected: TestService, restarted: Restarted
) -> None:
    newer = restarted("2")
    before = len(newer.calls())
    assert state(newer) is State.RECONSENT_REQUIRED
    waits = newer.parts.sessions.schedule.put(newer.agent, "s2", newer.content("Waits"), By.AGENT, None)
    assert (waits.status, waits.reason) == (Status.WAITING, "reconsent_required")
    newer.parts.sessions.reader.get(newer.agent, "s1", read_google=True)
    newer.parts.connection.settings_page.settings(newer.agent)
    for used in (
        lambda: newer.parts.sessions.reconcile.reconcile(
            newer.agent, 0, 2**40, {"s1": DesiredSession(newer.content(), None)}, apply=True
        ),
        lambda: newer.parts.connection.dedicated_calendar.ensure(newer.agent, create=True),
    ):
        with pytest.raises(NotConnected):
            used()
    newer.work(3)
    assert len(newer.calls()) == before
    assert [event["summary"] for event in newer.events()] == ["Before"]


def test_once_agreed_the_sessions_go_on_in_the_same_calendar(
    connected: TestService, restarted: Restarted
) -> None:
    newer = restarted("2")
    newer.parts.sessions.schedule.put(newer.agent, "s2", newer.content("Waits"), By.AGENT, None)
    newer.connect()
    newer.work(2)
    assert state(newer) is State.CONNECTED
    assert sorted(event["summary"] for event in newer.events()) == ["Before", "Waits"]
    assert len(newer.calendars()) == 1
    facts = newer.parts.store.slots.read(newer.agent).facts
    assert (facts.consent.policy, facts.consent.required_since) == ("2", 0)
    assert '"policy": "2"' in newer.stored() or '"policy":"2"' in newer.stored()  # the journal keeps it


@shows("UP-1")
def test_the_backend_is_told_once(connected: TestService, restarted: Restarted, receiver: Backend) -> None:
    for version in ("2", "2", "2.1"):
        restarted(version).work(3)
    assert receiver.types == ["connection.reconsent_required"]
    assert receiver.received[0]["data"]["status"] == "reconsent_required"


def test_a_record_that_cannot_be_read_keeps_no_end_back(connected: TestService, restarted: Restarted) -> None:
    connected.connect(OTHER, SECOND)
    connected.parts.store.database.client.hset(
        connected.key("facts", OTHER), "grant_last_refresh_ok_at", "spoilt"
    )
    newer = restarted("2")
    newer.parts.connection.disconnect.end(newer.agent, Actor.ADMINISTRATOR)
    worker = newer.worker
    worker.round()
    assert newer.live_tokens() == [SECOND]
    assert not worker.lanes.walks.tasks["reconsent"].is_due(newer.parts.clock.now())  # until the next start


def test_whoever_agrees_before_being_told_is_not_asked_again(
    connected: TestService, restarted: Restarted, receiver: Backend
) -> None:
    newer = restarted("2")
    outdated_consents = list(newer.parts.connection.reconsent.outdated_consents())
    newer.connect()
    assert not newer.parts.store.connections.consent_outdated_by_policy(*outdated_consents[0])
    newer.connect(OTHER, SECOND)
    newer.work(3)
    assert {state(newer), state(newer, OTHER)} == {State.CONNECTED}
    assert "connection.reconsent_required" not in receiver.types


def test_an_older_policy_asks_nobody_again(connected: TestService, restarted: Restarted) -> None:
    restarted("2").work()
    newer = restarted("2")
    newer.connect()
    assert state(connected) is State.CONNECTED
    connected.work()
    assert restarted("2").parts.connection.reconsent.tell() == 0


def test_ended_while_agreement_was_missing_it_is_erased_as_ever(
    connected: TestService, restarted: Restarted
) -> None:
    newer = restarted("2")
    newer.work()
    newer.parts.connection.disconnect.disconnect(newer.agent, Actor.AGENT)
    assert (state(newer), newer.live_tokens()) == (State.DISCONNECTED, [])


@shows("UP-1")
@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "Rooms are named."), ("es", "Las salas tienen nombre.")]
)
def test_the_agent_is_shown_what_changed(
    connected: TestService, restarted: Restarted, language: str, sentence: str
) -> None:
    newer = restarted("2")
    visitor = Visitor(create_app(newer.parts), newer)
    visitor.enter()
    page = words(visitor.get(f"/settings?lang={language}"))
    assert sentence in page
    assert {"en": "version 1 of the policy", "es": "la versión 1 de la política"}[language] in page
    assert visitor.get(visitor.consent()).location == "/settings"
    assert state(newer) is State.CONNECTED


# --- agreed to is what was shown ---


@shows("SC-5")
def test_a_policy_that_came_into_force_at_googles_screen_was_not_agreed_to(
    service: TestService, restarted: Restarted
) -> None:
    cookie, browser = service.browser()
    callback = service.google.consent(service.begin(browser, cookie))
    newer = restarted("2")
    with pytest.raises(ConsentRefused, match="policy_changed"):
        newer.call_back(browser, cookie, callback)
    assert (state(newer), newer.live_tokens(), newer.calendars()) == (State.NOT_CONNECTED, [], [])


def test_the_version_on_record_is_the_one_that_was_shown(service: TestService, restarted: Restarted) -> None:
    newer = restarted("2")
    cookie, browser = newer.browser()
    callback = newer.google.consent(newer.begin(browser, cookie))
    service.call_back(browser, cookie, callback)  # by a process that still has the version before
    assert newer.facts.consent.policy == "2"


@shows("SC-5")
@pytest.mark.parametrize("shown", ["1", "3", "", "two"])
def test_a_page_that_showed_another_version_leads_to_no_consent(
    connected: TestService, restarted: Restarted, shown: str
) -> None:
    newer = restarted("2")
    visitor = Visitor(create_app(newer.parts), newer)
    visitor.enter()
    before, visitor.policy = newer.facts, shown
    assert visitor.begin().location == "/settings"
    assert newer.facts == before
    assert "Our policy changed meanwhile" in words(visitor.get("/settings"))
    assert visitor.get(visitor.consent()).location == "/settings"  # from the page that shows the one in force
    assert (state(newer), newer.facts.consent.policy) == (State.CONNECTED, "2")


# --- first the policy, then the permission ---


def refusals(service: TestService) -> list[str]:
    return [what for what, _ in service.parts.connection.reconsent.refusals()]


@shows("SC-5")
def test_another_permission_under_the_same_policy_is_refused_everywhere(connected: TestService) -> None:
    Consents(connected.parts.store.database).note(
        ConsentTerms("https://www.googleapis.com/auth/calendar.events", "1")
    )
    assert not Readiness(connected.parts).examine().checks["consent"]
    before = connected.stored()
    (what,) = refusals(connected)
    assert "the policy is not newer than version 1" in what
    for command in ("serve", "work"):
        answer = invoke(connected, command)
        assert (answer.exit_code, "raise policy.version" in answer.stderr) == (2, True)
    result = invoke(connected, "doctor")
    assert (result.exit_code, "the policy is not newer" in result.stdout) == (1, True)
    assert connected.stored() == before


def test_another_permission_under_a_newer_policy_is_asked(
    connected: TestService, restarted: Restarted
) -> None:
    Consents(connected.parts.store.database).note(
        ConsentTerms("https://www.googleapis.com/auth/calendar.events", "1")
    )
    newer = restarted("2")
    assert refusals(newer) == []
    newer.work()
    assert newer.parts.connection.reconsent.consents.newest() == newer.parts.connection.reconsent.terms


def test_a_newer_policy_that_does_not_say_what_changed_is_refused(
    connected: TestService, restarted: Restarted
) -> None:
    silent = restarted("2", "")
    (what,) = refusals(silent)
    assert "nothing says what changed" in what
    silent.work()
    assert silent.parts.connection.reconsent.consents.newest() == connected.parts.connection.reconsent.terms


def test_doctor_counts_who_has_to_agree_again(connected: TestService, restarted: Restarted) -> None:
    newer = restarted("2")
    assert "agents who have to agree again: 1" in invoke(newer, "doctor").stdout
    newer.connect()
    assert "nobody is asked for more than was agreed to, under version 2" in invoke(newer, "doctor").stdout


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [("10", "9", True), ("1.1", "1", True), ("2", "2", False), ("1", "1.1", False), ("1", "", True)],
)
def test_versions_are_numbers(one: str, other: str, *, newer: bool) -> None:
    assert is_newer(one, other) is newer
