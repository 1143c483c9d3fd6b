"""A service with a database, a local Google and a clock of its own, for benches."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from calendar_service.development.valkey import EmbeddedValkey
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENTS, TestService


@contextmanager
def own_service(**changed: str) -> Iterator[TestService]:
    """Start all of it; everything ends with the block, and its files are removed. `changed` overrides variables."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock_file = home / "clock"
        clock_file.write_text("0", "ascii")
        google = stack.enter_context(LocalGoogle.start(clients=CLIENTS, clock_file=clock_file))
        valkey = stack.enter_context(EmbeddedValkey(home))
        service = TestService.of(valkey.url, google, MovableClock(clock_file), **changed)
        stack.callback(service.close)
        yield service
