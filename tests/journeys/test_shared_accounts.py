"""One Google account, several connections: what ends one leaves the others alone, and what nobody has keeps nobody."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.errors import AccessRevoked, ConsentRefused
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.health.doctor import examine
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.database import Database
from calendar_service.store.scan import Scan, Use
from tests.journeys.test_throttle import alarms
from tests.support.evidence import shows
from tests.support.service import TestService

OTHER = Agent("acme", "agent-2")
A_DAY = DAY // SECOND


@pytest.fixture(autouse=True)
def _no_failpoints() -> Iterator[None]:
    yield
    configure({})


def account_ref(service: TestService) -> str:
    """Return the key of the one account reference."""
    (name,) = service.parts.store.database.client.scan_iter(keys.account_ref("*"))
    return str(name)


def members(service: TestService) -> set[str]:
    """Return every connection that is on any account reference."""
    client = service.parts.store.database.client
    return {member for name in client.scan_iter(keys.account_ref("*")) for member in client.hkeys(name)} - {
        "granted"
    }


def connection_id(service: TestService, agent: Agent) -> str:
    return service.parts.store.slots.read(agent).facts.connection_id


def revocation(service: TestService) -> str:
    return service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT).revocation


def dies_before_it_stands(service: TestService) -> None:
    """Let a process end after the account reference and before the connection is written."""
    configure({"connect.after_account_ref_before_store": "raise"})
    with pytest.raises(FailpointRaised):
        service.connect()
    configure({})


def next_day(service: TestService) -> None:
    service.clock.advance(A_DAY)
    service.work(2)  # chains that begin are sealed, then the day's checkpoint is made


def test_an_account_reference_lives_as_long_as_the_connections_that_use_it(service: TestService) -> None:
    service.connect()
    service.connect(OTHER)
    client = service.parts.store.database.client
    client.pexpire(account_ref(service), HOUR)
    next_day(service)
    assert client.pttl(account_ref(service)) > keys.ACCOUNT_REF_EXPIRY - DAY
    assert members(service) == {connection_id(service, service.agent), connection_id(service, OTHER)}


def test_a_lost_account_reference_is_there_again_a_day_later_and_guards_the_other_connection(
    service: TestService,
) -> None:
    """Google revokes an account's permission as a whole.

    Without the account reference, ending one agent's connection would end a colleague's on the same account.
    """
    service.connect()
    service.connect(OTHER)
    service.parts.store.database.client.delete(account_ref(service))
    next_day(service)
    assert revocation(service) == "kept_for_another_connection"
    service.parts.connection.access.probe(OTHER)
    assert service.parts.connection.status.of(OTHER).state is State.CONNECTED


@shows("RV-3")
def test_a_connection_that_never_stood_keeps_no_permission_alive(service: TestService) -> None:
    """A process that died between joining the account reference and storing the grant leaves a member there.

    It must not prevent a revocation for ever.
    """
    dies_before_it_stands(service)
    next_day(service)
    service.connect()
    assert members(service) == {connection_id(service, service.agent)}
    assert revocation(service) == "confirmed"
    assert service.live_tokens() == []


def test_who_joined_within_the_hour_may_still_come_to_stand(service: TestService) -> None:
    """The daily repair cannot tell a connect under way from one that died, so it spares recent members."""
    service.work(2)
    service.clock.advance(A_DAY - 60)
    dies_before_it_stands(service)
    joined = members(service)
    service.clock.advance(61)
    service.work(2)
    assert members(service) == joined
    next_day(service)
    assert list(service.parts.store.database.client.scan_iter(keys.account_ref("*"))) == []


def test_a_wrong_clock_removes_nobody_from_an_account_reference(service: TestService) -> None:
    """A worker whose clock is ahead would take a connect under way for an old one, and drop its member."""
    dies_before_it_stands(service)
    joined = members(service)
    service.clock.advance(A_DAY)
    wrong = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock, CALENDAR_TEST_SKEW="7200"
    )
    wrong.work(2)
    wrong.close()
    assert members(service) == joined


def test_a_teardown_is_on_the_account_reference_until_it_ends_or_the_database_ends_it(
    service: TestService,
) -> None:
    """A teardown holds a token of the account until it ends.

    The daily repair must count it, and must drop it once it is gone.
    """
    service.connect()
    service.parts.connection.disconnect.end(service.agent, Actor.AGENT)
    service.clock.advance(A_DAY)
    assert service.parts.operations.shared_account_repair.repair() == 0
    assert members(service) == {connection_id(service, service.agent)}
    service.parts.store.database.client.delete(service.key("teardowns"))  # as its expiry does
    assert service.parts.operations.shared_account_repair.repair() == 1
    assert members(service) == set()


def test_a_connection_that_ends_while_its_calendar_is_created_leaves_the_account_reference(
    service: TestService,
) -> None:
    """The worker learns the account while the agent disconnects.

    Joining the account reference after the end would prevent the account's last revocation.
    """
    trouble = {"status": 503, "reason": "backendError"}
    service.google.fault({"method": "GET", "path": "/calendar/v3/users/me/calendarList"}, trouble, times=2)
    service.connect()
    assert not service.facts.account.ref
    replica = service.replica()
    service.at_call(
        "calendar.calendars.insert",
        lambda: replica.parts.connection.disconnect.end(service.agent, Actor.AGENT),
    )
    service.clock.advance(70)
    service.work()
    replica.close()
    assert service.parts.connection.status.of(service.agent).state is State.DISCONNECTED
    assert members(service) == set()


def test_a_connection_whose_account_is_not_known_yet_stays_on_the_account_reference_it_joined(
    service: TestService,
) -> None:
    """The account's reference is joined before the calendar is made, and the record names it after.

    The daily repair must not drop a member in between.
    """
    trouble = {"status": 503, "reason": "backendError"}
    listed = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
    service.google.fault(listed, trouble, times=2)
    service.google.fault({"method": "POST", "path": "/calendar/v3/calendars"}, trouble)
    service.connect()
    service.clock.advance(70)
    service.work()
    service.clock.advance(A_DAY)
    assert service.parts.operations.shared_account_repair.repair() == 0
    assert not service.facts.account.ref
    assert members(service) == {connection_id(service, service.agent)}


class LateScan(Scan):
    """Reads everybody, and then somebody acts."""

    def __init__(self, database: Database, act: Callable[[], object]) -> None:
        super().__init__(database)
        self._act = act

    def uses(self) -> Iterator[Use]:
        uses = list(super().uses())
        self._act()
        yield from uses


def test_who_ends_while_account_references_are_repaired_is_not_on_one_afterwards(
    service: TestService,
) -> None:
    """The daily repair reads all connections and then writes.

    One that ends in between must not be added from what was read before.
    """
    service.connect()
    service.parts.store.database.client.delete(account_ref(service))
    late = LateScan(service.parts.store.database, lambda: revocation(service))
    replace(service.parts.operations.shared_account_repair, scan=late).repair()
    assert service.live_tokens() == []
    assert members(service) == set()


def test_who_connects_while_a_late_consent_is_given_back_sees_the_revocation(service: TestService) -> None:
    """A consent that came too late is revoked, and Google ends the whole account's permission.

    A new connection of the account has to wait for that.
    """
    replica, until = service.replica(), []
    service.at_call(
        "oauth.exchange", lambda: replica.parts.connection.disconnect.end(service.agent, Actor.AGENT)
    )
    client = service.parts.store.database.client
    service.at_call(
        "oauth.revoke", lambda: until.append(int(client.hget(account_ref(service), "revoking") or 0))
    )
    with pytest.raises(ConsentRefused):
        service.connect()
    replica.close()
    assert until[0] > service.parts.clock.now()
    assert (service.live_tokens(), members(service)) == ([], set())


def test_who_connects_while_a_wider_permission_is_given_back_sees_the_revocation(
    service: TestService,
) -> None:
    """The revocation of the refused grant ends every grant of the account, a new one included."""
    service.google.switch(granted_scope="more")
    until: list[int] = []
    client = service.parts.store.database.client
    service.at_call(
        "oauth.revoke", lambda: until.append(int(client.hget(account_ref(service), "revoking") or 0))
    )
    with pytest.raises(ConsentRefused, match="scope_more"):
        service.connect()
    assert until[0] > service.parts.clock.now()
    assert (service.live_tokens(), list(client.scan_iter(keys.account_ref("*")))) == ([], [])


def test_a_wider_permission_is_not_given_back_while_the_agents_own_account_is_unknown(
    service: TestService,
) -> None:
    listed = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
    service.google.fault(listed, {"status": 503, "reason": "backendError"}, times=2)
    service.connect()
    assert not service.facts.account.ref
    service.google.switch(granted_scope="more")
    with pytest.raises(ConsentRefused, match="scope_more_pending"):
        service.connect()
    assert service.live_tokens() != []
    assert members(service) == set()


# --- a hundred refresh tokens ---


MANY_TOKENS = "calendar_google_refresh_tokens_of_one_account"


def test_the_operator_is_alarmed_before_google_ends_a_permission_in_use(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """Google ends the oldest of more than a hundred refresh tokens of one account, without a word.

    Each reconnect of an agent who shares the account adds one: revoking the former would end the other agents' too.
    """
    service.connect()
    connects = 0
    while "google.refresh_tokens_many" not in alarms(capsys):
        service.connect(OTHER)
        connects += 1
    assert (connects, service.metrics()[MANY_TOKENS]) == (79, 80.0)
    (many,) = [finding for finding in examine(service.config) if finding.check == "google"]
    assert "some 80; beyond 100" in many.texts()[0]
    service.parts.connection.access.probe(service.agent)
    for _ in range(21):
        service.connect(OTHER)
    with pytest.raises(AccessRevoked):
        service.parts.connection.access.probe(service.agent)


def test_who_connects_again_has_the_newest_permission_and_the_alarm_ends(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.connect(OTHER)
    join, reference = service.parts.connection.refresh_tokens.account_refs.join, service.facts.account.ref
    for _ in range(90):  # as the other agent's reconnects do
        join(reference, connection_id(service, OTHER), new_token=True)
    next_day(service)
    assert ("google.refresh_tokens_many" in alarms(capsys), service.metrics()[MANY_TOKENS]) == (True, 92.0)
    service.connect()
    next_day(service)
    assert ("google.refresh_tokens_many" in alarms(capsys), service.metrics()[MANY_TOKENS]) == (False, 2.0)


def test_an_agent_alone_who_connects_again_and_again_loses_nothing_and_alarms_nobody(
    service: TestService,
) -> None:
    service.google.switch(refresh_token_limit=2)
    for _ in range(4):
        service.connect()
    service.parts.connection.access.probe(service.agent)
    next_day(service)
    assert service.metrics()[MANY_TOKENS] == 1.0


def test_a_token_whose_account_was_unknown_at_the_consent_is_counted_when_it_is_known(
    service: TestService,
) -> None:
    service.connect()
    service.google.fault("/calendar/v3/users/me/calendarList", {"status": 503})
    service.connect(OTHER)
    service.google.clear_faults()
    service.clock.advance(120)
    service.work(2)
    next_day(service)
    assert service.metrics()[MANY_TOKENS] == 2.0
    assert dict(service.parts.store.scan.account_refs())[service.facts.account.ref].granted == 2
