"""The API's callers over a household, and sessions that fit into a body."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MovableClock
from tests.household import Household
from tests.local_google import LocalGoogle
from tests.web.internal.callers import Api, configured

ACME = "/v1/organizations/acme"
AGENT = f"{ACME}/agents/agent-1"


@pytest.fixture
def household(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[Household]:
    """The service with nothing in it, and keys of several organizations."""
    google_process.clear_faults()
    google_process.reset()
    made = Household.of(clean_store, google_process, test_clock, CALENDAR_API_KEYS=configured())
    yield made
    made.close()


@pytest.fixture
def api(app: Flask) -> Api:
    """The API for the backend of all organizations."""
    return Api(app)


@pytest.fixture
def connected(household: Household) -> Household:
    """A household whose agent has connected."""
    household.connect()
    return household


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
