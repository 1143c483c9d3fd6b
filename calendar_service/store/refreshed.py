"""A value that a thread reads anew each second, so that no request waits for it. Must not know what the value is."""

import sys
import threading
import weakref
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import redis

EVERY: Final = 1.0
"""Seconds between two readings."""

Value = TypeVar("Value")


class Refreshed(Generic[Value]):
    """The last value that could be read. The first use reads it and starts the thread, in the process that uses it."""

    def __init__(self, read: Callable[[Value | None], Value], observe: Callable[[Value], None]) -> None:
        """Take the owner's method that reads the value, and what is told of each reading of the thread.

        `read` is given the last value, and raises a `redis.RedisError` where it cannot read.
        """
        # Weak, so that an owner that nobody uses any more goes at once, with its connections, and ends the thread.
        self._read, self._observe = weakref.WeakMethod(read), observe
        self.last: Value | None = None
        """The last value; None before the first use."""
        self._lock = threading.Lock()
        self._woken, self._closed = threading.Event(), False

    @property
    def value(self) -> Value:
        """The last value. The first use raises what `read` raises."""
        value = self.last
        if value is not None:
            return value
        with self._lock:
            if self.last is None:
                self.last = self._owner_read(None)
                thread = threading.Thread(
                    target=_keep_reading, args=(weakref.ref(self), self._woken), name="refreshed", daemon=True
                )
                thread.start()
            return self.last

    def wake(self) -> None:
        """Read again soon, without waiting for it: something failed that the value may explain."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after the reading under way."""
        self._closed = True
        self._woken.set()

    def refresh(self) -> bool:
        """Read once; the last value stays where that fails. Return whether to go on."""
        try:
            self.last = self._owner_read(self.last)
            self._observe(self.last)
        except redis.RedisError:
            pass
        except Exception:
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        return not self._closed

    def _owner_read(self, last: Value | None) -> Value:
        read = self._read()
        if read is None:
            raise redis.ConnectionError("its owner is gone")
        return read(last)


def _keep_reading(of: "weakref.ref[Refreshed[Value]]", woken: threading.Event) -> None:
    while True:
        woken.wait(EVERY)
        woken.clear()
        refreshed = of()
        if refreshed is None or not refreshed.refresh():
            return
        del refreshed
