"""A power cut in the campaign takes what was not synchronised, and nothing else."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from calendar_service import embedded
from faults.store import Store


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    settings = {"appendonly": "yes", "appendfsync": "always", "loglevel": "warning"}
    binary = str(embedded.server_binary())
    with ExitStack() as stack:
        pair = tuple(Store(tmp_path / name, _free_port(), binary, settings) for name in ("first", "second"))
        for store in pair:
            stack.callback(store.kill)
            store.start()
        yield pair[0], pair[1]


def test_a_power_cut_after_a_resynchronisation_takes_nothing_that_was_acknowledged(
    stores: tuple[Store, Store],
) -> None:
    first, second = stores
    with closing(first.client) as client:
        for number in range(50):
            client.set(f"before-{number}", "x" * 100)
    second.follow(first.port)  # the file begun meanwhile gets its name only when all is there
    with closing(first.client) as client:
        for number in range(50):
            client.set(f"during-{number}", "x" * 100)
        client.wait(1, 5000)
    second.lead()
    with closing(second.client) as client:
        for number in range(50):
            client.set(f"after-{number}", "x" * 100)
    second.cut_power()
    second.start()
    with closing(second.client) as client:
        assert client.dbsize() == 150
