"""Another program of the person: an OAuth client of its own that changes the calendar over Google's API."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from faults.cluster import CLIENT_SECRET, PROGRAM_CLIENT_ID, PROGRAM_REDIRECT
from faults.driver.google import TIMEOUT, GoogleDriver
from faults.driver.journal import DriverJournal

SCOPE = "https://www.googleapis.com/auth/calendar"


class PersonProgram:
    """Replaces private properties of sessions' events and copies events, with the permission of the account's owner."""

    def __init__(self, google: GoogleDriver, journal: DriverJournal) -> None:
        self._google, self._journal = google, journal

    def replace_properties(self, agent: str, session: str, properties: Mapping[str, str]) -> bool:
        """Leave a session's event these private properties alone; false if the session has no event."""
        event = self._google.event_of(agent, session)
        if event is None:
            return False
        calendar, event_id = event
        content = _fields(self._resource(calendar, event_id), "summary", "start", "end")
        body = content | {"extendedProperties": {"private": dict(properties)}}
        self._call(agent, "PUT", f"{_events(calendar)}/{event_id}", body)
        return True

    def change_event(self, agent: str, session: str, changes: Mapping[str, Any]) -> None:
        """Change fields of a session's event; `{"status": "cancelled"}` deletes it."""
        calendar, event_id = self._google.event_of(agent, session) or ("", "")
        self._call(agent, "PATCH", f"{_events(calendar)}/{event_id}", changes)

    def insert_event(self, agent: str, session: str, title: str) -> None:
        """Put an event of this title beside the session's, at the same time, under an id of Google's."""
        calendar, event_id = self._google.event_of(agent, session) or ("", "")
        times = _fields(self._resource(calendar, event_id), "start", "end")
        self._call(agent, "POST", _events(calendar), times | {"summary": title})

    def copy_event(self, agent: str, session: str) -> bool:
        """Copy a session's event, private properties included, under an id of Google's; false if there is no event."""
        event = self._google.event_of(agent, session)
        if event is None:
            return False
        calendar, event_id = event
        body = _fields(self._resource(calendar, event_id), "summary", "start", "end", "extendedProperties")
        copy = self._call(agent, "POST", _events(calendar), body)
        self._journal.note(
            "event_copied",
            agent=agent,
            session=session,
            calendar=calendar,
            copy=copy["id"],
            etag=copy["etag"],
        )
        return True

    def _resource(self, calendar: str, event_id: str) -> dict[str, Any]:
        events = next(one["events"] for one in self._google.state()["calendars"] if one["id"] == calendar)
        return next(event for event in events if event["id"] == event_id)

    def _call(self, agent: str, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._google.server.api_endpoint + path,
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._access_token(agent)}", "Content-Type": "application/json"},
            method=method,
        )
        return _answer(request)

    def _access_token(self, agent: str) -> str:
        """Let the person consent, and exchange the code. Without `access_type=offline` there is no refresh token."""
        common = {"client_id": PROGRAM_CLIENT_ID, "redirect_uri": PROGRAM_REDIRECT}
        query = common | {"response_type": "code", "scope": SCOPE, "state": "program"}
        server = self._google.server
        url = f"{server.auth_uri}?{urlencode(query)}"
        callback = server.consent(url, account=self._google.accounts[agent])
        code = parse_qs(urlsplit(callback).query)["code"][0]
        form = common | {
            "client_secret": CLIENT_SECRET, "grant_type": "authorization_code", "code": code
        }  # fmt: skip
        answer = _answer(urllib.request.Request(server.token_uri, urlencode(form).encode()))
        return str(answer["access_token"])


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # nosec B310
        return dict(json.loads(answer.read()))


def _fields(event: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: event[name] for name in names if name in event}


def _events(calendar: str) -> str:
    return f"calendars/{quote(calendar)}/events"
