"""A reviewer's link: valid until its end, and at its end everything behind it is disconnected and erased."""

import json

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.errors import LinkOver, OrganizationClosed, TooManyRequests
from calendar_service.domain.hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.reviewer import ACTS_A_MINUTE, TERM
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from calendar_service.store.reviewer_links import Link
from calendar_service.store.tickets import Ticket
from calendar_service.worker.loop import Worker
from tests.household import Household

DAYS = DAY // SECOND


def invoke(house: Household, *words: str) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **house.variables})


def made(house: Household, days: int = 60) -> tuple[str, Link]:
    return house.service.reviewers.make(days)


def connect(house: Household, link: Link, name: str = "tester") -> Agent:
    """Connect a test agent as the console behind the link does."""
    agent, now = Agent(link.organization, name), house.service.clock.now()
    ticket = Ticket(link.organization, name, "en", "UTC", "", now + HOUR, reviewer=True)
    cookie, browser = house.service.tickets.open_browser(ticket)
    address = house.begin(browser, cookie)
    house.call_back(browser, cookie, house.google.consent(address))
    return agent


def state(house: Household, agent: Agent) -> State:
    return house.service.overview.connection(agent).state


def kept_of(house: Household, link: Link) -> set[str]:
    """Return the keys that name the link's organization, but the open pages that the database itself drops."""
    naming = {line.partition(" = ")[0] for line in house.stored().splitlines() if link.organization in line}
    return {key for key in naming if not key.startswith("browser:")}


# --- the command ---


def test_a_link_is_printed_once_with_its_end_and_kept_as_a_hash(house: Household) -> None:
    told = json.loads(invoke(house, "reviewer", "link", "--days", "60", "--json").stdout)
    assert told["url"].startswith("http://localhost:8080/reviewer/")
    secret = told["url"].rpartition("/")[2]
    link = house.service.reviewers.admit(secret)
    assert link.organization == told["organization"]
    assert 0 <= house.service.clock.now() + 60 * DAY - link.ends < MINUTE
    assert secret not in house.stored()
    listed = json.loads(invoke(house, "reviewer", "list", "--json").stdout)
    assert listed == [
        {"organization": link.organization, "ends": told["ends"], "connections": 0, "over": False}
    ]
    assert link.organization in invoke(house, "reviewer", "list").stdout


@pytest.mark.parametrize("days", ["0", "-1", "181", "soon"])
def test_a_length_that_makes_no_sense_is_refused(house: Household, days: str) -> None:
    assert invoke(house, "reviewer", "link", "--days", days).exit_code == 2
    assert house.stored() == ""


def test_a_link_is_prolonged_but_not_for_ever(house: Household) -> None:
    secret, link = made(house)
    assert invoke(house, "reviewer", "extend", link.organization, "--days", "30").exit_code == 0
    longer = house.service.reviewers.admit(secret)
    assert longer.ends - link.ends == 30 * DAY
    refused = invoke(house, "reviewer", "extend", link.organization, "--days", "120")
    assert (refused.exit_code, "180 days" in refused.output) == (1, True)
    assert house.service.reviewers.admit(secret) == longer


def test_what_is_over_never_comes_back(house: Household) -> None:
    secret, link = made(house, 1)
    house.clock.advance(DAYS)
    refused = invoke(house, "reviewer", "extend", link.organization)
    assert refused.exit_code == 1
    assert "make another" in refused.output
    with pytest.raises(LinkOver):
        house.service.reviewers.admit(secret)


def test_a_name_that_is_no_link_is_refused(house: Household) -> None:
    for words in (("extend", "acme"), ("end", "acme")):
        refused = invoke(house, "reviewer", *words)
        assert (refused.exit_code, "reviewer list" in refused.output) == (1, True)


def test_the_command_ends_a_link_with_everything_behind_it(house: Household) -> None:
    secret, link = made(house)
    agents = [connect(house, link, name) for name in ("one", "two")]
    house.connect()
    answer = json.loads(invoke(house, "reviewer", "end", link.organization, "--json").stdout)
    assert answer["erased"] == 2
    assert [state(house, agent) for agent in agents] == [State.NOT_CONNECTED] * 2
    assert state(house, house.agent) is State.CONNECTED
    with pytest.raises(LinkOver):
        house.service.reviewers.admit(secret)


# --- the door ---


def test_over_ended_and_unknown_are_refused_in_the_same_words(house: Household) -> None:
    (over, _), (ended, link) = made(house, 1), made(house, 60)
    house.service.reviewers.end(link.organization)
    house.clock.advance(DAYS)
    told = set()
    for secret in (over, ended, "x" * 43, ""):
        with pytest.raises(LinkOver) as refusal:
            house.service.reviewers.admit(secret)
        told.add(refusal.value.detail)
    assert len(told) == 1


def test_too_many_acts_within_a_minute_are_refused_for_this_link_alone(house: Household) -> None:
    (_, link), (_, other) = made(house), made(house)
    for _ in range(ACTS_A_MINUTE):
        house.service.reviewers.count(link)
    with pytest.raises(TooManyRequests):
        house.service.reviewers.count(link)
    house.service.reviewers.count(other)
    client = house.service.database.client
    assert 0 < client.pttl(keys.reviewer_acts(link.organization)) <= MINUTE


