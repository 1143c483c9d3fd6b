"""Tasks that run at intervals; an error in one does not stop the others. Must not know what a task does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.errors import ServiceError
from calendar_service.log import Log

SURPRISE = "worker.surprise"
"""The log event of an error that nobody expected."""


def contained(log: Log, task: Callable[[], object], surprise: str = SURPRISE) -> None:
    """Run a task and log its error instead of raising it, so that the next task still runs."""
    try:
        task()
    except ServiceError as trouble:
        log.repeated("worker.trouble", code=trouble.code)
    except Exception as error:
        log.failure(surprise, error)


@dataclass
class Periodic:
    """A task and its interval. Only one thread may use it: the worker's loop."""

    every: Millis | None
    """From one run to the next, by this process's clock; 0: in each round, None: once in each process."""
    task: Callable[[], bool | None]
    """Returns true when it has more to do: it then stays due."""
    retries: bool = False
    """A `ServiceError` leaves the task due. Otherwise a failed run counts as one."""
    surprise: str = SURPRISE
    _last_run: Millis | None = field(default=None, init=False)

    def is_due(self, now: Millis) -> bool:
        """Tell whether the interval is over."""
        if self._last_run is None:
            return True
        # Either way: after a clock that was ahead is put right, the last run lies in the future.
        return self.every is not None and abs(now - self._last_run) >= self.every

    def run(self, now: Millis) -> None:
        """Run the task, and note whether it stays due. Raises what the task raises."""
        self._last_run = now
        try:
            has_more = self.task()
        except ServiceError:
            if self.retries:
                self._last_run = None
            raise
        if has_more:
            self._last_run = None


@dataclass(frozen=True)
class Maintainer:
    """Runs tasks, by name and in their order, when they are due. An error in one keeps none of the others back."""

    tasks: dict[str, Periodic]
    clock: Clock
    log: Log

    def run(self) -> None:
        """Run each task that is due now, one after another."""
        for task in self.tasks.values():
            now = self.clock.now()
            if task.is_due(now):
                contained(self.log, partial(task.run, now), task.surprise)
