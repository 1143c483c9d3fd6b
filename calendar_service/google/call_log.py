"""Log and counters of the calls to Google. Sees method, outcome and duration of a call, no content (LU-1)."""

import threading
from collections import Counter
from collections.abc import Callable

from calendar_service.durations import GOOGLE_CALLS, Durations, status_class
from calendar_service.google.transport import GoogleCall
from calendar_service.log import Log

Listener = Callable[[GoogleCall], None]


class _Listeners(threading.local):
    """The listeners of each thread; a thread starts without any."""

    current: tuple[Listener, ...] = ()


class CallLog:
    """Counts and logs every call of this process by name, purpose and outcome."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._listeners = _Listeners()
        self.durations = Durations(GOOGLE_CALLS)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The functions that are called with each call of this thread."""
        return self._listeners.current

    def attach(self, listener: Listener) -> None:
        """Call the listener with each call of this thread, until `detach`; attaching it twice counts once."""
        if listener not in self._listeners.current:
            self._listeners.current += (listener,)

    def detach(self, listener: Listener) -> None:
        """Stop calling the listener; does nothing if it is not attached."""
        self._listeners.current = tuple(one for one in self._listeners.current if one != listener)

    def observe(self, call: GoogleCall) -> None:
        """Count and log one call; runs in the thread that made it."""
        name, purpose = call.method.name.removeprefix("calendar."), call.method.purpose
        outcome = call.status if call.status is not None else call.fault or "interrupted"
        with self._lock:
            self._counts[name, purpose, str(outcome)] += 1
        self.durations.record(
            call.seconds, name, status_class(outcome) if isinstance(outcome, int) else outcome
        )
        field = {"status" if isinstance(outcome, int) else "reason": outcome}
        self._log.event("google.called", call=name, purpose=purpose, ms=round(call.seconds * 1000), **field)
        for listener in self.listeners:
            listener(call)

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Return the counts so far, by name, purpose and outcome."""
        with self._lock:
            return dict(self._counts)
