"""Builds a webhook, signs it as Standard Webhooks asks, and sends it once. Repeats nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.secret import Secret
from calendar_service.net.connect import tls_context
from calendar_service.net.deadline import Deadline
from calendar_service.net.failures import NO_ANSWER, fault_of
from calendar_service.net.pool import PooledConnection

DEADLINE = 5.0
"""Seconds for name look-up, connection, TLS, request and answer together."""
_GONE = 410
TEST: Final = "webhook.test"
"""The type of an event that concerns nobody: it shows whether the receiver takes what is sent."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One webhook as it goes out."""

    id: str
    """The same in each attempt, so that the receiver can recognize a repeat."""
    type: str
    timestamp: Millis
    """When the event happened."""
    data: Mapping[str, str | int]

    def body(self) -> str:
        """Return the payload. The signature covers exactly this text."""
        parts = {"type": self.type, "timestamp": rfc3339(self.timestamp), "data": dict(self.data)}
        return json.dumps(parts, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How one sending ended: the receiver's status, or a fault if it did not answer."""

    status: int | None
    fault: str = ""
    retry_after: int = 0
    """Seconds that the receiver asked for."""

    @property
    def delivered(self) -> bool:
        """True for 2xx only. A redirect is not followed, so it delivers nothing."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """True when the receiver wants no webhooks any more (Standard Webhooks: 410)."""
        return self.status == _GONE


class WebhookSender:
    """Sends to the one configured receiver: without a proxy, without redirects, on a new connection each time."""

    def __init__(
        self,
        url: str,
        secrets: Callable[[], Sequence[Secret]],
        *,
        observe: Callable[[DeliveryResult], None],
        deadline: float = DEADLINE,
        ca_file: str | None = None,
    ) -> None:
        """Take the address, a source of secrets that is read at each sending, and a file of certificate authorities.

        `observe` is called with the result of each sending.
        """
        self._url = urlsplit(url)
        self._secrets = secrets
        self._seconds = deadline
        self._context = tls_context(ca_file)
        self._observe = observe

    def send(self, message: WebhookMessage, at_most: float = DEADLINE) -> DeliveryResult:
        """Send once and return the result; a network error is a result too.

        `at_most`: seconds after which there is no answer, if the sender's own deadline is not sooner.
        """
        body = message.body()
        headers = self._headers(message.id, body)
        try:
            answer = self._attempt(body, headers, Deadline(min(self._seconds, at_most)))
        except NO_ANSWER as reason:
            answer = DeliveryResult(None, fault_of(reason))
        self._observe(answer)
        return answer

    def _attempt(self, body: str, headers: Mapping[str, str], deadline: Deadline) -> DeliveryResult:
        pooled = PooledConnection(self._url, self._context, deadline)
        try:
            pooled.stream.begin(deadline)
            pooled.connection.request("POST", self._target, body.encode(), dict(headers))
            answer = pooled.connection.getresponse()  # only the status counts: the body is not read
            return DeliveryResult(answer.status, retry_after=_seconds(answer.headers.get("retry-after", "")))
        finally:
            pooled.close()

    @property
    def _target(self) -> str:
        return (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")

    def _headers(self, message_id: str, body: str) -> dict[str, str]:
        # The real time, never the test clock's: the receiver compares it with its own clock to refuse replays.
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
    """Return a Retry-After in seconds; 0 for a date, which is not read."""
    return whole_number(text, 999_999) or 0
