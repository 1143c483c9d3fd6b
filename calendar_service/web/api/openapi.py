"""The API's description (OpenAPI 3.1), made from the tables and structs that serve requests."""

import inspect
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from flask import Blueprint, Response, current_app

from calendar_service.config import Role
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.operator import Operator
from calendar_service.domain.session import Reason
from calendar_service.web import problems
from calendar_service.web.api import examples
from calendar_service.web.api.body import BODY_LIMIT
from calendar_service.web.api.call import NAME_FORM, ApiCall, Nothing, Tag
from calendar_service.web.api.dispatch import CALLS
from calendar_service.web.api.webhook_events import EVENTS
from calendar_service.web.pages.answers import ConstantPage
from calendar_service.wiring import Service

_REFERENCE: Final = "#/components/schemas/{name}"
_PARTS: Final = re.compile(r"<([a-z]+)>")
_NAME: Final = {"type": "string", **NAME_FORM}
_ALWAYS: Final = frozenset(
    {
        "invalid_request",
        "unauthenticated",
        "not_found",
        "too_many_requests",
        "internal",
        "store_unavailable",
        "busy",
    }
)
"""Codes that every call may answer."""
_WITH_BODY: Final = frozenset({"too_large", "unsupported_media_type"})
"""Codes of calls that take a body."""
_VARIABLE: Final = frozenset({409, 422})
"""Statuses whose codes differ from call to call."""
_LIMITS: Final = frozenset({"minimum", "maximum", "minLength", "maxLength", "pattern"})
"""Keywords of a parameter whose value may be refused with 422, though it has the form that the call takes."""

_TAGS: Final = {
    Tag.SESSIONS: "Video sessions of an agent, each one event in the dedicated calendar.",
    Tag.CONNECTIONS: "Between an agent and the Google account: begun in the agent's browser, paused and ended here.",
    Tag.ORGANIZATIONS: "Everything of an organization at once.",
}
_WEBHOOKS: Final = "Webhooks"


def _field(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": _field("The request's id, the caller's own if it had its form."),
    "RateLimit-Policy": _field("The limits that the call counts towards: `q` calls in `w` seconds."),
    "RateLimit": _field("What is left of each: `r` calls; in `t` seconds nothing is missing."),
    "Retry-After": _field("After how many seconds to repeat.", "integer"),
    "Location": _field("Where to ask how it goes on: the path of the session."),
    "WWW-Authenticate": _field("The scheme that is taken."),
}
"""The headers of answers."""


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


_COUNTED: Final = ("RateLimit-Policy", "RateLimit")
"""The headers of every answer to a key."""
_OF_REFUSAL: Final = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
"""The headers that the status of a refusal brings."""


def blueprint(service: Service) -> Blueprint:
    """Return the routes that describe the API."""
    routes = Blueprint("openapi", __name__)
    description = document(service.config.public_url, service.operator)
    page = ConstantPage.of(msgspec.json.encode(description).decode())

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return page.to_conditional(Response(page.content, content_type="application/json"))

    words = {"document": description, "refusals": list(refusals()), "common_refusals": common_refusals()}

    @routes.get("/docs")
    def docs() -> Response:
        page: Response = current_app.extensions["pages"].show_constant("docs.html", **words)
        return page

    return routes


