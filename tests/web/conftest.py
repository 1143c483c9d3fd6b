"""The whole web application over a real Valkey and the real local Google, asked through Flask's test client."""

from collections.abc import Iterator

import pytest
from flask import Flask

from calendar_service.sandbox.clients import OAuthClient
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.household import CLIENT_ID, CLIENT_SECRET, PERSON_ID, PUBLIC_URL, Household
from tests.local_google import LocalGoogle


@pytest.fixture(scope="session")
def google_process() -> Iterator[LocalGoogle]:
    """The local Google that all tests of the web share."""
    client = OAuthClient(
        CLIENT_ID, CLIENT_SECRET, "household", (f"{PUBLIC_URL}/oauth/callback",), "Household"
    )
    person = OAuthClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",))
    with LocalGoogle.start([client, person]) as google:
        yield google


@pytest.fixture
def household(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[Household]:
    """The service with nothing in it, and a Google on its first day."""
    google_process.clear_faults()
    google_process.reset()
    made = Household.of(clean_store, google_process, test_clock)
    yield made
    made.close()


@pytest.fixture
def app(household: Household) -> Flask:
    """The application over the household."""
    return create_app(household.service)
