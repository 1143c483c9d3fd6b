"""How many threads of this process may wait for Google within a request (law 2). Must not know what they wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InlineSlots:
    """A bulkhead: while Google is slow, the other threads go on answering requests."""

    def __init__(self, count: int) -> None:
        """Take how many threads may wait at the same time."""
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def taken(self, *, wanted: bool = True) -> Iterator[bool]:
        """Take a slot for the length of the block, if it is wanted and one is free; yield whether it is taken."""
        is_taken = wanted and self._free.acquire(blocking=False)
        try:
            yield is_taken
        finally:
            if is_taken:
                self._free.release()
