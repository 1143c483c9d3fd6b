"""A shorter term until the erasure, where an operator lets its agents choose one."""

from collections.abc import Callable, Iterator

import pytest

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.connection import State
from calendar_service.domain.errors import AccessRevoked, InvalidRequest, NotConnected
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Ticket
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService

Under = Callable[[str], TestService]


@pytest.fixture
def under(service: TestService, clean_store: str, google_process: LocalGoogle) -> Iterator[Under]:
    """A test service under an operator's name."""
    services: list[TestService] = []

    def build(name: str) -> TestService:
        services.append(TestService.of(clean_store, google_process, service.clock, CALENDAR_OPERATOR=name))
        return services[-1]

    yield build
    for each in services:
        each.close()


def connect(service: TestService, locale: str) -> None:
    ticket = Ticket("acme", "agent-1", locale, "America/Bogota", "", service.parts.clock.now() + HOUR)
    cookie, browser = service.parts.store.tickets.open_browser(ticket)
    url = service.begin(browser, cookie)
    service.call_back(browser, cookie, service.google.consent(url))


def choose(service: TestService, term: int) -> None:
    _, browser = service.browser()
    service.parts.personal_data.retention.choose(browser, term)


@shows("own-term")
def test_an_agent_may_choose_a_shorter_term_where_it_is_offered(under: Under) -> None:
    service = under("cticontrol")
    connect(service, "es")
    retention = service.parts.personal_data.retention
    assert retention.offered(service.browser()[1]) == (1 * DAY, 3 * DAY, 7 * DAY)
    choose(service, 3 * DAY)
    assert service.export()["connection"]["own_term_in_days"] == 3
    choose(service, 1 * DAY)
    assert retention.retention(service.agent) == 1 * DAY
    ended = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert rfc3339(ended.erase_due) == rfc3339(ended.since + DAY)
    service.clock.advance(DAY // 1000 + 1)
    service.work(2)
    assert service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED


def test_the_operators_term_can_be_chosen_again(under: Under) -> None:
    service = under("cticontrol")
    connect(service, "es")
    choose(service, 1 * DAY)
    choose(service, 7 * DAY)
    ended = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert ended.erase_due - ended.since == 7 * DAY


def test_after_a_revocation_at_google_the_agents_term_counts_too(under: Under) -> None:
    service = under("cticontrol")
    connect(service, "es")
    choose(service, 1 * DAY)
    proof = service.parts.store.slots.read(service.agent).facts.grant.last_refresh_ok_at
    service.google.fault("/token", {"invalid_grant": True}, times=1)
    service.clock.advance(2 * HOUR // 1000)
    with pytest.raises(AccessRevoked):
        service.parts.connection.access.probe(service.agent)
    view = service.parts.connection.status.of(service.agent)
    assert (view.state, view.erase_due) == (State.REVOKED, proof + DAY)


@pytest.mark.parametrize("term", [0, 2 * DAY, 8 * DAY, -DAY])
def test_a_term_that_is_not_offered_is_refused_and_changes_nothing(under: Under, term: int) -> None:
    service = under("cticontrol")
    connect(service, "es")
    before = service.facts
    with pytest.raises(InvalidRequest):
        choose(service, term)
    assert service.facts == before


def test_where_no_term_is_offered_none_can_be_chosen(service: TestService) -> None:
    service.connect()
    assert service.parts.personal_data.retention.offered(service.browser()[1]) == ()
    with pytest.raises(InvalidRequest):
        choose(service, 1 * DAY)


def test_a_reviewer_has_no_choice_and_keeps_the_ten_minutes(under: Under) -> None:
    service = under("cticontrol")
    ticket = Ticket("acme", "agent-1", "es", "UTC", "", service.parts.clock.now() + HOUR, reviewer=True)
    cookie, browser = service.parts.store.tickets.open_browser(ticket)
    service.call_back(browser, cookie, service.google.consent(service.begin(browser, cookie)))
    assert service.parts.personal_data.retention.offered(browser) == ()
    for term in (DAY, 7 * DAY):
        with pytest.raises(InvalidRequest):
            service.parts.personal_data.retention.choose(browser, term)
    ended = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert ended.erase_due == ended.since + RETENTION


def test_without_a_connection_there_is_no_term_to_choose(under: Under) -> None:
    service = under("cticontrol")
    with pytest.raises(NotConnected):
        choose(service, 1 * DAY)
