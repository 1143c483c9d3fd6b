"""A program: TCP proxies that fail on request, one link for each pair of processes. It does not interpret the bytes.

Its argument is a JSON object of link names and target ports; its first line of output gives each link's own port.
Each further line of input, `{"link", "mode", "seconds", "target", "payload"}`, changes one link:

| mode | does |
|---|---|
| `pass` | moves bytes; connections that lost bytes before are reset |
| `refuse` | resets open connections and every new one |
| `cut` | resets open connections once |
| `blackhole` | drops bytes both ways |
| `mute` | drops answers |
| `delay` | moves each piece after `seconds` |
| `drip` | sends answers one byte each `seconds` |
| `hold` | keeps requests back |
| `release` | sends on what was held, then as `pass` |
| `orphan` | resets the clients; what they sent still arrives |
| `instead` | sends `payload` for the answer and closes the connection |
| `before` | sends `payload`, then the answer |
| `flood` | sends `payload` every `seconds`, and never the answer |

`target` leads new connections to another port; `payload` is base64.
"""

import asyncio
import contextlib
import json
import sys
from base64 import b64decode
from typing import Any

MODES = {
    "pass", "refuse", "cut", "blackhole", "mute", "delay", "drip", "hold", "release", "orphan", "instead", "before",
    "flood",
}  # fmt: skip


class ProxyLink:
    """One listening port and the port it leads to."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.mode, self.seconds, self.payload = "pass", 0.0, b""
        self.connections: set[ProxiedConnection] = set()
        self.requests_flow = asyncio.Event()
        self.requests_flow.set()

    def set_mode(self, mode: str, seconds: float) -> None:
        """Change what happens to bytes from now on."""
        if mode == "orphan":
            for connection in self.connections:
                connection.client.transport.abort()
            return
        if mode in {"cut", "refuse"}:
            for connection in list(self.connections):
                connection.reset()
        if mode == "pass":
            for connection in [one for one in self.connections if one.lost_bytes]:
                connection.reset()
        self.mode, self.seconds = ("pass" if mode in {"cut", "release"} else mode), seconds
        if self.mode == "hold":
            self.requests_flow.clear()
        else:
            self.requests_flow.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if self.mode == "refuse":
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = ProxiedConnection(self, writer, server_writer)
        self.connections.add(connection)
        # The cluster ends while connections are open, which cancels this.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                connection.pump(reader, server_writer, answers=False),
                connection.pump(server_reader, writer, answers=True),
            )
        connection.reset()


class ProxiedConnection:
    """One connection through a link."""

    def __init__(self, link: ProxyLink, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.link, self.client, self.server = link, client, server
        self.lost_bytes = self.answering = False

    def reset(self) -> None:
        """Reset both sides; what was read from the client is still delivered."""
        self.link.connections.discard(self)
        self.client.transport.abort()
        with contextlib.suppress(OSError, RuntimeError):
            self.server.close()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        """Move bytes one way as the link's mode says."""
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._deliver(data, sink, answers=answers)
        with contextlib.suppress(OSError, RuntimeError):
            sink.close()

    async def _deliver(self, data: bytes, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        link = self.link
        begins_answer, self.answering = answers and not self.answering, answers
        if begins_answer and link.mode in {"instead", "before", "flood"}:
            await self._send_payload(sink)
        if answers and link.mode in {"instead", "flood"}:
            return
        if link.mode == "hold" and not answers:
            await link.requests_flow.wait()
        if link.mode == "blackhole" or (link.mode == "mute" and answers):
            self.lost_bytes = True
            return
        if link.mode == "delay":
            await asyncio.sleep(link.seconds)
        if link.mode == "drip" and answers:
            await self._drip(data, sink)
            return
        sink.write(data)
        await sink.drain()

    async def _drip(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        for position in range(len(data)):
            sink.write(data[position : position + 1])
            if self.link.mode == "drip":
                await asyncio.sleep(self.link.seconds)

    async def _send_payload(self, sink: asyncio.StreamWriter) -> None:
        link = self.link
        sink.write(link.payload)
        await sink.drain()
        self.lost_bytes = link.mode != "before"
        while link.mode == "flood" and not sink.is_closing():
            await asyncio.sleep(link.seconds)
            sink.write(link.payload)
            await sink.drain()
        if link.mode == "instead":
            sink.close()


async def _run(targets: dict[str, int]) -> None:
    links: dict[str, ProxyLink] = {}
    ports: dict[str, int] = {}
    for name, target in targets.items():
        links[name] = ProxyLink(target)
        server = await asyncio.start_server(links[name].serve, "127.0.0.1", 0, backlog=256)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    requests = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    while text := await requests.readline():
        _change(links, json.loads(text))
        print("{}", flush=True)


def _change(links: dict[str, ProxyLink], request: dict[str, Any]) -> None:
    if request["mode"] not in MODES:
        raise ValueError(request["mode"])
    link = links[request["link"]]
    link.target = request.get("target", link.target)
    link.payload = b64decode(request.get("payload", ""))
    link.set_mode(request["mode"], float(request.get("seconds", 0)))


if __name__ == "__main__":
    asyncio.run(_run(json.loads(sys.argv[1])))