# --- the term of ten minutes ---


def test_ten_minutes_after_a_disconnect_the_timer_erases(house: Household) -> None:
    _, link = made(house)
    agent = connect(house, link)
    house.service.schedule.put(agent, "s1", house.content(), By.AGENT, None)
    view = house.service.disconnect.disconnect(agent, Actor.AGENT)
    assert abs(view.erase_due - house.service.clock.now() - TERM) < MINUTE
    house.clock.advance(9 * 60)
    house.work()
    assert state(house, agent) is State.DISCONNECTED
    house.clock.advance(60)
    house.work()
    assert state(house, agent) is State.NOT_CONNECTED
    assert kept_of(house, link) == {keys.REVIEWER_LINKS}


def test_after_a_revocation_at_google_it_is_ten_minutes_as_well(house: Household) -> None:
    _, link = made(house)
    agent = connect(house, link)
    house.google.fault("/token", {"invalid_grant": True}, times=1)
    house.clock.advance(3600)
    house.service.overview.settings(agent)
    assert state(house, agent) is State.REVOKED
    house.clock.advance(10 * 60 + 1)
    house.work()
    assert state(house, agent) is State.NOT_CONNECTED


def test_the_term_is_never_longer_than_the_profiles(house: Household) -> None:
    _, link = made(house)
    agent = connect(house, link)
    house.service.connections.disconnect(
        agent, Actor.AGENT, delete_calendar=False, erase_after=MINUTE, errand_lease=0
    )
    assert house.service.overview.connection(agent).erase_due <= house.service.clock.now() + MINUTE


def test_others_keep_the_profiles_term(house: Household) -> None:
    made(house)
    house.connect()
    view = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert view.erase_due > house.service.clock.now() + 6 * DAY


# --- the end ---


def test_at_the_links_end_the_worker_disconnects_erases_and_revokes(house: Household) -> None:
    _, link = made(house, 1)
    agent = connect(house, link)
    house.service.schedule.put(agent, "s1", house.content(), By.AGENT, None)
    house.clock.advance(DAYS - 60)
    house.work()
    assert state(house, agent) is State.CONNECTED
    house.clock.advance(120)
    house.work(2)
    assert state(house, agent) is State.NOT_CONNECTED
    assert house.live_tokens() == []
    assert len(house.calendars()) == 1  # the calendar is the account's own
    assert kept_of(house, link) == {keys.REVIEWER_LINKS, keys.closed(link.organization)}


def test_a_page_that_is_still_open_cannot_connect_after_the_end(house: Household) -> None:
    _, link = made(house, 1)
    now = house.service.clock.now()
    ticket = Ticket(link.organization, "late", "en", "UTC", "", now + 2 * DAY, reviewer=True)
    house.clock.advance(DAYS)
    cookie, browser = house.service.tickets.open_browser(ticket)
    house.work()
    with pytest.raises(OrganizationClosed):
        house.begin(browser, cookie)


def test_when_no_page_can_be_open_any_more_nothing_is_left_of_the_link(house: Household) -> None:
    _, link = made(house, 1)
    connect(house, link)
    house.clock.advance(DAYS)
    house.work(2)
    house.clock.advance(keys.REVIEWER_AFTERMATH // SECOND)
    house.work(2)
    assert kept_of(house, link) == set()
    assert json.loads(invoke(house, "reviewer", "list", "--json").stdout) == []


def test_whoever_slipped_in_behind_the_sweep_goes_with_the_next(house: Household) -> None:
    _, link = made(house, 1)
    house.clock.advance(DAYS)
    worker = Worker(house.service)
    worker.round()
    house.service.organizations.reopen(link.organization)
    agent = connect(house, link, "late")
    house.clock.advance(keys.REVIEWER_AFTERMATH // SECOND)
    worker.round()
    worker.round()
    assert state(house, agent) is State.NOT_CONNECTED
    assert kept_of(house, link) == set()


def test_a_hold_on_a_test_agent_leaves_the_others_to_their_end(house: Household) -> None:
    _, link = made(house, 1)
    held, other = connect(house, link, "held"), connect(house, link, "other")
    until = house.service.clock.now() + 30 * DAY
    house.service.holds.place(held, Hold("a", "b", "court", "matter", until, 0), replace=False)
    house.clock.advance(DAYS)
    house.work()
    assert state(house, other) is State.NOT_CONNECTED
    assert state(house, held) is State.DISCONNECTED


def test_while_the_clocks_disagree_nothing_is_taken_down(house: Household) -> None:
    _, link = made(house, 1)
    agent = connect(house, link)
    house.clock.advance(2 * DAYS)
    skewed = Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock,
        CALENDAR_KEYRING=house.variables["CALENDAR_KEYRING"],
        CALENDAR_IDENTITY_KEY=house.variables["CALENDAR_IDENTITY_KEY"], CALENDAR_TEST_SKEW="7200",
    )  # fmt: skip
    assert skewed.service.reviewers.sweep() == "clock"
    assert state(house, agent) is State.CONNECTED
    skewed.close()
    house.work()
    assert state(house, agent) is State.NOT_CONNECTED
