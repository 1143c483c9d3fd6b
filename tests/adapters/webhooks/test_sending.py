"""Sending one webhook: its signature, verified by the public library, and every way in which sending fails."""

import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from calendar_service.domain.secret import Secret
from calendar_service.webhook_sender import DeliveryResult, WebhookMessage, WebhookSender
from tests.adapters.google.certificates import new_authority
from tests.adapters.google.scripted_peer import Act, Peer, answer, drips, hangs, resets, says, says_and_closes
from tests.adapters.google.test_google_tls import old_server
from tests.support.backend import OTHER_SECRET, SECRET, backend

MESSAGE = WebhookMessage(
    "msg_c1_7", "session.applied", 1_800_000_000_000, {"organization": "acme", "session": "Reunión ✓"}
)


def sender(
    url: str,
    *secrets: str,
    deadline: float = 5,
    ca_file: Path | None = None,
    seen: list[DeliveryResult] | None = None,
) -> WebhookSender:
    held = tuple(Secret(secret) for secret in secrets or (SECRET,))
    authorities = str(ca_file) if ca_file else None
    return WebhookSender(
        url,
        lambda: held,
        observe=([] if seen is None else seen).append,
        deadline=deadline,
        ca_file=authorities,
    )


def test_the_public_library_verifies_what_is_sent() -> None:
    with backend() as receiver:
        assert sender(receiver.url).send(MESSAGE) == DeliveryResult(204)
    assert receiver.received == [
        {
            "type": "session.applied",
            "timestamp": "2027-01-15T08:00:00Z",
            "data": {"organization": "acme", "session": "Reunión ✓"},
        }
    ]
    assert receiver.ids == ["msg_c1_7"]
    assert receiver.paths == ["/hooks?from=calendar"]


@pytest.mark.parametrize("held", [SECRET, OTHER_SECRET])
def test_while_two_secrets_are_in_force_a_receiver_may_hold_either(held: str) -> None:
    with backend() as receiver:
        receiver.secret = held
        assert sender(receiver.url, SECRET, OTHER_SECRET).send(MESSAGE).delivered
    assert len(receiver.received) == 1


def test_a_secret_is_asked_for_at_each_sending() -> None:
    held = [Secret(SECRET)]
    with backend() as receiver:
        seen: list[DeliveryResult] = []
        webhooks = WebhookSender(receiver.url, lambda: held, observe=seen.append)
        assert webhooks.send(MESSAGE).delivered
        receiver.secret = OTHER_SECRET
        held[:] = [Secret(OTHER_SECRET)]
        assert webhooks.send(MESSAGE).delivered
    assert seen == [DeliveryResult(204)] * 2


def test_another_secret_or_a_changed_body_does_not_verify() -> None:
    with Peer(says(answer(b""))) as peer:
        sender(peer.origin).send(MESSAGE)
        head, _, body = peer.requests[0].decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if "signature" not in line)
    signature = next(line for line in head.split("\r\n") if line.startswith("webhook-signature"))
    headers |= {"webhook-signature": signature.partition(": ")[2]}
    assert Webhook(SECRET).verify(body, headers)["type"] == "session.applied"
    for secret, text in ((OTHER_SECRET, body), (SECRET, body.replace("applied", "failed"))):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(text, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_only_a_success_is_a_delivery(status: int) -> None:
    with backend() as receiver:
        receiver.status = status
        assert sender(receiver.url).send(MESSAGE).delivered


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 502, 503])
def test_any_other_status_is_none(status: int) -> None:
    with backend() as receiver:
        receiver.status, receiver.headers = status, {"Retry-After": "120"}
        outcome = sender(receiver.url).send(MESSAGE)
    assert (outcome.delivered, outcome.status, outcome.retry_after) == (False, status, 120)
    assert outcome.gone == (status == 410)


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "soon", "99999999"])
def test_a_retry_after_that_is_no_number_of_seconds_is_not_followed(retry_after: str) -> None:
    head = f"HTTP/1.1 503 Busy\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\n\r\n".encode()
    with Peer(says(head)) as peer:
        assert sender(peer.origin).send(MESSAGE) == DeliveryResult(503)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with backend() as receiver:
        elsewhere = f"HTTP/1.1 {status} Go\r\nLocation: {receiver.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with Peer(says(elsewhere)) as peer:
            outcome = sender(peer.origin).send(MESSAGE)
    assert (outcome.delivered, outcome.status) == (False, status)
    assert receiver.paths == []


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (hangs, "timeout"),
        (drips(b"HTTP/1.1 204 No Content\r\n" + b"X-Padding: 1\r\n" * 50 + b"\r\n"), "timeout"),
        (resets, "cut"),
        (says_and_closes(b""), "cut"),
        (says_and_closes(b"SSH-2.0-Server\r\n"), "malformed"),
        (says_and_closes(b"HTTP/1.1 20"), "malformed"),
    ],
    ids=["hangs", "drips", "resets", "closes", "is no web server", "breaks off"],
)
def test_a_receiver_that_gives_no_answer_ends_within_the_deadline(act: Act, fault: str) -> None:
    with Peer(act) as peer:
        seen: list[DeliveryResult] = []
        webhooks = sender(peer.origin, deadline=0.3, seen=seen)
        started = time.monotonic()
        assert webhooks.send(MESSAGE) == DeliveryResult(None, fault)
        assert time.monotonic() - started < 2
        assert len(peer.requests) == 1  # never sent twice
    assert seen == [DeliveryResult(None, fault)]


def test_a_caller_may_have_less_time_than_the_sender() -> None:
    with Peer(hangs) as peer:
        outcome = sender(peer.origin, deadline=300).send(MESSAGE, at_most=0.3)
    assert outcome.fault == "timeout"


def test_nobody_listening_is_a_fault_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert sender(f"http://127.0.0.1:{port}/").send(MESSAGE) == DeliveryResult(None, "refused")


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(says(answer(b""))) as proxy, backend() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        assert sender(receiver.url).send(MESSAGE).delivered
        assert proxy.requests == []


def test_a_receiver_of_the_trusted_authority_is_spoken_to(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "authority")
    with Peer(says(answer(b"")), tls=authority.server()) as peer:
        assert sender(peer.origin, ca_file=authority.file).send(MESSAGE) == DeliveryResult(200)


@pytest.mark.parametrize(
    "fault", ["self-signed", "expired", "of another host", "of another authority", "old", "no TLS at all"]
)
def test_a_receiver_without_good_tls_is_sent_nothing(tmp_path: Path, fault: str) -> None:
    authority = new_authority(tmp_path / "authority")
    context = {
        "self-signed": lambda: authority.server(self_signed=True),
        "expired": lambda: authority.server(ends=timedelta(days=-1)),
        "of another host": lambda: authority.server(host="backend.example"),
        "of another authority": lambda: new_authority(tmp_path / "other").server(),
        "old": lambda: old_server(authority),
        "no TLS at all": lambda: None,
    }[fault]()
    with Peer(says(answer(b"")), tls=context) as peer:
        url = f"https://localhost:{peer.port}/hooks"
        outcome = sender(url, deadline=1, ca_file=authority.file).send(MESSAGE)
        assert outcome.fault in {"tls", "timeout"}
        assert not any(request.startswith(b"POST") for request in peer.requests)
