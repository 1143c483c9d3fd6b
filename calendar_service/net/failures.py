"""Names for what ended a call without a usable answer. The names never quote the peer: its text may hold a token."""

import http.client
import ssl

from calendar_service.net.connect import NotDelivered
from calendar_service.net.stream import AnswerTooLarge

NO_ANSWER = (NotDelivered, OSError, ValueError, http.client.HTTPException, AnswerTooLarge)
"""What a call may raise instead of returning an answer."""

_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (AnswerTooLarge, "too_large"),
    (http.client.IncompleteRead, "cut"),
    (ssl.SSLEOFError, "cut"),
    (ssl.SSLError, "tls"),
    (OSError, "cut"),
)


def fault_of(reason: Exception) -> str:
    """Return one of `timeout`, `refused`, `unreachable`, `tls`, `cut`, `malformed`, `too_large`."""
    if isinstance(reason, NotDelivered):
        return reason.fault
    if isinstance(reason, ssl.SSLError) and reason.reason == "UNEXPECTED_EOF_WHILE_READING":
        return "cut"  # some versions of Python raise SSLError where others raise SSLEOFError
    return next((name for kind, name in _FAULTS if isinstance(reason, kind)), "malformed")
