"""The process: opens the stored state, listens, and stops on SIGTERM or SIGINT. Must not know Google."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from local_google.application import Application
from local_google.calendar.push import Push
from local_google.context import Context, by_id
from local_google.protocol.listener import HttpConnection
from local_google.state.books import Books
from local_google.state.clients import RegisteredClient
from local_google.state.clock import GoogleClock
from local_google.state.faults import FaultBook
from local_google.state.journal import Journal
from local_google.state.ledger import Ledger


def make_context(
    data_dir: Path | None, clients: Sequence[RegisteredClient], clock_file: Path | None = None, seed: int = 0
) -> Context:
    """Open the books and journal of a data directory, or empty ones in memory."""
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    books = Books(Ledger(data_dir / "books.jsonl" if data_dir else None))
    journal = Journal(data_dir / "journal.jsonl" if data_dir else None)
    context = Context(GoogleClock(clock_file), books, FaultBook(seed), journal, by_id(clients))
    context.begin()
    return context


def serve(
    *,
    port: int,
    data_dir: Path | None,
    clients: Sequence[RegisteredClient],
    host: str = "127.0.0.1",
    clock_file: Path | None = None,
    seed: int = 0,
    prepare: Callable[[Context], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; one line with the URL is printed when connections are accepted."""
    context = make_context(data_dir, clients, clock_file, seed)
    if prepare is not None:
        prepare(context)
    asyncio.run(_run(context, host, port))


async def _run(context: Context, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    handle = Application(context).handle
    try:
        server = await loop.create_server(lambda: HttpConnection(handle), host, port, backlog=1024)
    except OSError as taken:
        raise SystemExit(f"The local Google cannot listen on {host}:{port}: {taken.strerror}") from taken
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104  # nosec B104
    context.url = f"http://{shown}:{server.sockets[0].getsockname()[1]}"
    context.ring = Push(context).ring
    gc.collect()
    gc.freeze()
    # The books grow and hold no cycles, so frequent collections would cost time and free nothing.
    gc.set_threshold(100_000, 50, 100)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    sys.stdout.write(f"Local Google on {context.url}\n")
    sys.stdout.flush()
    await stopped.wait()
    server.close()
