"""The backend and the agents: asks the service over HTTP and writes down every answer. Must not judge an answer.

The journal is append-only, one JSON object a line: an `ask` before anything is sent, an `answer` after it came
(status 0: none came, so nothing is known), and `note`s of what was done to the world.
"""

import http.client
import itertools
import json
import random
import re
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from faults.town import ADMIN_KEY, BACKEND_KEY, CLIENT_ID, Town

ORG = "acme"
FAR = 600 * 24 * 3600
"""Sessions lie this many seconds ahead, so that no jump of the clock ends one."""
PATIENCE = 12.0


class Answer:
    """What came back: status 0 if nothing did."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def accepted(self) -> bool:
        """Whether the service said yes."""
        return 200 <= self.status < 300


class Journal:
    """The driver's own book, written line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._number = itertools.count(1)

    def write(self, town: Town, what: str, **facts: Any) -> int:
        """Append one line; return its number."""
        with self._lock:
            number = next(self._number)
            line = {"n": number, "what": what, "at": round(time.time(), 4), "offset": town.offset, **facts}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            return number

    def close(self) -> None:
        """No more lines."""
        self._file.close()


class Driver:
    """Everything that people and the backend do, over HTTP alone."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.journal = Journal(town.home / "driver.jsonl")
        self.chance = random.Random(seed)
        self.accounts: dict[str, str] = {}
        self.versions: dict[tuple[str, str], int] = defaultdict(int)
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []
        self._epoch = int(time.time()) // 3600 * 3600 + FAR

    # --- HTTP ---

    def call(
        self, web: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None,
        *, form: Mapping[str, str] | None = None, patience: float = PATIENCE,
    ) -> Answer:  # fmt: skip
        """One request to one web process; nothing is ever sent again by itself."""
        sent = {"Host": f"localhost:{self.town.ports['web0']}", "Connection": "close", **(headers or {})}
        data = None
        if form is not None:
            data = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.town.ports[web], timeout=patience)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            raw = answer.read()
            text = raw.decode("utf-8", "replace")
            is_json = "json" in (answer.headers.get("Content-Type") or "")
            return Answer(answer.status, json.loads(text) if is_json and text else text, answer.headers)
        except (OSError, http.client.HTTPException, ValueError):
            return Answer(0, None, {})
        finally:
            connection.close()

    def _api(
        self, key: str, web: str, method: str, path: str, body: Any = None, *, patience: float = PATIENCE
    ) -> Answer:
        return self.call(web, method, path, body, {"Authorization": f"Bearer {key}"}, patience=patience)

    def some_web(self) -> str:
        """Either replica."""
        return self.chance.choice(("web0", "web1"))

    def agent_path(self, agent: str) -> str:
        """The agent's place in the internal API."""
        return f"/v1/organizations/{ORG}/agents/{quote(agent)}"

    # --- sessions ---

    def next_version(self, agent: str, session: str) -> int:
        """A version above all that were used for this session."""
        with self._lock:
            self.versions[agent, session] += 1
            return self.versions[agent, session]

    def put(
        self, agent: str, session: str, *, web: str | None = None, version: int | None = None,
        versioned: bool = True, patience: float = PATIENCE,
    ) -> Answer:  # fmt: skip
        """Create or reschedule; the title says which version it is, and so does the start."""
        number = self.next_version(agent, session) if version is None else version
        start = self._epoch + number * 3600
        title = f"{agent}|{session}|{number}"
        body = {
            "start": _rfc3339(start), "end": _rfc3339(start + 1800), "by": "system", "title": title,
            **({"version": number} if versioned else {}),
        }  # fmt: skip
        return self._session("put", agent, session, number, web or self.some_web(), body, patience, versioned)

    def cancel(
        self, agent: str, session: str, *, web: str | None = None, version: int | None = None,
        versioned: bool = True, patience: float = PATIENCE,
    ) -> Answer:  # fmt: skip
        """Cancel."""
        number = self.next_version(agent, session) if version is None else version
        return self._session(
            "cancel", agent, session, number, web or self.some_web(), None, patience, versioned
        )

    def _session(
        self, what: str, agent: str, session: str, number: int, web: str, body: Any, patience: float,
        versioned: bool,  # noqa: FBT001
    ) -> Answer:  # fmt: skip
        path = f"{self.agent_path(agent)}/sessions/{quote(session)}"
        if body is None:
            path += "?by=system" + (f"&version={number}" if versioned else "")
        facts = {"agent": agent, "session": session, "version": number, "web": web, "versioned": versioned}
        asked = self.journal.write(self.town, "ask", op=what, **facts, start=body and body["start"])
        answer = self._api(
            BACKEND_KEY, web, "DELETE" if body is None else "PUT", path, body, patience=patience
        )
        told = answer.body if isinstance(answer.body, dict) else {}
        self.journal.write(
            self.town, "answer", ask=asked, op=what, **facts, status=answer.status,
            state=told.get("status"), revision=told.get("revision"), applied=told.get("applied"),
            code=told.get("code"),
        )  # fmt: skip
        return answer

    def surely(
        self, what: str, agent: str, session: str, *, web: str | None = None, seconds: float = 60.0
    ) -> Answer:
        """Repeat one operation, as a backend does, until it is answered with yes or a refusal."""
        version = self.next_version(agent, session)
        end = time.monotonic() + seconds
        while True:
            answer = getattr(self, what)(agent, session, version=version, web=web)
            if answer.accepted or 400 <= answer.status < 500 or time.monotonic() > end:
                return answer
            time.sleep(0.2)

    def reason(self, agent: str, session: str) -> str:
        """The reason that the API gives for how a session stands; empty without one, or without an answer."""
        path = f"{self.agent_path(agent)}/sessions/{quote(session)}"
        answer = self._api(BACKEND_KEY, self.some_web(), "GET", path)
        return str(answer.body.get("reason", "")) if answer.accepted else ""

    # --- connections ---

    def state(self, agent: str, web: str | None = None) -> str:
        """The state as the API shows it; empty without an answer."""
        answer = self._api(BACKEND_KEY, web or self.some_web(), "GET", f"{self.agent_path(agent)}/connection")
        if not answer.accepted:
            return ""
        self.journal.write(self.town, "state", agent=agent, state=answer.body["state"])
        return str(answer.body["state"])

    def pause(self, agent: str) -> Answer:
        """Pause as the administrator does."""
        return self._api(ADMIN_KEY, self.some_web(), "POST", f"{self.agent_path(agent)}/connection/pause")

    def resume(self, agent: str) -> Answer:
        """Lift that pause."""
        return self._api(ADMIN_KEY, self.some_web(), "POST", f"{self.agent_path(agent)}/connection/resume")

    def disconnect(self, agent: str, web: str | None = None, *, erase: bool = False) -> Answer:
        """Disconnect as the administrator does, and erase if asked."""
        web = web or self.some_web()
        asked = self.journal.write(self.town, "ask", op="disconnect", agent=agent, web=web, erase=erase)
        path = f"{self.agent_path(agent)}/connection" + ("?erase=now" if erase else "")
        answer = self._api(ADMIN_KEY, web, "DELETE", path)
        told = answer.body if isinstance(answer.body, dict) else {}
        self.journal.write(
            self.town, "answer", ask=asked, op="disconnect", agent=agent, web=web, erase=erase,
            status=answer.status, state=told.get("state"), receipt=bool(told.get("receipt")),
            code=told.get("code"),
        )  # fmt: skip
        return answer

    def visit(self, agent: str, web: str) -> dict[str, str] | None:
        """Open the agent's settings page; return the cookie and the form's token, or None."""
        path = f"{self.agent_path(agent)}/portal-sessions"
        link = self._api(BACKEND_KEY, web, "POST", path, {"locale": "en", "time_zone": "America/Santiago"})
        if not link.accepted:
            return None
        opened = self.call(web, "GET", urlsplit(link.body["url"]).path)
        cookie = (opened.headers.get("Set-Cookie") or "").partition(";")[0]
        if not cookie:
            return None
        # This page shows the connect button in every state.
        page = self.call(web, "GET", "/settings?account=another", headers={"Cookie": cookie})
        hidden = dict(re.findall(r'type="hidden" name="(csrf|policy)" value="([^"]+)"', str(page.body)))
        return {"cookie": cookie, **hidden} if "csrf" in hidden else None

    def act(self, agent: str, web: str, path: str, visit: Mapping[str, str], **fields: str) -> Answer:
        """Send one form of the agent's pages."""
        asked = self.journal.write(self.town, "ask", op=path, agent=agent, web=web)
        answer = self.call(
            web, "POST", path, headers={"Cookie": visit["cookie"]}, form={"csrf": visit["csrf"], **fields}
        )
        self.journal.write(
            self.town, "answer", ask=asked, op=path, agent=agent, web=web, status=answer.status
        )
        return answer

    def consent(self, agent: str, web: str | None = None) -> tuple[dict[str, str], str] | None:
        """Go to Google and say yes; return the visit and the callback's address, not yet called."""
        web = web or self.some_web()
        visit = self.visit(agent, web)
        if visit is None:
            return None
        gone = self.act(agent, web, "/connect", visit, policy=visit.get("policy", ""))
        if gone.status != 303:
            return None
        account = self.accounts.setdefault(agent, f"{agent}@faults.test")
        return visit, self.town.google.consent(str(gone.headers["Location"]), account=account)

    def call_back(
        self, agent: str, visit: Mapping[str, str], callback: str, web: str | None = None
    ) -> Answer:
        """Let the browser come back from Google."""
        web = web or self.some_web()
        parts = urlsplit(callback)
        asked = self.journal.write(
            self.town, "ask", op="connect", agent=agent, web=web, account=self.accounts[agent],
            state=parse_qs(parts.query).get("state", [""])[0][:8],
        )  # fmt: skip
        answer = self.call(web, "GET", f"{parts.path}?{parts.query}", headers={"Cookie": visit["cookie"]})
        self.journal.write(
            self.town, "answer", ask=asked, op="connect", agent=agent, web=web, status=answer.status
        )
        return answer

    def connect(self, agent: str, web: str | None = None) -> Answer | None:
        """One whole consent."""
        begun = self.consent(agent, web)
        return self.call_back(agent, *begun, web=web) if begun else None

    def surely_connect(self, agent: str, seconds: float = 90.0) -> None:
        """Connect again and again until the service says `connected`; a pause is lifted, the clock moves meanwhile."""
        end = time.monotonic() + seconds
        while (state := self.state(agent)) != "connected":
            if time.monotonic() > end:
                raise TimeoutError(f"{agent} does not get connected: {state or 'no answer'}")
            if state == "paused":
                self.resume(agent)
            elif state == "calendar_missing":
                self.town.advance(31)
                time.sleep(0.3)
                web = self.some_web()
                visit = self.visit(agent, web) if self.chance.random() < 0.5 else None
                if visit:
                    self.act(agent, web, "/calendar", visit, create="yes")
            elif state:
                self.connect(agent)
            else:
                time.sleep(0.2)

    # --- the world ---

    def note(self, event: str, **facts: Any) -> None:
        """Write down what was done to the world."""
        self.journal.write(self.town, "note", event=event, **facts)

    def calls(self) -> list[dict[str, Any]]:
        """Every call at Google so far."""
        with self._lock:
            url = f"{self.town.google.url}/_control/journal?since={len(self._calls)}"
            with urllib.request.urlopen(url, timeout=30) as answer:
                self._calls += json.loads(answer.read())["calls"]
            return self._calls

    def await_call(
        self, since: int, method: str, seconds: float = 5.0, *, contains: str = ""
    ) -> dict[str, Any] | None:
        """Wait for a call at Google after the first `since`; None if it does not come."""
        end = time.monotonic() + seconds
        while True:
            for call in self.calls()[since:]:
                if (
                    call["api_method"] == method
                    and contains in json.dumps(call.get("body", "")) + call["path"]
                ):
                    return call
            if time.monotonic() > end:
                return None
            time.sleep(0.02)

    def rule(self, method: str, path: str, deed: Mapping[str, Any], **more: Any) -> None:
        """Let the local Google fail."""
        self.town.google.fault({"method": method, "path": path}, deed, **more)

    def struck(self) -> int:
        """How often the rules now in force have struck."""
        rules = self.town.google.control("GET", "faults")
        rules = rules.get("rules", rules) if isinstance(rules, dict) else rules
        return sum(int(rule["struck"]) for rule in rules)

    def google_state(self) -> dict[str, Any]:
        """All books of the local Google."""
        return dict(self.town.google.state())

    def token_of(self, agent: str) -> str | None:
        """The newest live refresh token of the agent's account, as Google knows it."""
        found = [
            token["token"]
            for token in self.google_state()["refresh_tokens"]
            if token["account"] == self.accounts[agent] and token["alive"] and token["client_id"] == CLIENT_ID
        ]
        return found[-1] if found else None

    def take_access_away(self, agent: str) -> bool:
        """Revoke at Google, as the person can in the account's own pages."""
        token = self.token_of(agent)
        if token is None:
            return False
        self.note("revoked_at_google", agent=agent)
        data = urlencode({"token": token}).encode()
        with urllib.request.urlopen(self.town.google.revoke_uri, data, timeout=10):
            return True

    def as_person(self, agent: str, **form: str) -> None:
        """Do something in the account's calendar page."""
        account = self.accounts[agent]
        data = urlencode({"account": account, **form}).encode()
        request = urllib.request.Request(f"{self.town.google.url}/calendar", data)
        with urllib.request.urlopen(request, timeout=10):
            return


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
