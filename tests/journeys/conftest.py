"""Whole journeys: a service in this process, a real Valkey, the local Google over HTTP."""

from collections.abc import Iterator

import pytest

from calendar_service.sandbox.clients import OAuthClient
from tests.conftest import MovableClock
from tests.household import CLIENT_ID, CLIENT_SECRET, PERSON_ID, PUBLIC_URL, Household
from tests.local_google import LocalGoogle


@pytest.fixture(scope="session")
def google_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGoogle]:
    """One local Google for all journeys, with a clock of its own."""
    clock = tmp_path_factory.mktemp("google") / "clock"
    clock.write_text("0", "ascii")
    client = OAuthClient(CLIENT_ID, CLIENT_SECRET, "household", (f"{PUBLIC_URL}/oauth/callback",))
    person = OAuthClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",))
    with LocalGoogle.start(clients=[client, person], clock_file=clock) as google:
        google.clock = MovableClock(clock)  # type: ignore[attr-defined]
        yield google


@pytest.fixture
def house(clean_store: str, google_process: LocalGoogle) -> Iterator[Household]:
    """A household over empty books, its clock shared with the local Google."""
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    made = Household.of(clean_store, google_process, clock)
    yield made
    made.close()
