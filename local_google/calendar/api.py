"""The entry of Calendar v3: routes a call, checks its token, scope, quota, parameters and body, then calls its handler.

Stands for Google's API front end. Methods, scopes and parameters come from the discovery document that
google-api-python-client ships. Checks run in this order: route, token, API enabled, scope, Calendar on
for the account, quota, parameters, body.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec

from local_google import errors
from local_google.calendar import (
    calendar_list,
    calendars,
    channels,
    colours,
    event_list,
    events,
    fields,
    settings,
)
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
OVERRIDES = frozenset({"GET", "PUT", "PATCH", "DELETE"})
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
    "calendar.colors.get": colours.colors,
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
    """The answer to one call, and what the journal records about it."""

    __slots__ = ("account", "answer", "body", "client_id", "created_calendar", "method")

    def __init__(self) -> None:
        self.answer = Response(500)
        self.method: str | None = None
        self.client_id: str | None = None
        self.account: str | None = None
        self.body: Any = None
        self.created_calendar: str | None = None  # its id: later calls do not tell which client created it


def serve(context: Context, request: Request) -> Served:
    """Answer one call under ``/calendar/v3/``."""
    served = Served()
    meant = _meant(request)
    try:
        answer = _answer(context, meant, served)
    except errors.ApiError as refusal:
        answer = refusal.answer()
    served.answer = _shared(meant, answer)
    return served


def identify(context: Context, request: Request) -> Served:
    """Say who calls which method, without carrying it out: for the journal of calls that a fault replaces."""
    served = Served()
    meant = _meant(request)
    route = find(meant.method, meant.raw_path[len(PREFIX) :])
    served.method = route[0].id if route else None
    token = context.books.access_tokens.get(_bearer(request) or "")
    if token is not None:
        served.client_id, served.account = token.client_id, token.account
    return served


def _meant(request: Request) -> Request:
    """The call that is meant: by the header ``X-HTTP-Method-Override`` of a POST, and a HEAD as its GET."""
    wanted = request.headers.get("x-http-method-override", "").upper() if request.method == "POST" else ""
    if request.method == "HEAD":
        wanted = "GET"
    return replace(request, method=wanted) if wanted in OVERRIDES else request


def _with_form(method: ApiMethod, request: Request) -> str:
    """The query; of a call without a body, a form's fields belong to it, because clients send a long query so."""
    if method.request is not None or not request.form:
        return request.query_string
    return "&".join(filter(None, (request.query_string, request.body.decode("utf-8", "replace"))))


def _shared(request: Request, answer: Response) -> Response:
    """[R] The answer with the headers that let a page of another origin read it."""
    origin = request.headers.get("origin")
    if origin is not None:
        answer.headers = (*answer.headers, ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))
    return answer


def _preflight(request: Request) -> Response:
    """[R] The answer to the question that a browser sends before a call from another origin."""
    wanted = request.headers.get("access-control-request-headers", "authorization")
    headers = (
        ("Access-Control-Allow-Methods", "GET,POST,PUT,PATCH,DELETE"),
        ("Access-Control-Allow-Headers", wanted),
    )
    return Response(200, headers=headers)


def _answer(context: Context, request: Request, served: Served) -> Response:
    if request.method == "OPTIONS":
        return _preflight(request)
    route = find(request.method, request.raw_path[len(PREFIX) :])
    if route is None:
        return errors.html_page(404)
    method, variables = route
    served.method = method.id
    token, account = _caller(context, request, served)
    if context.switches.api_disabled:
        raise errors.api_disabled(token.project)
    scopes = token.scopes if token.enforced is None else token.enforced
    if not method.scopes.intersection(scopes):
        _, resource, verb = method.id.split(".")
        name = f"calendar.v3.{resource[0].upper()}{resource[1:]}.{verb[0].upper()}{verb[1:]}"
        raise errors.scope_insufficient(name, sorted(method.scopes))
    if not {"*", account.email}.isdisjoint(context.switches.not_calendar_users):
        raise errors.not_a_calendar_user()
    now = context.now()
    spend(context, method, account.email, token.project, now)
    query = _query(method.id, _with_form(method, request))
    mask = fields.parse(query["fields"], method.response) if "fields" in query else None
    call = MethodCall(context, method, variables, query, request.headers, account, token, now)
    if method.request is not None:
        call.body = served.body = _body(method, request)
    handler = HANDLERS.get(method.id)
    if handler is None:
        raise errors.absent(method.id)
    document = handler(call)
    if document is not None and method.id == "calendar.calendars.insert":
        served.created_calendar = document["id"]
    return _written(request, query, document, mask)


@lru_cache(maxsize=2048)
def _query(method: str, query_string: str) -> Mapping[str, Any]:
    """The parsed parameters, cached by query string. Callers must not change the result."""
    values = parse_qs(query_string, keep_blank_values=True) if query_string else {}
    return query_parameters.read(methods()[method].parameters, values)


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


def _caller(context: Context, request: Request, served: Served) -> tuple[Token, Account]:
    text = _bearer(request)
    if text is None:
        raise errors.key_invalid() if "key" in request.query else errors.login_required()
    if context.late_revocations:
        settle_late_revocations(context)
    token = context.books.access_tokens.get(text)
    if token is None:
        raise errors.unauthenticated()
    served.client_id, served.account = token.client_id, token.account
    account = context.known(token.account)
    if account is None or not token.alive(context.now()):
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
    assert method.request is not None  # noqa: S101 - the caller has checked
    if not isinstance(raw, dict):
        raise errors.ApiError(400, "parseError", "Parse Error")
    checked: dict[str, Any] = checker(method.request, nulls=method.http_method == "PATCH")(raw, "")
    return checked
