"""Webhooks: which events the backend gets, in which order, how often, and what is stored of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from calendar_service.domain.clock import DAY
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import By, Status
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.webhook_sender import DeliveryResult, WebhookSender
from calendar_service.worker.loop import Worker
from tests.adapters.google.scripted_peer import Peer, hangs
from tests.conftest import MovableClock
from tests.support.backend import OTHER_SECRET, SECRET, Backend, backend
from tests.support.local_google import LocalGoogle
from tests.support.service import SECOND, TestService

HOUR = 3600
THREE_DAYS = 3 * 24 * HOUR


@dataclass
class WebhookTestService(TestService):
    """A test service whose backend receives webhooks."""

    backend: Backend = None  # type: ignore[assignment]

    def quiet(self) -> None:
        """Deliver all waiting events, and clear what the backend received."""
        self.work(3)
        self.backend.received.clear()
        self.backend.ids.clear()

    def events(self) -> list[str]:
        """Deliver, and return the types that came since the last time."""
        self.backend.received.clear()
        self.work(3)
        return self.backend.types

    def outbox(self) -> list[tuple[str, int, bool]]:
        """Return type, sequence and "given up" of each waiting event."""
        waiting = self.parts.webhook_delivery.outbox.waiting()
        return [(one.webhook_event.type, one.webhook_event.sequence, one.given_up) for one in waiting]

    def untold(self) -> int:
        """Return the number of untold events that the waiting `connection.erased` bears."""
        (erased,) = [one.webhook_event for one in self.parts.webhook_delivery.outbox.waiting()]
        return erased.untold

    def fail_for(self, seconds: float) -> None:
        """Let time pass, with a round of the worker every hour."""
        for _ in range(int(seconds // HOUR)):
            self.clock.advance(HOUR)
            self.work()


@pytest.fixture
def receiver() -> Iterator[Backend]:
    with backend() as listening:
        yield listening


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, receiver: Backend) -> Iterator[WebhookTestService]:
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    service = WebhookTestService.of(
        clean_store,
        google_process,
        clock,
        CALENDAR_WEBHOOK_URL=receiver.url,
        CALENDAR_WEBHOOK_SECRET=f"{SECRET},{OTHER_SECRET}",
    )
    assert isinstance(service, WebhookTestService)
    service.backend = receiver
    yield service
    service.close()


@pytest.fixture
def connected(service: WebhookTestService) -> WebhookTestService:
    service.connect()
    service.quiet()
    return service


def put(service: TestService, session: str = "s1", **content: Any) -> None:
    service.parts.sessions.schedule.put(service.agent, session, service.content(**content), By.AGENT, None)


# --- what is told ---


def test_a_connection_is_told_when_it_can_be_used(service: WebhookTestService) -> None:
    service.connect()
    service.work()
    (payload,) = service.backend.received
    connection_id = service.parts.store.slots.read(service.agent).facts.connection_id
    assert payload["type"] == "connection.connected"
    assert payload["data"] == {
        "organization": "acme",
        "agent": "agent-1",
        "connection_id": connection_id,
        "sequence": 1,
        "status": "connected",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"])
    assert service.backend.ids == [f"msg_{connection_id}_1"]


def test_a_connection_without_a_calendar_is_told_once_the_worker_has_made_one(
    service: WebhookTestService,
) -> None:
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=3)
    assert not service.connect().calendar_ready
    assert service.events() == []
    for _ in range(4):
        service.clock.advance(61)
        service.work(2)
    assert service.backend.types == ["connection.connected"]


def test_each_change_of_a_session_that_took_effect_is_told(connected: WebhookTestService) -> None:
    put(connected)
    put(connected, days=4)
    connected.parts.sessions.schedule.cancel(connected.agent, "s1", By.AGENT, None)
    assert connected.events() == ["session.applied"] * 3
    assert [one["data"]["sequence"] for one in connected.backend.received] == [2, 3, 4]
    last = connected.backend.received[-1]["data"]
    assert (last["session"], last["status"]) == ("s1", "cancelled")  # as it is when it is told
    put(connected, days=5)
    put(connected, days=5)  # the same again changes nothing
    assert connected.events() == ["session.applied"]


def test_a_session_that_google_took_later_is_told_when_it_stands(connected: WebhookTestService) -> None:
    connected.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 503, "reason": "backendError"}, times=1
    )
    put(connected)
    assert connected.events() == []
    connected.clock.advance(5)
    assert connected.events() == ["session.applied"]
    assert connected.backend.received[0]["data"]["status"] == "scheduled"


def test_a_session_that_google_refuses_is_told_failed_with_its_reason(connected: WebhookTestService) -> None:
    connected.google.fault(
        {"method": "POST", "path": "/calendar/v3/*"}, {"status": 400, "reason": "invalid"}, times=1
    )
    put(connected)
    assert connected.events() == ["session.failed"]
    data = connected.backend.received[0]["data"]
    assert (data["session"], data["status"], data["reason"]) == ("s1", "failed", "google_refused")


def test_a_session_that_waited_until_it_was_over_is_told_failed(connected: WebhookTestService) -> None:
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    put(connected, days=1)
    assert connected.events() == ["connection.paused"]
    connected.clock.advance(2 * 24 * HOUR)
    assert connected.events() == ["session.failed"]
    assert connected.backend.received[0]["data"]["reason"] == "session_over"


def test_a_session_that_waited_too_long_for_the_agent_is_told_failed_once(
    connected: WebhookTestService,
) -> None:
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    put(connected, days=90)
    connected.quiet()
    connected.clock.advance(31 * 24 * HOUR)
    assert connected.events() == ["session.failed"]
    assert connected.backend.received[0]["data"]["reason"] == "waited_too_long"
    assert connected.events() == []


def test_a_waiting_session_that_is_cancelled_is_told(connected: WebhookTestService) -> None:
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    put(connected)
    connected.quiet()
    connected.parts.sessions.schedule.cancel(connected.agent, "s1", By.AGENT, None)
    assert connected.events() == ["session.applied"]
    assert connected.backend.received[0]["data"]["status"] == "cancelled"


def test_a_cancel_that_is_repeated_under_a_newer_version_is_told_once(connected: WebhookTestService) -> None:
    cancel = connected.parts.sessions.schedule.cancel
    desired = connected.content()
    connected.parts.sessions.schedule.put(connected.agent, "s1", desired, By.AGENT, 1)
    connected.quiet()
    cancel(connected.agent, "s1", By.AGENT, 2)
    cancel(connected.agent, "s1", By.AGENT, 3)
    assert connected.events() == ["session.applied"]


def test_a_pause_is_told_once_whoever_else_pauses_too(connected: WebhookTestService) -> None:
    pause = connected.parts.connection.pauses.set
    pause(connected.agent, Actor.AGENT, paused=True)
    pause(connected.agent, Actor.ADMINISTRATOR, paused=True)
    assert connected.events() == ["connection.paused"]
    assert connected.backend.received[0]["data"]["status"] == "paused"
    pause(connected.agent, Actor.AGENT, paused=False)
    assert connected.events() == []
    pause(connected.agent, Actor.ADMINISTRATOR, paused=False)
    assert connected.events() == ["connection.resumed"]


def test_a_deleted_calendar_is_told_with_what_was_lost_and_then_its_replacement(
    connected: WebhookTestService,
) -> None:
    put(connected, "s1")
    put(connected, "s2")
    connected.quiet()
    connected.as_person("DELETE", None, calendar=connected.facts.calendar.id)
    put(connected, "s3")
    assert connected.events() == ["connection.calendar_missing", "session.lost", "session.lost"]
    lost = {one["data"]["session"]: one["data"] for one in connected.backend.received[1:]}
    assert set(lost) == {"s1", "s2"}
    assert lost["s1"]["status"] == "lost"
    assert lost["s1"]["reason"] == "calendar_missing"
    assert connected.parts.connection.dedicated_calendar.ensure(connected.agent, create=True)
    assert connected.events() == ["connection.calendar_replaced", "session.applied"]
    assert connected.backend.received[0]["data"]["status"] == "connected"


def test_a_permission_that_no_longer_suffices_is_told_and_its_renewal_too(
    connected: WebhookTestService,
) -> None:
    connected.google.switch(enforced_scope="https://www.googleapis.com/auth/calendar.readonly")
    connected.clock.advance(HOUR - 1)
    put(connected)
    assert connected.events() == ["connection.reconsent_required"]
    assert connected.backend.received[0]["data"]["status"] == "reconsent_required"
    connected.google.switch(enforced_scope=None)
    connected.connect()
    assert connected.events() == ["connection.connected", "session.applied"]
    sequences = [one["data"]["sequence"] for one in connected.backend.received]
    assert sequences == [3, 4]  # a renewal goes on with the same connection


def test_a_disconnect_is_told_with_what_failed_by_it(connected: WebhookTestService) -> None:
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    put(connected)
    connected.quiet()
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    assert connected.events() == ["connection.disconnected", "session.failed"]
    first, second = (one["data"] for one in connected.backend.received)
    assert first["status"] == "disconnected"
    assert (second["session"], second["status"], second["reason"]) == ("s1", "failed", "disconnected")


def test_a_revocation_at_google_is_told(connected: WebhookTestService) -> None:
    connected.google.control("POST", "switches", {"deleted_accounts": ["agent-one@example.com"]})
    connected.clock.advance(26 * HOUR)
    connected.work(2)
    assert connected.backend.types == ["connection.revoked"]
    assert connected.backend.received[0]["data"]["status"] == "revoked"


def test_the_erasure_is_told_by_the_connections_random_id_alone(connected: WebhookTestService) -> None:
    connection_id = connected.parts.store.slots.read(connected.agent).facts.connection_id
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    connected.quiet()
    connected.parts.connection.erasure.erase_now(connected.agent, Actor.AGENT)
    stored = connected.stored()
    assert f"{connection_id}:3" in stored
    assert connected.events() == ["connection.erased"]
    assert connected.backend.received[0]["data"] == {
        "connection_id": connection_id,
        "sequence": 3,
        "untold": 0,
    }
    assert ":erased" not in connected.stored()
    assert connected.events() == []


def test_another_account_ends_one_connection_and_begins_another(connected: WebhookTestService) -> None:
    before = connected.parts.store.slots.read(connected.agent).facts.connection_id
    put(connected)
    connected.quiet()
    connected.connect(account=SECOND)
    assert connected.events() == ["connection.disconnected", "session.lost", "connection.connected"]
    data = [one["data"] for one in connected.backend.received]
    assert [(one["connection_id"] == before, one["sequence"]) for one in data] == [
        (True, 3),
        (True, 4),
        (False, 1),
    ]


def test_webhook_events_of_the_connection_before_keep_its_id(connected: WebhookTestService) -> None:
    before = connected.parts.store.slots.read(connected.agent).facts.connection_id
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    connected.connect()
    assert connected.events() == ["connection.disconnected", "connection.connected"]
    first, second = (one["data"] for one in connected.backend.received)
    assert (first["connection_id"], first["sequence"]) == (before, 2)
    assert (second["connection_id"] != before, second["sequence"]) == (True, 1)


# --- what is kept, and for how long ---


def test_at_rest_a_webhook_event_holds_no_content(connected: WebhookTestService) -> None:
    connected.backend.status = 503
    put(connected, title="Title of a private talk")
    (text,) = connected.parts.store.database.client.zrange(connected.key("outbox"), 0, -1)
    assert json.loads(text).keys() == {"type", "session", "sequence", "connection_id"}
    assert "private talk" not in connected.stored()


def test_without_an_address_nothing_is_queued(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock
) -> None:
    google_process.reset()
    service = TestService.of(clean_store, google_process, test_clock)
    service.connect()
    put(service)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.work()
    stored = service.stored()
    assert ":outbox" not in stored
    assert ":erased" not in stored
    assert list(service.parts.webhook_delivery.outbox.waiting()) == []
    service.close()


def test_after_the_address_was_taken_away_webhook_events_are_neither_sent_nor_in_the_way(
    connected: WebhookTestService,
) -> None:
    """The operator removed the webhook URL while events were queued.

    They must not wake the worker, and they end by their own term.
    """
    connected.backend.status = 503
    put(connected)
    variables = {
        name: text for name, text in connected.variables.items() if not name.startswith("CALENDAR_WEBHOOK")
    }
    silent = TestService.of(variables["CALENDAR_REDIS_URL"], connected.google, connected.clock, **variables)
    silent.work(2)
    assert "webhook" not in silent.parts.store.slots.timed(connected.agent).due
    assert connected.backend.refused == []
    put(silent, "s2")
    silent.close()
    assert [kind for kind, _, _ in connected.outbox()] == ["session.applied"]
    connected.clock.advance(7 * 24 * HOUR + 60)
    connected.work()
    assert connected.outbox() == []


def test_queueing_costs_no_round_trip(connected: WebhookTestService) -> None:
    schedule, database = connected.parts.sessions.schedule, connected.parts.store.database
    put(connected, "warm")
    put(connected, "warm", days=4)
    schedule.cancel(connected.agent, "warm", By.AGENT, None)
    counts = []
    for step in (
        lambda: put(connected),
        lambda: put(connected, days=4),
        lambda: schedule.cancel(connected.agent, "s1", By.AGENT, None),
    ):
        before = database.round_trips
        step()
        counts.append(database.round_trips - before)
    assert counts == [3, 3, 3]
    assert connected.events() == ["session.applied"] * 6


def test_undelivered_webhook_events_are_erased_with_the_connection(connected: WebhookTestService) -> None:
    connected.backend.status = 503
    put(connected)
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    connected.work(2)
    untold = len(connected.outbox())
    connected.parts.connection.erasure.erase_now(connected.agent, Actor.AGENT)
    assert [kind for kind, _, _ in connected.outbox()] == ["connection.erased"]
    assert connected.untold() == untold
    assert "agent-1" not in connected.stored()


def end_and_erase(connected: WebhookTestService, erasure: Erasure | None = None) -> None:
    """Do what `DELETE …/connection?erase=now` does."""
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.ADMINISTRATOR)
    (erasure or connected.parts.connection.erasure).erase_now(connected.agent, Actor.ADMINISTRATOR)


def waiting_sessions(connected: WebhookTestService, count: int) -> None:
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    for number in range(count):
        put(connected, f"s{number}")


def test_an_erasure_on_request_first_tells_how_connection_and_sessions_ended(
    connected: WebhookTestService,
) -> None:
    """Without any worker: the offer is the erasing process's own."""
    waiting_sessions(connected, 2)
    connected.backend.received.clear()
    end_and_erase(connected)
    payloads = [(one["type"], one["data"]) for one in connected.backend.received]
    assert [kind for kind, _ in payloads] == [
        "connection.paused", "connection.disconnected", "session.failed", "session.failed",
    ]  # fmt: skip
    assert {
        data["session"]: (data["status"], data["reason"]) for _, data in payloads if "session" in data
    } == {
        "s0": ("failed", "disconnected"),
        "s1": ("failed", "disconnected"),
    }
    first = payloads[0][1]["sequence"]
    assert [data["sequence"] for _, data in payloads] == list(range(first, first + 4))
    assert connected.events() == ["connection.erased"]
    (erased,) = connected.backend.received
    assert erased["data"].keys() == {"connection_id", "sequence", "untold"}
    assert (erased["data"]["sequence"], erased["data"]["untold"]) == (first + 4, 0)


