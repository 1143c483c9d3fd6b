"""The control endpoints for tests: journal, books, reset, faults, switches.

Google has none of them. Calls to them are not journalled.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec

from local_google.calendar import calendar_list, calendars, event_views
from local_google.context import Context
from local_google.protocol.messages import JSON, Request, Response, first
from local_google.rendering.page import foreign
from local_google.state.clock import rfc3339
from local_google.state.records import Channel, Token
from local_google.state.switches import changed

PREFIX = "/_control/"


def serve(context: Context, request: Request) -> Response:
    """Answer one request under ``/_control/``."""
    if not _is_local(request.headers.get("host", "")):
        return _json({"error": "asked for under a foreign name; use localhost or an IP address"}, 421)
    if foreign(request):
        return _json({"error": "sent from another site"}, 403)
    name = request.path[len(PREFIX) :]
    try:
        return _routed(context, request.method, name, request)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError, TypeError) as wrong:
        return _json({"error": str(wrong)}, 400)


def _is_local(host: str) -> bool:
    """Whether the Host is `localhost` or an IP address.

    An attacker's page may give its own name this machine's address (DNS rebinding), and would read the tokens then.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False


def _routed(context: Context, method: str, name: str, request: Request) -> Response:
    if (method, name) == ("GET", "journal"):
        return Response(200, context.journal.document(int(first(request.query, "since") or 0)), JSON)
    if (method, name) == ("GET", "state"):
        return _json(state(context))
    if (method, name) == ("POST", "reset"):
        context.reset()
        return _json({"journal": len(context.journal)})
    if name == "faults":
        return _faults(context, method, request)
    if name == "switches" and method in ("GET", "POST"):
        if method == "POST":
            context.switches = changed(context.switches, msgspec.json.decode(request.body))
        return _json(msgspec.to_builtins(context.switches))
    return _json({"error": "no such control"}, 404)


def _faults(context: Context, method: str, request: Request) -> Response:
    if method == "POST":
        context.faults.add(msgspec.json.decode(request.body))
    elif method == "DELETE":
        context.faults.clear()
    elif method != "GET":
        return _json({"error": "no such control"}, 404)
    return _json({"rules": msgspec.to_builtins(context.faults.rules)})


def _json(document: Any, status: int = 200) -> Response:
    return Response(status, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n", JSON)


def state(context: Context) -> dict[str, Any]:
    """All books, tokens included, resources as the API would give them."""
    books, now = context.books, context.now()
    return {
        "time": rfc3339(now),
        "accounts": [
            {
                "email": a.email,
                "name": a.name,
                "timeZone": a.time_zone,
                "deleted": context.known(a.email) is None,
            }
            for a in books.accounts.values()
        ],
        "consents": [
            {
                "account": c.account,
                "project": c.project,
                "scope": " ".join(c.scopes),
                "granted": rfc3339(c.granted_at),
            }
            for c in books.consents.values()
        ],
        "refresh_tokens": list(_tokens(books.refresh_tokens.values(), now)),
        "access_tokens": list(_tokens(books.access_tokens.values(), now)),
        "calendars": [
            calendars.resource(calendar)
            | {
                "owner": calendar.owner,
                "events": [event_views.held(e) for e in books.events_of(calendar.id).by_uid.values()],
            }
            for calendar in list(books.calendars.values())
        ],
        "calendarList": {
            email: [
                calendar_list.resource(entry, books.calendars.get(entry.calendar))
                for entry in books.entries.values()
                if entry.account == email
            ]
            for email in books.accounts
        },
        "channels": [_channel(channel, now) for channel in books.channels.values()],
        "clients": [
            {
                "client_id": c.client_id,
                "project": c.project,
                "redirect_uris": list(c.redirect_uris),
                "name": c.name,
            }
            for c in context.clients.values()
        ],
        "switches": msgspec.to_builtins(context.switches),
        "faults": msgspec.to_builtins(context.faults.rules),
        "journal": len(context.journal),
    }


def _tokens(tokens: Iterable[Token], now: float) -> Iterable[dict[str, Any]]:
    for token in tokens:
        yield {
            "token": token.token,
            "account": token.account,
            "client_id": token.client_id,
            "project": token.project,
            "scope": " ".join(token.scopes),
            "issued": rfc3339(token.issued_at),
            "expires": None if token.expires_at is None else rfc3339(token.expires_at),
            "alive": token.alive(now),
        }


def _channel(channel: Channel, now: float) -> dict[str, Any]:
    return {
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "address": channel.address,
        "account": channel.account,
        "client_id": channel.client_id,
        "collection": channel.collection,
        "token": channel.token,
        "expiration": str(int(channel.expires_at * 1000)),
        "alive": channel.expires_at > now,
        "messages": channel.number,
    }
