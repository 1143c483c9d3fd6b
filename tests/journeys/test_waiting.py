"""A session that waits for a person to act: it waits 30 days, however often it is tried meanwhile."""

from collections.abc import Callable

import pytest

from calendar_service import config as configuration
from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.session import By, Status
from calendar_service.journeys.sessions.decide import next_revision
from calendar_service.journeys.views import SessionView
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.wiring import build
from tests.support.evidence import shows
from tests.support.service import TestService

DAYS = DAY // SECOND


def pause(service: TestService, actor: Actor = Actor.AGENT, *, paused: bool = True) -> None:
    service.parts.connection.pauses.set(service.agent, actor, paused=paused)


def organization_pauses(service: TestService) -> None:
    pause(service, Actor.ADMINISTRATOR)


def calendar_is_deleted(service: TestService) -> None:
    service.parts.sessions.schedule.put(service.agent, "s0", service.content(days=100), By.AGENT, None)
    service.as_person("DELETE", None, calendar=service.facts.calendar.id)
    put(service, "notices")


def policy_is_renewed(service: TestService) -> None:
    """Start the service again under a newer version of the policy."""
    overlay = service.clock.path.with_name("policy.toml")
    overlay.write_text(
        'extends = "videsk"\n[policy]\nversion = "2"\nchanges = { en = "New.", es = "Nuevo." }\n'
    )
    service.variables["CALENDAR_OPERATOR"] = str(overlay)
    service.parts.close()
    service.parts = build(configuration.load(service.variables))


def put(service: TestService, session: str = "s1", title: str = "Waits", days: int = 90) -> SessionView:
    content = service.content(title, days=days)
    return service.parts.sessions.schedule.put(service.agent, session, content, By.AGENT, None)


def seen(service: TestService, session: str = "s1") -> tuple[Status, str]:
    view = service.parts.sessions.reader.get(service.agent, session, read_google=False)
    return view.status, view.reason


def has_content(service: TestService, session: str = "s1") -> bool:
    """Return whether the session's sealed content is in the database."""
    return bool(service.parts.store.database.client.hexists(service.key("waiting"), session))


def live(service: TestService, days: int) -> None:
    """Let days pass, then let the worker run."""
    service.clock.advance(days * DAYS)
    service.work()


def look_at(service: TestService, session: str = "s1") -> None:
    """Make the session due now, and let the worker run."""
    due = service.key("due")
    service.parts.store.database.client.zadd(due, {f"session:{session}": 1})
    service.parts.sessions.unsettled.resume(service.agent, session)


WAITS: dict[str, Callable[[TestService], None]] = {
    "paused": pause,
    "calendar_missing": calendar_is_deleted,
    "reconsent_required": policy_is_renewed,
}


@shows("ST-4")
@pytest.mark.parametrize("state", [*WAITS, "organization"])
def test_it_ends_after_thirty_days_in_all_and_its_content_with_it(service: TestService, state: str) -> None:
    service.connect()
    WAITS.get(state, organization_pauses)(service)
    assert put(service).status is Status.WAITING
    since = service.parts.clock.now()
    for _ in range(2):
        live(service, 14)
        look_at(service)  # a look does not begin the wait anew
    live(service, 1)
    assert seen(service) == (Status.WAITING, "paused" if state == "organization" else state)
    assert has_content(service)
    service.clock.advance((since + keys.WAITING_MAX - service.parts.clock.now()) / SECOND - 60)
    service.work()
    assert has_content(service)
    service.clock.advance(61)
    service.work()
    assert seen(service) == (Status.FAILED, "waited_too_long")
    assert not has_content(service)
    assert not any(event["summary"] == "Waits" for event in service.events())


def test_two_waits_on_end_are_one(service: TestService) -> None:
    service.connect()
    pause(service)
    pause(service, Actor.ADMINISTRATOR)
    put(service)
    live(service, 20)
    pause(service, paused=False)
    live(service, 9)
    assert seen(service) == (Status.WAITING, "paused")
    live(service, 2)
    assert seen(service) == (Status.FAILED, "waited_too_long")


def test_a_newer_request_begins_a_wait_of_its_own(service: TestService) -> None:
    service.connect()
    pause(service)
    put(service)
    live(service, 20)
    assert put(service, title="Newer").outcome == "accepted"
    live(service, 29)
    assert seen(service) == (Status.WAITING, "paused")
    live(service, 2)
    assert seen(service) == (Status.FAILED, "waited_too_long")


