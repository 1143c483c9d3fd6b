"""The only connections to Google. Never re-sends, follows no redirect, outlasts no deadline, keeps no body."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

import httplib2  # type: ignore[import-untyped]

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.domain.methods import Method
from calendar_service.net.connect import NotDelivered, tls_context
from calendar_service.net.deadline import Deadline
from calendar_service.net.failures import NO_ANSWER, fault_of
from calendar_service.net.pool import ThreadConnections
from calendar_service.net.stream import ANSWER_LIMIT, AnswerTooLarge, Stream

USER_AGENT = "calendar-service"

_OURS = frozenset({"accept-encoding", "connection", "host", "user-agent"})


@dataclass(frozen=True)
class GoogleCall:
    """What may be known of one call to Google: never an id, a token or a body (law 9)."""

    method: Method
    status: int | None
    fault: str | None
    """Why there was no usable answer.

    One of `timeout`, `refused`, `unreachable`, `tls`, `cut`, `malformed`, `redirect`, `too_large`.
    """
    seconds: float


def ignore(call: GoogleCall) -> None:
    """Observe nothing."""
    del call


class Transport:
    """Takes the place of an `httplib2.Http`, with one open connection per thread and origin.

    httplib2 re-sends a request when a connection drops, follows redirects and lets a slow peer
    outlast its timeout. A re-sent request could create a calendar twice (law 3).
    """

    def __init__(
        self,
        *,
        deadline: float = 8.0,
        ca_file: str | None = None,
        observe: Callable[[GoogleCall], None] = ignore,
    ) -> None:
        """Take the seconds that a whole call may last, a file of certificate authorities, and an observer of calls."""
        self._seconds = deadline
        self._connections = ThreadConnections(tls_context(ca_file))
        self._observe = observe

    def named(self, method: Method) -> "NamedCall":
        """Return what sends calls of this method. Nothing is sent without a method and its purpose (LU-1)."""
        return NamedCall(self, method)

    def reaches(self, uri: str) -> bool:
        """Return whether a connection can be opened there; no request is sent."""
        try:
            self._connections.get(urlsplit(uri), Deadline(self._seconds).earlier(self._connections.limit))
        except NotDelivered:
            return False
        return True

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let all calls of this thread in the block end within these seconds, if their own deadline is not sooner."""
        outer = self._connections.limit
        self._connections.limit = Deadline(seconds).earlier(outer)
        try:
            yield
        finally:
            self._connections.limit = outer

    def time_left(self) -> float:
        """Return the seconds that a call of this thread could last if it started now."""
        limit = self._connections.limit
        return self._seconds if limit is None else max(0.0, min(self._seconds, limit.end - monotonic()))

    def close(self) -> None:
        """Close the connections of this thread."""
        self._connections.close()

    def send(
        self, call: "NamedCall", uri: str, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[httplib2.Response, bytes]:
        """Send one call and pass its outcome to the observer."""
        started = monotonic()
        status: int | None = None
        fault: str | None = None
        try:
            answer, content = self._attempt(urlsplit(uri), method, body, headers)
            status = answer.status
            return answer, content
        except (*NO_ANSWER, _Redirected) as reason:
            fault = _name_of(reason)
            _unavailable(fault, ambiguous=not isinstance(reason, NotDelivered))
        finally:
            self._observe(GoogleCall(call.method, status, fault, monotonic() - started))

    def _attempt(
        self, uri: SplitResult, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[httplib2.Response, bytes]:
        deadline = Deadline(self._seconds).earlier(self._connections.limit)
        target = (uri.path or "/") + (f"?{uri.query}" if uri.query else "")
        pooled = self._connections.get(uri, deadline)
        try:
            pooled.connection.request(method, target, body, dict(headers))
            answer = pooled.connection.getresponse()
            content = _read(answer, pooled.stream)
        except BaseException:
            # Also when interrupted: otherwise the rest of this answer would be read as the next call's answer.
            self._connections.drop(uri)
            raise
        pooled.used_at = monotonic()
        if answer.will_close:
            self._connections.drop(uri)
        return httplib2.Response(answer), content


@dataclass(frozen=True)
class NamedCall:
    """The transport for one method, with the interface on which googleapiclient executes requests."""

    transport: Transport
    method: Method

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 0,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send once and return the answer (2xx, 4xx or 5xx); raise `GoogleUnavailable` if none is usable."""
        del redirections, connection_type  # no redirect is followed, whatever the caller passes
        # Uncompressed answers only: a small compressed one could expand beyond the limit on its size.
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        sent |= {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        return self.transport.send(self, uri, method, body.encode() if isinstance(body, str) else body, sent)


class _Redirected(Exception):
    """The answer is a redirect or informational (1xx, 3xx)."""


def _read(answer: http.client.HTTPResponse, stream: Stream) -> bytes:
    if answer.status < 200 or 300 <= answer.status < 400:
        raise _Redirected
    if answer.length is not None and answer.length > ANSWER_LIMIT:
        raise AnswerTooLarge  # before memory is allocated for it
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise http.client.HTTPException("compressed, though not asked for")
    content = answer.read()
    if stream.surplus:
        raise http.client.HTTPException("longer than declared")
    return content


def _name_of(reason: Exception) -> str:
    return "redirect" if isinstance(reason, _Redirected) else fault_of(reason)


def _unavailable(fault: str, *, ambiguous: bool) -> NoReturn:
    # Without a cause: the errors of http.client quote headers and addresses, which hold tokens.
    raise GoogleUnavailable(f"no usable answer from Google: {fault}", ambiguous=ambiguous) from None
