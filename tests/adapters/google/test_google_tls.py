import io
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.google.transport import GoogleCall, Transport
from tests.adapters.google.certificates import Authority, new_authority
from tests.adapters.google.scripted_peer import ANY, Peer, answer, drips, hangs, says, says_and_closes
from tests.support.evidence import shows

GOOD = answer(b"{}")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "authority")


@pytest.fixture
def transport(authority: Authority, calls: list[GoogleCall]) -> Iterator[Transport]:
    transport = Transport(deadline=5, ca_file=str(authority.file), observe=calls.append)
    yield transport
    transport.close()


def old_server(authority: Authority) -> ssl.SSLContext:
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old version is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_server_of_the_trusted_authority_is_spoken_to(transport: Transport, authority: Authority) -> None:
    with Peer(says(GOOD), tls=authority.server()) as peer:
        for _ in range(3):
            assert transport.named(ANY).request(peer.origin)[0].status == 200
        assert peer.connections == 1


def test_a_server_that_closed_a_kept_tls_connection_is_called_anew(
    transport: Transport, authority: Authority
) -> None:
    with Peer(says_and_closes(GOOD), tls=authority.server()) as peer:
        transport.named(ANY).request(peer.origin)
        assert peer.ended.acquire(timeout=5)
        transport.named(ANY).request(peer.origin)
        assert (peer.connections, len(peer.requests)) == (2, 2)


def test_an_answer_smuggled_in_behind_another_is_never_read(
    transport: Transport, authority: Authority
) -> None:
    whole = answer(b"1" * 9000)
    first = answer(b"1" * (9000 - (len(whole) - io.DEFAULT_BUFFER_SIZE)))  # fills one buffer to its brim
    assert len(first) == io.DEFAULT_BUFFER_SIZE
    with Peer(says(first + answer(b'"smuggled"')), says(GOOD), tls=authority.server()) as peer:
        transport.named(ANY).request(peer.origin)
        _, content = transport.named(ANY).request(peer.origin)
        assert content == b"{}"
        assert peer.connections == 2


@shows("ST-2")
@pytest.mark.parametrize("fault", ["self-signed", "expired", "of another host", "of another authority"])
def test_a_server_with_a_bad_certificate_is_sent_nothing(
    transport: Transport, authority: Authority, tmp_path: Path, calls: list[GoogleCall], fault: str
) -> None:
    context = {
        "self-signed": lambda: authority.server(self_signed=True),
        "expired": lambda: authority.server(ends=timedelta(days=-1)),
        "of another host": lambda: authority.server(host="calendar.example"),
        "of another authority": lambda: new_authority(tmp_path / "other").server(),
    }[fault]()
    with Peer(says(GOOD), tls=context) as peer:
        with pytest.raises(GoogleUnavailable) as refusal:
            transport.named(ANY).request(peer.origin, "POST", "{}")
        assert not refusal.value.ambiguous
        assert calls[-1].fault == "tls"
        assert peer.requests == []


def test_without_an_authority_of_its_own_the_systems_are_asked(authority: Authority) -> None:
    with Peer(says(GOOD), tls=authority.server()) as peer:
        with pytest.raises(GoogleUnavailable):
            Transport(deadline=5).named(ANY).request(peer.origin)
        assert peer.requests == []


@shows("ST-2")
def test_tls_below_1_2_is_refused(
    transport: Transport, authority: Authority, calls: list[GoogleCall]
) -> None:
    with Peer(says(GOOD), tls=old_server(authority)) as peer:
        with pytest.raises(GoogleUnavailable) as refusal:
            transport.named(ANY).request(peer.origin)
        assert not refusal.value.ambiguous
        assert calls[-1].fault == "tls"
        assert peer.requests == []


def test_the_old_server_of_the_test_above_does_speak_to_an_old_client(authority: Authority) -> None:
    client = ssl.create_default_context(cafile=str(authority.file))
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = ssl.TLSVersion.TLSv1
    with (
        Peer(says(GOOD), tls=old_server(authority)) as peer,
        socket.create_connection(("127.0.0.1", peer.port)) as plain,
        client.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.1"


def test_plain_http_behind_an_https_address_is_sent_nothing(authority: Authority) -> None:
    with Peer(says(GOOD)) as peer:
        with pytest.raises(GoogleUnavailable) as refusal:
            Transport(deadline=0.2, ca_file=str(authority.file)).named(ANY).request(
                peer.origin.replace("http:", "https:"), "POST", "{}"
            )
        assert not refusal.value.ambiguous
        assert not any(request.startswith(b"POST") for request in peer.requests)


def test_a_handshake_that_hangs_ends_at_the_deadline(authority: Authority) -> None:
    hasty = Transport(deadline=0.2, ca_file=str(authority.file))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(GoogleUnavailable) as fault:
            hasty.named(ANY).request(f"https://localhost:{listener.getsockname()[1]}/")
        assert not fault.value.ambiguous
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("act", [hangs, drips(answer(b"[" + b"1," * 500 + b"1]"))], ids=["hangs", "drips"])
def test_no_peer_outlasts_the_deadline_over_tls(authority: Authority, act: object) -> None:
    hasty = Transport(deadline=0.2, ca_file=str(authority.file))
    with Peer(act, tls=authority.server()) as peer:  # type: ignore[arg-type]
        started = time.monotonic()
        with pytest.raises(GoogleUnavailable) as fault:
            hasty.named(ANY).request(peer.origin)
        assert fault.value.ambiguous
        assert time.monotonic() - started < 2


def test_an_answer_without_length_that_is_cut_below_tls_is_not_whole(
    transport: Transport, authority: Authority, calls: list[GoogleCall]
) -> None:
    with Peer(says_and_closes(b"HTTP/1.1 200 OK\r\n\r\n{}"), tls=authority.server()) as peer:
        with pytest.raises(GoogleUnavailable) as fault:
            transport.named(ANY).request(peer.origin)
        assert fault.value.ambiguous
        assert calls[-1].fault == "cut"
