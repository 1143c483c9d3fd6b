"""How many threads of this process may wait for Google within a request (law 2). Must not know what they wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InlineSlots:
    """A bulkhead: while Google is slow, the other threads go on answering requests."""

    def __init__(self, count: int, reserved: int) -> None:
        """Take how many threads may wait at the same time, and how many of these places are kept for consents."""
        self._free = threading.BoundedSemaphore(count)
        self._unreserved = threading.BoundedSemaphore(count - reserved)
        self._of_thread = threading.local()

    @contextmanager
    def taken(self, *, wanted: bool = True) -> Iterator[bool]:
        """Take a slot for the length of the block, if it is wanted and one is free; yield whether it is taken.

        A thread that has a slot uses that one: it waits once, however many calls it makes.
        """
        if not wanted or self._is_held():
            yield wanted
        elif not self._unreserved.acquire(blocking=False):
            yield False
        else:
            try:
                with self.taken_for_consent() as is_taken:
                    yield is_taken
            finally:
                self._unreserved.release()

    @contextmanager
    def taken_for_consent(self) -> Iterator[bool]:
        """Take a slot, a reserved one too: Google's code for a consent expires, and works once."""
        is_taken = self._free.acquire(blocking=False)
        self._of_thread.holds = is_taken
        try:
            yield is_taken
        finally:
            self._of_thread.holds = False
            if is_taken:
                self._free.release()

    def _is_held(self) -> bool:
        return getattr(self._of_thread, "holds", False)
