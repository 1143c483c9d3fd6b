"""Runs the same laws against the real Google, on request. It creates calendars of its own there and removes them.

Not collected with the suite. Needs LAWS_CLIENT_ID, LAWS_CLIENT_SECRET and LAWS_REFRESH_TOKEN (scope calendar) in
the environment, of an account that holds nothing of worth:

    python -m pytest -o addopts= tests/local_google/real_google.py

What differs here is a fact to be corrected, in the code of the local Google and in the table.
"""

import json
import os
import secrets
from collections.abc import Iterator

import pytest

from tests.local_google.http_api import GoogleApi
from tests.local_google.laws_calendars import CalendarLaws
from tests.local_google.laws_events import EventLaws
from tests.local_google.laws_lists import ListLaws
from tests.support.local_google import fetch

TOKEN_URI = os.environ.get("LAWS_TOKEN_URI", "https://oauth2.googleapis.com/token")
API_ENDPOINT = os.environ.get("LAWS_API_ENDPOINT", "https://www.googleapis.com/calendar/v3/")
NAMES = ("client_id", "client_secret", "refresh_token")


@pytest.fixture(scope="session")
def real_api() -> Iterator[GoogleApi]:
    """Access by the refresh token of the environment."""
    form = {name: os.environ[f"LAWS_{name.upper()}"] for name in NAMES} | {"grant_type": "refresh_token"}
    status, _, text = fetch(TOKEN_URI, form)
    assert status == 200, text
    api = GoogleApi(API_ENDPOINT, json.loads(text)["access_token"])
    yield api
    api.close()


def fresh_calendar(api: GoogleApi) -> Iterator[str]:
    """A calendar that is deleted afterwards."""
    identifier = api.new_calendar(summary="Laws", timeZone="America/Santiago")["id"]
    yield identifier
    api.call("DELETE", f"calendars/{identifier}")


@pytest.fixture
def api(real_api: GoogleApi) -> GoogleApi:
    return real_api


@pytest.fixture
def calendar(real_api: GoogleApi) -> Iterator[str]:
    yield from fresh_calendar(real_api)


@pytest.fixture(scope="session")
def one_calendar(real_api: GoogleApi) -> Iterator[str]:
    """One for many laws: Google lets an account make about 60 in a short time."""
    yield from fresh_calendar(real_api)


@pytest.fixture
def event_id() -> str:
    return "sess" + secrets.token_hex(10)


class TestCalendarLaws(CalendarLaws):
    """At the real Google."""


class TestListLaws(ListLaws):
    """At the real Google."""


class TestEventLaws(EventLaws):
    """At the real Google, all in one calendar."""

    @pytest.fixture
    def calendar(self, one_calendar: str) -> str:
        return one_calendar
