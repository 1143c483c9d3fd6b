"""Consents that end well, and every one that must not: nothing is stored of those."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from calendar_service.domain.clock import DAY, MINUTE
from calendar_service.domain.connection import State
from calendar_service.domain.errors import ConsentRefused, OrganizationClosed
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Status
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from calendar_service.store.organizations import OrganizationIndex
from tests.household import FIRST, SECOND, SECURE_URL, Household

OTHER = Agent("acme", "agent-2")


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(ConsentRefused) as refusal:
        attempt()
    return refusal.value.reason


def token_calls(house: Household) -> int:
    return sum(call["path"] == "/token" for call in house.google.journal())


def nothing_is_stored(house: Household) -> bool:
    kept = house.stored()
    return ":grant" not in kept and ":errands" not in kept and "org:acme" not in kept


def test_exactly_one_permission_is_asked_for(house: Household) -> None:
    cookie, browser = house.browser()
    asked = parse_qs(urlsplit(house.begin(browser, cookie)).query)
    assert asked["scope"] == ["https://www.googleapis.com/auth/calendar"]
    assert asked.get("include_granted_scopes", ["false"]) == ["false"]


def test_a_consent_cancelled_at_google_stores_nothing(house: Household) -> None:
    cookie, browser = house.browser()
    url = house.begin(browser, cookie)
    callback = house.google.consent(url, allow=False)
    assert refused(lambda: house.call_back(browser, cookie, callback)) == "cancelled"
    assert nothing_is_stored(house)
    assert token_calls(house) == 0


def test_a_callback_used_twice_or_late_or_elsewhere_is_refused_before_the_code_is_spent(
    house: Household,
) -> None:
    cookie, browser = house.browser()
    callback = house.google.consent(house.begin(browser, cookie))
    other_cookie, other_browser = house.browser(OTHER)
    assert refused(lambda: house.call_back(other_browser, other_cookie, callback)) == "other_browser"
    assert refused(lambda: house.call_back(browser, cookie, callback)) == "expired"
    late = house.google.consent(house.begin(browser, cookie))
    house.clock.advance(11 * 60)
    assert refused(lambda: house.call_back(browser, cookie, late)) == "expired"
    no_session = house.google.consent(house.begin(browser, cookie))
    assert refused(lambda: house.call_back(None, cookie, no_session)) == "other_browser"
    assert token_calls(house) == 0
    assert nothing_is_stored(house)


def test_only_the_newest_of_two_attempts_completes(house: Household) -> None:
    cookie, browser = house.browser()
    first = house.google.consent(house.begin(browser, cookie))
    second = house.google.consent(house.begin(browser, cookie))
    assert refused(lambda: house.call_back(browser, cookie, first)) == "superseded"
    assert house.call_back(browser, cookie, second).calendar_ready


def test_a_consent_begun_again_has_its_ten_minutes_too(house: Household) -> None:
    cookie, browser = house.browser()
    client, facts = house.service.database.client, house.key("facts")
    house.begin(browser, cookie)
    client.pexpire(facts, MINUTE)  # the database's own clock, nine minutes later
    house.begin(browser, cookie)
    assert 9 * MINUTE < client.pttl(facts) <= keys.OAUTH_STATE
    house.connect()
    house.begin(browser, cookie)
    assert client.pttl(facts) == -1


def test_a_callback_after_a_disconnect_is_refused(house: Household) -> None:
    house.connect()
    cookie, browser = house.browser()
    callback = house.google.consent(house.begin(browser, cookie))
    house.service.disconnect.disconnect(house.agent, Actor.ADMINISTRATOR)
    assert refused(lambda: house.call_back(browser, cookie, callback)) == "superseded"
    assert house.service.overview.connection(house.agent).state is State.DISCONNECTED


@pytest.mark.parametrize(
    ("switch", "reason"),
    [
        ({"granted_scope": "less"}, "scope_less"),
        ({"granted_scope": "empty"}, "scope_less"),
        ({"granted_scope": "more"}, "scope_more"),
        ({"refresh_token_omitted": True}, "no_refresh_token"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": "twice"}, "issuer"),
    ],
)
def test_a_grant_that_is_not_what_was_asked_is_refused_and_not_stored(
    house: Household, switch: dict[str, object], reason: str
) -> None:
    house.google.switch(**switch)
    assert refused(house.connect) == reason
    assert nothing_is_stored(house)
    assert house.service.overview.connection(house.agent).state is State.NOT_CONNECTED
    if reason == "scope_more":
        assert house.live_tokens() == []


@pytest.mark.parametrize(
    "switch", [{"granted_scope": "reordered"}, {"granted_scope": "absent"}, {"iss": "absent"}]
)
def test_what_google_may_leave_out_or_reorder_is_accepted(
    house: Household, switch: dict[str, object]
) -> None:
    house.google.switch(**switch)
    assert house.connect().calendar_ready


def test_more_scope_does_not_end_another_live_connection_of_the_account(house: Household) -> None:
    house.connect(OTHER)
    house.google.switch(granted_scope="more")
    assert refused(house.connect) == "scope_more_shared"
    assert FIRST in house.live_tokens()
    house.google.switch(granted_scope=None)
    view = house.service.schedule.put(OTHER, "s1", house.content(), By.AGENT, None)
    assert view.status is Status.SCHEDULED


def test_trouble_at_the_exchange_is_told_and_nothing_is_stored(house: Household) -> None:
    house.google.fault("/token", {"html": 502}, times=1)
    assert refused(house.connect) == "google_trouble"
    assert nothing_is_stored(house)


def test_trouble_after_the_exchange_leaves_a_connection_that_the_worker_completes(house: Household) -> None:
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=3)
    outcome = house.connect()
    assert not outcome.calendar_ready
    view = house.service.overview.connection(house.agent)
    assert (view.state, view.action) == (State.CALENDAR_MISSING, "")
    waits = house.service.schedule.put(house.agent, "s1", house.content("Waits"), By.AGENT, None)
    assert waits.status is Status.WAITING
    for _ in range(4):
        house.clock.advance(61)
        house.work()
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert [event["summary"] for event in house.events()] == ["Waits"]
    assert len(house.calendars()) == 1


def test_an_administrator_who_keeps_the_calendar_from_being_made_is_named(house: Household) -> None:
    house.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    house.connect()
    house.clock.advance(3600)
    house.google.switch(admin_block=True)
    assert house.service.overview.settings(house.agent).trouble == "administrator"
    house.google.switch(admin_block=False)
    assert house.service.overview.settings(house.agent).trouble == ""


@pytest.mark.parametrize("cut", ["before_commit", "after_commit"])
def test_a_cut_while_the_calendar_is_made_leaves_one_calendar(house: Household, cut: str) -> None:
    house.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, {"cut": cut}, times=1)
    assert not house.connect().calendar_ready
    house.clock.advance(61)
    house.work()
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert len(house.calendars()) == 1


def test_connecting_again_while_connected_renews_without_a_second_calendar_or_a_revocation(
    house: Household,
) -> None:
    house.connect()
    first = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.connect()
    assert len(house.calendars()) == 1
    assert not any(call["path"] == "/revoke" for call in house.google.journal())
    same = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    assert (same.outcome, same.event_id) == ("unchanged", first.event_id)


def test_another_account_closes_the_old_connection_and_makes_a_new_calendar_there(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content("Old"), By.AGENT, None)
    outcome = house.connect(account=SECOND)
    assert outcome.moved_account
    house.work()
    assert house.live_tokens() == [SECOND]
    assert len(house.calendars(FIRST)) == len(house.calendars(SECOND)) == 1
    assert house.service.schedule.get(house.agent, "s1", read_google=False).status is Status.LOST
    house.service.schedule.put(house.agent, "s1", house.content("New"), By.AGENT, None)
    assert [event["summary"] for event in house.events(SECOND)] == ["New"]
    assert [event["summary"] for event in house.events(FIRST)] == ["Old"]


def test_two_agents_on_one_account_have_calendars_of_their_own_and_end_apart(house: Household) -> None:
    house.connect()
    assert house.connect(OTHER).other_agents
    assert len(house.calendars()) == 2
    view = house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    assert view.revocation == "kept_for_another_connection"
    assert ":errands" not in house.stored()
    assert house.service.schedule.put(OTHER, "s1", house.content(), By.AGENT, None).status is Status.SCHEDULED
    last = house.service.disconnect.disconnect(OTHER, Actor.AGENT)
    assert last.revocation == "confirmed"
    assert house.live_tokens() == []


def test_an_errand_that_has_not_revoked_yet_leaves_a_new_connection_of_the_account_alive(
    house: Household,
) -> None:
    house.connect()
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    assert house.service.disconnect.disconnect(house.agent, Actor.AGENT).revocation == "pending"
    assert not house.connect().other_agents  # its own former connection is nobody else's
    house.clock.advance(60)
    house.work(2)
    assert FIRST in house.live_tokens()
    assert ":errands" not in house.stored()
    again = house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    assert again.status is Status.SCHEDULED


DELETION = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}


@pytest.mark.parametrize("account", ["told", "not told"])
def test_a_calendar_taken_up_by_a_new_connection_is_no_longer_deleted(house: Household, account: str) -> None:
    house.connect()
    house.google.fault(DELETION, {"status": 503, "reason": "backendError"}, times=1)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    (errand,) = house.service.slots.read(house.agent).errands
    if account == "not told":
        house.google.fault(
            "/calendar/v3/users/me/calendarList", {"status": 503, "reason": "backendError"}, times=1
        )
    assert house.connect().calendar_ready
    house.service.schedule.put(house.agent, "s1", house.content("New"), By.AGENT, None)
    house.service.connections.errand_step(house.agent, errand.retried(), 0)  # as one who read it before
    house.work(2)
    assert [event["summary"] for event in house.events()] == ["New"]
    assert house.service.overview.connection(house.agent).state is State.CONNECTED
    assert FIRST in house.live_tokens()
    assert ":errands" not in house.stored()


def test_a_calendar_taken_up_while_the_errand_is_at_google_is_not_deleted(house: Household) -> None:
    served = house.served_from(SECURE_URL)
    served.connect()
    served.work()  # opens a channel, which an errand stops first
    stopping = {"method": "POST", "path": "/calendar/v3/channels/stop"}
    served.google.fault(stopping, {"status": 503, "reason": "backendError"}, times=1)
    served.service.disconnect.disconnect(served.agent, Actor.AGENT, delete_calendar=True)
    served.google.fault(stopping, {"delay": 1}, times=1)

    def carry_on() -> None:
        house.service.disconnect.run_errands(house.agent)
        house.service.transport.close()  # this thread's

    errand = threading.Thread(target=carry_on)
    errand.start()
    assert served.connect().calendar_ready
    errand.join()
    assert len(house.calendars()) == 1
    assert ":errands" not in house.stored()
    served.close()


def test_another_accounts_connection_leaves_the_wish_to_delete_the_calendar(house: Household) -> None:
    house.connect()
    house.google.fault(DELETION, {"status": 503, "reason": "backendError"}, times=1)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    house.connect(account=SECOND)
    house.clock.advance(60)
    house.work(2)
    assert (len(house.calendars()), len(house.calendars(SECOND))) == (0, 1)


def test_an_off_boarded_organisation_refuses_everything_new_until_it_is_reopened(house: Household) -> None:
    house.connect()
    house.connect(OTHER, account=SECOND)
    organizations = house.service.organizations
    before = house.service.database.round_trips
    assert organizations.off_board("acme") == 2
    # Is it closed, its entry, closed, who is there; for each whether it is still closed, and one step.
    assert house.service.database.round_trips - before == 8
    assert organizations.progress("acme").states == {State.DISCONNECTED: 2}
    house.work()
    assert house.live_tokens() == []
    with pytest.raises(OrganizationClosed):
        house.connect()
    with pytest.raises(OrganizationClosed):
        house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    organizations.reopen("acme")
    assert house.connect().calendar_ready


class ReopenedMeanwhile(OrganizationIndex):
    """The index of an organization that is reopened when the first of its members was dealt with."""

    def members(self, organization: str) -> Iterator[Agent]:
        for member in super().members(organization):
            yield member
            self.set_closed(organization, Actor.ADMINISTRATOR, is_closed=False)


def test_an_off_boarding_that_goes_on_ends_nobody_once_the_organization_is_reopened(house: Household) -> None:
    house.connect()
    house.connect(OTHER, account=SECOND)
    house.service.organization_index.set_closed(
        "acme", Actor.ADMINISTRATOR, is_closed=True
    )  # and no more was done
    organizations = house.service.organizations
    reopened = replace(organizations, organization_index=ReopenedMeanwhile(house.service.database))
    assert reopened.go_on() == 1
    assert organizations.progress("acme").states == {State.DISCONNECTED: 1, State.CONNECTED: 1}


def test_what_is_kept_of_an_off_boarded_organizations_members_goes_by_its_timer(house: Household) -> None:
    for agent, account in ((house.agent, FIRST), (OTHER, SECOND)):
        house.connect(agent, account)
        house.service.schedule.put(agent, "s1", house.content(), By.AGENT, None)
    identifiers = {event["id"] for account in (FIRST, SECOND) for event in house.events(account)}
    house.service.organizations.off_board("acme")
    house.clock.advance((7 * DAY - MINUTE) / 1000)
    house.work(2)
    assert all(one in house.stored() for one in identifiers)
    house.clock.advance(120)
    house.work(2)
    assert house.service.organizations.progress("acme").states == {}
    assert len(identifiers) == 2
    assert not any(one in house.stored() for one in identifiers)
    assert house.stored().count("erasure-receipt") == 2


def off_boarded_meanwhile(house: Household) -> None:
    """Let another process off-board the organization while this one asks Google for the tokens."""
    replica = house.replica()
    house.at_call("oauth.exchange", lambda: replica.service.organizations.off_board("acme"))


def test_who_connects_while_the_organisation_is_off_boarded_is_ended_with_the_others(
    house: Household,
) -> None:
    off_boarded_meanwhile(house)
    with pytest.raises(OrganizationClosed):
        house.connect()
    assert house.service.organizations.progress("acme").states == {State.DISCONNECTED: 1}
    house.work()
    assert house.live_tokens() == []


def test_an_off_boarding_that_was_interrupted_goes_on_within_a_day(house: Household) -> None:
    house.connect(OTHER, account=SECOND)
    off_boarded_meanwhile(house)
    configure({"connect.after_store": "raise"})
    with pytest.raises(FailpointRaised):
        house.connect()
    configure({})
    house.clock.advance(86_400)
    house.work(3)
    assert house.service.organizations.progress("acme").states == {State.DISCONNECTED: 2}
    assert house.live_tokens() == []
