"""Consents that succeed, and every one that is refused: a refused one stores nothing."""

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
from calendar_service.store.audit_log import Actor
from calendar_service.store.organizations import OrganizationIndex
from tests.support.evidence import shows
from tests.support.service import FIRST, SECOND, SECURE_URL, TestService

OTHER = Agent("acme", "agent-2")


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(ConsentRefused) as refusal:
        attempt()
    return refusal.value.reason


def token_calls(service: TestService) -> int:
    return sum(call["path"] == "/token" for call in service.google.journal())


def nothing_is_stored(service: TestService) -> bool:
    stored = service.stored()
    return ":grant" not in stored and ":teardowns" not in stored and "org:acme" not in stored


@shows("SC-1")
def test_exactly_one_permission_is_asked_for(service: TestService) -> None:
    cookie, browser = service.browser()
    query = parse_qs(urlsplit(service.begin(browser, cookie)).query)
    assert query["scope"] == ["https://www.googleapis.com/auth/calendar"]
    assert query.get("include_granted_scopes", ["false"]) == ["false"]


def test_a_consent_cancelled_at_google_stores_nothing(service: TestService) -> None:
    cookie, browser = service.browser()
    url = service.begin(browser, cookie)
    callback = service.google.consent(url, allow=False)
    assert refused(lambda: service.call_back(browser, cookie, callback)) == "cancelled"
    assert nothing_is_stored(service)
    assert token_calls(service) == 0


def test_a_callback_used_twice_or_late_or_elsewhere_is_refused_before_the_code_is_spent(
    service: TestService,
) -> None:
    """An attacker who knows a callback address must gain nothing.

    No code is exchanged and nothing is stored for another browser, a second use or an old state.
    """
    cookie, browser = service.browser()
    callback = service.google.consent(service.begin(browser, cookie))
    other_cookie, other_browser = service.browser(OTHER)
    assert refused(lambda: service.call_back(other_browser, other_cookie, callback)) == "other_browser"
    assert refused(lambda: service.call_back(browser, cookie, callback)) == "expired"
    late = service.google.consent(service.begin(browser, cookie))
    service.clock.advance(11 * 60)
    assert refused(lambda: service.call_back(browser, cookie, late)) == "expired"
    no_session = service.google.consent(service.begin(browser, cookie))
    assert refused(lambda: service.call_back(None, cookie, no_session)) == "other_browser"
    assert token_calls(service) == 0
    assert nothing_is_stored(service)


def test_only_the_newest_of_two_attempts_completes(service: TestService) -> None:
    cookie, browser = service.browser()
    first = service.google.consent(service.begin(browser, cookie))
    second = service.google.consent(service.begin(browser, cookie))
    assert refused(lambda: service.call_back(browser, cookie, first)) == "superseded"
    assert service.call_back(browser, cookie, second).calendar_ready


def test_a_consent_begun_again_has_its_ten_minutes_too(service: TestService) -> None:
    cookie, browser = service.browser()
    client, facts = service.parts.store.database.client, service.key("facts")
    service.begin(browser, cookie)
    client.pexpire(facts, MINUTE)  # the database's own clock, nine minutes later
    service.begin(browser, cookie)
    assert 9 * MINUTE < client.pttl(facts) <= keys.OAUTH_STATE
    service.connect()
    service.begin(browser, cookie)
    assert client.pttl(facts) == -1


def test_a_callback_after_a_disconnect_is_refused(service: TestService) -> None:
    service.connect()
    cookie, browser = service.browser()
    callback = service.google.consent(service.begin(browser, cookie))
    service.parts.connection.disconnect.disconnect(service.agent, Actor.ADMINISTRATOR)
    assert refused(lambda: service.call_back(browser, cookie, callback)) == "superseded"
    assert service.parts.connection.status.of(service.agent).state is State.DISCONNECTED


