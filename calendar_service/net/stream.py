"""A socket with a deadline for each call and a limit on what is read. Knows no HTTP and repeats nothing."""

import io
import select
import socket
import ssl
import weakref
from typing import IO, Any

from calendar_service.net.deadline import Deadline

ANSWER_LIMIT = 1024 * 1024
"""The most bytes that are read of one answer, head and body together."""


class AnswerTooLarge(Exception):
    """The peer sent more than `ANSWER_LIMIT` bytes in one answer."""


class Stream:
    """An open socket for `http.client`; every read and write gets the time that the call has left.

    A socket's own timeout starts anew with each byte: a peer that sends one byte a second could hold
    a thread for ever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # Not `__del__`: of objects that die together in a cycle, the socket may be finalized first, open still.
        weakref.finalize(self, sock.close).atexit = False
        self._deadline = Deadline(0)
        self._bytes_left = 0
        self._source: IO[bytes] | None = None
        self.surplus = False
        """True when the peer sent more bytes than its answer declared."""

    def begin(self, deadline: Deadline) -> None:
        """Start a call: a new deadline, and `ANSWER_LIMIT` bytes to read."""
        self._deadline = deadline
        self._bytes_left = ANSWER_LIMIT

    def sendall(self, data: bytes) -> None:
        """Write everything before the deadline; raise `TimeoutError` or `OSError`."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._deadline.remaining())
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str) -> IO[bytes]:
        """Return the reader of one answer; `mode` is always `rb`."""
        self._source = self._sock.makefile(mode, buffering=0)  # type: ignore[call-overload]
        return _Answer(self, self._source)

    def read_into(self, source: Any, buffer: memoryview) -> int:
        """Read once, within the time and the bytes that are left; raise `AnswerTooLarge` when none are."""
        if self._bytes_left <= 0:
            raise AnswerTooLarge
        self._sock.settimeout(self._deadline.remaining())
        count = int(source.readinto(buffer[: self._bytes_left]))
        self._bytes_left -= count
        return count

    def is_quiet(self) -> bool:
        """Return whether nothing waits to be read: between calls, that would be a close or a stray answer."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the socket; the system keeps it open until an answer that is being read is closed too."""
        self._sock.close()

    def close_now(self) -> None:
        """Close the socket at once, and the answer that is being read."""
        if self._source is not None:
            self._source.close()
        self._sock.close()


class _Raw(io.RawIOBase):
    """The bytes of one answer as they arrive, within the stream's limits."""

    def __init__(self, stream: Stream, source: Any) -> None:
        self._stream = stream
        self._source = source
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return 0 if self.ended else self._stream.read_into(self._source, memoryview(buffer))

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class _Answer(io.BufferedReader):
    """One answer, buffered. Bytes left in the buffer at its close mean that the declared length was wrong."""

    def __init__(self, stream: Stream, source: Any) -> None:
        self._stream = stream
        self._bytes = _Raw(stream, source)
        super().__init__(self._bytes)

    def close(self) -> None:
        if not self.closed:
            self._bytes.ended = True
            self._stream.surplus = self._stream.surplus or bool(self.peek(1))
        super().close()
