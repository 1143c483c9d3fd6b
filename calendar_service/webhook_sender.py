"""Webhooks to the backend: built, signed as Standard Webhooks asks, sent once. Must not know a store, nor repeat."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.secret import Secret
from calendar_service.net.connect import tls_context
from calendar_service.net.deadline import Deadline
from calendar_service.net.failures import NO_ANSWER, fault_of
from calendar_service.net.pool import PooledConnection

DEADLINE = 5.0
"""Seconds for all of it: name, address, TLS, request, answer."""
_GONE = 410


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One webhook as it goes out."""

    id: str
    """The same at each try, so that the receiver can tell a repetition."""
    type: str
    timestamp: Millis
    """When it happened."""
    data: Mapping[str, str | int]

    def body(self) -> str:
        """Return the payload; what is signed and what is sent are this very text."""
        parts = {"type": self.type, "timestamp": rfc3339(self.timestamp), "data": dict(self.data)}
        return json.dumps(parts, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What the receiver made of it: a status, or a fault if it did not answer."""

    status: int | None
    fault: str = ""
    retry_after: int = 0
    """Seconds that the receiver asked for."""

    @property
    def delivered(self) -> bool:
        """True for 2xx alone: a redirect is not followed, so it delivered nothing."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """True when the receiver wants no webhooks any more (Standard Webhooks: 410)."""
        return self.status == _GONE


class WebhookSender:
    """The way to the one configured receiver. Knows no proxy, follows nothing, keeps no connection."""

    def __init__(
        self,
        url: str,
        secrets: Callable[[], Sequence[Secret]],
        *,
        observe: Callable[[DeliveryResult], None],
        deadline: float = DEADLINE,
        ca_file: str | None = None,
    ) -> None:
        """Take the address, the secrets as they are at each sending, and authorities instead of the system's.

        `observe` is told of each sending.
        """
        self._url = urlsplit(url)
        self._secrets = secrets
        self._seconds = deadline
        self._context = tls_context(ca_file)
        self._observe = observe

    def send(self, message: WebhookMessage) -> DeliveryResult:
        """Send once; whatever comes of it is an `DeliveryResult`."""
        body = message.body()
        headers = self._headers(message.id, body)
        try:
            answer = self._attempt(body, headers)
        except NO_ANSWER as reason:
            answer = DeliveryResult(None, fault_of(reason))
        self._observe(answer)
        return answer

    def _attempt(self, body: str, headers: Mapping[str, str]) -> DeliveryResult:
        deadline = Deadline(self._seconds)
        kept = PooledConnection(self._url, self._context, deadline)
        try:
            kept.line.begin(deadline)
            kept.connection.request("POST", self._target, body.encode(), dict(headers))
            answer = kept.connection.getresponse()  # the status says it all: the body is not read
            return DeliveryResult(answer.status, retry_after=_seconds(answer.headers.get("retry-after", "")))
        finally:
            kept.close()

    @property
    def _target(self) -> str:
        return (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")

    def _headers(self, message_id: str, body: str) -> dict[str, str]:
        # The real time, never the test clock's: the receiver judges by its own whether it is a replay.
        now = datetime.now(UTC)
        signatures = [Webhook(secret.reveal()).sign(message_id, now, body) for secret in self._secrets()]
        return {
            "Content-Type": "application/json",
            "User-Agent": "calendar-service",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _seconds(text: str) -> int:
    """Return a Retry-After in seconds; a date is not read, our own pauses do."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
