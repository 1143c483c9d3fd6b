"""The life of an agent's sessions through a Python client that openapi-python-client made; `lives.py` starts it.

It prints `open ADDRESS` once the agent's browser has to do something, and exits with 0 if all was as it should be.
"""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

from calendar_client import AuthenticatedClient
from calendar_client.api.connections import create_portal_session, get_connection, list_connections
from calendar_client.api.sessions import (
    cancel_session,
    get_session,
    list_sessions,
    put_session,
    reconcile_sessions,
)
from calendar_client.models import (
    By,
    DesiredSessionBody,
    GetSessionRead,
    PortalBody,
    Problem,
    ReadSession,
    ReconcileBody,
    Reconciliation,
    SessionAnswer,
    SessionBody,
    State,
    Status,
)
from standardwebhooks import Webhook

ORGANIZATION, AGENT = "acme", "by-python"
DAY = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
"""Years ahead would do too; seconds are whole, as the service asks."""

events: "Queue[dict[str, Any]]" = Queue()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, headers)
        if event["data"].get("agent") == AGENT:
            events.put(event)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def expect(kind: str, **data: object) -> None:
    event = events.get(timeout=30)
    assert event["type"] == kind, event
    assert {name: event["data"].get(name) for name in data} == data, event


def main() -> None:
    server = HTTPServer(("127.0.0.1", int(os.environ["WEBHOOK_PORT"])), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = AuthenticatedClient(os.environ["API"], os.environ["API_KEY"])

    link = create_portal_session.sync(ORGANIZATION, AGENT, client=client, body=PortalBody(locale="en"))
    sys.stdout.write(f"open {link.url}\n")
    sys.stdout.flush()
    assert link.expires_at > datetime.now(UTC)
    expect("connection.connected", status="connected")
    assert get_connection.sync(ORGANIZATION, AGENT, client=client).state is State.CONNECTED
    members = list_connections.sync(ORGANIZATION, client=client, limit=100).connections
    assert AGENT in {one.agent for one in members}

    booked = SessionBody(start=DAY.isoformat(), end=(DAY + timedelta(hours=1)).isoformat(), by=By.AGENT)
    created = put_session.sync_detailed(ORGANIZATION, AGENT, "s-1", client=client, body=booked)
    assert (created.status_code, created.parsed.status) == (201, Status.SCHEDULED), created
    expect("session.applied", session="s-1", status="scheduled")

    later = DAY + timedelta(hours=3)
    booked.start, booked.end = later.isoformat(), (later + timedelta(hours=1)).isoformat()
    moved = put_session.sync_detailed(
        ORGANIZATION, AGENT, "s-1", client=client, body=booked, x_request_id="00c0ffee00c0ffee"
    )
    assert isinstance(moved.parsed, SessionAnswer)
    assert (moved.status_code, moved.parsed.revision) == (200, 2), moved
    assert moved.headers["X-Request-Id"] == "00c0ffee00c0ffee"
    assert "calls" in moved.headers["RateLimit"]
    expect("session.applied", session="s-1", status="scheduled")

    seen = get_session.sync(ORGANIZATION, AGENT, "s-1", client=client, read=GetSessionRead.GOOGLE)
    assert isinstance(seen, ReadSession)
    assert (seen.start, seen.end) == (later, later + timedelta(hours=1))
    days = {"from_": later.date(), "to": later.date()}
    assert [
        one.session for one in list_sessions.sync(ORGANIZATION, AGENT, client=client, **days).sessions
    ] == ["s-1"]

    wanted = DesiredSessionBody(session="s-1", start=booked.start, end=booked.end)
    within = ReconcileBody(from_=DAY, to=DAY + timedelta(days=1), sessions=[wanted])
    plan = reconcile_sessions.sync(ORGANIZATION, AGENT, client=client, body=within)
    assert isinstance(plan, Reconciliation)
    assert (plan.equal, plan.differences, plan.unknown_events) == (1, [], [])

    over = SessionBody(start="2020-05-03T14:00:00Z", end="2020-05-03T15:00:00Z", by=By.SYSTEM)
    refused = put_session.sync(ORGANIZATION, AGENT, "s-2", client=client, body=over)
    assert isinstance(refused, Problem)
    assert (refused.code.value, refused.retryable) == ("session_over", False)

    cancelled = cancel_session.sync(ORGANIZATION, AGENT, "s-1", client=client, by=By.AGENT)
    assert (cancelled.status, cancelled.applied) == (Status.CANCELLED, True), cancelled
    expect("session.applied", session="s-1", status="cancelled")


main()
