"""The background load of an episode: threads that create, reschedule and cancel sessions all the time."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from faults.driver.backend import BackendDriver, Operation

_LIVES: tuple[tuple[Operation, ...], ...] = (
    ("put",), ("put", "put"), ("put", "cancel"), ("put", "put", "cancel"), ("put", "cancel", "put"),
)  # fmt: skip
"""What happens to one session, in order."""


class BackgroundLoad:
    """Threads that send the operations of one session after another, some of them twice as a backend does."""

    def __init__(
        self, backend: BackendDriver, agents: Sequence[str], new_session: Callable[[str], str]
    ) -> None:
        self._backend, self._agents, self._new_session = backend, agents, new_session
        self._stopped, self._paused = threading.Event(), threading.Event()
        self._busy: dict[int, bool] = {}
        """The threads that are in the middle of a session."""
        self._threads: list[threading.Thread] = []
        self.errors: list[str] = []

    def start(self, seed: int, threads: int) -> None:
        """Start so many threads."""
        for number in range(threads):
            rng = random.Random(seed * 31 + number)
            thread = threading.Thread(
                target=self._run, args=(number, rng), name=f"load-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def _run(self, number: int, rng: random.Random) -> None:
        while not self._stopped.is_set():
            if self._paused.is_set():
                time.sleep(0.02)
                continue
            self._busy[number] = True
            try:
                self._send_one_session(rng)
            except Exception as error:
                self.errors.append(repr(error))
            self._busy.pop(number)
            self._stopped.wait(rng.uniform(0.05, 0.2))

    def _send_one_session(self, rng: random.Random) -> None:
        agent, session = rng.choice(self._agents), self._new_session("load")
        for operation in rng.choice(_LIVES):
            version = self._backend.next_version(agent, session)
            for _ in range(rng.choice((1, 3))):
                response = self._backend.send(operation, agent, session, version=version)
                if response.status not in {0, 500, 503}:
                    break

    def pause(self) -> None:
        """Begin no further session."""
        self._paused.set()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Pause, wait up to 15 s until sessions in the middle are done, and go on at the end."""
        self.pause()
        end = time.monotonic() + 15
        while self._busy and time.monotonic() < end:
            time.sleep(0.02)
        try:
            yield
        finally:
            self._paused.clear()

    def stop(self) -> None:
        """End the threads."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)
