"""What a running worker does beside its rounds: walks over all agents, webhooks, maintenance. Only order counts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from calendar_service.domain.clock import DAY, MINUTE, SECOND
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.webhooks import delivery
from calendar_service.store import keys
from calendar_service.store.timers import Timers
from calendar_service.webhook_sender import DEADLINE, DeliveryResult, WebhookMessage, WebhookSender
from calendar_service.wiring import Service
from calendar_service.worker.loop import WEBHOOK_THREADS, Worker
from calendar_service.worker.webhook_queue import WebhookQueue
from tests.journeys.conftest import NEIGHBOUR
from tests.support.backend import SECRET, backend
from tests.support.servers import until
from tests.support.service import SECOND as OTHER_ACCOUNT
from tests.support.service import TestService


@contextmanager
def running(parts: Service) -> Iterator[Worker]:
    """Run a worker in a thread of its own, and stop it."""
    worker = Worker(parts)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop.set()
        thread.join()


def put_later(service: TestService) -> None:
    """Accept a session that only a worker can write to Google."""
    service.google.fault("/calendar/v3/*", {"status": 503, "reason": "backendError"}, times=1)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.clock.advance(60)


def far_agents(service: TestService, count: int) -> list[str]:
    """Put agents into the timer sets whose timers a clock that was ahead has set; return their names."""
    client, now = service.parts.store.database.client, service.parts.clock.now()
    names = [f"far-{number}" for number in range(count)]
    pipeline = client.pipeline(transaction=False)
    for name in names:
        slot = service.parts.store.database.slot_keys(Agent("acme", name))
        pipeline.hset(slot.part("facts"), "grant_state", "none")
        pipeline.zadd(slot.part("due"), {"probe": now + 31 * DAY})
        pipeline.zadd(keys.timers(slot.shard), {slot.member: now + 31 * DAY})
    pipeline.execute()
    return names


class HeldTimers(Timers):
    """Timers whose walk over all agents begins only when it is released."""

    released = threading.Event()

    def far(self) -> Iterator[Agent]:
        assert self.released.wait(60)
        yield from super().far()


def test_what_is_due_is_done_before_the_walk_of_the_start_has_ended(service: TestService) -> None:
    service.connect()
    put_later(service)
    (far,) = far_agents(service, 1)
    timers = HeldTimers(service.parts.store.database)
    operations = service.parts.operations
    held = replace(operations, far_timers=replace(operations.far_timers, timers=timers))
    due = service.key("due", Agent("acme", far))
    client = service.parts.store.database.client
    with running(replace(service.parts, operations=held)):
        until(service.events, 60)
        assert client.zscore(due, "probe") > service.parts.clock.now() + DAY
        timers.released.set()
        until(lambda: (client.zscore(due, "probe") or 0) < service.parts.clock.now() + DAY, 60)


def test_the_walk_reads_many_agents_in_one_round_trip_and_changes_only_what_is_far(
    service: TestService,
) -> None:
    service.connect()
    far = far_agents(service, 3)
    client, now = service.parts.store.database.client, service.parts.clock.now()
    for number in range(1_200):
        client.zadd(keys.timers(number % 7), {f"acme/near-{number}": now + MINUTE})
    before = service.parts.store.database.round_trips
    far_names = {agent.agent for agent in service.parts.store.timers.far()}
    assert far_names == set(far)
    # The time, the sizes, one a shard that has agents, and one for each 500 agents.
    assert service.parts.store.database.round_trips - before <= 2 + 7 + 4 + 3
    assert service.parts.operations.far_timers.reset() == 3


def test_a_walk_ends_when_the_worker_is_stopped(service: TestService) -> None:
    far_agents(service, 4)
    answers = iter([False, False, True])
    assert service.parts.operations.far_timers.reset(lambda: next(answers)) == 2
    assert service.parts.operations.far_timers.reset() == 2


def test_a_repair_of_account_references_that_is_stopped_drops_nothing(service: TestService) -> None:
    service.connect()
    service.connect(NEIGHBOUR, OTHER_ACCOUNT)
    repair = service.parts.operations.shared_account_repair
    before = dict(service.parts.store.scan.account_refs())
    service.clock.advance(DAY / SECOND)
    assert repair.repair(lambda: True) == 0
    assert dict(service.parts.store.scan.account_refs()).keys() == before.keys()


def test_notices_of_a_newer_policy_that_are_stopped_go_on_at_the_next_start(service: TestService) -> None:
    service.connect()
    reconsent = service.parts.connection.reconsent
    newer = replace(reconsent, terms=replace(reconsent.terms, policy="2"), changes={"en": "More"})
    assert newer.tell(lambda: True) == 0
    assert newer.tell() == 1
    assert newer.tell() == 0


class PatientSender(WebhookSender):
    """Waits for an answer as long as the test lasts, so that only the order counts."""

    def send(self, message: WebhookMessage, at_most: float = 60) -> DeliveryResult:  # noqa: ARG002
        return super().send(message, 60)


def test_a_receiver_that_is_slow_keeps_no_session_waiting(service: TestService) -> None:
    with backend() as receiver:
        settings = {"CALENDAR_WEBHOOK_URL": receiver.url, "CALENDAR_WEBHOOK_SECRET": SECRET}
        variables = service.variables | settings
        notified = TestService.of(variables["CALENDAR_REDIS_URL"], service.google, service.clock, **variables)
        for number in range(2 * WEBHOOK_THREADS):
            notified.connect(Agent("acme", f"other-{number}"))
        notified.connect()
        put_later(notified)
        ended: list[DeliveryResult] = []
        sender = PatientSender(
            receiver.url, lambda: notified.config.webhook_secrets, observe=ended.append, deadline=60
        )
        webhook_delivery = replace(notified.parts.webhook_delivery, webhooks=sender)
        receiver.answers.clear()
        with running(replace(notified.parts, webhook_delivery=webhook_delivery)):
            until(lambda: len(receiver.paths) == WEBHOOK_THREADS, 60)
            until(notified.events, 60)
            assert ended == []
            receiver.answers.set()
            until(lambda: len(ended) > WEBHOOK_THREADS, 60)
        notified.close()


def test_an_agent_that_waited_too_long_for_a_webhook_thread_is_left_to_its_next_lease(
    service: TestService,
) -> None:
    queue, started, delivered = WebhookQueue(service.parts.clock), list[object](), list[str]()
    for agent, name in ((service.agent, "one"), (service.agent, "same"), (NEIGHBOUR, "two")):
        queue.add(agent, lambda name=name: delivered.append(name), started.append)
    assert len(started) == 2
    first, second = started
    first()  # type: ignore[operator]
    service.clock.advance(26)
    second()  # type: ignore[operator]
    assert delivered == ["one"]
    queue.add(NEIGHBOUR, lambda: delivered.append("again"), started.append)
    assert len(started) == 3


def test_no_more_erasures_are_leased_to_one_sender_than_it_sends_within_their_lease() -> None:
    assert delivery._ERASURES * DEADLINE * SECOND < keys.OUTBOX_LEASE
