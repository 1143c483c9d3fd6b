"""The API's callers over a test service, and sessions that fit into a body."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api, configured

ACME = "/v1/organizations/acme"
AGENT = f"{ACME}/agents/agent-1"


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[TestService]:
    """The service with nothing in it, and keys of several organizations."""
    google_process.clear_faults()
    google_process.reset()
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_API_KEYS=configured())
    yield service
    service.close()


@pytest.fixture
def api(app: Flask) -> Api:
    """The API for the backend of all organizations."""
    return Api(app)


@pytest.fixture
def connected(service: TestService) -> TestService:
    """A test service whose agent has connected."""
    service.connect()
    return service


@pytest.fixture
def session() -> dict[str, Any]:
    """A session in three days, as a body."""
    start = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    return {
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "by": "agent",
        "time_zone": "America/Santiago",
        "title": "A talk",
    }