@shows("SC-1")
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
    service: TestService, switch: dict[str, object], reason: str
) -> None:
    service.google.switch(**switch)
    assert refused(service.connect) == reason
    assert nothing_is_stored(service)
    assert service.parts.connection.status.of(service.agent).state is State.NOT_CONNECTED
    if reason == "scope_more":
        assert service.live_tokens() == []


@pytest.mark.parametrize(
    "switch", [{"granted_scope": "reordered"}, {"granted_scope": "absent"}, {"iss": "absent"}]
)
def test_what_google_may_leave_out_or_reorder_is_accepted(
    service: TestService, switch: dict[str, object]
) -> None:
    service.google.switch(**switch)
    assert service.connect().calendar_ready


@shows("SC-1")
def test_more_scope_does_not_end_another_live_connection_of_the_account(service: TestService) -> None:
    service.connect(OTHER)
    service.google.switch(granted_scope="more")
    assert refused(service.connect) == "scope_more_shared"
    assert FIRST in service.live_tokens()
    service.google.switch(granted_scope=None)
    view = service.parts.sessions.schedule.put(OTHER, "s1", service.content(), By.AGENT, None)
    assert view.status is Status.SCHEDULED


def test_trouble_at_the_exchange_is_told_and_nothing_is_stored(service: TestService) -> None:
    service.google.fault("/token", {"html": 502}, times=1)
    assert refused(service.connect) == "google_trouble"
    assert nothing_is_stored(service)


def test_trouble_after_the_exchange_leaves_a_connection_that_the_worker_completes(
    service: TestService,
) -> None:
    """The code is spent and cannot be exchanged again.

    Dropping the grant would leave a permission at Google that nobody revokes.
    """
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=3)
    outcome = service.connect()
    assert not outcome.calendar_ready
    view = service.parts.connection.status.of(service.agent)
    assert (view.state, view.action) == (State.CALENDAR_MISSING, "wait_for_calendar")
    waits = service.parts.sessions.schedule.put(service.agent, "s1", service.content("Waits"), By.AGENT, None)
    assert waits.status is Status.WAITING
    for _ in range(4):
        service.clock.advance(61)
        service.work()
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert [event["summary"] for event in service.events()] == ["Waits"]
    assert len(service.calendars()) == 1


def test_an_administrator_who_keeps_the_calendar_from_being_made_is_named(service: TestService) -> None:
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    service.connect()
    service.clock.advance(3600)
    service.google.switch(admin_block=True)
    assert service.parts.connection.settings_page.settings(service.agent).trouble == "administrator"
    service.google.switch(admin_block=False)
    assert service.parts.connection.settings_page.settings(service.agent).trouble == ""


@shows("SC-2")
@pytest.mark.parametrize("cut", ["before_commit", "after_commit"])
def test_a_cut_while_the_calendar_is_made_leaves_one_calendar(service: TestService, cut: str) -> None:
    service.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, {"cut": cut}, times=1)
    assert not service.connect().calendar_ready
    service.clock.advance(61)
    service.work()
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert len(service.calendars()) == 1


def test_connecting_again_while_connected_renews_without_a_second_calendar_or_a_revocation(
    service: TestService,
) -> None:
    """The former token is not revoked, because Google would end the new one with it.

    The calendar and its events stay the same.
    """
    service.connect()
    first = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.connect()
    assert len(service.calendars()) == 1
    assert not any(call["path"] == "/revoke" for call in service.google.journal())
    same = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert (same.outcome, same.event_id) == ("unchanged", first.event_id)


def test_another_account_closes_the_old_connection_and_makes_a_new_calendar_there(
    service: TestService,
) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Old"), By.AGENT, None)
    outcome = service.connect(account=SECOND)
    assert outcome.moved_account
    service.work()
    assert service.live_tokens() == [SECOND]
    assert len(service.calendars(FIRST)) == len(service.calendars(SECOND)) == 1
    assert service.parts.sessions.reader.get(service.agent, "s1", read_google=False).status is Status.LOST
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("New"), By.AGENT, None)
    assert [event["summary"] for event in service.events(SECOND)] == ["New"]
    assert [event["summary"] for event in service.events(FIRST)] == ["Old"]


