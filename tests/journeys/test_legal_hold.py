"""Legal hold: identifiers stay until it ends, tokens do not, and every order of hold and erasure is safe."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from calendar_service.domain import failpoints
from calendar_service.domain.clock import DAY, HOUR, MINUTE, Millis, as_datetime, rfc3339
from calendar_service.domain.connection import Facts, GrantState, State
from calendar_service.domain.errors import Busy, InvalidRequest, NotConnected, RetentionRequiredByLaw
from calendar_service.domain.failpoints import FailpointRaised
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.connection.legal_holds import a_year_after
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.journeys.test_commands import invoke
from tests.support.evidence import shows
from tests.support.service import ADMIN_KEY, SECOND, TestService

MONTH = 30 * DAY


@pytest.fixture
def ended(service: TestService) -> TestService:
    """A test service whose one connection has ended, with an event's identifier still kept."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Private"), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    return service


@pytest.fixture
def _no_failpoints() -> Iterator[None]:
    yield
    failpoints.configure({})


def hold_of(service: TestService, length: Millis = MONTH, **changed: object) -> Hold:
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", service.parts.clock.now() + length)
    return replace(hold, **changed)  # type: ignore[arg-type]


def advance(service: TestService, length: Millis) -> None:
    service.clock.advance(length / 1000)


def facts(service: TestService) -> Facts:
    return service.parts.store.slots.read(service.agent).facts