def test_the_last_offer_waits_for_no_back_off_and_for_no_other_sender(connected: WebhookTestService) -> None:
    connected.backend.status = 503
    waiting_sessions(connected, 1)
    connected.work()
    connected.backend.status = 204
    end_and_erase(connected)
    assert connected.backend.types[-3:] == ["connection.paused", "connection.disconnected", "session.failed"]
    assert connected.untold() == 0


def test_an_event_that_another_sender_has_leased_is_offered_too(connected: WebhookTestService) -> None:
    put(connected)
    assert connected.parts.webhook_delivery.outbox.lease(connected.agent) is not None
    connected.backend.received.clear()
    end_and_erase(connected)
    assert connected.backend.types == ["session.applied", "connection.disconnected"]
    assert connected.untold() == 0


def test_a_worker_sends_nothing_in_between_the_last_offers(connected: WebhookTestService) -> None:
    put(connected)
    sent = connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    assert sent.state == "disconnected"
    worked = list[int]()

    def seconds() -> float:
        worked.append(connected.worker.round())
        return 0.0

    delivery = replace(connected.parts.webhook_delivery, seconds=seconds)
    connected.backend.received.clear()
    connected.backend.ids.clear()
    connected.parts.webhook_delivery.outbox.lease(connected.agent)
    delivery.offer_last(connected.agent)
    assert connected.backend.types == ["session.applied", "connection.disconnected"]
    assert len(worked) > 2


