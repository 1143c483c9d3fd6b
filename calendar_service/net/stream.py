"""A socket with a deadline and a limit on what it reads. Must not know HTTP, nor repeat anything."""

import contextlib
import io
import select
import socket
import ssl
from typing import IO, Any

from calendar_service.net.deadline import Deadline

ANSWER_LIMIT = 1024 * 1024
"""Bytes of one answer, head and body together, that are read before the line is given up."""


class AnswerTooLarge(Exception):
    """The peer sent more than `ANSWER_LIMIT` bytes in one answer."""


class Stream:
    """An open socket as `http.client` wants one; every read and write gets the time that is left.

    A socket's own timeout starts anew with each byte, so a peer that sends one byte a second
    would hold a thread for ever. Here each read asks the call's deadline first.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = Deadline(0)
        self._rate_budget = 0
        self._source: IO[bytes] | None = None
        self.surplus = False
        """True when the peer sent more than its answer declared."""

    def begin(self, deadline: Deadline) -> None:
        """Start a call on this line: a new deadline, a fresh allowance of bytes."""
        self._deadline = deadline
        self._rate_budget = ANSWER_LIMIT

    def sendall(self, data: bytes) -> None:
        """Write everything before the deadline, or raise."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._deadline.remaining())
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str) -> IO[bytes]:
        """Return the reader of one answer; `mode` is always `rb`."""
        self._source = self._sock.makefile(mode, buffering=0)  # type: ignore[call-overload]
        return _Answer(self, self._source)

    def read_into(self, source: Any, buffer: memoryview) -> int:
        """Read once, within the time and the allowance that are left."""
        if self._rate_budget <= 0:
            raise AnswerTooLarge
        self._sock.settimeout(self._deadline.remaining())
        count = int(source.readinto(buffer[: self._rate_budget]))
        self._rate_budget -= count
        return count

    def is_quiet(self) -> bool:
        """Return whether nothing waits to be read; between calls, anything means closed or out of step."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the socket; an answer being read keeps it until it is closed itself."""
        self._sock.close()

    def hang_up(self) -> None:
        """Close the socket at once, whatever is left to be read of an answer."""
        if self._source is not None:
            self._source.close()
        self._sock.close()

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.hang_up()


class _Raw(io.RawIOBase):
    """The bytes of one answer as they come, through the line's limits."""

    def __init__(self, line: Stream, source: Any) -> None:
        self._line = line
        self._source = source
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return 0 if self.ended else self._line.read_into(self._source, memoryview(buffer))

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class _Answer(io.BufferedReader):
    """One answer, buffered; when it is closed, bytes left in the buffer betray a wrong length."""

    def __init__(self, line: Stream, source: Any) -> None:
        self._line = line
        self._bytes = _Raw(line, source)
        super().__init__(self._bytes)

    def close(self) -> None:
        if not self.closed:
            self._bytes.ended = True
            self._line.surplus = self._line.surplus or bool(self.peek(1))
        super().close()
