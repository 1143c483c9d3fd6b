"""A shorter term until the erasure, where an operator lets its agents choose one."""

from collections.abc import Callable, Iterator

import pytest

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.connection import State
from calendar_service.domain.errors import AccessRevoked, InvalidRequest, NotConnected
from calendar_service.domain.reviewer import TERM
from calendar_service.store.journal import Actor
from calendar_service.store.tickets import Ticket
from tests.household import Household
from tests.local_google import LocalGoogle

Under = Callable[[str], Household]


@pytest.fixture
def under(house: Household, clean_store: str, google_process: LocalGoogle) -> Iterator[Under]:
    """A household under an operator's name."""
    made: list[Household] = []

    def build(name: str) -> Household:
        made.append(Household.of(clean_store, google_process, house.clock, CALENDAR_OPERATOR=name))
        return made[-1]

    yield build
    for each in made:
        each.close()


def connect(house: Household, locale: str) -> None:
    ticket = Ticket("acme", "agent-1", locale, "America/Bogota", "", house.service.clock.now() + HOUR)
    cookie, browser = house.service.tickets.open_browser(ticket)
    url = house.begin(browser, cookie)
    house.call_back(browser, cookie, house.google.consent(url))


def choose(house: Household, term: int) -> None:
    _, browser = house.browser()
    house.service.terms.choose(browser, term)


def test_an_agent_may_choose_a_shorter_term_where_it_is_offered(under: Under) -> None:
    house = under("cticontrol")
    connect(house, "es")
    terms = house.service.terms
    assert terms.offered(house.browser()[1]) == (1 * DAY, 3 * DAY, 7 * DAY)
    choose(house, 3 * DAY)
    assert house.service.export.of(house.agent)["connection"]["own_term_in_days"] == 3
    choose(house, 1 * DAY)
    assert terms.term(house.agent) == 1 * DAY
    ended = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert rfc3339(ended.erase_due) == rfc3339(ended.since + DAY)
    house.clock.advance(DAY // 1000 + 1)
    house.work(2)
    assert house.service.overview.connection(house.agent).state is State.NOT_CONNECTED


def test_the_operators_term_can_be_chosen_again(under: Under) -> None:
    house = under("cticontrol")
    connect(house, "es")
    choose(house, 1 * DAY)
    choose(house, 7 * DAY)
    ended = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert ended.erase_due - ended.since == 7 * DAY


def test_after_a_revocation_at_google_the_agents_term_counts_too(under: Under) -> None:
    house = under("cticontrol")
    connect(house, "es")
    choose(house, 1 * DAY)
    proof = house.service.slots.read(house.agent).facts.proof_at
    house.google.fault("/token", {"invalid_grant": True}, times=1)
    house.clock.advance(2 * HOUR // 1000)
    with pytest.raises(AccessRevoked):
        house.service.access.probe(house.agent)
    view = house.service.overview.connection(house.agent)
    assert (view.state, view.erase_due) == (State.REVOKED, proof + DAY)


@pytest.mark.parametrize("term", [0, 2 * DAY, 8 * DAY, -DAY])
def test_a_term_that_is_not_offered_is_refused_and_changes_nothing(under: Under, term: int) -> None:
    house = under("cticontrol")
    connect(house, "es")
    before = house.facts
    with pytest.raises(InvalidRequest):
        choose(house, term)
    assert house.facts == before


def test_where_no_term_is_offered_none_can_be_chosen(house: Household) -> None:
    house.connect()
    assert house.service.terms.offered(house.browser()[1]) == ()
    with pytest.raises(InvalidRequest):
        choose(house, 1 * DAY)


def test_a_reviewer_has_no_choice_and_keeps_the_ten_minutes(under: Under) -> None:
    house = under("cticontrol")
    ticket = Ticket("acme", "agent-1", "es", "UTC", "", house.service.clock.now() + HOUR, reviewer=True)
    cookie, browser = house.service.tickets.open_browser(ticket)
    house.call_back(browser, cookie, house.google.consent(house.begin(browser, cookie)))
    assert house.service.terms.offered(browser) == ()
    for term in (DAY, 7 * DAY):
        with pytest.raises(InvalidRequest):
            house.service.terms.choose(browser, term)
    ended = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert ended.erase_due == ended.since + TERM


def test_without_a_connection_there_is_no_term_to_choose(under: Under) -> None:
    house = under("cticontrol")
    with pytest.raises(NotConnected):
        choose(house, 1 * DAY)
