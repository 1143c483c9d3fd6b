import gc
import os
import socket
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.domain.methods import METHODS
from calendar_service.google.transport import GoogleCall, Transport
from calendar_service.net import pool
from calendar_service.net.stream import ANSWER_LIMIT, Stream
from tests.adapters.google.scripted_peer import (
    ANY,
    Act,
    Peer,
    answer,
    drips,
    hangs,
    resets,
    says,
    says_and_closes,
    says_for_ever,
)

GOOD = answer(b'{"a": 1}')


def test_an_answer_arrives_with_status_headers_and_body(transport: Transport) -> None:
    with Peer(says(answer(b'{"a": 1}', "418 Teapot", X_One="1"))) as peer:
        response, content = transport.named(ANY).request(
            f"{peer.origin}/path?q=1", "POST", '{"b": 2}', {"X-Two": "2"}
        )
    assert (response.status, response["x-one"], content) == (418, "1", b'{"a": 1}')
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /path?q=1 HTTP/1.1\r\n")
    assert b"X-Two: 2" in head
    assert body == b'{"b": 2}'


def test_a_thread_keeps_its_connection(transport: Transport) -> None:
    with Peer(says(GOOD)) as peer:
        for _ in range(3):
            transport.named(ANY).request(peer.origin)
        assert (peer.connections, len(peer.requests)) == (1, 3)


def test_a_line_that_dies_in_a_cycle_is_closed_before_its_socket_is_finalized() -> None:
    mine, other = socket.socketpair()
    with other, warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        cycle: list[object] = [Stream(mine)]
        cycle.append(cycle)
        del mine, cycle
        gc.collect()
        assert other.recv(1) == b""
    assert noticed == []


def test_two_threads_never_share_a_connection(transport: Transport) -> None:
    both = threading.Barrier(2)

    def ask(origin: str) -> None:
        transport.named(ANY).request(origin)
        both.wait(5)
        transport.named(ANY).request(origin)
        transport.close()

    with Peer(says(GOOD)) as peer, ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(ask, peer.origin) for _ in range(2)]:
            done.result()
        assert (peer.connections, len(peer.requests)) == (2, 4)


