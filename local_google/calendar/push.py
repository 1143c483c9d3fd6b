"""Google's push notifications: header-only messages to the channels' addresses, retried after a failure.

At most ``TRIES`` attempts; then the message is lost. Source: Google's guide to push notifications
(docs/local-google.md, "Push"). Must not know calendars.
"""

import asyncio
import ssl
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from local_google.context import Context
from local_google.state.records import Channel

TAKEN = frozenset({102, 200, 201, 202, 204})
AGAIN = frozenset({500, 502, 503, 504})
TRIES = 5
TIMEOUT = 10.0


class PushMessage(NamedTuple):
    """One message to one channel."""

    channel: Channel
    state: str
    number: int

    def headers(self) -> dict[str, str]:
        """The whole message: it has no body."""
        end = datetime.fromtimestamp(self.channel.expires_at, UTC)
        headers = {
            "X-Goog-Channel-ID": self.channel.id,
            "X-Goog-Channel-Expiration": end.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "X-Goog-Resource-ID": self.channel.resource_id,
            "X-Goog-Resource-URI": self.channel.resource_uri,
            "X-Goog-Resource-State": self.state,
            "X-Goog-Message-Number": str(self.number),
        }
        if self.channel.token is not None:
            headers["X-Goog-Channel-Token"] = self.channel.token
        return headers


class Push:
    """Sends the messages of one local Google, as tasks on the server's event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, collection: str, state: str) -> None:
        """Send every open channel on a changed collection a message."""
        channels = self._context.books.channels
        if not channels:
            return
        name = collection.removeprefix("channel ")
        now = self._context.now()
        for channel in list(channels.values()):
            if channel.expires_at > now and (channel.collection == collection or channel.id == name):
                self._send(channel, state)

    def _send(self, channel: Channel, state: str) -> None:
        channel.number += 1
        self._context.books.save("channel", channel.id, channel)
        if state != "sync" and self._context.faults.chance.random() < self._context.switches.push_loss:
            return
        task = asyncio.get_running_loop().create_task(
            self._deliver(PushMessage(channel, state, channel.number))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, message: PushMessage) -> None:
        wait = self._context.switches.push_retry_seconds
        for _ in range(TRIES):
            status = await _post(message)
            self._note(message, status)
            if status not in AGAIN:
                return
            await asyncio.sleep(wait)
            wait *= 2

    def _note(self, message: PushMessage, status: int | None) -> None:
        """Record the attempt in the journal, with ``direction: out``."""
        self._context.journal.append(
            {
                "time": self._context.now(),
                "direction": "out",
                "method": "POST",
                "path": message.channel.address,
                "status": status,
                "client_id": message.channel.client_id,
                "account": message.channel.account,
                "api_method": "push",
                "channel": message.channel.id,
                "state": message.state,
                "number": message.number,
                "taken": status in TAKEN,
            }
        )


async def _post(message: PushMessage) -> int | None:
    """Send one message; return the answer's status, or None without an answer."""
    parts = urlsplit(message.channel.address)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Length: 0", "Connection: close"]
    lines += [
        "User-Agent: APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        "Accept: */*",
    ]
    lines += [f"{name}: {value}" for name, value in message.headers().items()]
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if secure else 80), ssl=_trust() if secure else None
            )
            try:
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
                await writer.drain()
                first = await reader.readline()
            finally:
                writer.close()
        return int(first.split(b" ")[1])
    except (OSError, ValueError, IndexError, TimeoutError):
        return None


@cache
def _trust() -> ssl.SSLContext:
    """The trusted certificate authorities; read once, because reading them costs more than a message."""
    return ssl.create_default_context()
