"""The whole web application over a real Valkey and the local Google, called with Flask's test client."""

from collections.abc import Iterator

import pytest
from flask import Flask

from calendar_service.web.app import create_app
from local_google.state.clients import RegisteredClient
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import CLIENT_ID, CLIENT_SECRET, PERSON_ID, PUBLIC_URL, TestService


@pytest.fixture(scope="session")
def google_process() -> Iterator[LocalGoogle]:
    """The local Google that all tests of the web share."""
    client = RegisteredClient(
        CLIENT_ID, CLIENT_SECRET, "test-service", (f"{PUBLIC_URL}/oauth/callback",), "Test service"
    )
    person = RegisteredClient(PERSON_ID, CLIENT_SECRET, "person", ("http://localhost:9/person",))
    with LocalGoogle.start([client, person]) as google:
        yield google


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Iterator[TestService]:
    """An empty service and a local Google in its first state."""
    google_process.clear_faults()
    google_process.reset()
    service = TestService.of(clean_store, google_process, test_clock)
    yield service
    service.close()


@pytest.fixture
def app(service: TestService) -> Flask:
    """The application over the test service."""
    return create_app(service.parts)
