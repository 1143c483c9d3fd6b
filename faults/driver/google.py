"""The local Google as scenarios use it: its journal of calls, its faults, and the person's own actions there."""

import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.support.local_google import LocalGoogle

from faults.cluster import CLIENT_ID
from faults.driver.journal import DriverJournal

TIMEOUT = 30.0


class GoogleDriver:
    """Reads the local Google, lets it fail, and acts there as the persons who own the accounts."""

    def __init__(self, google: LocalGoogle, journal: DriverJournal) -> None:
        self.server = google
        self.accounts: dict[str, str] = {}
        """The Google account of each agent."""
        self._journal = journal
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def account(self, agent: str) -> str:
        """Return the agent's account, one of its own unless a scenario has chosen another."""
        return self.accounts.setdefault(agent, f"{agent}@faults.test")

    # --- calls ---

    def calls(self) -> list[dict[str, Any]]:
        """Return every call at Google so far."""
        with self._lock:
            url = f"{self.server.url}/_control/journal?since={len(self._calls)}"
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # nosec B310
                self._calls += json.loads(answer.read())["calls"]
            return self._calls

    def call_count(self) -> int:
        """Return the number of calls so far, which is the place of the next call in the journal."""
        return len(self.calls())

    def await_call(
        self, since: int, method: str, seconds: float = 5.0, *, contains: str = ""
    ) -> dict[str, Any] | None:
        """Wait for a call of this method after the first `since`; None if it does not come."""
        end = time.monotonic() + seconds
        while True:
            for call in self.calls()[since:]:
                text = json.dumps(call.get("body", "")) + call["path"]
                if call["api_method"] == method and contains in text:
                    return call
            if time.monotonic() > end:
                return None
            time.sleep(0.02)

    # --- faults ---

    def add_fault(self, method: str, path: str, fault: Mapping[str, Any], **limits: Any) -> None:
        """Let calls of this method and path fail; `times` in `limits` is how many."""
        self.server.fault({"method": method, "path": path}, fault, **limits)

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.server.clear_faults()

    def injected(self) -> int:
        """Return how many calls the present faults have met."""
        rules = self.server.control("GET", "faults")
        rules = rules.get("rules", rules) if isinstance(rules, dict) else rules
        return sum(int(rule["struck"]) for rule in rules)

    def switch(self, **switches: bool | list[str]) -> None:
        """Set switches of the local Google."""
        self.server.switch(**switches)

    # --- data ---

    def state(self) -> dict[str, Any]:
        """Return everything that the local Google keeps."""
        return dict(self.server.state())

    def event_of(self, agent: str, session: str) -> tuple[str, str] | None:
        """Return calendar and id of a session's event; None if it has none."""
        for calendar in self.state()["calendars"]:
            for event in calendar["events"]:
                if f"{agent}|{session}|" in event.get("summary", "") and event["status"] != "cancelled":
                    return calendar["id"], event["id"]
        return None

    def refresh_token(self, agent: str) -> str | None:
        """Return the newest valid refresh token of the agent's account."""
        tokens = [
            token["token"]
            for token in self.state()["refresh_tokens"]
            if token["account"] == self.accounts[agent] and token["alive"] and token["client_id"] == CLIENT_ID
        ]
        return tokens[-1] if tokens else None

    # --- the person ---

    def revoke_access(self, agent: str) -> bool:
        """Revoke the service's access as the person can in the account's own pages; false if there is none."""
        token = self.refresh_token(agent)
        if token is None:
            return False
        self._journal.note("revoked_at_google", agent=agent)
        data = urlencode({"token": token}).encode()
        with urllib.request.urlopen(self.server.revoke_uri, data, timeout=10):  # nosec B310
            return True

    def submit_calendar_form(self, agent: str, **fields: str) -> None:
        """Submit a form of the account's calendar page, as the person does."""
        data = urlencode({"account": self.accounts[agent], **fields}).encode()
        request = urllib.request.Request(f"{self.server.url}/calendar", data)
        with urllib.request.urlopen(request, timeout=10):  # nosec B310
            return