def test_a_repeated_request_does_not(service: TestService) -> None:
    service.connect()
    pause(service)
    desired = service.content("Waits", days=90)
    for version in (1, 2):
        service.parts.sessions.schedule.put(service.agent, "s1", desired, By.SYSTEM, version)
        live(service, 16)
    assert seen(service) == (Status.FAILED, "waited_too_long")


def test_what_waited_too_long_is_made_whole_by_the_next_request(service: TestService) -> None:
    service.connect()
    pause(service)
    put(service)
    live(service, 31)
    pause(service, paused=False)
    service.work()
    assert service.events() == []
    assert put(service).outcome == "changed"
    assert [event["summary"] for event in service.events()] == ["Waits"]


def test_a_cancel_that_waits_is_carried_out_when_the_pause_ends(service: TestService) -> None:
    service.connect()
    put(service)
    pause(service)
    service.parts.sessions.schedule.cancel(service.agent, "s1", By.AGENT, None)
    assert seen(service) == (Status.WAITING, "paused")
    pause(service, paused=False)
    service.work()
    assert seen(service) == (Status.CANCELLED, "")
    assert service.events() == []


def test_an_act_in_the_midst_of_a_check_is_not_missed(service: TestService) -> None:
    service.connect()
    pause(service)
    put(service)
    sessions = service.parts.store.sessions
    live(service, 1)
    service.parts.store.database.client.zadd(service.key("due"), {"session:s1": 1})
    taken = sessions.lease(service.agent, "s1")
    assert taken
    pause(service, paused=False)
    sessions.settle(
        service.agent, service.facts.connection_id, taken[0],
        again=keys.WAITING_MAX, latest=None, destroy_content=False,
    )  # fmt: skip
    service.clock.advance(2)
    service.work()
    assert [event["summary"] for event in service.events()] == ["Waits"]


def test_an_act_in_the_midst_of_an_acceptance_is_not_missed(service: TestService) -> None:
    service.connect()
    pause(service)
    desired, sessions = service.content("Waits"), service.parts.store.sessions
    loaded = sessions.load(service.agent, "s1")
    grant = service.parts.store.grants.open(service.agent, loaded.facts.connection_id, loaded.grant)
    record = next_revision(loaded, grant, "s1", grant.digest("s1", desired), desired, None, State.PAUSED)
    pause(service, paused=False)
    sealed = grant.seal_content("s1", desired)
    answer, _ = sessions.accept(loaded, record, sealed, Actor.BACKEND, inline=True, end=desired.end)
    assert answer == "waiting"
    service.clock.advance(2)
    service.work()
    assert [event["summary"] for event in service.events()] == ["Waits"]


@pytest.mark.parametrize("seconds", [0, 31])
def test_a_holder_that_died_before_the_pause_keeps_nobody_asleep_behind_it(
    service: TestService, seconds: int
) -> None:
    """The lease of a process that died is still on the session when the agent pauses.

    It must not keep the newer version from being written after the pause.
    """
    service.connect()
    service.work(2)
    desired, sessions = service.content("Waits", days=1), service.parts.store.sessions
    loaded = sessions.load(service.agent, "s1")
    grant = service.parts.store.grants.open(service.agent, loaded.facts.connection_id, loaded.grant)
    record = next_revision(loaded, grant, "s1", grant.digest("s1", desired), desired, None, State.CONNECTED)
    sealed = grant.seal_content("s1", desired)
    assert sessions.accept(loaded, record, sealed, Actor.BACKEND, inline=True, end=desired.end)[0] == "leased"
    service.clock.advance(seconds)  # within its lease, or behind it
    pause(service)
    assert put(service, title="Newer", days=1).status is Status.WAITING
    pause(service, paused=False)
    service.clock.advance(31)
    service.work()
    assert [event["summary"] for event in service.events()] == ["Newer"]


def test_a_consent_that_was_outdated_unnoticed_is_noted_once_and_checked_no_more(
    service: TestService,
) -> None:
    """The policy changed and this connection was missed when all were told.

    The first session that meets it notes that, and does not keep a worker busy.
    """
    service.connect()
    service.work(2)
    policy_is_renewed(service)
    worker = service.worker
    del worker.lanes.walks.tasks["reconsent"]  # everybody else was told before
    assert put(service).status is Status.WAITING
    for _ in range(3):
        service.clock.advance(2)
        worker.round()
    assert service.facts.consent.required_since
    due = service.parts.store.slots.timed(service.agent).due["session:s1"]
    assert due > service.parts.clock.now() + 29 * DAY


