"""The HTTP server: which requests it accepts, which it refuses, and that no client delays another."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.local_google import LocalGoogle


def raw(google: LocalGoogle, data: bytes, *more: bytes) -> bytes:
    """Send these bytes and close the sending side; return everything that is answered."""
    port = urlsplit(google.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        for part in more:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_requests_may_come_in_pieces_and_together(google: LocalGoogle) -> None:
    one = b"GET /calendar/v3/colors HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(google, one + one).count(b"HTTP/1.1 401") == 2
    assert raw(google, one[:20], one[20:]).count(b"HTTP/1.1 401") == 1


def test_chunked_bodies_are_read(google: LocalGoogle) -> None:
    head = b"POST /token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    body = b"5\r\ngrant\r\nb;x=y\r\n_type=nope&\r\n0\r\n\r\n"
    assert b"Invalid grant_type: nope" in raw(google, head + b"Transfer-Encoding: chunked\r\n\r\n" + body)


def test_a_sender_that_waits_for_a_nod_gets_it(google: LocalGoogle) -> None:
    head = b"POST /token HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
    assert raw(google, head).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"TRACE / HTTP/1.1\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: \0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    google: LocalGoogle, data: bytes, status: int
) -> None:
    answer = raw(google, data)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer


def test_slow_connections_do_not_keep_others_waiting(google: LocalGoogle) -> None:
    port = urlsplit(google.url).port or 0
    slow = [socket.create_connection(("127.0.0.1", port), timeout=1) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHo")
    assert google.state()["accounts"]
    for connection in slow:
        connection.close()


def test_an_old_client_sees_the_connection_close(google: LocalGoogle) -> None:
    port = urlsplit(google.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while connection.recv(65536):
            pass


def test_a_head_request_has_no_body(google: LocalGoogle) -> None:
    answer = raw(google, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")
