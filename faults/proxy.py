"""A TCP proxy that fails on request, one link per pair of processes. Must not know what the bytes mean.

A process of its own. One JSON object a line on standard input: {"link", "mode", "seconds"}; modes: `pass`,
`refuse` (cut what stands, refuse what comes), `cut` (cut what stands once), `blackhole` (swallow both ways),
`mute` (swallow answers only), `delay` (each piece waits `seconds`), `drip` (one byte each `seconds`), `hold`
(keep requests back; `release` lets them go on, `pass` afterwards), `orphan` (cut the clients; what is held
still arrives later), `instead` (other bytes for an answer, then the end of the line), `before` (other bytes, then
the answer), `flood` (other bytes over and over, each `seconds`, and no answer). A line that swallowed bytes is cut
when healed. {"target": port} leads new connections elsewhere; {"payload": base64} holds the other bytes.
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


class Link:
    """One listening port and where it leads."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.mode, self.seconds, self.payload = "pass", 0.0, b""
        self.lines: set[Line] = set()
        self.opened = asyncio.Event()
        self.opened.set()

    def set(self, mode: str, seconds: float) -> None:
        """Change what happens to bytes from now on."""
        if mode == "orphan":  # what they asked is still on its way
            for line in self.lines:
                line.client.transport.abort()
            return
        if mode in {"cut", "refuse"}:
            for line in list(self.lines):
                line.abort()
        if mode == "pass":
            for line in [line for line in self.lines if line.tainted]:
                line.abort()
        self.mode, self.seconds = ("pass" if mode in {"cut", "release"} else mode), seconds
        if self.mode == "hold":
            self.opened.clear()
        else:
            self.opened.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if self.mode == "refuse":
            writer.transport.abort()
            return
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        line = Line(self, writer, ours)
        self.lines.add(line)
        with contextlib.suppress(
            asyncio.CancelledError
        ):  # the town ends with connections open: nothing to tell
            await asyncio.gather(
                line.pump(reader, ours, answers=False), line.pump(theirs, writer, answers=True)
            )
        line.abort()


class Line:
    """One connection through a link."""

    def __init__(self, link: Link, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.link, self.client, self.server = link, client, server
        self.tainted = self.answering = False

    def abort(self) -> None:
        """End both sides with a reset; what was read is still delivered."""
        self.link.lines.discard(self)
        self.client.transport.abort()
        with contextlib.suppress(OSError, RuntimeError):
            self.server.close()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        """Move bytes one way as the link's mode has it."""
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._deliver(data, sink, answers=answers)
        with contextlib.suppress(OSError, RuntimeError):
            sink.close()

    async def _deliver(self, data: bytes, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        link = self.link
        first, self.answering = answers and not self.answering, answers
        if first and link.mode in {"instead", "before", "flood"}:
            await self._say(sink)
        if answers and link.mode in {"instead", "flood"}:
            return
        if link.mode == "hold" and not answers:
            await link.opened.wait()
        if link.mode == "blackhole" or (link.mode == "mute" and answers):
            self.tainted = True
            return
        if link.mode == "delay":
            await asyncio.sleep(link.seconds)
        if link.mode == "drip" and answers:
            for position in range(len(data)):
                sink.write(data[position : position + 1])
                if link.mode == "drip":
                    await asyncio.sleep(link.seconds)
            return
        sink.write(data)
        await sink.drain()

    async def _say(self, sink: asyncio.StreamWriter) -> None:
        link = self.link
        sink.write(link.payload)
        await sink.drain()
        self.tainted = link.mode != "before"
        while link.mode == "flood" and not sink.is_closing():
            await asyncio.sleep(link.seconds)
            sink.write(link.payload)
            await sink.drain()
        if link.mode == "instead":
            sink.close()


async def _run(links: dict[str, int]) -> None:
    made: dict[str, Link] = {}
    ports: dict[str, int] = {}
    for name, target in links.items():
        made[name] = Link(target)
        server = await asyncio.start_server(made[name].serve, "127.0.0.1", 0, backlog=256)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while text := await lines.readline():
        wish: dict[str, Any] = json.loads(text)
        if wish["mode"] not in MODES:
            raise ValueError(wish["mode"])
        made[wish["link"]].target = wish.get("target", made[wish["link"]].target)
        made[wish["link"]].payload = b64decode(wish.get("payload", ""))
        made[wish["link"]].set(wish["mode"], float(wish.get("seconds", 0)))
        print("{}", flush=True)


if __name__ == "__main__":
    asyncio.run(_run(json.loads(sys.argv[1])))
