"""Connections kept between calls, one per thread and origin. Must never send, nor open one to try again."""

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
"""Seconds after which a kept connection is not trusted; gateways forget silent ones after a minute."""


class PooledConnection:
    """One `http.client` connection on a line of ours; it never opens itself again."""

    def __init__(self, origin: SplitResult, context: ssl.SSLContext, deadline: Deadline) -> None:
        """Open it within the deadline, or raise `NotDelivered`."""
        host = origin.hostname or ""
        if origin.scheme == "https":
            port = origin.port or 443
            self.line = Stream(open_connection(host, port, context, deadline))
            # http.client opens nothing here; the kind of connection decides how Host is written.
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, context=context
            )
        else:
            port = origin.port or 80
            self.line = Stream(open_connection(host, port, None, deadline))
            self.connection = http.client.HTTPConnection(host, port)
        self.connection.auto_open = 0  # what it would open behind our back would be a second sending
        line: Any = self.line
        self.connection.sock = line
        self.used = monotonic()

    def is_usable(self) -> bool:
        """Return whether the peer still holds it open, as far as can be seen before sending."""
        return monotonic() - self.used < IDLE_LIMIT and self.line.is_quiet()

    def close(self) -> None:
        """Close it for good."""
        self.connection.close()
        self.line.hang_up()


class ConnectionPool(threading.local):
    """What one thread keeps, and the limit of the block it is in."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._kept: dict[tuple[object, ...], PooledConnection] = {}
        self.limit: Deadline | None = None

    def take(self, origin: SplitResult, deadline: Deadline) -> PooledConnection:
        """Return the kept connection if it still stands, else a new one; raise `NotDelivered`."""
        if deadline.is_over():
            raise NotDelivered("timeout")
        place = _place(origin)
        kept = self._kept.get(place)
        if kept is not None and not kept.is_usable():
            self.drop(origin)
            kept = None
        if kept is None:
            kept = self._kept[place] = PooledConnection(origin, self._context, deadline)
        kept.line.begin(deadline)
        return kept

    def drop(self, origin: SplitResult) -> None:
        """Close the connection to this origin, if there is one."""
        kept = self._kept.pop(_place(origin), None)
        if kept is not None:
            kept.close()

    def close(self) -> None:
        """Close everything this thread keeps."""
        while self._kept:
            self._kept.popitem()[1].close()


def _place(origin: SplitResult) -> tuple[object, ...]:
    # The process is part of it: after a fork, two processes on one line would read each other's answers.
    return (os.getpid(), origin.scheme, origin.hostname, origin.port)
