"""How many requests a web process works on, whose, and how many wait for that, so that probes are always answered."""

from collections.abc import Callable, Iterable
from time import thread_time
from typing import TYPE_CHECKING, Final

from flask import Flask, request
from werkzeug.wsgi import ClosingIterator

from calendar_service.domain.errors import Busy
from calendar_service.web.fair_slots import FairSlots

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

    def __init__(
        self,
        application: "WSGIApplication",
        caller_of: "Callable[[WSGIEnvironment], str]",
        slots: FairSlots,
    ) -> None:
        """Take who sent a request, and the slots that all callers share."""
        self._application = application
        self._caller_of = caller_of
        self._slots = slots

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on when it has a slot; the slot is free again after the answer's last byte."""
        if environ["PATH_INFO"] in PROBES:
            return self._application(environ, start_response)
        caller = self._caller_of(environ)
        if not self._slots.enter(caller):
            return self._application(environ | {_IS_FULL: True}, start_response)
        began = thread_time()

        def release() -> None:
            self._slots.leave(caller, thread_time() - began)

        try:
            answer = self._application(environ, start_response)
        except BaseException:
            release()
            raise
        return ClosingIterator(answer, release)


def refuse_when_full(app: Flask) -> None:
    """Let this application answer `busy` to requests for which `RequestSlots` has no place."""

    @app.before_request
    def _refuse() -> None:
        if _IS_FULL in request.environ:
            raise Busy("Too many requests are under way; nothing was done.", retry_after=1)