def test_google_that_misses_a_calendar_which_was_replaced_meanwhile_says_nothing_of_the_new_one(
    service: TestService,
) -> None:
    """A 404 about the former calendar may arrive after the agent has created a new one.

    Taken for the new one, it would stop a sound connection.
    """
    service.connect()
    former = service.facts
    service.as_person("DELETE", None, calendar=former.calendar.id)
    service.parts.store.connections.calendar_missing(service.agent, former)
    service.parts.connection.dedicated_calendar.ensure(service.agent, create=True)
    put(service)
    service.parts.store.connections.calendar_missing(
        service.agent, former
    )  # who asked before hears of it only now
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED
    assert seen(service) == (Status.SCHEDULED, "")


def test_a_permission_that_did_not_suffice_says_nothing_of_the_one_given_since(service: TestService) -> None:
    """A 403 about the former token may arrive after the agent has consented again.

    Taken for the new token, it would ask the agent a second time.
    """
    service.connect()
    former = service.token_number
    service.parts.store.connections.consent_needed(service.agent, service.facts.connection_id, former)
    assert service.parts.connection.status.of(service.agent).state is State.RECONSENT_REQUIRED
    service.connect()
    service.parts.store.connections.consent_needed(service.agent, service.facts.connection_id, former)
    assert service.parts.connection.status.of(service.agent).state is State.CONNECTED


def test_a_permission_that_does_not_suffice_after_a_refresh_asks_for_consent_too(
    service: TestService,
) -> None:
    service.connect()
    events = {"method": "POST", "path": "*/events"}
    service.google.fault(events, {"status": 401, "reason": "authError"}, times=1)
    service.google.fault(events, {"status": 403, "reason": "insufficientPermissions"}, times=1)
    assert put(service).status is Status.WAITING
    assert service.parts.connection.status.of(service.agent).state is State.RECONSENT_REQUIRED


def test_trouble_at_google_after_a_wait_is_no_wait_and_is_tried_until_the_end(service: TestService) -> None:
    """The 30 days count only the time in which the agent had to act.

    An outage that follows must not use up what is left of them.
    """
    service.connect()
    pause(service)
    put(service)
    live(service, 20)
    service.google.fault("/calendar/v3/*", {"status": 403, "reason": "quotaExceeded"})
    pause(service, paused=False)
    service.work()
    assert seen(service) == (Status.PENDING, "quota_exceeded")
    live(service, 25)
    assert seen(service) == (Status.PENDING, "quota_exceeded")
    service.google.clear_faults()
    live(service, 2)
    assert seen(service) == (Status.SCHEDULED, "")


@pytest.mark.parametrize("ahead", [31, -31])
def test_a_worker_whose_clock_is_wrong_ends_no_wait_and_hurries_none(
    service: TestService, ahead: int
) -> None:
    """Ending a wait destroys its content.

    One server with a wrong clock must not do that: the database's clock has to agree.
    """
    service.connect()
    pause(service)
    put(service, days=20)
    wrong = TestService.of(
        service.variables["CALENDAR_REDIS_URL"],
        service.google,
        service.clock,
        **service.variables | {"CALENDAR_TEST_SKEW": str(ahead * DAYS)},
    )
    look_at(wrong)
    assert seen(service) == (Status.WAITING, "paused")
    assert wrong.parts.connection.status.of(service.agent).state is State.PAUSED
    assert has_content(service)
    scored = service.parts.store.database.client.zscore(service.key("due"), "session:s1")
    assert 19 * DAY < scored - service.parts.clock.now() < 21 * DAY
    wrong.close()


def test_trouble_is_tried_again_as_soon_by_a_worker_whose_clock_is_wrong(service: TestService) -> None:
    service.connect()
    wrong = TestService.of(
        service.variables["CALENDAR_REDIS_URL"],
        service.google,
        service.clock,
        **service.variables | {"CALENDAR_TEST_SKEW": str(31 * DAYS)},
    )
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=2)
    put(service)
    service.clock.advance(60)
    look_at(wrong)
    scored = service.parts.store.database.client.zscore(service.key("due"), "session:s1")
    assert 0 < scored - service.parts.clock.now() < HOUR
    wrong.close()