def test_a_forked_process_does_not_use_its_parents_connection(transport: Transport) -> None:
    with Peer(says(GOOD)) as peer:
        transport.named(ANY).request(peer.origin)
        child = os.fork()
        if child == 0:
            response, _ = transport.named(ANY).request(peer.origin)
            os._exit(0 if response.status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0
        transport.named(ANY).request(peer.origin)
        assert peer.connections == 2


def test_a_connection_the_peer_has_closed_is_opened_anew_before_anything_is_sent(
    transport: Transport,
) -> None:
    with Peer(says_and_closes(GOOD)) as peer:
        transport.named(ANY).request(peer.origin)
        assert peer.ended.acquire(timeout=5)
        transport.named(ANY).request(peer.origin)
        assert (peer.connections, len(peer.requests)) == (2, 2)


def test_a_connection_idle_for_too_long_is_opened_anew(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_LIMIT", 0.0)
    with Peer(says(GOOD)) as peer:
        transport.named(ANY).request(peer.origin)
        transport.named(ANY).request(peer.origin)
        assert peer.connections == 2


def test_a_connection_the_answer_closes_is_not_used_again(transport: Transport) -> None:
    with Peer(says(answer(b"{}", Connection="close"))) as peer:
        transport.named(ANY).request(peer.origin)
        transport.named(ANY).request(peer.origin)
        assert peer.connections == 2


@pytest.mark.parametrize("act", [says_and_closes(b""), resets, says_and_closes(b"HTTP/1.1 20")])
def test_a_request_that_was_cut_is_not_sent_again_and_may_have_been_carried_out(
    transport: Transport, act: Act
) -> None:
    with Peer(act) as peer:
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(peer.origin, "POST", "{}")
        assert fault.value.ambiguous
        assert fault.value.retryable
        assert len(peer.requests) == 1


@pytest.mark.parametrize("act", [says_and_closes(b""), resets])
def test_a_kept_connection_that_is_cut_under_a_request_is_not_tried_again(
    transport: Transport, act: Act
) -> None:
    with Peer(says(GOOD), act) as peer:
        transport.named(ANY).request(peer.origin)
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(peer.origin, "POST", "{}")
        assert fault.value.ambiguous
        assert len(peer.requests) == 2


def test_a_refused_connection_proves_that_nothing_was_delivered(
    transport: Transport, calls: list[GoogleCall]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(GoogleUnavailable) as fault:
        transport.named(ANY).request(f"http://127.0.0.1:{port}/")
    assert not fault.value.ambiguous
    assert calls[-1].fault == "refused"


def test_a_connection_that_is_never_accepted_proves_that_nothing_was_delivered(
    hasty: Transport, calls: list[GoogleCall]
) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    try:
        for one in waiting:  # fills the queue of connections that nobody takes
            one.settimeout(0)
            one.connect_ex(listener.getsockname())
        with pytest.raises(GoogleUnavailable) as fault:
            hasty.named(ANY).request(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    finally:
        for one in (*waiting, listener):
            one.close()
    assert not fault.value.ambiguous
    assert calls[-1].fault == "timeout"


def test_a_name_that_is_not_found_in_time_ends_at_the_deadline(
    hasty: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved.wait(10) and [])
    started = time.monotonic()
    with pytest.raises(GoogleUnavailable) as fault:
        hasty.named(ANY).request("http://calendar.invalid/")
    resolved.set()
    assert not fault.value.ambiguous
    assert time.monotonic() - started < 2


def test_a_name_that_does_not_exist_proves_that_nothing_was_delivered(
    transport: Transport, calls: list[GoogleCall]
) -> None:
    for host in ("calendar.invalid", "a..b", ""):
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(f"http://{host}/")
        assert not fault.value.ambiguous


@pytest.mark.parametrize(
    "act",
    [
        hangs,
        drips(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000),
        drips(answer(b"[" + b"1," * 500 + b"1]")),
        says_for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        says(answer(b"{}", Content_Length="3")),
    ],
    ids=["hangs", "drips the head", "drips the body", "continues for ever", "is shorter than declared"],
)
def test_no_peer_outlasts_the_deadline(hasty: Transport, act: Act) -> None:
    with Peer(act) as peer:
        started = time.monotonic()
        with pytest.raises(GoogleUnavailable) as fault:
            hasty.named(ANY).request(peer.origin)
        assert time.monotonic() - started < 2
        assert fault.value.ambiguous


def test_a_peer_that_does_not_read_does_not_outlast_the_deadline(hasty: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(GoogleUnavailable) as fault:
        hasty.named(ANY).request(f"http://127.0.0.1:{listener.getsockname()[1]}/", "POST", b"x" * 20_000_000)
    assert fault.value.ambiguous


def test_no_redirect_is_followed(transport: Transport, calls: list[GoogleCall]) -> None:
    with Peer(says(GOOD)) as target, Peer(says(answer(b"", "307 Moved", Location=target.origin))) as peer:
        with pytest.raises(GoogleUnavailable):
            transport.named(ANY).request(peer.origin, "POST", "{}", redirections=5)
        assert target.requests == []
    assert calls[-1].fault == "redirect"


@pytest.mark.parametrize(
    "act",
    [
        says(answer(b"", Content_Length=str(ANSWER_LIMIT + 1))),
        says(answer(b"", Content_Length=str(10**15))),
        says_for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        says_for_ever(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"
        ),
        says_for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
    ],
    ids=["declared", "absurd", "without an end", "chunked", "negative chunk"],
)
def test_a_huge_answer_is_not_read(transport: Transport, calls: list[GoogleCall], act: Act) -> None:
    with Peer(act) as peer, pytest.raises(GoogleUnavailable) as fault:
        transport.named(ANY).request(peer.origin)
    assert fault.value.ambiguous
    assert calls[-1].fault == "too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{}\r\n",
        answer(b'{"a": 1}', Content_Length="900"),
        answer(b'{"a": 1}', Content_Length="4"),
        answer(b'{"a": 1}', Content_Encoding="gzip"),
    ],
)
def test_what_is_no_whole_answer_is_no_answer(transport: Transport, data: bytes) -> None:
    with Peer(says_and_closes(data)) as peer:
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(peer.origin, "POST", "{}")
        assert fault.value.ambiguous
        assert len(peer.requests) == 1


def test_after_a_bad_answer_the_next_call_starts_on_a_fresh_connection(transport: Transport) -> None:
    with Peer(says(answer(b"{}HTTP/1.1 200 OK\r\n\r\n", Content_Length="2")), says(GOOD)) as peer:
        with pytest.raises(GoogleUnavailable):
            transport.named(ANY).request(peer.origin)
        _, content = transport.named(ANY).request(peer.origin)
        assert content == b'{"a": 1}'
        assert peer.connections == 2


def test_compression_is_never_asked_for(transport: Transport) -> None:
    with Peer(says(GOOD)) as peer:
        transport.named(ANY).request(
            peer.origin, headers={"accept-encoding": "gzip", "user-agent": "x (gzip)"}
        )
    assert b"Accept-Encoding: identity\r\n" in peer.requests[0]
    assert b"gzip" not in peer.requests[0]


def test_proxies_of_the_environment_are_ignored(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(says(GOOD)) as proxy, Peer(says(GOOD)) as peer:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        transport.named(ANY).request(peer.origin)
        assert (len(proxy.requests), len(peer.requests)) == (0, 1)


def test_the_observer_is_told_method_purpose_status_and_seconds_and_nothing_else(
    transport: Transport, calls: list[GoogleCall]
) -> None:
    with Peer(says(GOOD), says_and_closes(b"")) as peer:
        door = transport.named(METHODS["calendar.events.get"])
        door.request(
            f"{peer.origin}/calendars/jane@example.com/events/e1", headers={"Authorization": "ya29.x"}
        )
        with pytest.raises(GoogleUnavailable):
            door.request(f"{peer.origin}/calendars/jane@example.com/events/e1")
    assert [(c.method.name, c.method.purpose, c.status, c.fault) for c in calls] == [
        ("calendar.events.get", "sessions", 200, None),
        ("calendar.events.get", "sessions", None, "cut"),
    ]
    assert all(0 < call.seconds < 5 for call in calls)
    assert "jane" not in repr(calls)
    assert "ya29" not in repr(calls)


def test_a_block_of_calls_shares_its_seconds(transport: Transport) -> None:
    with Peer(hangs) as peer:
        started = time.monotonic()
        with transport.within(0.2):
            with pytest.raises(GoogleUnavailable) as sent:
                transport.named(ANY).request(peer.origin)
            with pytest.raises(GoogleUnavailable) as unsent:
                transport.named(ANY).request(peer.origin)
        assert time.monotonic() - started < 2
        assert sent.value.ambiguous
        assert not unsent.value.ambiguous
        assert len(peer.requests) == 1


def test_an_inner_block_cannot_lengthen_an_outer_one(transport: Transport) -> None:
    with Peer(hangs) as peer:
        started = time.monotonic()
        with transport.within(0.2), transport.within(60), pytest.raises(GoogleUnavailable):
            transport.named(ANY).request(peer.origin)
        assert time.monotonic() - started < 2


def test_after_a_block_the_calls_have_their_own_deadline_again(transport: Transport) -> None:
    with Peer(says(GOOD)) as peer:
        with transport.within(0):
            pass
        assert transport.named(ANY).request(peer.origin)[0].status == 200


def test_no_error_repeats_a_header_or_an_address(transport: Transport) -> None:
    with Peer(says(GOOD)) as peer:
        for headers in ({"Authorization": "Bearer planted\nX: y"}, {"Authorization": "Bearer planted\u0416"}):
            with pytest.raises(GoogleUnavailable) as fault:
                transport.named(ANY).request(peer.origin, headers=headers)
            assert "planted" not in "".join(traceback.format_exception(fault.value))
        address = f"{peer.origin}/{'deltnalp'[::-1]} address"  # not in the source line a traceback shows
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(address)
        assert "planted" not in "".join(traceback.format_exception(fault.value))
        assert peer.requests == []