def test_a_backend_that_refuses_delays_no_erasure_and_is_told_how_much_it_missed(
    connected: WebhookTestService,
) -> None:
    connected.backend.status = 503
    waiting_sessions(connected, 2)
    connected.backend.refused.clear()
    end_and_erase(connected)
    assert [one["type"] for one in connected.backend.refused] == ["connection.paused"]
    assert connected.untold() == 4
    connected.backend.status = 204
    assert connected.events() == ["connection.erased"]
    assert connected.backend.received[0]["data"]["untold"] == 4


def test_the_last_offer_ends_after_ten_seconds(connected: WebhookTestService) -> None:
    waiting_sessions(connected, 4)  # six events with the pause and the disconnect
    instants = iter(range(0, 100, 4))
    delivery = replace(connected.parts.webhook_delivery, seconds=lambda: float(next(instants)))
    connected.backend.received.clear()
    end_and_erase(connected, replace(connected.parts.connection.erasure, webhook_delivery=delivery))
    assert connected.backend.types == ["connection.paused", "connection.disconnected"]
    assert connected.untold() == 4


def test_a_backend_that_hangs_holds_the_last_offer_no_longer_than_its_end(
    connected: WebhookTestService,
) -> None:
    put(connected)
    instants = iter((0.0, 9.7, 10.0))
    with Peer(hangs) as peer:
        sender = WebhookSender(peer.origin, lambda: [Secret(SECRET)], observe=lambda _: None, deadline=300)
        delivery = replace(connected.parts.webhook_delivery, webhooks=sender, seconds=lambda: next(instants))
        end_and_erase(connected, replace(connected.parts.connection.erasure, webhook_delivery=delivery))
    assert connected.untold() == 2


