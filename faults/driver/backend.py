"""What the backend does over the internal API: sessions, connection states, links to the settings page."""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from faults.cluster import BACKEND_KEY
from faults.driver.client import ServiceClient, ServiceResponse
from faults.driver.journal import DriverJournal

ORGANIZATION = "acme"
FIRST_START = 600 * 24 * 3600
"""Seconds from now to the first session, so far ahead that no jump of the clock ends one."""
Operation = Literal["put", "cancel"]


class BackendDriver:
    """Sends the backend's requests."""

    def __init__(self, client: ServiceClient, journal: DriverJournal) -> None:
        self._client, self._journal = client, journal
        self._versions: dict[tuple[str, str], int] = defaultdict(int)
        self._lock = threading.Lock()
        self._epoch = int(time.time()) // 3600 * 3600 + FIRST_START

    # --- sessions ---

    def next_version(self, agent: str, session: str) -> int:
        """Return a version above all that were used for this session."""
        with self._lock:
            self._versions[agent, session] += 1
            return self._versions[agent, session]

    def put(self, agent: str, session: str, **options: Any) -> ServiceResponse:
        """Create or reschedule a session; see `send`."""
        return self.send("put", agent, session, **options)

    def cancel(self, agent: str, session: str, **options: Any) -> ServiceResponse:
        """Cancel a session; see `send`."""
        return self.send("cancel", agent, session, **options)

    def send(
        self,
        operation: Operation,
        agent: str,
        session: str,
        *,
        web: str | None = None,
        version: int | None = None,
        versioned: bool = True,
        time_zone: str | None = None,
    ) -> ServiceResponse:
        """Send one operation once; title and start of a session say which version it is.

        `versioned` decides whether the request itself names the version. `time_zone` is the session's; None for none.
        """
        number = self.next_version(agent, session) if version is None else version
        web = web or self._client.any_web()
        path = f"{agent_path(agent)}/sessions/{quote(session)}"
        fields = {"agent": agent, "session": session, "version": number, "web": web, "versioned": versioned}
        if operation == "put":
            body = self._body(agent, session, number, versioned=versioned, time_zone=time_zone)
            request = self._journal.write("request", op=operation, **fields, start=body["start"])
            response = self._client.api(BACKEND_KEY, web, "PUT", path, body)
        else:
            path += "?by=system" + (f"&version={number}" if versioned else "")
            request = self._journal.write("request", op=operation, **fields, start=None)
            response = self._client.api(BACKEND_KEY, web, "DELETE", path)
        self._journal.write(
            "response", request=request, op=operation, **fields, status=response.status,
            state=response.field("status"), revision=response.field("revision"),
            applied=response.field("applied"), code=response.field("code"),
        )  # fmt: skip
        return response

    def _body(
        self, agent: str, session: str, number: int, *, versioned: bool, time_zone: str | None
    ) -> dict[str, Any]:
        start = self._epoch + number * 3600
        return {
            "start": _rfc3339(start), "end": _rfc3339(start + 1800), "by": "system",
            "title": f"{agent}|{session}|{number}", **({"version": number} if versioned else {}),
            **({"time_zone": time_zone} if time_zone else {}),
        }  # fmt: skip

    def send_until_answered(
        self,
        operation: Operation,
        agent: str,
        session: str,
        *,
        web: str | None = None,
        versioned: bool = True,
        time_zone: str | None = None,
        seconds: float = 60.0,
    ) -> ServiceResponse:
        """Repeat one operation, as a backend does, until it is accepted or refused, or this time is over."""
        version = self.next_version(agent, session)
        end = time.monotonic() + seconds
        while True:
            response = self.send(
                operation, agent, session, version=version, versioned=versioned, web=web, time_zone=time_zone
            )
            if response.is_accepted or 400 <= response.status < 500 or time.monotonic() > end:
                return response
            time.sleep(0.2)

    def reason(self, agent: str, session: str) -> str:
        """Return the reason that the API gives for a session's status; empty without one."""
        return self.status_and_reason(agent, session)[1]

    def status_and_reason(self, agent: str, session: str) -> tuple[str, str]:
        """Return a session's status, and the reason that the API gives for it; each empty without one."""
        path = f"{agent_path(agent)}/sessions/{quote(session)}"
        response = self._client.api(BACKEND_KEY, self._client.any_web(), "GET", path)
        if not response.is_accepted:
            return "", ""
        return str(response.body["status"]), str(response.body.get("reason", ""))

    # --- connections ---

    def state(self, agent: str, web: str | None = None) -> str:
        """Return the connection's state as the API shows it; empty without an answer."""
        web = web or self._client.any_web()
        response = self._client.api(BACKEND_KEY, web, "GET", f"{agent_path(agent)}/connection")
        if not response.is_accepted:
            return ""
        self._journal.write("state", agent=agent, state=response.body["state"])
        return str(response.body["state"])

    def await_state(self, agent: str, leaves: set[str], seconds: float, between: Callable[[], object]) -> str:
        """Wait until the state is none of `leaves`, calling `between` meanwhile; return the last state."""
        end = time.monotonic() + seconds
        while (state := self.state(agent)) in leaves and time.monotonic() < end:
            between()
        return state

    def portal_link(self, agent: str, web: str) -> str | None:
        """Return a link to the agent's settings page; None without an answer."""
        body = {"locale": "en", "time_zone": "America/Santiago"}
        response = self._client.api(BACKEND_KEY, web, "POST", f"{agent_path(agent)}/portal-sessions", body)
        return str(response.body["url"]) if response.is_accepted else None

    def metric(self, name: str) -> float:
        """Return one number of the operator's metrics; -1 without an answer."""
        response = self._client.request(self._client.any_web(), "GET", "/metrics")
        line = re.search(rf"^{name} ([0-9.e+]+)$", str(response.body), re.MULTILINE)
        return float(line[1]) if line else -1.0


def agent_path(agent: str) -> str:
    """Return the agent's path in the internal API."""
    return f"/v1/organizations/{ORGANIZATION}/agents/{quote(agent)}"


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
