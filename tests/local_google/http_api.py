"""Calendar v3 as bare HTTP, of the local Google or the real one, for tests that check bytes and headers."""

import gzip
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

FULL = "https://www.googleapis.com/auth/calendar"


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    document: Any
    headers: Mapping[str, str]
    raw: bytes

    @property
    def reason(self) -> str:
        """``domain/reason`` of the first error."""
        item = self.document["error"]["errors"][0]
        return f"{item['domain']}/{item['reason']}"

    @property
    def message(self) -> str:
        """The refusal's message."""
        text: str = self.document["error"]["message"]
        return text


@dataclass
class GoogleApi:
    """One account's access to Calendar v3 over one persistent connection."""

    endpoint: str
    token: str | None
    connection: http.client.HTTPConnection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.netloc, timeout=30)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **query: str | int | bool | Sequence[str],
    ) -> Reply:
        """Send one request; ``path`` is under ``/calendar/v3/`` and already encoded."""
        target = urlsplit(self.endpoint).path + path
        if query:
            pairs = {name: str(v).lower() if isinstance(v, bool) else v for name, v in query.items()}
            target += "?" + urlencode(pairs, doseq=True)
        sent = {"Accept": "application/json"} | dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        self.connection.request(method, target, data, sent)
        answer = self.connection.getresponse()
        raw = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Reply(answer.status, json.loads(raw) if raw and is_json else None, answer.headers, raw)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    # What laws need most, in one word each.

    def new_calendar(self, **fields: Any) -> dict[str, Any]:
        """Create a secondary calendar."""
        reply = self.call("POST", "calendars", {"summary": "Laws"} | fields)
        assert reply.status == 200, reply.raw
        calendar: dict[str, Any] = reply.document
        return calendar

    def insert(self, calendar: str, body: Mapping[str, Any] | None = None, **query: Any) -> Reply:
        """Insert an event of an hour, unless the body says otherwise."""
        return self.call("POST", f"calendars/{quote(calendar)}/events", TIMES | dict(body or {}), **query)

    def event(self, calendar: str, event_id: str, **query: Any) -> Reply:
        """Read an event."""
        return self.call("GET", event_path(calendar, event_id), **query)

    def patch(self, calendar: str, event_id: str, body: Any, **more: Any) -> Reply:
        """PATCH an event."""
        return self.call("PATCH", event_path(calendar, event_id), body, **more)

    def put(self, calendar: str, event_id: str, body: Any, **more: Any) -> Reply:
        """PUT an event."""
        return self.call("PUT", event_path(calendar, event_id), body, **more)

    def delete(self, calendar: str, event_id: str, **more: Any) -> Reply:
        """Delete an event."""
        return self.call("DELETE", event_path(calendar, event_id), **more)

    def events(self, calendar: str, **query: Any) -> Reply:
        """List one page of events."""
        return self.call("GET", f"calendars/{quote(calendar)}/events", **query)


TIMES = {
    "start": {"dateTime": "2030-05-06T10:00:00Z", "timeZone": "America/Santiago"},
    "end": {"dateTime": "2030-05-06T11:00:00Z", "timeZone": "America/Santiago"},
}


def event_path(calendar: str, event_id: str) -> str:
    """Return the path of one event."""
    return f"calendars/{quote(calendar)}/events/{quote(event_id)}"
