"""How many requests a web process works on, and how many wait for that, so that probes are always answered."""

from collections.abc import Iterable
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from flask import Flask, request
from werkzeug.wsgi import ClosingIterator

from calendar_service.domain.errors import Busy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""They take no slot: a process that is busy, or whose database hangs, has not to be restarted for that."""
WAITING: Final = 44
"""Requests that wait for a slot; each takes a thread that does nothing. More are `busy` at once."""
PROBING: Final = 4
"""Threads that neither working nor waiting requests can take."""
_IS_FULL: Final = "calendar_service.is_full"


class RequestSlots:
    """WSGI middleware in front of the application. Safe to share between threads."""

    def __init__(self, application: "WSGIApplication", working: int, waiting: int = WAITING) -> None:
        """Take how many requests are worked on at the same time, and how many more may wait."""
        self._application = application
        self._working = BoundedSemaphore(working)
        self._places = BoundedSemaphore(working + waiting)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on when a slot is free; the slot is free again after the answer's last byte."""
        if environ["PATH_INFO"] in PROBES:
            return self._application(environ, start_response)
        if not self._places.acquire(blocking=False):
            return self._application(environ | {_IS_FULL: True}, start_response)
        self._working.acquire()
        try:
            answer = self._application(environ, start_response)
        except BaseException:
            self._release()
            raise
        return ClosingIterator(answer, self._release)

    def _release(self) -> None:
        self._working.release()
        self._places.release()


def refuse_when_full(app: Flask) -> None:
    """Let this application answer `busy` to requests for which `RequestSlots` has no place."""

    @app.before_request
    def _refuse() -> None:
        if _IS_FULL in request.environ:
            raise Busy("Too many requests are under way; nothing was done.", retry_after=1)
