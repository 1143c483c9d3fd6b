"""One Google account, several connections: what ends one leaves the others alone, and what nobody has keeps nobody."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.errors import ConsentRefused
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.census import Census, Use
from calendar_service.store.database import Database
from calendar_service.store.journal import Actor
from tests.household import Household

OTHER = Agent("acme", "agent-2")
A_DAY = DAY // SECOND


@pytest.fixture(autouse=True)
def _no_failpoints() -> Iterator[None]:
    yield
    configure({})


def mark(house: Household) -> str:
    """Return the key of the one account's mark."""
    (name,) = house.service.database.client.scan_iter(keys.account_mark("*"))
    return str(name)


def members(house: Household) -> set[str]:
    """Return everybody who is on any mark."""
    client = house.service.database.client
    return {member for name in client.scan_iter(keys.account_mark("*")) for member in client.hkeys(name)}


def connection_id(house: Household, agent: Agent) -> str:
    return house.service.slots.read(agent).facts.connection_id


def revocation(house: Household) -> str:
    return house.service.disconnect.disconnect(house.agent, Actor.AGENT).revocation


def dies_before_it_stands(house: Household) -> None:
    """Let a process end between the account's mark and the connection."""
    configure({"connect.after_mark_before_store": "raise"})
    with pytest.raises(FailpointRaised):
        house.connect()
    configure({})


def next_day(house: Household) -> None:
    house.clock.advance(A_DAY)
    house.work(2)  # chains that begin are sealed, then the day's checkpoint is made


def test_a_mark_lives_as_long_as_the_connections_that_use_it(house: Household) -> None:
    house.connect()
    house.connect(OTHER)
    client = house.service.database.client
    client.pexpire(mark(house), HOUR)
    next_day(house)
    assert client.pttl(mark(house)) > keys.MARK_EXPIRY - DAY
    assert members(house) == {connection_id(house, house.agent), connection_id(house, OTHER)}


def test_a_mark_that_was_lost_is_there_again_a_day_later_and_guards_the_other_connection(
    house: Household,
) -> None:
    house.connect()
    house.connect(OTHER)
    house.service.database.client.delete(mark(house))
    next_day(house)
    assert revocation(house) == "kept_for_another_connection"
    house.service.access.probe(OTHER)
    assert house.service.overview.connection(OTHER).state is State.CONNECTED


def test_a_connection_that_never_stood_keeps_no_permission_alive(house: Household) -> None:
    dies_before_it_stands(house)
    next_day(house)
    house.connect()
    assert members(house) == {connection_id(house, house.agent)}
    assert revocation(house) == "confirmed"
    assert house.live_tokens() == []


def test_who_joined_within_the_hour_may_still_come_to_stand(house: Household) -> None:
    house.work(2)
    house.clock.advance(A_DAY - 60)
    dies_before_it_stands(house)
    joined = members(house)
    house.clock.advance(61)
    house.work(2)
    assert members(house) == joined
    next_day(house)
    assert members(house) == set()


def test_by_a_wrong_clock_nobody_is_taken_off_a_mark(house: Household) -> None:
    dies_before_it_stands(house)
    joined = members(house)
    house.clock.advance(A_DAY)
    wrong = Household.of(
        house.variables["CALENDAR_REDIS_URL"], house.google, house.clock, CALENDAR_TEST_SKEW="7200"
    )
    wrong.work(2)
    wrong.close()
    assert members(house) == joined


def test_an_errand_is_on_the_mark_until_it_ends_or_the_database_ends_it(house: Household) -> None:
    house.connect()
    house.service.disconnect.end(house.agent, Actor.AGENT)
    house.clock.advance(A_DAY)
    assert house.service.shared_accounts.put_right() == 0
    assert members(house) == {connection_id(house, house.agent)}
    house.service.database.client.delete(house.key("errands"))  # as its expiry does
    assert house.service.shared_accounts.put_right() == 1
    assert members(house) == set()


def test_a_connection_that_ends_while_its_calendar_is_made_leaves_the_mark(house: Household) -> None:
    trouble = {"status": 503, "reason": "backendError"}
    house.google.fault({"method": "GET", "path": "/calendar/v3/users/me/calendarList"}, trouble, times=2)
    house.connect()
    assert not house.facts.account_mark
    replica = house.replica()
    house.at_call(
        "calendar.calendars.insert", lambda: replica.service.disconnect.end(house.agent, Actor.AGENT)
    )
    house.clock.advance(70)
    house.work()
    replica.close()
    assert house.service.overview.connection(house.agent).state is State.DISCONNECTED
    assert members(house) == set()


def test_a_connection_whose_account_is_not_known_yet_stays_on_the_mark_that_it_joined(
    house: Household,
) -> None:
    trouble = {"status": 503, "reason": "backendError"}
    listed = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
    house.google.fault(listed, trouble, times=2)
    house.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, trouble)
    house.connect()
    house.clock.advance(70)
    house.work()
    house.clock.advance(A_DAY)
    assert house.service.shared_accounts.put_right() == 0
    assert not house.facts.account_mark
    assert members(house) == {connection_id(house, house.agent)}


class LateCensus(Census):
    """Reads everybody, and then somebody acts."""

    def __init__(self, database: Database, act: Callable[[], object]) -> None:
        super().__init__(database)
        self._act = act

    def uses(self) -> Iterator[Use]:
        found = list(super().uses())
        self._act()
        yield from found


def test_who_ends_while_the_marks_are_put_right_is_not_on_one_afterwards(house: Household) -> None:
    house.connect()
    house.service.database.client.delete(mark(house))
    late = LateCensus(house.service.database, lambda: revocation(house))
    replace(house.service.shared_accounts, census=late).put_right()
    assert house.live_tokens() == []
    assert members(house) == set()


def test_who_connects_while_a_late_consent_is_given_back_sees_the_revocation(house: Household) -> None:
    replica, until = house.replica(), []
    house.at_call("oauth.exchange", lambda: replica.service.disconnect.end(house.agent, Actor.AGENT))
    client = house.service.database.client
    house.at_call("oauth.revoke", lambda: until.append(int(client.hget(mark(house), "revoking") or 0)))
    with pytest.raises(ConsentRefused):
        house.connect()
    replica.close()
    assert until[0] > house.service.clock.now()
    assert (house.live_tokens(), members(house)) == ([], set())