@shows("ST-5")
def test_identifiers_stay_and_tokens_go(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    assert ended.live_tokens() == []
    advance(ended, 8 * DAY)
    ended.work(3)
    assert facts(ended).calendar.id
    assert [record.copy.id for record in ended.parts.store.sessions.all(ended.agent)] != []
    assert ":grant" not in ended.stored()


@shows("ST-5", "legal-matters")
def test_after_its_end_one_sweep_erases(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    advance(ended, 8 * DAY)
    ended.work(2)
    advance(ended, MONTH - 8 * DAY + MINUTE)
    ended.work()
    assert facts(ended) == Facts()
    assert "Rojas" not in ended.stored()


def test_released_one_sweep_erases_what_is_due(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    advance(ended, 8 * DAY)
    ended.work(2)
    ended.parts.personal_data.holds.release(ended.agent)
    ended.work()
    assert facts(ended) == Facts()


@shows("ST-5")
def test_released_days_after_the_erasures_day_it_is_erased_as_any_other(ended: TestService) -> None:
    """The database's own expiry stands a day behind the erasure: it must not come before the worker."""
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    connection = facts(ended).connection_id
    advance(ended, 9 * DAY)
    ended.work(2)
    ended.parts.personal_data.holds.release(ended.agent)
    assert facts(ended).connection_id == connection
    ended.work()
    assert facts(ended) == Facts()
    client = ended.parts.store.database.client
    kinds = [
        json.loads(entry["entry"])["kind"] for _, entry in client.xrange(keys.audit_log(ended.shard_of()))
    ]
    assert (kinds.count("connection.erased"), kinds.count("connection.expired")) == (1, 0)
    assert client.hlen(keys.receipts(ended.shard_of())) == 1


def test_a_hold_that_takes_anothers_place_goes_on_from_it(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    placed_at = facts(ended).hold.placed_at
    advance(ended, DAY)
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended), replace=True)
    assert facts(ended).hold.placed_at == placed_at
    ended.parts.personal_data.holds.release(ended.agent)
    assert facts(ended).hold.placed_at == 0
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    assert facts(ended).hold.placed_at >= placed_at + DAY


def test_released_early_the_erasure_keeps_its_day(ended: TestService) -> None:
    due = facts(ended).end.erase_due
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    ended.parts.personal_data.holds.release(ended.agent)
    ended.work()
    assert facts(ended).end.erase_due == due
    assert facts(ended).hold.statement == ""
    advance(ended, 7 * DAY + MINUTE)
    ended.work()
    assert facts(ended) == Facts()


def test_a_hold_shorter_than_the_term_changes_nothing(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, DAY))
    advance(ended, 2 * DAY)
    ended.work()
    assert (facts(ended).hold.until, facts(ended).grant.state is GrantState.RELEASED) == (0, True)
    advance(ended, 5 * DAY + MINUTE)
    ended.work()
    assert facts(ended) == Facts()


def test_a_hold_on_a_living_connection_counts_at_its_end(service: TestService) -> None:
    service.connect()
    service.parts.personal_data.holds.place(service.agent, hold_of(service))
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert service.live_tokens() == []
    with pytest.raises(RetentionRequiredByLaw):
        service.parts.connection.erasure.erase_now(service.agent, Actor.ADMINISTRATOR)
    advance(service, 8 * DAY)
    service.work(2)
    assert facts(service).calendar.id
    advance(service, MONTH)
    service.work()
    assert facts(service) == Facts()


def test_on_a_connection_that_lives_on_a_hold_that_is_over_is_forgotten(service: TestService) -> None:
    service.connect()
    service.parts.personal_data.holds.place(service.agent, hold_of(service, HOUR))
    advance(service, 2 * HOUR)
    service.work()
    assert (facts(service).hold.until, facts(service).hold.statement) == (0, "")
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED


def test_the_databases_own_expiry_gives_way_to_the_hold(ended: TestService) -> None:
    client, name = ended.parts.store.database.client, ended.key("facts")
    before = client.pexpiretime(name)
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    held = client.pexpiretime(name)
    assert abs(held - (facts(ended).hold.until + DAY)) < MINUTE
    ended.parts.personal_data.holds.release(ended.agent)
    assert abs(client.pexpiretime(name) - before) < MINUTE < held - before


@shows("ST-5")
def test_a_hold_keeps_the_identifiers_of_sessions_long_over_and_no_content(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.parts.personal_data.holds.place(service.agent, hold_of(service, 300 * DAY))
    advance(service, 60 * DAY)
    service.parts.store.sessions.purge_old(service.agent, 30)
    assert len(service.parts.store.sessions.all(service.agent)) == 1
    assert ":waiting" not in service.stored()
    service.parts.personal_data.holds.release(service.agent)
    service.parts.store.sessions.purge_old(service.agent, 30)
    assert service.parts.store.sessions.all(service.agent) == []


# --- who may be told, and who is refused ---


@pytest.mark.parametrize("way", ["another account", "made anew"])
def test_a_calendar_that_is_replaced_under_a_hold_keeps_its_identifier(
    service: TestService, way: str
) -> None:
    service.connect()
    former = facts(service).calendar.id
    service.parts.personal_data.holds.place(service.agent, hold_of(service))
    if way == "another account":
        service.connect(account=SECOND)
    else:
        service.as_person("DELETE", None, calendar=former)
        service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
        assert service.parts.connection.dedicated_calendar.ensure(service.agent, create=True)
    assert facts(service).calendar.id != former
    assert former in service.stored()
    shown = json.loads(invoke(service, "connections", "show", "acme", "agent-1", "--json").stdout)
    assert shown["held_calendars"] == 1
    service.parts.personal_data.holds.release(service.agent)
    assert former not in service.stored()


def test_a_calendar_that_is_replaced_without_a_hold_leaves_no_identifier(service: TestService) -> None:
    service.connect()
    former = facts(service).calendar.id
    service.connect(account=SECOND)
    assert former not in service.stored()


def test_the_agent_is_told(ended: TestService) -> None:
    hold = hold_of(ended)
    ended.parts.personal_data.holds.place(ended.agent, hold)
    assert ended.parts.connection.settings_page.settings(ended.agent).end.held_until == hold.until
    connection = ended.export()["connection"]
    assert connection["kept_by_law_until"] == rfc3339(hold.until)
    with pytest.raises(RetentionRequiredByLaw):
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)


def test_while_telling_is_forbidden_nothing_shows_it_to_the_agent(ended: TestService) -> None:
    hold = hold_of(ended, silent_until=ended.parts.clock.now() + 5 * DAY)
    ended.parts.personal_data.holds.place(ended.agent, hold)
    assert ended.parts.connection.settings_page.settings(ended.agent).end.held_until == 0
    connection = ended.export()["connection"]
    shown = ("kept_by_law_until", "erased_on", "former_calendar_ids")
    assert [connection[name] for name in shown] == [None, None, None]
    assert ended.parts.connection.status.of(ended.agent).erase_due == 0
    with pytest.raises(Busy) as refusal:
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)
    assert "law" not in refusal.value.detail
    advance(ended, 6 * DAY)
    assert ended.parts.connection.settings_page.settings(ended.agent).end.held_until == hold.until


