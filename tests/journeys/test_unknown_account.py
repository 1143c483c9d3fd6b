"""A connection ends whose account Google never told: the teardown asks for it, then revokes or skips (RV-2, law 6)."""

from urllib.parse import parse_qs

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.errors import ConsentRefused
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import FIRST, TestService
from tests.support.service import SECOND as SECOND_ACCOUNT

OTHER = Agent("acme", "agent-2")
LIST = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
DOWN = {"status": 503, "reason": "backendError"}
SWITCHED_OFF = {"status": 403, "reason": "notACalendarUser"}
SEVEN_DAYS = 7 * DAY // SECOND + 2


def connect_unknown(service: TestService, agent: Agent | None = None, answer: object = DOWN) -> None:
    """Connect while Google does not say whose account it is; it goes on not saying so."""
    service.google.fault(LIST, answer)
    service.connect(agent)
    assert not service.parts.store.slots.read(agent or service.agent).facts.account.ref


def disconnect(service: TestService) -> str:
    return service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT).revocation


def revocations(service: TestService) -> int:
    return service.calls().count("oauth2.revoke")


def teardowns(service: TestService) -> int:
    return len(service.parts.store.slots.read(service.agent).teardowns)


def try_again(service: TestService, seconds: int = 60) -> str:
    """Let the worker come back to the teardown; return how the revocation stands."""
    service.clock.advance(seconds)
    service.work()
    return service.facts.end.revocation


@shows("RV-2")
def test_a_disconnect_whose_account_was_never_learned_revokes_when_google_says_which_it_is(
    service: TestService,
) -> None:
    connect_unknown(service)
    assert disconnect(service) == "pending"
    assert (revocations(service), service.live_tokens()) == (0, [FIRST])
    service.google.clear_faults()
    assert try_again(service) == "confirmed"
    assert (revocations(service), service.live_tokens(), teardowns(service)) == (1, [], 0)


@shows("RV-2", "RV-3")
def test_the_teardown_asks_for_the_main_calendars_id_and_nothing_else(service: TestService) -> None:
    connect_unknown(service)
    service.google.clear_faults()
    before = len(service.calls())
    assert disconnect(service) == "confirmed"
    assert service.calls(before) == ["calendar.calendarList.list", "oauth2.revoke"]
    lists = [
        call for call in service.google.journal() if call.get("api_method") == "calendar.calendarList.list"
    ]
    assert parse_qs(lists[-1]["query"])["fields"] == ["nextPageToken,items(id,primary)"]


def test_the_account_is_asked_once_if_only_the_revocation_fails(service: TestService) -> None:
    connect_unknown(service)
    service.google.clear_faults()
    service.google.fault("/revoke", DOWN, times=2)
    before = len(service.calls())
    assert disconnect(service) == "pending"
    assert try_again(service) == "pending"
    assert try_again(service) == "confirmed"
    assert service.calls(before).count("calendar.calendarList.list") == 1


def test_an_account_that_proves_to_be_shared_keeps_its_permission(service: TestService) -> None:
    service.connect(OTHER)
    connect_unknown(service)
    assert disconnect(service) == "pending"
    service.google.clear_faults()
    assert try_again(service) == "kept_for_another_connection"
    assert (revocations(service), teardowns(service)) == (0, 0)
    service.parts.connection.access.probe(OTHER)


