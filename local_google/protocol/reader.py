"""Parses bytes into requests: strict HTTP/1.1 with limits. Source: RFC 9112. Must not write."""

from local_google.protocol.messages import Request

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class NeedMore(Exception):
    """The request is not complete. ``wants_continue``, once, if the sender waits for ``100 Continue``."""

    def __init__(self, *, wants_continue: bool = False) -> None:
        self.wants_continue = wants_continue
        super().__init__()


class BadRequest(Exception):
    """The bytes are not a request; the connection must be closed."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class RequestReader:
    """Buffers the bytes of one connection until a request is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, str, dict[str, str]] | None = None
        self._length = 0
        self._chunked = False
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._buffer += data

    def next_request(self) -> Request:
        """The next complete request; raises NeedMore or BadRequest."""
        fresh = self._head is None
        head = self._head = self._head or self._read_head()
        body = self._chunks(head, fresh=fresh) if self._chunked else self._sized(head, fresh=fresh)
        self._head = None
        return Request(*head, body)

    def _sized(self, head: tuple[str, str, str, dict[str, str]], *, fresh: bool) -> bytes:
        if len(self._buffer) < self._length:
            raise NeedMore(wants_continue=fresh and _expects(head[3]))
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _chunks(self, head: tuple[str, str, str, dict[str, str]], *, fresh: bool) -> bytes:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                raise NeedMore(wants_continue=fresh and _expects(head[3]))
            digits = bytes(self._buffer[:end]).split(b";")[0]
            if not digits or not all(c in b"0123456789abcdefABCDEF" for c in digits):
                raise BadRequest("a chunk's size is not a number")
            size = int(digits, 16)
            if size + len(self._body) > MAX_BODY:
                raise BadRequest("the body is too long", 413)
            stop = end + 2 + size + 2
            if len(self._buffer) < stop:
                raise NeedMore(wants_continue=fresh and _expects(head[3]))
            if self._buffer[stop - 2 : stop] != b"\r\n":
                raise BadRequest("a chunk does not end where it says")
            self._body += self._buffer[end + 2 : stop - 2]
            del self._buffer[:stop]
            if size == 0:
                body = bytes(self._body)
                self._body = bytearray()
                return body

    def _read_head(self) -> tuple[str, str, str, dict[str, str]]:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest("the header is too long", 431)
            raise NeedMore
        if end > MAX_HEAD:
            raise BadRequest("the header is too long", 431)
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, path, query = _request_line(lines[0])
        headers = _headers(lines[1:])
        if lines[0].endswith("HTTP/1.0") and headers.get("connection", "").lower() != "keep-alive":
            headers["connection"] = "close"
        self._chunked = "transfer-encoding" in headers
        length = headers.get("content-length", "0")
        if self._chunked and (
            headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers
        ):
            raise BadRequest("the length of the body is ambiguous")
        if not (length.isascii() and length.isdigit()):
            raise BadRequest("the length of the body is not a number")
        self._length = int(length)
        if self._length > MAX_BODY:
            raise BadRequest("the body is too long", 413)
        return method, path, query, headers


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest("the first line is no request")
    method, target, _ = parts
    if method not in METHODS:
        raise BadRequest("the method is not implemented", 501)
    if target.startswith("http://"):  # the absolute form, as proxies send it
        target = "/" + target[7:].partition("/")[2]
    if not target.startswith("/"):
        raise BadRequest("the target is no path")
    path, _, query = target.partition("?")
    return method, path, query


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\0" in line or "\n" in line or "\r" in line:
            raise BadRequest("a header is malformed")
        key = name.lower()
        if key in headers and key in ("content-length", "transfer-encoding", "host"):
            raise BadRequest("a header that counts once came twice")
        headers[key] = value.strip()
    return headers


def _expects(headers: dict[str, str]) -> bool:
    return headers.get("expect", "").lower() == "100-continue"
