"""The worker's periodic tasks: when each is due, and what its failure does to it and the others."""

import json
from collections.abc import Callable
from io import StringIO
from threading import Thread

import pytest

from calendar_service.domain.clock import MINUTE, SECOND, Clock
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.log import Log
from calendar_service.worker.items import PerMinute
from calendar_service.worker.periodic import Maintainer, Periodic, contained

NOW = 1_800_000_000 * SECOND


class Task:
    """A task that counts its runs and fails when a test says so."""

    def __init__(self) -> None:
        self.runs = 0
        self.has_more = False
        self.trouble: Exception | None = None

    def __call__(self) -> bool:
        self.runs += 1
        if self.trouble:
            raise self.trouble
        return self.has_more


@pytest.fixture
def task() -> Task:
    return Task()


def test_a_task_is_due_at_once_and_then_when_its_interval_is_over(task: Task) -> None:
    periodic = Periodic(MINUTE, task)
    assert periodic.is_due(NOW)
    periodic.run(NOW)
    assert task.runs == 1
    assert not periodic.is_due(NOW + MINUTE - 1)
    assert periodic.is_due(NOW + MINUTE)


def test_a_task_that_has_more_to_do_stays_due(task: Task) -> None:
    periodic = Periodic(MINUTE, task)
    task.has_more = True
    periodic.run(NOW)
    assert periodic.is_due(NOW)
    task.has_more = False
    periodic.run(NOW)
    assert not periodic.is_due(NOW)


def test_a_task_without_an_interval_runs_once_and_one_of_zero_each_time(task: Task) -> None:
    once, always = Periodic(None, task), Periodic(0, task)
    once.run(NOW)
    always.run(NOW)
    assert not once.is_due(2 * NOW)
    assert always.is_due(NOW)


def test_a_clock_that_is_set_back_puts_no_task_off(task: Task) -> None:
    periodic = Periodic(MINUTE, task)
    periodic.run(NOW)
    assert not periodic.is_due(NOW - MINUTE + 1)
    assert periodic.is_due(NOW - MINUTE)


@pytest.mark.parametrize(
    ("retries", "trouble", "is_due"),
    [
        (True, StoreUnavailable("away"), True),
        (False, StoreUnavailable("away"), False),
        (True, ValueError(), False),
        (False, ValueError(), False),
    ],
)
def test_after_trouble_a_task_is_due_at_once_only_where_it_retries_what_may_pass(
    task: Task, *, retries: bool, trouble: Exception, is_due: bool
) -> None:
    periodic = Periodic(MINUTE, task, retries=retries)
    task.trouble = trouble
    with pytest.raises(type(trouble)):
        periodic.run(NOW)
    assert periodic.is_due(NOW) is is_due
    assert periodic.is_due(NOW + MINUTE)


# --- several ---


class Maintained:
    """A maintainer whose clock is moved, and what it logs."""

    def __init__(self, **tasks: Periodic) -> None:
        self.seconds = 0.0
        self.log = StringIO()
        self.maintainer = Maintainer(tasks, Clock(lambda: self.seconds), Log("worker", self.log))

    def after(self, seconds: float) -> None:
        self.seconds += seconds
        self.maintainer.run()

    def logged(self) -> list[tuple[str, str]]:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [(line["event"], line.get("code", line.get("error"))) for line in lines]


def test_each_task_runs_at_its_own_interval() -> None:
    often, rarely = Task(), Task()
    maintained = Maintained(often=Periodic(5 * SECOND, often), rarely=Periodic(MINUTE, rarely))
    for _ in range(25):
        maintained.after(5.1)
    assert (often.runs, rarely.runs) == (25, 3)
    assert maintained.logged() == []


def test_tasks_run_in_their_order() -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    maintained = Maintained(**{name: Periodic(MINUTE, note(name)) for name in ("second", "first", "third")})
    maintained.after(0)
    assert order == ["second", "first", "third"]


def test_trouble_with_one_task_is_logged_and_keeps_no_other_back(task: Task) -> None:
    store, surprise = Task(), Task()
    store.trouble, surprise.trouble = StoreUnavailable("away"), ZeroDivisionError("1//secret")
    maintained = Maintained(
        store=Periodic(MINUTE, store),
        surprise=Periodic(MINUTE, surprise, surprise="audit.surprise"),
        sound=Periodic(MINUTE, task),
    )
    maintained.after(0)
    assert task.runs == 1
    assert maintained.logged() == [
        ("worker.trouble", "store_unavailable"),
        ("audit.surprise", "ZeroDivisionError"),
    ]
    assert "1//secret" not in maintained.log.getvalue()


def test_what_nobody_expected_is_logged_as_a_surprise_of_the_worker(task: Task) -> None:
    log = StringIO()
    task.trouble = ZeroDivisionError()
    contained(Log("worker", log), task)
    assert json.loads(log.getvalue())["event"] == "worker.surprise"


def test_no_more_than_the_limit_goes_through_in_a_minute_however_many_threads_ask() -> None:
    limit, admitted = PerMinute(300), list[bool]()

    def ask() -> None:
        admitted.extend([limit.admit(NOW) for _ in range(1_000)])

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 300
    assert not limit.admit(NOW + MINUTE - NOW % MINUTE - 1)
    assert limit.admit(NOW + MINUTE - NOW % MINUTE)
    assert limit.admit(NOW)  # a clock that was set back


def test_a_minute_is_not_begun_anew_by_a_thread_that_read_the_clock_before_it() -> None:
    limit = PerMinute(1)
    assert [limit.admit(now) for now in (NOW, NOW - 1, NOW)] == [True, False, False]
