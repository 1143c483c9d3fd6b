"""A small scheduling backend beside the calendar service, complete, with the standard library alone.

It shows what docs/integrate.md says: it keeps its own sessions as the truth, sends each change with a version until
the service has accepted it, verifies webhooks, and acts on the newest only. Its own interface, for the console:

    POST   /agents/{agent}/link                a link for the agent's browser: {"url": …}
    PUT    /agents/{agent}/sessions/{session}  {"start": …, "end": …}: books or moves
    DELETE /agents/{agent}/sessions/{session}  cancels
    GET    /agents/{agent}/sessions            what is booked, and how it stands in the calendar
    POST   /agents/{agent}/compare             compares the next year with the calendar and mends what differs
    POST   /events                             the service's webhooks
"""

import argparse
import hmac
import json
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

TABLES: Final = """
create table if not exists sessions (
  agent text, session text, start text, "end" text, cancelled integer default 0,
  version integer, accepted_version integer default 0, next_try real default 0,
  status text default 'unsent', reason text default '', stale integer default 0, primary key (agent, session));
create table if not exists webhooks (id text primary key, at real);
create table if not exists connections (agent text primary key, state text, connection_id text, sequence integer);
"""
AGAIN: Final = """
update sessions set version = version + 1, next_try = 0
where agent = ? and cancelled = 0 and status in ('refused', 'failed', 'lost')
  and reason in ('not_connected', 'disconnected', 'revoked', 'reconnected', 'calendar_missing', 'calendar_replaced',
                 'account_changed')
  and exists (select 1 from connections where agent = sessions.agent and state = 'connected')
"""
"""Sends again what was refused for want of a connection, failed with it, or was lost with the calendar.

Not what a person deleted in Google (`deleted_in_google`): the agent wanted that.
"""
FIVE_MINUTES: Final = 300
WEEK: Final = 7 * 86_400


