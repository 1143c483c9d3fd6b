"""A reviewer's link: valid until its end; then every connection made through it is disconnected and erased."""

import json

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.errors import LinkOver, OrganizationClosed, TooManyRequests
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.reviewer_links import ACTS_A_MINUTE, RETENTION
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.reviewer_links import Link
from calendar_service.store.tickets import Ticket
from tests.support.service import TestService

DAYS = DAY // SECOND


def invoke(service: TestService, *words: str) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **service.variables})


def link_of(service: TestService, days: int = 60) -> tuple[str, Link]:
    return service.parts.operations.reviewers.make(days)


def connect(service: TestService, link: Link, name: str = "tester") -> Agent:
    """Connect a test agent as the console behind the link does."""
    agent, now = Agent(link.organization, name), service.parts.clock.now()
    ticket = Ticket(link.organization, name, "en", "UTC", "", now + HOUR, reviewer=True)
    cookie, browser = service.parts.store.tickets.open_browser(ticket)
    address = service.begin(browser, cookie)
    service.call_back(browser, cookie, service.google.consent(address))
    return agent


def state(service: TestService, agent: Agent) -> State:
    return service.parts.connection.status.of(agent).state


def kept_of(service: TestService, link: Link) -> set[str]:
    """Return the keys that name the link's organization, but the open pages that the database itself drops."""
    naming = {line.partition(" = ")[0] for line in service.stored().splitlines() if link.organization in line}
    return {key for key in naming if not key.startswith("browser:")}


# --- the command ---


def test_a_link_is_printed_once_with_its_end_and_kept_as_a_hash(service: TestService) -> None:
    printed = json.loads(invoke(service, "reviewer", "link", "--days", "60", "--json").stdout)
    assert printed["url"].startswith("http://localhost:8080/reviewer/")
    secret = printed["url"].rpartition("/")[2]
    link = service.parts.operations.reviewers.admit(secret)
    assert link.organization == printed["organization"]
    assert 0 <= service.parts.clock.now() + 60 * DAY - link.ends < MINUTE
    assert secret not in service.stored()
    listed = json.loads(invoke(service, "reviewer", "list", "--json").stdout)
    assert listed == [
        {"organization": link.organization, "ends": printed["ends"], "connections": 0, "over": False}
    ]
    assert link.organization in invoke(service, "reviewer", "list").stdout


@pytest.mark.parametrize("days", ["0", "-1", "181", "soon"])
def test_a_length_that_makes_no_sense_is_refused(service: TestService, days: str) -> None:
    before = service.stored()
    assert invoke(service, "reviewer", "link", "--days", days).exit_code == 2
    assert service.stored() == before


def test_a_link_is_prolonged_but_not_for_ever(service: TestService) -> None:
    secret, link = link_of(service)
    assert invoke(service, "reviewer", "extend", link.organization, "--days", "30").exit_code == 0
    longer = service.parts.operations.reviewers.admit(secret)
    assert longer.ends - link.ends == 30 * DAY
    refused = invoke(service, "reviewer", "extend", link.organization, "--days", "120")
    assert (refused.exit_code, "180 days" in refused.output) == (1, True)
    assert service.parts.operations.reviewers.admit(secret) == longer


def test_what_is_over_never_comes_back(service: TestService) -> None:
    secret, link = link_of(service, 1)
    service.clock.advance(DAYS)
    refused = invoke(service, "reviewer", "extend", link.organization)
    assert refused.exit_code == 1
    assert "make another" in refused.output
    with pytest.raises(LinkOver):
        service.parts.operations.reviewers.admit(secret)


def test_a_name_that_is_no_link_is_refused(service: TestService) -> None:
    for words in (("extend", "acme"), ("end", "acme")):
        refused = invoke(service, "reviewer", *words)
        assert (refused.exit_code, "reviewer list" in refused.output) == (1, True)


def test_the_command_ends_a_link_with_everything_behind_it(service: TestService) -> None:
    secret, link = link_of(service)
    agents = [connect(service, link, name) for name in ("one", "two")]
    service.connect()
    answer = json.loads(invoke(service, "reviewer", "end", link.organization, "--json").stdout)
    assert answer["erased"] == 2
    assert [state(service, agent) for agent in agents] == [State.NOT_CONNECTED] * 2
    assert state(service, service.agent) is State.CONNECTED
    with pytest.raises(LinkOver):
        service.parts.operations.reviewers.admit(secret)


# --- the door ---


def test_over_ended_and_unknown_are_refused_in_the_same_words(service: TestService) -> None:
    (over, _), (ended, link) = link_of(service, 1), link_of(service, 60)
    service.parts.operations.reviewers.end(link.organization)
    service.clock.advance(DAYS)
    texts = set()
    for secret in (over, ended, "x" * 43, ""):
        with pytest.raises(LinkOver) as refusal:
            service.parts.operations.reviewers.admit(secret)
        texts.add(refusal.value.detail)
    assert len(texts) == 1


def test_too_many_acts_within_a_minute_are_refused_for_this_link_alone(service: TestService) -> None:
    (_, link), (_, other) = link_of(service), link_of(service)
    for _ in range(ACTS_A_MINUTE):
        service.parts.operations.reviewers.count(link)
    with pytest.raises(TooManyRequests):
        service.parts.operations.reviewers.count(link)
    service.parts.operations.reviewers.count(other)
    client = service.parts.store.database.client
    assert 0 < client.pttl(keys.reviewer_acts(link.organization)) <= MINUTE


