"""A power cut in the campaign takes what was not synchronized, and nothing else."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from calendar_service.development import valkey
from faults.store_server import StoreServer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[StoreServer, StoreServer]]:
    settings = {"appendonly": "yes", "appendfsync": "always", "loglevel": "warning"}
    binary = str(valkey.server_binary())
    with ExitStack() as stack:
        pair = tuple(
            StoreServer(tmp_path / name, _free_port(), binary, settings) for name in ("first", "second")
        )
        for server in pair:
            stack.callback(server.kill)
            server.start()
        yield pair[0], pair[1]


def _write(server: StoreServer, name: str, count: int) -> None:
    with server.client() as client:
        for number in range(count):
            client.set(f"{name}-{number}", "x" * 100)
        client.wait(1, 1000)


def test_a_power_cut_after_a_resynchronisation_takes_nothing_that_was_acknowledged(
    servers: tuple[StoreServer, StoreServer],
) -> None:
    first, second = servers
    _write(first, "before", 50)
    with ThreadPoolExecutor(1) as pool:
        # What comes while the replica writes its file anew lies in a file that gets its name only afterwards.
        writing = pool.submit(_write, first, "during", 1000)
        second.replicate_from(first.port)
        writing.result()
    second.become_primary()
    with second.client() as client:
        for number in range(50):
            client.set(f"after-{number}", "x" * 100)
    second.cut_power()
    second.start()
    with second.client() as client:
        assert client.dbsize() == 1100
