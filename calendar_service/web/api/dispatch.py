"""Serves the internal API: authenticates the caller, checks the role, parses the request, and calls."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final, cast

import msgspec
from flask import Blueprint, Response, g, request

from calendar_service.config import ApiKey
from calendar_service.domain.errors import Forbidden, NotFound, Unauthenticated
from calendar_service.web import limits
from calendar_service.web.api import connections, organizations, portal_sessions, reconcile, sessions
from calendar_service.web.api.body import body
from calendar_service.web.api.call import ApiAnswer, ApiCall, Names
from calendar_service.web.api.keys import ANY, Keys, is_foreign
from calendar_service.web.api.query import query
from calendar_service.wiring import CallerLimitJourneys, Service

ROOT: Final = "/v1"

CALLS: Final[tuple[ApiCall[Any], ...]] = (
    *portal_sessions.CALLS,
    *connections.CALLS,
    *sessions.CALLS,
    *reconcile.CALLS,
    *organizations.CALLS,
)
"""All calls of the API: these are served, and described by `/openapi.json`."""


def blueprint(service: Service) -> Blueprint:
    """Return the routes of the API, behind their keys."""
    routes = Blueprint("internal", __name__)
    keys = Keys(lambda: service.config.api_keys)

    @routes.before_app_request
    def _authenticate() -> None:
        if is_api(request.path):
            g.caller = _caller(service, keys)
            organization = organization_of(request.path)
            # Before the organization is looked at: whoever guesses names is counted too.
            limits.count(service.caller_limits.calls, counted_as(g.caller, organization))
            if is_foreign(g.caller, organization):
                service.security_events.record(
                    "request.foreign", caller=g.caller.name, request_id=g.request_id
                )
                raise NotFound("Another organization's.")

    for call in CALLS:
        routes.add_url_rule(
            call.path,
            call.name,
            _view(call.needs(service), call, service.caller_limits),
            methods=[call.method],
            provide_automatic_options=False,
        )
    return routes


def _caller(service: Service, keys: Keys) -> ApiKey:
    try:
        return keys.caller(request.headers.get("Authorization"))
    except Unauthenticated:
        service.security_events.record("key.refused", request_id=g.request_id)
        raise


def is_api(path: str) -> bool:
    """Tell whether a path belongs to the API, even if there is no such call."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def organization_of(path: str) -> str:
    """Return the organization in a path, even if there is no such call; "" if the path has none."""
    parts = path.split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "organizations" else ""


def counted_as(caller: ApiKey, organization: str) -> str:
    """Return under which name a call is counted: a key for all organizations is counted for each of them."""
    return f"{caller.name} {organization if caller.organization == ANY else caller.organization}"


def _view(journeys: object, call: ApiCall[Any], allowed: CallerLimitJourneys) -> Callable[..., Response]:
    def view(**parts: str) -> Response:
        _require_role(cast(ApiKey, g.caller), call)
        names = Names.of_path(parts)
        if names.agent and call.method != "GET":
            limits.count(allowed.changes, names.whose.member)
        parameters, content = query(request, call.query), body(request, call.body)
        # After the body was read: a slow sender must not keep the organization's place.
        with allowed.long_calls.taken(names.organization) if call.is_long(parameters) else nullcontext():
            return _response(call.do(journeys, names, parameters, content))

    return view


def _require_role(caller: ApiKey, call: ApiCall[Any]) -> None:
    if caller.role not in call.roles:
        needed = " or ".join(sorted(call.roles))
        raise Forbidden(f"This call takes a key of the role {needed}.")


def _response(answer: ApiAnswer) -> Response:
    return Response(
        msgspec.json.encode(answer.body), answer.status, answer.headers, content_type="application/json"
    )