def test_two_agents_on_one_account_have_calendars_of_their_own_and_end_apart(service: TestService) -> None:
    service.connect()
    assert service.connect(OTHER).other_agents
    assert len(service.calendars()) == 2
    view = service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert view.revocation == "kept_for_another_connection"
    assert ":teardowns" not in service.stored()
    assert (
        service.parts.sessions.schedule.put(OTHER, "s1", service.content(), By.AGENT, None).status
        is Status.SCHEDULED
    )
    last = service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    assert last.revocation == "confirmed"
    assert service.live_tokens() == []


def test_a_teardown_that_has_not_revoked_yet_leaves_a_new_connection_of_the_account_alive(
    service: TestService,
) -> None:
    """The teardown of the former connection has its revocation still to do.

    At Google it would end the new permission of the same account too.
    """
    service.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    assert service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT).revocation == "pending"
    assert not service.connect().other_agents  # its own former connection is nobody else's
    service.clock.advance(60)
    service.work(2)
    assert FIRST in service.live_tokens()
    assert ":teardowns" not in service.stored()
    again = service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    assert again.status is Status.SCHEDULED


DELETION = {"method": "DELETE", "path": "/calendar/v3/calendars/*"}


@pytest.mark.parametrize("account", ["told", "not told"])
def test_a_calendar_taken_up_by_a_new_connection_is_no_longer_deleted(
    service: TestService, account: str
) -> None:
    """The agent asked for the deletion and then connected again, which finds the same calendar by its marker.

    A teardown that read the old request must not delete it.
    """
    service.connect()
    service.google.fault(DELETION, {"status": 503, "reason": "backendError"}, times=1)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    if account == "not told":
        service.google.fault(
            "/calendar/v3/users/me/calendarList", {"status": 503, "reason": "backendError"}, times=1
        )
    assert service.connect().calendar_ready
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("New"), By.AGENT, None)
    service.parts.store.connections.teardown_step(
        service.agent, teardown.retried(), 0
    )  # as one who read it before
    service.work(2)
    assert [event["summary"] for event in service.events()] == ["New"]
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert FIRST in service.live_tokens()
    assert ":teardowns" not in service.stored()


def test_a_calendar_taken_up_while_the_teardown_is_at_google_is_not_deleted(service: TestService) -> None:
    """The teardown is at Google with its first call.

    Meanwhile the agent connects again and takes the calendar up, so the deletion that would follow is left out.
    """
    served = service.served_from(SECURE_URL)
    served.connect()
    served.work()  # opens a channel, which a teardown stops first
    stopping = {"method": "POST", "path": "/calendar/v3/channels/stop"}
    served.google.fault(stopping, {"status": 503, "reason": "backendError"}, times=1)
    served.parts.connection.disconnect.disconnect(served.agent, Actor.AGENT, delete_calendar=True)
    served.google.fault(stopping, {"delay": 1}, times=1)

    def carry_on() -> None:
        service.parts.connection.teardowns.run(service.agent)
        service.parts.google.transport.close()  # this thread's

    teardown = threading.Thread(target=carry_on)
    teardown.start()
    assert served.connect().calendar_ready
    teardown.join()
    assert len(service.calendars()) == 1
    assert ":teardowns" not in service.stored()
    served.close()


def test_another_accounts_connection_leaves_the_order_to_delete_the_calendar(service: TestService) -> None:
    service.connect()
    service.google.fault(DELETION, {"status": 503, "reason": "backendError"}, times=1)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    service.connect(account=SECOND)
    service.clock.advance(60)
    service.work(2)
    assert (len(service.calendars()), len(service.calendars(SECOND))) == (0, 1)


