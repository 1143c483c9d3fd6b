"""Calendar v3: who calls, may they, what do they want. Must not know what a method does."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec

from local_google import errors
from local_google.calendar import calendar_list, calendars, channels, event_list, events, fields, settings
from local_google.calendar import parameters as query_parameters
from local_google.calendar.call import Handler, MethodCall
from local_google.calendar.quotas import spend
from local_google.calendar.schema import checker
from local_google.context import Context
from local_google.discovery import ApiMethod, find, methods
from local_google.oauth.grants import settle_late_revocations
from local_google.protocol.messages import JSON, Request, Response
from local_google.state.records import Account, Token

PREFIX = "/calendar/v3/"
HANDLERS: Mapping[str, Handler] = {
    "calendar.acl.get": settings.acl_get,
    "calendar.acl.list": settings.acl_list,
    "calendar.acl.watch": channels.watch_acl,
    "calendar.calendarList.delete": calendar_list.delete,
    "calendar.calendarList.get": calendar_list.get,
    "calendar.calendarList.insert": calendar_list.insert,
    "calendar.calendarList.list": calendar_list.list_entries,
    "calendar.calendarList.patch": calendar_list.patch,
    "calendar.calendarList.update": calendar_list.update,
    "calendar.calendarList.watch": channels.watch_calendar_list,
    "calendar.calendars.clear": calendars.clear,
    "calendar.calendars.delete": calendars.delete,
    "calendar.calendars.get": calendars.get,
    "calendar.calendars.insert": calendars.insert,
    "calendar.calendars.patch": calendars.patch,
    "calendar.calendars.update": calendars.update,
    "calendar.channels.stop": channels.stop,
    "calendar.colors.get": settings.colors,
    "calendar.events.delete": events.delete,
    "calendar.events.get": events.get,
    "calendar.events.import": events.import_event,
    "calendar.events.insert": events.insert,
    "calendar.events.list": event_list.list_events,
    "calendar.events.move": events.move,
    "calendar.events.patch": events.patch,
    "calendar.events.update": events.update,
    "calendar.events.watch": channels.watch_events,
    "calendar.freebusy.query": settings.freebusy,
    "calendar.settings.get": settings.get,
    "calendar.settings.list": settings.list_settings,
    "calendar.settings.watch": channels.watch_settings,
}


class Served:
    """What a call came to, for the journal beside the answer."""

    __slots__ = ("account", "answer", "body", "client_id", "made", "method")

    def __init__(self) -> None:
        self.answer = Response(500)
        self.method: str | None = None
        self.client_id: str | None = None
        self.account: str | None = None
        self.body: Any = None
        self.made: str | None = None  # the id of a new calendar: whose it is cannot be told from later calls


def serve(world: Context, request: Request) -> Served:
    """Answer one call under ``/calendar/v3/``."""
    served = Served()
    try:
        served.answer = _answer(world, request, served)
    except errors.ApiError as refusal:
        served.answer = refusal.answer()
    return served


def identify(world: Context, request: Request) -> Served:
    """Who calls what, without doing it: for the journal of calls that a fault has met first."""
    served = Served()
    found = find(request.method, request.raw_path[len(PREFIX) :])
    served.method = found[0].id if found else None
    token = world.books.access_tokens.get(_bearer(request) or "")
    if token is not None:
        served.client_id, served.account = token.client_id, token.account
    return served


def _answer(world: Context, request: Request, served: Served) -> Response:
    found = find(request.method, request.raw_path[len(PREFIX) :])
    if found is None:
        return errors.html_page(404)
    method, variables = found
    served.method = method.id
    token, account = _caller(world, request, served)
    if world.switches.api_disabled:
        raise errors.api_disabled(token.project)
    scopes = token.scopes if token.enforced is None else token.enforced
    if not method.scopes.intersection(scopes):
        _, resource, verb = method.id.split(".")
        name = f"calendar.v3.{resource[0].upper()}{resource[1:]}.{verb[0].upper()}{verb[1:]}"
        raise errors.scope_insufficient(name, sorted(method.scopes))
    now = world.now()
    spend(world, method, account.email, token.project, now)
    query = _query(method.id, request.query_string)
    mask = fields.parse(query["fields"], method.response) if "fields" in query else None
    call = MethodCall(world, method, variables, query, request.headers, account, token, now)
    if method.request is not None:
        call.body = served.body = _body(method, request)
    handler = HANDLERS.get(method.id)
    if handler is None:
        raise _absent(method)
    document = handler(call)
    if document is not None and method.id == "calendar.calendars.insert":
        served.made = document["id"]
    return _written(request, query, document, mask)


@lru_cache(maxsize=2048)
def _query(method: str, query_string: str) -> Mapping[str, Any]:
    """The parameters, read once for all calls that send the same ones; not to be changed."""
    values = parse_qs(query_string, keep_blank_values=True) if query_string else {}
    return query_parameters.read(methods()[method].parameters, values)


def _absent(method: ApiMethod) -> errors.ApiError:
    """A method of Google's that this stand-in does not have says so, instead of pretending."""
    return errors.ApiError(501, "notImplemented", f"The local Google does not have {method.id}.")


def _written(request: Request, query: Mapping[str, Any], document: Any, mask: fields.Mask | None) -> Response:
    if document is None:
        return Response(204)
    etag = document.get("etag")
    headers = (("ETag", etag), *CACHE) if etag else CACHE
    if etag and request.method == "GET" and request.headers.get("if-none-match") == etag:
        return Response(304, b"", JSON, headers)
    if mask is not None:
        document = fields.select(document, mask)
    body = msgspec.json.encode(document)
    if query.get("prettyPrint", True):
        body = msgspec.json.format(body, indent=1) + b"\n"
    return Response(200, body, JSON, headers)


CACHE = (("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"), ("Vary", "Origin"))


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    for name in ("access_token", "oauth_token"):
        if name in request.query:
            return request.query[name][0]
    return None


def _caller(world: Context, request: Request, served: Served) -> tuple[Token, Account]:
    text = _bearer(request)
    if text is None:
        raise errors.login_required()
    if world.late_revocations:
        settle_late_revocations(world)
    token = world.books.access_tokens.get(text)
    if token is None:
        raise errors.unauthenticated()
    served.client_id, served.account = token.client_id, token.account
    account = world.known(token.account)
    if account is None or not token.alive(world.now()):
        raise errors.unauthenticated()
    return token, account


def _body(method: ApiMethod, request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if request.body and kind != "application/json":  # [R] reason and text
        message = f"Media type '{kind}' is not supported. Valid media types: [application/json]"
        raise errors.ApiError(400, "badContent", message)
    try:
        raw = msgspec.json.decode(request.body) if request.body else {}
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise errors.ApiError(400, "parseError", "Parse Error") from None
    assert method.request is not None  # noqa: S101 - the caller has looked
    if not isinstance(raw, dict):
        raise errors.ApiError(400, "parseError", "Parse Error")
    checked: dict[str, Any] = checker(method.request, nulls=method.http_method == "PATCH")(raw, "")
    return checked