def test_a_backend_that_does_not_answer_this_process_is_not_offered_anything(
    connected: WebhookTestService,
) -> None:
    put(connected)
    delivery = connected.parts.webhook_delivery
    for _ in range(5):
        delivery.breaker.learn(answered=False)
    connected.backend.received.clear()
    end_and_erase(connected)
    assert connected.backend.types == []
    assert connected.untold() == 2


def test_an_erasure_at_the_end_of_the_term_counts_what_was_untold(
    connected: WebhookTestService,
) -> None:
    connected.backend.status = 503
    put(connected)
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    untold = len(connected.outbox())
    connected.clock.advance(7 * DAY / 1000 - HOUR)
    connected.work()
    connected.clock.advance(2 * HOUR)
    assert connected.parts.connection.erasure.erase_due(connected.agent) == "ok"
    assert connected.untold() == untold


def test_the_database_ends_webhook_events_by_itself_where_no_worker_runs(
    connected: WebhookTestService,
) -> None:
    connected.backend.status = 503
    put(connected)
    client = connected.parts.store.database.client
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    lifetimes = {client.pttl(connected.key(part)) // 1000 for part in ("outbox", "facts")}
    assert len(lifetimes) == 1  # with everything else of the connection
    assert 7 * DAY < lifetimes.pop() * 1000 <= 8 * DAY
    connected.parts.connection.erasure.erase_now(connected.agent, Actor.AGENT)
    for name in (keys.erased(connected.shard_of()), keys.erased_due(connected.shard_of())):
        assert 7 * DAY < client.pttl(name) <= 8 * DAY


# --- trouble ---


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
def test_what_was_not_taken_is_tried_again_in_order(connected: WebhookTestService, status: int) -> None:
    connected.backend.status = status
    for name in ("s1", "s2", "s3"):
        put(connected, name)
    connected.work(3)
    assert len(connected.backend.refused) == 1  # the others wait behind it
    connected.backend.status = 200
    assert connected.events() == []  # not before its time
    connected.clock.advance(6)
    assert connected.events() == ["session.applied"] * 3
    assert [one["data"]["session"] for one in connected.backend.received] == ["s1", "s2", "s3"]


def test_a_new_webhook_event_does_not_shorten_the_pause(connected: WebhookTestService) -> None:
    connected.backend.status = 503
    put(connected, "s1")
    connected.fail_for(12 * HOUR)
    tried = len(connected.backend.refused)
    put(connected, "s2")
    connected.work(2)
    assert len(connected.backend.refused) == tried


def test_the_pauses_grow_and_a_receiver_that_is_back_is_told_everything(
    connected: WebhookTestService,
) -> None:
    connected.backend.status = 503
    put(connected)
    for _ in range(24 * 12):
        connected.clock.advance(300)
        if connected.parts.store.timers.backlog()[0]:
            connected.work()
    assert 6 <= len(connected.backend.refused) <= 16
    assert len({one["data"]["sequence"] for one in connected.backend.refused}) == 1
    connected.backend.status = 204
    connected.clock.advance(7 * HOUR)
    assert "session.applied" in connected.events()


def test_a_retry_after_is_respected(connected: WebhookTestService) -> None:
    connected.backend.status, connected.backend.headers = 429, {"Retry-After": "600"}
    put(connected)
    connected.work(2)
    connected.backend.status = 204
    connected.clock.advance(599)
    assert connected.events() == []
    connected.clock.advance(2)
    assert connected.events() == ["session.applied"]


def test_a_receiver_that_wants_none_is_left_alone_for_an_hour_and_the_operator_told(
    connected: WebhookTestService, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.backend.status = 410
    put(connected)
    connected.work(2)
    assert "webhook.refused" in capsys.readouterr().err
    connected.backend.status = 204
    connected.clock.advance(HOUR - 60)
    assert connected.events() == []
    connected.clock.advance(120)
    assert connected.events() == ["session.applied"]


def test_nothing_is_lost_while_the_receiver_is_away_and_the_log_tells_of_it(
    connected: WebhookTestService,
    clean_store: str,
    google_process: LocalGoogle,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = TestService.of(
        clean_store, google_process, connected.clock,
        **(connected.variables | {"CALENDAR_WEBHOOK_URL": "http://127.0.0.1:9/"}),
    )  # fmt: skip
    put(away)
    away.work(2)
    sent = [
        line
        for line in map(json.loads, capsys.readouterr().err.splitlines())
        if line["event"] == "webhook.sent"
    ]
    assert [line["reason"] for line in sent] == ["refused"]
    away.close()
    connected.clock.advance(6)
    assert connected.events() == ["session.applied"]


def test_where_nobody_answers_other_agents_webhook_events_only_wait(connected: WebhookTestService) -> None:
    agents = [Agent("acme", f"agent-{number}") for number in range(2, 12)]
    for agent in agents:
        connected.connect(agent)
    away = connected.replica()
    seen: list[DeliveryResult] = []
    nowhere = WebhookSender("http://127.0.0.1:9/", lambda: (), observe=seen.append)
    webhook_delivery = replace(away.parts.webhook_delivery, webhooks=nowhere)
    Worker(replace(away.parts, webhook_delivery=webhook_delivery)).round()
    assert seen == [DeliveryResult(None, "refused")] * 5
    away.close()
    connected.clock.advance(11)
    assert connected.events() == ["connection.connected"] * 10


def test_a_sender_that_dies_after_the_answer_leads_to_a_repetition_with_the_same_id(
    connected: WebhookTestService,
) -> None:
    """Delivery is at least once.

    The receiver drops the repetition by its id, and a later event must not arrive before it.
    """
    put(connected, "s1")
    put(connected, "s2")
    configure({"webhooks.after_send_before_store": "raise"})
    with pytest.raises(FailpointRaised):
        connected.parts.webhook_delivery.deliver(connected.agent)
    configure({})
    assert len(connected.backend.ids) == 1
    connected.work()
    assert len(connected.backend.ids) == 1  # its lease still runs, and nothing overtakes it
    connected.clock.advance(31)
    connected.work(2)
    first, second, third = connected.backend.ids
    assert first == second
    assert third != first


def test_while_one_sender_has_a_webhook_event_another_sends_nothing(connected: WebhookTestService) -> None:
    put(connected, "s1")
    put(connected, "s2")
    outbox = connected.parts.webhook_delivery.outbox
    taken = outbox.lease(connected.agent)
    assert taken is not None
    assert connected.events() == []
    outbox.done(connected.agent, taken.webhook_event, "delivered")
    assert connected.events() == ["session.applied"]


def test_a_webhook_event_sent_while_its_connection_was_erased_leaves_nothing_behind(
    connected: WebhookTestService,
) -> None:
    """The sender records its result after the erasure. Writing that result would create the agent's slot again."""
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    outbox = connected.parts.webhook_delivery.outbox
    taken = outbox.lease(connected.agent)
    assert taken is not None
    connected.parts.connection.erasure.erase_now(connected.agent, Actor.AGENT)
    outbox.done(connected.agent, taken.webhook_event, "later", 1000)
    client = connected.parts.store.database.client
    assert [key for key in client.keys("*") if "agent-1" in key and "browser" not in key] == []


# --- given up, replayed ---


def test_after_three_days_a_webhook_event_is_given_up_and_the_operator_told(
    connected: WebhookTestService, capsys: pytest.CaptureFixture[str]
) -> None:
    connected.backend.status = 500
    put(connected, "s1")
    connected.fail_for(THREE_DAYS - 7 * HOUR)
    put(connected, "s2")
    assert all(not given_up for _, _, given_up in connected.outbox())
    connected.fail_for(14 * HOUR)
    assert [given_up for _, _, given_up in connected.outbox()] == [True, False]
    assert connected.parts.operations.totals.refresh()
    numbers = connected.metrics()
    assert (numbers["calendar_webhooks_abandoned"], numbers["calendar_webhooks_waiting"]) == (1, 1)
    assert 14 * HOUR <= numbers["calendar_webhooks_oldest_seconds"] < 22 * HOUR
    assert numbers['calendar_alarms_total{alarm="webhook.abandoned"}'] == 1
    assert "webhook.abandoned" in capsys.readouterr().err
    connected.backend.status = 204
    connected.clock.advance(7 * HOUR)
    connected.work(2)
    assert [one["data"]["session"] for one in connected.backend.received] == ["s2"]


def test_a_webhook_event_given_up_is_replayed_when_asked(connected: WebhookTestService) -> None:
    connected.backend.status = 500
    put(connected)
    connected.fail_for(THREE_DAYS + 7 * HOUR)
    assert connected.outbox() == [("session.applied", 2, True)]
    connected.backend.status = 204
    assert connected.events() == []
    assert connected.parts.webhook_delivery.outbox.replay(connected.agent) == 1
    assert connected.events() == ["session.applied"]
    assert connected.parts.webhook_delivery.outbox.replay(connected.agent) == 0
    assert connected.outbox() == []


def test_a_webhook_event_is_kept_for_seven_days_at_most(connected: WebhookTestService) -> None:
    connected.backend.status = 500
    put(connected)
    connected.fail_for(THREE_DAYS + 7 * HOUR)
    connected.clock.advance(4 * 24 * HOUR - 8 * HOUR)
    connected.work()
    assert connected.outbox() == [("session.applied", 2, True)]
    connected.clock.advance(2 * HOUR)
    connected.work()
    assert connected.outbox() == []
    assert connected.parts.webhook_delivery.outbox.replay(connected.agent) == 0


def test_a_clock_that_jumped_ends_no_webhook_event(connected: WebhookTestService) -> None:
    connected.backend.status = 500
    put(connected)
    connected.work()
    variables = connected.variables | {"CALENDAR_TEST_SKEW": str(-2 * HOUR)}
    wrong = TestService.of(variables["CALENDAR_REDIS_URL"], connected.google, connected.clock, **variables)
    connected.clock.advance(7 * 24 * HOUR + 60)
    wrong.parts.webhook_delivery.outbox.end(connected.agent)
    wrong.close()
    assert [kind for kind, _, _ in connected.outbox()] == ["session.applied"]
    connected.clock.advance(601)
    connected.parts.webhook_delivery.outbox.end(connected.agent)
    assert connected.outbox() == []


def test_a_pause_that_a_jumped_clock_left_behind_ends_with_the_next_webhook_event(
    connected: WebhookTestService,
) -> None:
    """A backoff computed by a clock that ran ahead lies a month off.

    Without this, no event of the agent would be delivered until then.
    """
    connected.backend.status = 500
    put(connected, "s1")
    connected.clock.advance(31 * 24 * HOUR)
    connected.parts.webhook_delivery.deliver(connected.agent)
    connected.clock.advance(-31 * 24 * HOUR)
    connected.backend.status = 204
    assert connected.events() == []
    put(connected, "s2")
    assert connected.events() == ["session.applied"] * 2


def test_an_erasure_that_cannot_be_told_is_given_up_replayed_and_in_the_end_forgotten(
    connected: WebhookTestService,
) -> None:
    connected.backend.status = 500
    connected.parts.connection.disconnect.disconnect(connected.agent, Actor.AGENT)
    connected.parts.connection.erasure.erase_now(connected.agent, Actor.AGENT)
    connected.fail_for(THREE_DAYS + 7 * HOUR)
    assert connected.outbox() == [("connection.erased", 3, True)]
    tried = len(connected.backend.refused)
    assert 10 <= tried <= 60
    assert connected.parts.webhook_delivery.outbox.replay_erased() == 1
    connected.work()
    assert len(connected.backend.refused) == tried + 1
    connected.clock.advance(5 * 24 * HOUR)
    connected.work()
    assert connected.outbox() == []
    assert len(connected.backend.refused) == tried + 1


def test_the_second_secret_verifies_alone(connected: WebhookTestService) -> None:
    connected.backend.secret = OTHER_SECRET
    put(connected)
    assert connected.events() == ["session.applied"]


def test_what_is_told_is_as_things_are_when_it_is_told(connected: WebhookTestService) -> None:
    connected.backend.status = 503
    put(connected)
    connected.work()
    connected.parts.connection.pauses.set(connected.agent, Actor.AGENT, paused=True)
    put(connected, days=6)
    connected.backend.status = 204
    connected.clock.advance(6)
    assert connected.events() == ["session.applied", "connection.paused"]
    assert connected.backend.received[0]["data"]["status"] == Status.WAITING.value
    assert connected.backend.received[0]["data"]["reason"] == "paused"