@pytest.mark.parametrize("reason", ["notACalendarUser", "insufficientPermissions", "forbidden"])
def test_where_calendar_is_switched_off_the_permission_is_revoked_after_7_days(
    service: TestService, reason: str
) -> None:
    connect_unknown(service, answer={"status": 403, "reason": reason})
    assert disconnect(service) == "pending"
    assert try_again(service, DAY // SECOND) == "pending"
    assert revocations(service) == 0
    assert try_again(service, SEVEN_DAYS) in {"confirmed", ""}  # erased at the same moment, or just after
    assert (revocations(service), service.live_tokens(), teardowns(service)) == (1, [], 0)


def test_after_7_days_nothing_is_revoked_while_another_connections_account_is_unknown_too(
    service: TestService,
) -> None:
    connect_unknown(service, answer=SWITCHED_OFF)
    connect_unknown(service, OTHER, answer=SWITCHED_OFF)
    assert disconnect(service) == "pending"
    service.clock.advance(SEVEN_DAYS)
    assert (
        service.parts.connection.teardowns.run_one(
            service.agent, service.parts.store.slots.read(service.agent).teardowns[0].connection_id
        )
        is Revocation.SHARED
    )
    assert (revocations(service), teardowns(service)) == (0, 0)


def test_after_7_days_without_an_answer_to_the_revocation_it_is_given_up(service: TestService) -> None:
    connect_unknown(service)
    service.google.fault("/revoke", DOWN)
    disconnect(service)
    identity = service.facts.connection_id
    service.clock.advance(SEVEN_DAYS)
    assert service.parts.connection.teardowns.run_one(service.agent, identity) is Revocation.GIVEN_UP
    assert teardowns(service) == 0


def test_a_token_that_does_not_open_is_given_up_after_7_days(service: TestService) -> None:
    connect_unknown(service)
    disconnect(service)
    identity = service.facts.connection_id
    service.clock.advance(SEVEN_DAYS)
    lost = service.of(
        service.variables["CALENDAR_REDIS_URL"],
        service.google,
        service.clock,
        CALENDAR_IDENTITY_KEY=service.variables["CALENDAR_IDENTITY_KEY"],
    )
    assert lost.parts.connection.teardowns.run_one(service.agent, identity) is Revocation.GIVEN_UP
    lost.close()
    assert (revocations(service), teardowns(service)) == (0, 0)


def test_proof_that_the_permission_is_gone_ends_the_teardown(service: TestService) -> None:
    connect_unknown(service)
    service.google.fault("/token", {"invalid_grant": True})
    service.clock.advance(3600)
    assert disconnect(service) == "confirmed"
    assert (revocations(service), teardowns(service)) == (0, 0)


@pytest.mark.parametrize("former_is_known", [True, False])
def test_a_teardown_waits_while_the_agents_later_connection_is_of_an_unknown_account(
    service: TestService, *, former_is_known: bool
) -> None:
    """Both may be of one account: revoking the former connection's permission would end the later one."""
    if former_is_known:
        service.connect()
    else:
        connect_unknown(service)
    service.google.clear_faults()
    service.google.fault("/revoke", DOWN)
    service.google.fault(LIST, DOWN)
    disconnect(service)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    connect_unknown(service)
    service.google.clear_faults()
    service.parts.connection.teardowns.run(service.agent)
    assert (revocations(service), teardowns(service)) == (0, 1)
    service.clock.advance(120)
    service.work(2)
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    service.clock.advance(60)
    service.work(2)
    assert (service.live_tokens().count(FIRST) > 0, teardowns(service)) == (True, 0)
    service.parts.connection.access.probe(service.agent)


def test_an_erasure_that_overtakes_the_teardown_leaves_it_the_question_and_the_revocation(
    service: TestService,
) -> None:
    connect_unknown(service)
    disconnect(service)
    receipt = service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert receipt["revocation"] == "pending"
    service.google.clear_faults()
    try_again(service)
    assert (revocations(service), service.live_tokens(), teardowns(service)) == (1, [], 0)


# --- permissions that never become a connection ---


def refused(service: TestService) -> str:
    with pytest.raises(ConsentRefused) as refusal:
        service.connect()
    return refusal.value.reason


@shows("SC-1")
def test_a_wider_permission_of_an_unknown_account_is_given_back_once_the_account_is_known(
    service: TestService,
) -> None:
    service.google.switch(granted_scope="more")
    service.google.fault(LIST, DOWN)
    assert refused(service) == "scope_more_pending"
    assert service.live_tokens() == [FIRST]
    service.google.clear_faults()
    service.clock.advance(60)
    service.work()
    assert (service.live_tokens(), teardowns(service)) == ([], 0)


@shows("SC-1")
def test_a_wider_permission_is_given_back_until_google_confirms(service: TestService) -> None:
    service.google.switch(granted_scope="more")
    service.google.fault("/revoke", DOWN)
    assert refused(service) == "scope_more_pending"
    service.google.clear_faults()
    service.clock.advance(60)
    service.work()
    assert (service.live_tokens(), teardowns(service)) == ([], 0)


def test_a_process_that_dies_after_it_refused_a_permission_leaves_the_teardown(service: TestService) -> None:
    service.google.switch(granted_scope="more")
    configure({"connect.after_refused_before_revoke": "raise"})
    with pytest.raises(FailpointRaised):
        service.connect()
    configure({})
    service.clock.advance(60)
    service.work()
    assert (service.live_tokens(), teardowns(service)) == ([], 0)


def test_a_permission_without_a_refresh_token_is_given_back(service: TestService) -> None:
    service.google.switch(refresh_token_omitted=True)
    assert refused(service) == "no_refresh_token"
    assert (revocations(service), teardowns(service)) == (1, 0)


def test_a_consent_that_was_overtaken_is_given_back_until_google_confirms(service: TestService) -> None:
    replica = service.replica()
    service.at_call(
        "oauth.exchange", lambda: replica.parts.connection.disconnect.end(service.agent, Actor.AGENT)
    )
    service.google.fault("/revoke", DOWN)
    service.google.fault(LIST, DOWN)
    assert refused(service) == "superseded"
    replica.close()
    assert service.live_tokens() == [FIRST]
    service.google.clear_faults()
    service.clock.advance(60)
    service.work()
    assert (service.live_tokens(), teardowns(service)) == ([], 0)


def test_a_live_connection_that_moves_from_an_unknown_account_revokes_there(service: TestService) -> None:
    connect_unknown(service)
    service.google.clear_faults()
    service.connect(account=SECOND_ACCOUNT)
    service.clock.advance(5)
    service.work()
    assert revocations(service) == 1
    assert service.live_tokens() == [SECOND_ACCOUNT]
