"""Jobs that run beside a scenario, so that several requests are under way at once."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class BackgroundJobs:
    """Starts jobs in eight threads, and waits for them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="driver")
        self._futures: list[Future[Any]] = []

    def start(self, job: Callable[..., Any], *args: Any, **named: Any) -> "Future[Any]":
        """Start a job."""
        future = self._pool.submit(job, *args, **named)
        self._futures.append(future)
        return future

    def wait(self) -> None:
        """Wait until every job is done; an error of a job is raised."""
        for future in self._futures:
            future.result()
        self._futures.clear()

    def close(self) -> None:
        """Wait for the jobs, and start no more."""
        self._pool.shutdown(wait=True)