# --- the term of ten minutes ---


def test_ten_minutes_after_a_disconnect_the_timer_erases(service: TestService) -> None:
    _, link = link_of(service)
    agent = connect(service, link)
    service.parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, None)
    view = service.parts.connection.disconnect.disconnect(agent, Actor.AGENT)
    assert abs(view.erase_due - service.parts.clock.now() - RETENTION) < MINUTE
    service.clock.advance(9 * 60)
    service.work()
    assert state(service, agent) is State.DISCONNECTED
    service.clock.advance(60)
    service.work()
    assert state(service, agent) is State.NOT_CONNECTED
    assert kept_of(service, link) == {keys.REVIEWER_LINKS}


def test_after_a_revocation_at_google_it_is_ten_minutes_as_well(service: TestService) -> None:
    _, link = link_of(service)
    agent = connect(service, link)
    service.google.fault("/token", {"invalid_grant": True}, times=1)
    service.clock.advance(3600)
    service.parts.connection.settings_page.settings(agent)
    assert state(service, agent) is State.REVOKED
    service.clock.advance(10 * 60 + 1)
    service.work()
    assert state(service, agent) is State.NOT_CONNECTED


def test_the_term_is_never_longer_than_the_profiles(service: TestService) -> None:
    _, link = link_of(service)
    agent = connect(service, link)
    service.parts.store.connections.disconnect(
        agent, Actor.AGENT, delete_calendar=False, erase_after=MINUTE, teardown_lease=0
    )
    assert service.parts.connection.status.of(agent).erase_due <= service.parts.clock.now() + MINUTE


def test_others_keep_the_profiles_term(service: TestService) -> None:
    link_of(service)
    service.connect()
    view = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert view.erase_due > service.parts.clock.now() + 6 * DAY


# --- the end ---


def test_at_the_links_end_the_worker_disconnects_erases_and_revokes(service: TestService) -> None:
    _, link = link_of(service, 1)
    agent = connect(service, link)
    service.parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, None)
    service.clock.advance(DAYS - 60)
    service.work()
    assert state(service, agent) is State.CONNECTED
    service.clock.advance(120)
    service.work(2)
    assert state(service, agent) is State.NOT_CONNECTED
    assert service.live_tokens() == []
    assert len(service.calendars()) == 1  # the calendar is the account's own
    assert kept_of(service, link) == {keys.REVIEWER_LINKS, keys.closed(link.organization)}


def test_a_page_that_is_still_open_cannot_connect_after_the_end(service: TestService) -> None:
    _, link = link_of(service, 1)
    now = service.parts.clock.now()
    ticket = Ticket(link.organization, "late", "en", "UTC", "", now + 2 * DAY, reviewer=True)
    service.clock.advance(DAYS)
    cookie, browser = service.parts.store.tickets.open_browser(ticket)
    service.work()
    with pytest.raises(OrganizationClosed):
        service.begin(browser, cookie)


def test_when_no_page_can_be_open_any_more_nothing_is_left_of_the_link(service: TestService) -> None:
    _, link = link_of(service, 1)
    connect(service, link)
    service.clock.advance(DAYS)
    service.work(2)
    service.clock.advance(keys.REVIEWER_AFTERMATH // SECOND)
    service.work(2)
    assert kept_of(service, link) == set()
    assert json.loads(invoke(service, "reviewer", "list", "--json").stdout) == []


def test_whoever_slipped_in_behind_the_sweep_goes_with_the_next(service: TestService) -> None:
    _, link = link_of(service, 1)
    service.clock.advance(DAYS)
    worker = service.worker
    worker.round()
    service.parts.operations.organizations.reopen(link.organization)
    agent = connect(service, link, "late")
    service.clock.advance(keys.REVIEWER_AFTERMATH // SECOND)
    worker.round()
    worker.round()
    assert state(service, agent) is State.NOT_CONNECTED
    assert kept_of(service, link) == set()


def test_a_hold_on_a_test_agent_leaves_the_others_to_their_end(service: TestService) -> None:
    _, link = link_of(service, 1)
    held, other = connect(service, link, "held"), connect(service, link, "other")
    until = service.parts.clock.now() + 30 * DAY
    service.parts.personal_data.holds.place(
        held, Hold("a", "b", "court", "due_item", until, 0), replace=False
    )
    service.clock.advance(DAYS)
    service.work()
    assert state(service, other) is State.NOT_CONNECTED
    assert state(service, held) is State.DISCONNECTED


def test_while_the_clocks_disagree_nothing_is_taken_down(service: TestService) -> None:
    _, link = link_of(service, 1)
    agent = connect(service, link)
    service.clock.advance(2 * DAYS)
    skewed = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        CALENDAR_KEYRING=service.variables["CALENDAR_KEYRING"],
        CALENDAR_IDENTITY_KEY=service.variables["CALENDAR_IDENTITY_KEY"], CALENDAR_TEST_SKEW="7200",
    )  # fmt: skip
    assert skewed.parts.operations.reviewers.sweep() == "clock"
    assert state(service, agent) is State.CONNECTED
    skewed.close()
    service.work()
    assert state(service, agent) is State.NOT_CONNECTED