def test_a_refused_erasure_changes_nothing(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    before = ended.stored()
    for actor in (Actor.AGENT, Actor.ADMINISTRATOR, Actor.OPERATOR):
        with pytest.raises(RetentionRequiredByLaw):
            ended.parts.connection.erasure.erase_now(ended.agent, actor)
    assert ended.stored() == before


def test_the_api_disconnects_all_the_same_and_says_why_nothing_is_erased(service: TestService) -> None:
    service.connect()
    service.parts.personal_data.holds.place(service.agent, hold_of(service))
    answer = create_app(service.parts).test_client().delete(
        "/v1/organizations/acme/agents/agent-1/connection?erase=now",
        headers={"Authorization": f"Bearer {ADMIN_KEY}"},
    )  # fmt: skip
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (409, "retention_required_by_law")
    assert not answer.json["retryable"]
    assert service.parts.connection.status.of(service.agent).state is State.DISCONNECTED
    assert service.live_tokens() == []
    assert facts(service).calendar.id


# --- both orders of hold and erasure, stopped at each step ---


@pytest.mark.usefixtures("_no_failpoints")
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("place", ["hold.before_store", "hold.after_store"])
def test_a_placing_that_dies_holds_wholly_or_not_at_all(
    ended: TestService, place: str, *, timed: bool
) -> None:
    failpoints.configure({place: "raise"})
    with pytest.raises(FailpointRaised):
        ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    failpoints.configure({})
    assert _erased(ended, timed=timed) is (place == "hold.before_store")


@pytest.mark.usefixtures("_no_failpoints")
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("place", ["erase.before_store", "erase.after_store"])
def test_an_erasure_that_dies_leaves_all_to_the_hold_or_nothing(
    ended: TestService, place: str, *, timed: bool
) -> None:
    hold = hold_of(ended)
    if timed:
        advance(ended, 7 * DAY + MINUTE)
    failpoints.configure({place: "raise"})
    with pytest.raises(FailpointRaised):
        _erase(ended, timed=timed)
    failpoints.configure({})
    if place == "erase.after_store":
        with pytest.raises(NotConnected):
            ended.parts.personal_data.holds.place(ended.agent, hold)
        assert facts(ended) == Facts()
    else:
        ended.parts.personal_data.holds.place(ended.agent, hold)
        assert not _erased(ended, timed=timed)
        assert facts(ended).calendar.id


def test_a_hold_that_comes_while_an_erasure_is_under_way_is_obeyed(ended: TestService) -> None:
    number = ended.parts.connection.erasure.receipt_store.new_number(ended.agent)
    receipt = ended.parts.connection.erasure.receipts.write(ended.agent, number, "confirmed")
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    answer = ended.parts.store.connections.erase(
        ended.agent, Actor.AGENT, receipt["number"], json.dumps(receipt), timed=False
    )
    assert answer == "held"
    assert receipt["number"] not in ended.stored()


def _erase(service: TestService, *, timed: bool) -> None:
    if timed:
        service.parts.connection.erasure.erase_due(service.agent)
    else:
        service.parts.connection.erasure.erase_now(service.agent, Actor.OPERATOR)


def _erased(service: TestService, *, timed: bool) -> bool:
    if timed:
        advance(service, 7 * DAY + MINUTE)
    try:
        _erase(service, timed=timed)
    except RetentionRequiredByLaw:
        return False
    return facts(service) == Facts()


# --- bad input ---


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"placed_by": ""}, "placed_by"),
        ({"approved_by": "   "}, "approved_by"),
        ({"approved_by": "ana rojas "}, "approved_by"),
        ({"authority": ""}, "authority"),
        ({"reason": "x" * 501}, "reason"),
        ({"until": 1}, "until"),
    ],
)
def test_a_hold_that_lacks_something_is_refused(
    ended: TestService, changed: dict[str, object], field: str
) -> None:
    before = ended.stored()
    with pytest.raises(InvalidRequest) as refusal:
        ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, **changed))  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert ended.stored() == before