@shows("account-closure")
def test_an_off_boarded_organization_refuses_everything_new_until_it_is_reopened(
    service: TestService,
) -> None:
    service.connect()
    service.connect(OTHER, account=SECOND)
    organizations = service.parts.operations.organizations
    before = service.parts.store.database.round_trips
    assert organizations.off_board("acme") == 2
    # Is it closed, its entry, closed, eight for who is there; for each whether it is still closed, and one step.
    assert service.parts.store.database.round_trips - before == 15
    assert organizations.progress("acme").states == {State.DISCONNECTED: 2}
    service.work()
    assert service.live_tokens() == []
    with pytest.raises(OrganizationClosed):
        service.connect()
    with pytest.raises(OrganizationClosed):
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    organizations.reopen("acme")
    assert service.connect().calendar_ready


class ReopenedMeanwhile(OrganizationIndex):
    """An index of an organization that is reopened after its first member was disconnected."""

    def members(self, organization: str) -> Iterator[Agent]:
        for member in super().members(organization):
            yield member
            self.set_closed(organization, Actor.ADMINISTRATOR, is_closed=False)


def test_an_off_boarding_that_goes_on_ends_nobody_once_the_organization_is_reopened(
    service: TestService,
) -> None:
    """The worker completes an off-boarding that was cut off.

    Members who connect after the organization was reopened must not be ended by it.
    """
    service.connect()
    service.connect(OTHER, account=SECOND)
    service.parts.store.organization_index.set_closed(
        "acme", Actor.ADMINISTRATOR, is_closed=True
    )  # and no more was done
    organizations = service.parts.operations.organizations
    reopened = replace(organizations, organization_index=ReopenedMeanwhile(service.parts.store.database))
    assert reopened.go_on() == 1
    assert organizations.progress("acme").states == {State.DISCONNECTED: 1, State.CONNECTED: 1}


@shows("account-closure")
def test_what_is_kept_of_an_off_boarded_organizations_members_goes_by_its_timer(service: TestService) -> None:
    for agent, account in ((service.agent, FIRST), (OTHER, SECOND)):
        service.connect(agent, account)
        service.parts.sessions.schedule.put(agent, "s1", service.content(), By.AGENT, None)
    identifiers = {event["id"] for account in (FIRST, SECOND) for event in service.events(account)}
    service.parts.operations.organizations.off_board("acme")
    service.clock.advance((7 * DAY - MINUTE) / 1000)
    service.work(2)
    assert all(one in service.stored() for one in identifiers)
    service.clock.advance(120)
    service.work(2)
    assert service.parts.operations.organizations.progress("acme").states == {}
    assert len(identifiers) == 2
    assert not any(one in service.stored() for one in identifiers)
    assert service.stored().count("erasure-receipt") == 2


def off_boarded_meanwhile(service: TestService) -> None:
    """Let another process off-board the organization while this one asks Google for the tokens."""
    replica = service.replica()
    service.at_call("oauth.exchange", lambda: replica.parts.operations.organizations.off_board("acme"))


@shows("RV-3")
def test_who_connects_while_the_organization_is_off_boarded_is_ended_with_the_others(
    service: TestService,
) -> None:
    """A consent under way is on no list of members yet. It must not survive the off-boarding."""
    off_boarded_meanwhile(service)
    with pytest.raises(OrganizationClosed):
        service.connect()
    assert service.parts.operations.organizations.progress("acme").states == {State.DISCONNECTED: 1}
    service.work()
    assert service.live_tokens() == []


def test_an_off_boarding_that_was_interrupted_goes_on_within_a_day(service: TestService) -> None:
    service.connect(OTHER, account=SECOND)
    off_boarded_meanwhile(service)
    configure({"connect.after_store": "raise"})
    with pytest.raises(FailpointRaised):
        service.connect()
    configure({})
    service.clock.advance(86_400)
    service.work(3)
    assert service.parts.operations.organizations.progress("acme").states == {State.DISCONNECTED: 2}
    assert service.live_tokens() == []
