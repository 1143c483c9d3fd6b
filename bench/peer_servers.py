"""Two small servers that `bench/operation.py` holds the service against, under the same Granian with the same threads.

    python bench/peer_servers.py bare|quickstart PORT

`bare`: one function of WSGI without a framework; one call by `http.client` on a kept connection, and one write to the
database, which is durable when it is answered. Nobody can write an event and its record for less in Python.

`quickstart`: what the guides show: Flask; the account's tokens read from Redis; Google's client made by `build()` for
the call; the event's id kept in Redis. Neither authenticates, checks, leases, seals, logs, or repeats anything.

POST creates, PUT reschedules, DELETE cancels the session that ends the path. PEER_REDIS, PEER_GOOGLE (the endpoint),
PEER_TOKEN and PEER_CALENDAR have to be set.
"""

import http.client
import json
import os
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service import wiring  # noqa: E402
from calendar_service.web.request_slots import PROBING, WAITING  # noqa: E402
from calendar_service.web.server import TURN_SECONDS  # noqa: E402

GOOGLE_METHODS = {"POST": "POST", "PUT": "PATCH", "DELETE": "DELETE"}


def event_id(session: str) -> str:
    """Return an event id for a session: hex digits are base32hex ones too."""
    return sha256(session.encode()).hexdigest()[:40]


def event(body: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a session's desired state."""
    zone = body["time_zone"]
    return {
        "summary": body["title"],
        "description": body["description"],
        "start": {"dateTime": body["start"], "timeZone": zone},
        "end": {"dateTime": body["end"], "timeZone": zone},
    }


def bare() -> Any:
    """Return the function without a framework."""
    from redis import Redis  # noqa: PLC0415 - each server loads its own libraries only

    database, connections = Redis.from_url(os.environ["PEER_REDIS"]), threading.local()
    google, token = urlsplit(os.environ["PEER_GOOGLE"]), os.environ["PEER_TOKEN"]
    events = f"{google.path}calendars/{quote(os.environ['PEER_CALENDAR'])}/events"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, session = environ["REQUEST_METHOD"], environ["PATH_INFO"].rpartition("/")[2]
        sent = None if method == "DELETE" else event(json.loads(environ["wsgi.input"].read()))
        path = events if method == "POST" else f"{events}/{event_id(session)}"
        if method == "POST":
            sent = {"id": event_id(session), **(sent or {})}
        if not hasattr(connections, "google"):
            connections.google = http.client.HTTPConnection(google.netloc, timeout=30)
        content = json.dumps(sent).encode() if sent else None
        connections.google.request(GOOGLE_METHODS[method], path, content, headers)
        answer = connections.google.getresponse()
        held = answer.read()
        database.set(session, held)
        status = "200 OK" if answer.status < 300 else "502 Bad Gateway"
        text = json.dumps({"session": session, "event_id": event_id(session)}).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    return application


def quickstart() -> Any:
    """Return the application of the guides."""
    from flask import Flask, jsonify, request  # noqa: PLC0415
    from google.oauth2.credentials import Credentials  # noqa: PLC0415
    from googleapiclient.discovery import build  # noqa: PLC0415
    from redis import Redis  # noqa: PLC0415

    database = Redis.from_url(os.environ["PEER_REDIS"])
    calendar, options = os.environ["PEER_CALENDAR"], {"api_endpoint": os.environ["PEER_GOOGLE"]}
    tokens = {
        "token": os.environ["PEER_TOKEN"],
        "refresh_token": "unused",
        "client_id": "peer",
        "client_secret": "peer",
    }
    end = datetime.now(UTC) + timedelta(
        hours=1
    )  # as Google gives them; none is refreshed while this is measured
    database.set("tokens", json.dumps(tokens | {"expiry": end.strftime("%Y-%m-%dT%H:%M:%SZ")}))
    application = Flask("quickstart")

    @application.route("/<path:_agent>/<session>", methods=["POST", "PUT", "DELETE"])
    def change(_agent: str, session: str) -> Any:
        credentials = Credentials.from_authorized_user_info(json.loads(database.get("tokens")))
        with build("calendar", "v3", credentials=credentials, client_options=options) as google:
            if request.method == "POST":
                body = {"id": event_id(session)} | event(request.json)
                inserted = google.events().insert(calendarId=calendar, body=body).execute()
                database.set(f"event:{session}", inserted["id"])
                return jsonify(session=session, event_id=inserted["id"])
            held = (database.get(f"event:{session}") or b"").decode()
            if request.method == "PUT":
                body = event(request.json)
                google.events().patch(calendarId=calendar, eventId=held, body=body).execute()
                database.set(f"event:{session}", held)
            else:
                google.events().delete(calendarId=calendar, eventId=held).execute()
                database.delete(f"event:{session}")
        return jsonify(session=session, event_id=held)

    return application


SERVERS = {"bare": bare, "quickstart": quickstart}


def load(name: str) -> Any:
    """Return the named application, with the turn of threads that the service has."""
    sys.setswitchinterval(TURN_SECONDS)
    return SERVERS[name]()


def main() -> None:
    """Serve one of them until SIGTERM."""
    if len(sys.argv) != 3 or sys.argv[1] not in SERVERS:
        raise SystemExit(__doc__)
    Granian(
        sys.argv[1],
        port=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=wiring.THREADS + WAITING + PROBING,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
    ).serve(target_loader=load)


if __name__ == "__main__":
    main()