class Calendar:
    """The calendar service's internal API under one key."""

    def __init__(self, api: str, organization: str, key: str) -> None:
        self._root = f"{api}/v1/organizations/{organization}"
        self._key = key

    def call(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any], float]:
        """Return status, answer, and after how many seconds to repeat; status 0 if there was no answer."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._root}{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, json.load(answer), 0
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal), float(refusal.headers.get("Retry-After", 5))
        except OSError:
            return 0, {}, 5


class Backend:
    """The sessions of one organization, and how they stand in its agents' calendars."""

    def __init__(self, calendar: Calendar, secret: str, database: str) -> None:
        self._calendar = calendar
        self._secret = b64decode(secret.removeprefix("whsec_"))
        self._database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(TABLES)
        self._lock = threading.RLock()

    def _run(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    # --- what the console asks for ---

    def link(self, agent: str) -> tuple[int, dict[str, Any]]:
        """Return a one-time link, which works for five minutes: make it when the agent clicks, and redirect to it."""
        status, answer, _ = self._calendar.call("POST", f"/agents/{agent}/portal-sessions", {})
        return (200, {"url": answer["url"]}) if status == 201 else (502, answer)

    def book(self, agent: str, session: str, start: str, end: str) -> None:
        """Note how a session has to be. It is sent by `send_due`, until the service has accepted it."""
        self._run(
            'insert into sessions (agent, session, start, "end", version) values (?, ?, ?, ?, 1) '
            "on conflict do update set start = excluded.start, \"end\" = excluded.\"end\", cancelled = 0, "
            "version = version + 1, next_try = 0",
            agent, session, start, end,
        )  # fmt: skip

    def cancel(self, agent: str, session: str) -> None:
        """Note that a session must not take place."""
        self._run(
            "update sessions set cancelled = 1, version = version + 1, next_try = 0 where agent = ? and session = ?",
            agent, session,
        )  # fmt: skip

    def sessions(self, agent: str) -> list[dict[str, Any]]:
        """Return the agent's sessions, and how each stands in the calendar."""
        rows = self._run(
            'select session, start, "end", cancelled, status, reason from sessions where agent = ?', agent
        )
        return [dict(row) for row in rows]

    # --- to the service ---

    def send_due(self) -> None:
        """Send every change that the service has not accepted yet. One process alone may call this."""
        for row in self._run(
            "select * from sessions where accepted_version < version and next_try <= ?", time.time()
        ):
            self._send(row)
        for row in self._run("select * from sessions where stale and accepted_version = version"):
            self._ask(row)

    def _ask(self, row: sqlite3.Row) -> None:
        """Ask how a session stands, since a webhook said that it changed. The answer is right in any order of them."""
        of = row["agent"], row["session"]
        self._run("update sessions set stale = 0 where agent = ? and session = ?", *of)
        status, answer, _ = self._calendar.call("GET", f"/agents/{row['agent']}/sessions/{row['session']}")
        if status == 200:
            self._note(row, answer["status"], answer.get("reason", ""), row["version"])
            self._run(AGAIN, row["agent"])
        elif status != 404:
            self._run("update sessions set stale = 1 where agent = ? and session = ?", *of)

    def _send(self, row: sqlite3.Row) -> None:
        path = f"/agents/{row['agent']}/sessions/{row['session']}"
        if row["cancelled"]:
            answer = self._calendar.call("DELETE", f"{path}?by=agent&version={row['version']}")
        else:
            wanted = {"start": row["start"], "end": row["end"], "by": "agent", "version": row["version"]}
            answer = self._calendar.call("PUT", path, wanted)
        self._learn(row, *answer)

    def _learn(self, row: sqlite3.Row, status: int, answer: dict[str, Any], retry_after: float) -> None:
        code = answer.get("code", "")
        if status in {200, 201, 202}:
            # 202: it is durable there and will be done; a webhook tells the end. Nothing is to be repeated.
            self._note(row, answer["status"], answer.get("reason", ""), row["version"])
        elif status in {0, 429} or status >= 500:
            # Nothing is known of it. The same version may be sent again: a repetition changes nothing.
            self._run(
                "update sessions set next_try = ? where agent = ? and session = ?",
                time.time() + retry_after, row["agent"], row["session"],
            )  # fmt: skip
        else:
            # 409 `not_connected` is sent again when the agent connects, any other refusal when the session is changed.
            self._note(row, "refused", code, row["version"])

    def _note(self, row: sqlite3.Row, status: str, reason: str, version: int) -> None:
        self._run(
            "update sessions set status = ?, reason = ?, accepted_version = max(accepted_version, ?) "
            "where agent = ? and session = ?",
            status, reason, version, row["agent"], row["session"],
        )  # fmt: skip

    def compare(self, agent: str) -> tuple[int, dict[str, Any]]:
        """Compare the next year with the calendar, and have mended what differs: each night, or after an outage."""
        begins, ends = datetime.now(UTC), datetime.now(UTC) + timedelta(days=366)
        within = {"from": f"{begins:%FT%TZ}", "to": f"{ends:%FT%TZ}"}
        wanted = [
            {name: row[name] for name in ("session", "start", "end", "version")}
            for row in self._run("select * from sessions where agent = ? and cancelled = 0", agent)
            if _is_within(row, begins, ends)
        ]
        status, answer, _ = self._calendar.call(
            "POST", f"/agents/{agent}/sessions/reconcile?apply=true", {**within, "sessions": wanted}
        )
        return status or 502, answer

    # --- from the service ---

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take a webhook; return the status of the answer. Nothing slow happens before the answer."""
        if not self._is_genuine(headers, body):
            return 400
        event = json.loads(body)
        with self._lock:
            self._run("delete from webhooks where at < ?", time.time() - WEEK)
            if self._run("select 1 from webhooks where id = ?", headers["webhook-id"]):
                return 204
            self._act(event["type"], event["data"])
            self._run("insert into webhooks values (?, ?)", headers["webhook-id"], time.time())
        return 204

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        """Tell whether the service signed this body, as Standard Webhooks says, in the last five minutes."""
        sent_at = headers.get("webhook-timestamp", "")
        if not re.fullmatch("[0-9]{1,12}", sent_at) or abs(time.time() - int(sent_at)) > FIVE_MINUTES:
            return False
        signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
        expected = b"v1," + b64encode(hmac.digest(self._secret, signed, sha256))
        signatures = headers.get("webhook-signature", "").encode("ascii", "replace").split(b" ")
        return any(hmac.compare_digest(expected, one) for one in signatures)

    def _act(self, kind: str, data: dict[str, Any]) -> None:
        if kind.startswith("session."):
            # It may overtake the answer to the change that caused it, so it is taken for a call to ask.
            self._run(
                "update sessions set stale = 1 where agent = ? and session = ?",
                data["agent"],
                data["session"],
            )
        elif kind.startswith("connection.") and "agent" in data and self._is_newer(data):
            self._run(
                "insert or replace into connections values (?, ?, ?, ?)",
                data["agent"], data["status"], data["connection_id"], data["sequence"],
            )  # fmt: skip
            self._run(AGAIN, data["agent"])
        # At `connection.disconnected`, `.revoked` and `.erased` every `event_id` and link has to go: none is kept here.

    def _is_newer(self, data: dict[str, Any]) -> bool:
        return not self._run(
            "select 1 from connections where agent = ? and connection_id = ? and sequence >= ?",
            data["agent"], data["connection_id"], data["sequence"],
        )  # fmt: skip


def _is_within(row: sqlite3.Row, begins: datetime, ends: datetime) -> bool:
    return datetime.fromisoformat(row["end"]) > begins and datetime.fromisoformat(row["start"]) < ends


class Handler(BaseHTTPRequestHandler):
    """The backend's own interface. A real one asks here who calls."""

    backend: Backend

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self._answer(body)
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that the base class calls

    def _answer(self, body: bytes) -> tuple[int, object]:
        match self.command, *self.path.strip("/").split("/"):
            case "POST", "events":
                headers = {name.lower(): value for name, value in self.headers.items()}
                return self.backend.take(headers, body), None
            case "POST", "agents", agent, "link":
                return self.backend.link(agent)
            case "POST", "agents", agent, "compare":
                return self.backend.compare(agent)
            case "GET", "agents", agent, "sessions":
                return 200, self.backend.sessions(agent)
            case "PUT", "agents", agent, "sessions", session:
                wanted = json.loads(body)
                self.backend.book(agent, session, wanted["start"], wanted["end"])
                return 202, {"session": session}
            case "DELETE", "agents", agent, "sessions", session:
                self.backend.cancel(agent, session)
                return 202, {"session": session}
        return 404, {}

    def log_message(self, *_: object) -> None:
        """Log nothing: paths hold names of agents."""


def main() -> None:
    """Serve, and send what is due each half second."""
    options = argparse.ArgumentParser(description="A small scheduling backend beside the calendar service.")
    options.add_argument("--api", default="http://localhost:8080")
    options.add_argument("--organization", default="acme")
    options.add_argument("--key-file", default=".data/api-key")
    options.add_argument("--secret-file", default=".data/keys/webhook-secret")
    options.add_argument("--database", default=":memory:")
    options.add_argument("--port", type=int, default=9000)
    chosen = options.parse_args()
    key, secret = (Path(file).read_text("ascii").strip() for file in (chosen.key_file, chosen.secret_file))
    Handler.backend = Backend(Calendar(chosen.api, chosen.organization, key), secret, chosen.database)
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        Handler.backend.send_due()
        time.sleep(0.5)


if __name__ == "__main__":
    main()
