"""HTTP connections that a thread keeps open between calls, one per origin. Sends nothing and retries nothing."""

import http.client
import os
import ssl
import threading
from time import monotonic
from typing import Any
from urllib.parse import SplitResult

from calendar_service.net.connect import NotDelivered, open_connection
from calendar_service.net.deadline import Deadline
from calendar_service.net.stream import Stream

IDLE_LIMIT = 50.0
"""Seconds after which an idle connection is replaced; gateways drop idle ones after a minute."""


class PooledConnection:
    """One `http.client` connection over a `Stream`; it never re-opens itself."""

    def __init__(self, origin: SplitResult, context: ssl.SSLContext, deadline: Deadline) -> None:
        """Open it within the deadline, or raise `NotDelivered`."""
        host = origin.hostname or ""
        if origin.scheme == "https":
            port = origin.port or 443
            self.stream = Stream(open_connection(host, port, context, deadline))
            # http.client opens nothing here; its class decides whether the Host header names the port.
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, context=context
            )
        else:
            port = origin.port or 80
            self.stream = Stream(open_connection(host, port, None, deadline))
            self.connection = http.client.HTTPConnection(host, port)
        self.connection.auto_open = 0  # otherwise http.client would reconnect and send the request twice
        stream: Any = self.stream  # http.client uses no more of a socket than `Stream` has
        self.connection.sock = stream
        self.used_at = monotonic()

    def is_usable(self) -> bool:
        """Return whether it seems open still: used lately, and nothing arrived since."""
        return monotonic() - self.used_at < IDLE_LIMIT and self.stream.is_quiet()

    def close(self) -> None:
        """Close connection and socket."""
        self.connection.close()
        self.stream.close_now()


class ThreadConnections(threading.local):
    """The open connections of the calling thread, and the deadline of the block it is in."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._by_origin: dict[tuple[object, ...], PooledConnection] = {}
        self.limit: Deadline | None = None

    def get(self, origin: SplitResult, deadline: Deadline) -> PooledConnection:
        """Return this thread's connection to the origin if it is usable, else a new one; raise `NotDelivered`."""
        if deadline.is_over():
            raise NotDelivered("timeout")
        key = _key(origin)
        pooled = self._by_origin.get(key)
        if pooled is not None and not pooled.is_usable():
            self.drop(origin)
            pooled = None
        if pooled is None:
            pooled = self._by_origin[key] = PooledConnection(origin, self._context, deadline)
        pooled.stream.begin(deadline)
        return pooled

    def drop(self, origin: SplitResult) -> None:
        """Close the connection to this origin, if there is one."""
        pooled = self._by_origin.pop(_key(origin), None)
        if pooled is not None:
            pooled.close()

    def close(self) -> None:
        """Close all connections of this thread."""
        while self._by_origin:
            self._by_origin.popitem()[1].close()


def _key(origin: SplitResult) -> tuple[object, ...]:
    # The process id is part of it: after a fork, two processes on one socket would read each other's answers.
    return (os.getpid(), origin.scheme, origin.hostname, origin.port)