def test_twelve_months_are_the_most(ended: TestService) -> None:
    most = a_year_after(ended.parts.clock.now())
    with pytest.raises(InvalidRequest, match="12 months"):
        ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, until=most + MINUTE))
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, until=most))


def test_of_a_leap_day_the_year_ends_the_day_before() -> None:
    leap = int(as_datetime(0).replace(year=2028, month=2, day=29).timestamp() * 1000)
    assert rfc3339(a_year_after(leap)) == "2029-02-28T00:00:00Z"


def test_telling_cannot_be_forbidden_beyond_the_hold(ended: TestService) -> None:
    with pytest.raises(InvalidRequest):
        ended.parts.personal_data.holds.place(
            ended.agent, hold_of(ended, silent_until=ended.parts.clock.now() + 2 * MONTH)
        )


def test_a_standing_hold_is_replaced_only_where_that_is_asked(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    with pytest.raises(InvalidRequest, match="stands already"):
        ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, 2 * MONTH))
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended, 2 * MONTH), replace=True)
    ((agent, hold),) = ended.parts.personal_data.holds.standing()
    assert (agent, hold.until) == (ended.agent, facts(ended).hold.until)
    advance(ended, MONTH + DAY)
    ended.work(2)
    assert facts(ended).calendar.id


def test_nothing_is_held_or_released_where_nothing_is_kept(service: TestService) -> None:
    before = service.stored()
    nobody = Agent("acme", "nobody")
    with pytest.raises(NotConnected):
        service.parts.personal_data.holds.place(nobody, hold_of(service))
    with pytest.raises(NotConnected):
        service.parts.personal_data.holds.release(nobody)
    assert service.stored() == before


def test_a_hold_is_not_over_before_its_time(ended: TestService) -> None:
    ended.parts.personal_data.holds.place(ended.agent, hold_of(ended))
    ended.parts.personal_data.holds.end(ended.agent)
    assert facts(ended).hold.until


# --- the command ---

PLACE = (
    "hold", "place", "acme", "agent-1", "--placed-by", "Ana Rojas", "--approved-by", "Luis Soto",
    "--authority", "Court order 7", "--reason", "A dispute",
)  # fmt: skip


def day(service: TestService, days: int) -> str:
    return rfc3339(service.parts.clock.now() + days * DAY)[:10]


def test_the_command_places_lists_and_releases(ended: TestService) -> None:
    ended.connect(Agent("acme", "agent-2"), SECOND)
    until = day(ended, 30)
    placed = invoke(ended, *PLACE, "--until", until, "--silent-until", day(ended, 3))
    assert (placed.exit_code, until in placed.stdout) == (0, True)
    (one,) = json.loads(invoke(ended, "hold", "list", "--json").stdout)
    assert (one["agent"], one["until"], one["approved_by"]) == ("agent-1", f"{until}T00:00:00Z", "Luis Soto")
    assert "Court order 7" in invoke(ended, "hold", "list").stdout
    assert invoke(ended, "connections", "erase", "acme", "agent-1", "--yes").exit_code == 1
    assert invoke(ended, "hold", "release", "acme", "agent-1").exit_code == 0
    assert json.loads(invoke(ended, "hold", "list", "--json").stdout) == []
    again = invoke(ended, "hold", "release", "acme", "agent-1")
    assert (again.exit_code, "No hold stands" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--until", "2020-01-01"), 1),
        (("--until", "someday"), 2),
        (("--until", "2027-01-01T00:00:00"), 2),
        (("--until", "2199-01-01"), 1),
        ((), 2),
        (("--until", "2027-01-01", "--approved-by", "Ana Rojas"), 1),
        (("--until", "2027-01-01", "--approved-by", ""), 1),
    ],
)
def test_a_bad_order_is_refused_and_changes_nothing(
    ended: TestService, words: tuple[str, ...], code: int
) -> None:
    before = ended.stored()
    answer = invoke(ended, *PLACE, *words)
    assert (answer.exit_code, bool(answer.stderr)) == (code, True)
    assert ended.stored() == before