def document(public_url: str, operator: Operator) -> dict[str, Any]:
    """Return the description of this operator's API at this address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Calendar service: internal API",
            "version": version("calendar-service"),
            "summary": "Writes an agent's video sessions into one Google calendar of their own.",
            "description": "Writes an agent's video sessions into one Google calendar of their own. "
            f"JSON both ways, at most {BODY_LIMIT // 1024} KiB. A change that was answered 2xx is durable. "
            "Every answer carries `X-Request-Id`: the caller's, if it is a UUID or 8 to 32 hexadecimal digits in small "
            "letters, else a new one. Problems repeat it as `request_id`. Every answer to a key says in "
            "`RateLimit-Policy` and `RateLimit` how many calls are left (draft-ietf-httpapi-ratelimit-headers). "
            "A path that is no call is answered 404, a method that a path does not take 405, and another "
            "host than this one 421.",
            "contact": _contact(operator),
            "license": {"name": "All rights reserved", "identifier": "LicenseRef-All-Rights-Reserved"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag.value, "description": text} for tag, text in _TAGS.items()]
        + [
            {
                "name": _WEBHOOKS,
                "description": "What the service tells the backend, signed as Standard Webhooks.",
            }
        ],
        "security": [{"key": []}],
        "paths": _paths(),
        "webhooks": {kind: {"post": _webhook(kind)} for kind in EVENTS},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "parameters": {"X-Request-Id": _REQUEST_ID, **_WEBHOOK_HEADERS},
            "headers": _HEADERS,
            "schemas": _schemas(),
            "responses": {str(status): _problem(status, codes) for status, codes in _shared().items()},
        },
    }


def _contact(operator: Operator) -> dict[str, str]:
    identity = operator.identity
    return {"name": identity.who} | ({"email": identity.contact} if identity.contact else {})


def refusals() -> Iterator[dict[str, object]]:
    """Yield every refusal by status; the first of each code and of each status is marked as the target of links."""
    seen: set[object] = set()
    for error, kind in sorted(problems.KINDS.items(), key=lambda pair: pair[1].status):
        yield {
            "code": error.code,
            "status": kind.status,
            "title": kind.title,
            "retryable": error.retryable,
            "first_of_code": error.code not in seen,
            "first_of_status": kind.status not in seen,
        }
        seen |= {error.code, kind.status}


def common_refusals() -> list[str]:
    """Return the statuses with which every call may be refused."""
    statuses = [{str(status) for status in _refusals(call)} for call in CALLS]
    return sorted(set.intersection(*statuses))


# --- calls ---


_REQUEST_ID: Final = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "The caller's own id of this request: a UUID, or 8 to 32 hexadecimal digits in small letters. "
    "Another one is replaced.",
    "schema": {"type": "string"},
    "example": "0123456789abcdef",
}


def _paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        path = paths.setdefault(_PARTS.sub(r"{\1}", call.path), {"parameters": _names(call)})
        path[call.method.lower()] = _operation(call)
    return paths


def _names(call: ApiCall[Any]) -> list[dict[str, Any]]:
    names = [
        {"name": part, "in": "path", "required": True, "schema": _NAME} for part in _PARTS.findall(call.path)
    ]
    return [*names, {"$ref": "#/components/parameters/X-Request-Id"}]


def _operation(call: ApiCall[Any]) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(call.do) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": call.name,
        "tags": [call.tag.value],
        "summary": summary,
        "description": " ".join((rest, f"Keys of the role {' or '.join(sorted(call.roles))}.")).strip(),
        "parameters": list(_parameters(call.query)),
        "responses": {str(status): _success(call, status) for status in call.answers}
        | {str(status): _refusal(status, codes) for status, codes in _refusals(call).items()},
    }
    if call.body is not Nothing:
        required = any(field.required for field in msgspec.structs.fields(call.body))
        content = _json(call.body, examples.BODIES[call.name])
        operation["requestBody"] = {"required": required, "content": content}
    return operation


def _parameters(shape: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    for field in msgspec.structs.fields(shape):
        schema = dict(msgspec.json.schema_components([field.type], ref_template=_REFERENCE)[0][0])
        description = schema.pop("description", "")
        _name_type(schema)
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "description": description,
            "schema": schema,
        }


def _success(call: ApiCall[Any], status: int) -> dict[str, Any]:
    location = ("Location",) if status == 202 and call.tag is Tag.SESSIONS else ()
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(*_COUNTED, *location),
        "content": _json(call.answers[status], examples.ANSWERS[call.name, status]),
    }


def _json(shape: type[msgspec.Struct], example: object) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name=shape.__name__)}
    return {"application/json": {"schema": schema, "example": example}}


# --- refusals ---


def _refusals(call: ApiCall[Any]) -> dict[int, list[str]]:
    """Return the codes with which this call may be refused, by status."""
    codes = _ALWAYS | set(call.codes)
    codes |= _WITH_BODY if call.body is not Nothing else set()
    codes |= {"forbidden"} if len(call.roles) < len(Role) else set()
    by_status: dict[int, list[str]] = {}
    for error, kind in sorted(problems.KINDS.items(), key=lambda pair: (pair[1].status, pair[0].code)):
        if error.code in codes and (error is not InvalidRequest or _has_limits(call)):
            by_status.setdefault(kind.status, []).append(error.code)
    return by_status


def _has_limits(call: ApiCall[Any]) -> bool:
    """Tell whether something that has the form which the call takes may be refused all the same."""
    return call.body is not Nothing or any(
        _LIMITS & parameter["schema"].keys() for parameter in _parameters(call.query)
    )


def _shared() -> dict[int, list[str]]:
    """Return the refusals that are the same at every call which has them, by status."""
    shared: dict[int, list[str]] = {}
    for call in CALLS:
        shared |= {status: codes for status, codes in _refusals(call).items() if status not in _VARIABLE}
    return dict(sorted(shared.items()))


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    if status in _VARIABLE:
        return _problem(status, codes)
    return {"$ref": f"#/components/responses/{status}"}


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    titles = {error.code: kind.title for error, kind in problems.KINDS.items() if kind.status == status}
    schema = {"$ref": _REFERENCE.format(name=problems.Problem.__name__)}
    counted = () if status == 401 else _COUNTED
    return {
        "description": "; ".join(f"`{code}`: {titles[code]}" for code in codes) + ".",
        "headers": _headers(*counted, *_OF_REFUSAL.get(status, ())),
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }


# --- webhooks ---


def _webhook_header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


_WEBHOOK_HEADERS: Final = {
    "webhook-id": _webhook_header("webhook-id", "The same at every repetition: drop one that was seen."),
    "webhook-timestamp": _webhook_header("webhook-timestamp", "Of this sending, in seconds since 1970."),
    "webhook-signature": _webhook_header(
        "webhook-signature", "One `v1,…` for each secret in force, over `id.timestamp.body`."
    ),
}


def _webhook(kind: str) -> dict[str, Any]:
    event = EVENTS[kind]
    return {
        "operationId": f"on_{kind.replace('.', '_')}",
        "tags": [_WEBHOOKS],
        "summary": event.when,
        "description": "Answer 2xx within five seconds. Anything else, a redirect too, is tried again for three days.",
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _WEBHOOK_HEADERS],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": _REFERENCE.format(name=event.shape.__name__)}}
            },
        },
        "responses": {
            "2XX": {"description": "Taken; the body is not read."},
            "410": {"description": "The backend wants no webhooks now: the next is tried in an hour."},
            "default": {"description": "Not taken: it is sent again."},
        },
    }


# --- schemas ---


def _schemas() -> Mapping[str, Any]:
    shapes = [
        shape for call in CALLS for shape in (call.body, *call.answers.values()) if shape is not Nothing
    ]
    shapes += [event.shape for event in EVENTS.values()]
    unique = list(dict.fromkeys([*shapes, problems.Problem, Reason]))
    schemas = msgspec.json.schema_components(unique, ref_template=_REFERENCE)[1]
    for name, schema in schemas.items():
        schema["description"] = " ".join(inspect.cleandoc(schema["description"]).split())
        if name in examples.EVENTS:
            schema["examples"] = [examples.EVENTS[name]]
        for member in schema.get("properties", {}).values():
            # Generated types demand a member that has a default, though a caller may leave it out.
            member.pop("default", None)
            _name_type(member)
        _name_type(schema)
    return schemas


def _name_type(schema: dict[str, Any]) -> None:
    """Add the type to a list of texts, which msgspec leaves out: generators make an enum of unknown type of it."""
    if all(isinstance(value, str) for value in schema.get("enum", [0])):
        schema["type"] = "string"
