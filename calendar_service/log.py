"""Logging from an allow-list of fields (law 9). A line holds no body, token, name or identifier."""

import json
import logging
import re
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import IO, Any, Final, Literal, get_args

from calendar_service.domain.methods import PURPOSES

Field = str | int | bool | Enum

_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EVENT = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*){0,3}")
_TEMPLATE = re.compile(r"(/[a-z0-9_.-]{0,32}|/(<[a-z_:]{1,32}>|\{[a-z_]{1,32}\})([a-z0-9_.:/-]{0,32}))+")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GOOGLE_CALL = re.compile(r"(calendars|calendarList|events|channels|oauth)\.[a-z]{1,16}")
REQUEST_ID = re.compile(r"[0-9a-f]{8,32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Hexadecimal digits, or a UUID (RFC 9562): neither can be a name or an address."""
_PLACE = re.compile(r"[a-z_/]{1,80}\.py:\d{1,6}")
_ERROR = re.compile(r"[A-Za-z_]{1,64}")
_LOGGER = re.compile(r"[A-Za-z_.]{1,64}")
_CALLER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VERSION = re.compile(r"[0-9A-Za-z.+!_-]{1,64}")
_DATABASE = re.compile(r"(rediss?(\+(cluster|sentinel))?|unix)://[A-Za-z0-9:/.,_\[\]-]{1,200}")
_LARGEST = 2**53
SILENCE: Final = 60.0
"""Seconds for which the same event is counted only, after a line of `Log.repeated`."""


def _matching(pattern: re.Pattern[str]) -> Callable[[Field], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _number(value: Field) -> bool:
    return type(value) is int and -_LARGEST < value < _LARGEST


def _truth(value: Field) -> bool:
    return type(value) is bool


FIELDS: dict[str, Callable[[Field], bool]] = {
    "request_id": _matching(REQUEST_ID),
    "method": lambda value: value in _METHODS,
    "path": _matching(_TEMPLATE),  # the template, not the path itself: ids in it may be mail addresses
    "status": _number,
    "ms": _number,
    "call": _matching(_GOOGLE_CALL),
    "purpose": lambda value: value in PURPOSES,  # of a call at Google (LU-1)
    "code": _matching(_WORD),
    "reason": _matching(_WORD),
    "state": _matching(_WORD),
    "journey": _matching(_WORD),
    "clause": lambda value: isinstance(value, str) and re.fullmatch(r"[A-Z]{2}-\d", value) is not None,
    "role": _matching(_WORD),
    "caller": _matching(_CALLER),  # the name of an API key in the configuration
    "retryable": _truth,
    "retry_after": _number,
    "count": _number,
    "backlog": _number,
    "attempt": _number,
    "seconds": _number,
    "port": _number,
    "shard": _number,
    "error": _matching(_ERROR),  # an exception's type; its text may quote anything
    "at": _matching(_PLACE),
    "logger": _matching(_LOGGER),
    "version": _matching(_VERSION),
    "environment": _matching(_WORD),
    "operator": _matching(_CALLER),  # the name of a profile
    "database": _matching(_DATABASE),  # an address without login and options
    "durability": _matching(_WORD),
}
"""Every field that a log line may have, and a check of its value. There is no field for free text."""


Alarm = Literal[
    "audit.chain_broken",
    "audit.checkpoint_absent",
    "audit.head_changed",
    "database.memory_high",
    "database.memory_nearly_full",
    "database.not_durable",
    "database.refuses_writes",
    "database.replicas_missing",
    "database.unwritable",
    "erasure.clocks_differ",
    "erasure.left_in_files",
    "erasure.overdue",
    "google.breaker_opened",
    "google.calendar_refused",
    "google.client_differs",
    "google.client_rejected",
    "google.notifications_refused",
    "google.project_refused",
    "google.rate_halved",
    "google.refresh_tokens_many",
    "google.testing_mode_suspected",
    "google.time_zone_refused",
    "google.unknown_refusal",
    "grant.unverified",
    "keys.lacking",
    "webhook.abandoned",
    "webhook.refused",
    "worker.database_trouble",
    "worker.record_trouble",
]
"""Every event on which the operator has to act, by its name in the log and in the metrics."""


class Log:
    """Writes one JSON line per event. Raises for a field or a value that the list does not allow."""

    def __init__(
        self, process: str, stream: IO[str] | None = None, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the process's name (`web`, `worker`, …) and the stream to write to (stderr by default).

        `seconds`: a clock that only goes forward.
        """
        self._process = process
        self._stream = stream
        self._lock = threading.Lock()
        self._alarms: Counter[Alarm] = Counter()
        self._seconds = seconds
        self._repeats: dict[tuple[object, ...], tuple[float, int]] = {}
        self.failures = 0
        """How many errors that nobody expected were written."""

    def event(self, name: str, **fields: Field) -> None:
        """Write an event; `name` is dotted words such as `session.accepted`."""
        self._write("info", name, fields)

    def repeated(self, name: str, **fields: Field) -> None:
        """Write an event that may come many times a second: once, then `count` of them each minute."""
        event, now = (name, *sorted(fields.items())), self._seconds()
        with self._lock:
            since, count = self._repeats.get(event, (-SILENCE, 0))
            is_due = now - since >= SILENCE
            self._repeats[event] = (now, 0) if is_due else (since, count + 1)
        if is_due:
            self._write("info", name, fields | {"count": count + 1})

    def alarm(self, name: Alarm, **fields: Field) -> None:
        """Write an event on which the operator has to act, and count it."""
        self._write("alarm", name, fields)
        with self._lock:
            self._alarms[name] += 1

    def alarms(self) -> Mapping[Alarm, int]:
        """Return how many there were of each since the process began, those that never happened too."""
        with self._lock:
            return {name: self._alarms[name] for name in get_args(Alarm)}

    def failure(self, name: str, error: BaseException, **fields: Field) -> None:
        """Write that an unexpected error ended something: its type and place. Its text may hold a token."""
        self._write("error", name, fields | {"error": type(error).__name__} | _place(error.__traceback__))
        with self._lock:
            self.failures += 1

    def _write(self, level: str, name: str, fields: dict[str, Field]) -> None:
        if not _EVENT.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an event")
        line = {"time": _now(), "level": level, "process": self._process, "event": name}
        line |= {field: _allowed(field, value) for field, value in fields.items()}
        text = json.dumps(line, separators=(",", ":")) + "\n"
        with self._lock:
            stream = self._stream or sys.stderr
            stream.write(text)
            stream.flush()


def _allowed(field: str, value: Field) -> Any:
    plain = value.value if isinstance(value, Enum) else value
    if field not in FIELDS:
        raise TypeError(f"a log line has no field `{field}`")
    if not FIELDS[field](plain):
        raise ValueError(
            f"the log field `{field}` does not take this {type(value).__name__}"
        )  # the value itself may be secret
    return plain


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(trace: TracebackType | None) -> dict[str, Field]:
    """Return the innermost line of this package in the traceback."""
    place: dict[str, Field] = {}
    while trace is not None:
        _, ours, path = trace.tb_frame.f_code.co_filename.rpartition("calendar_service/")
        if ours:
            place = {"at": f"{path}:{trace.tb_lineno}"}
        trace = trace.tb_next
    return place


class _LibraryHandler(logging.Handler):
    """Logs which library logged something. The library's text may quote a token and is dropped."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event; a logger whose name the log does not allow is named `other`."""
        logger = record.name if _LOGGER.fullmatch(record.name) else "other"
        fields: dict[str, Field] = {"logger": logger}
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
        self._log.event("library.warning", **fields)


def capture_all(log: Log) -> None:
    """Send everything that this process logs through `log`: libraries, warnings and uncaught errors too."""
    root = logging.getLogger()
    root.handlers = [_LibraryHandler(log)]
    root.setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        library = logging.getLogger(name)
        library.handlers, library.propagate, library.level = [], True, logging.NOTSET
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")
    sys.excepthook = lambda _kind, error, _trace: _uncaught(log, error)
    threading.excepthook = lambda arguments: _uncaught(log, arguments.exc_value)


def _uncaught(log: Log, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        log.failure("process.failed", error)


SILENT_GRANIAN: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": False},
    },
}
"""`log_dictconfig` for the server: no handlers of its own, so that its lines go through `capture_all`."""
