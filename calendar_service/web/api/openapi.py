"""The API's description (OpenAPI 3.1), made from the tables and structs that serve requests."""

import inspect
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from flask import Blueprint, Response, current_app

from calendar_service.web import problems
from calendar_service.web.api.body import BODY_LIMIT
from calendar_service.web.api.call import NAME_FORM, ApiCall, Nothing
from calendar_service.web.api.dispatch import CALLS
from calendar_service.wiring import Service

_REFERENCE: Final = "#/components/schemas/{name}"
_PARTS: Final = re.compile(r"<([a-z]+)>")
_NAME: Final = {"type": "string", **NAME_FORM}
_ALWAYS: Final = frozenset(
    {
        "invalid_request",
        "unauthenticated",
        "forbidden",
        "not_found",
        "too_large",
        "unsupported_media_type",
        "too_many_requests",
        "store_unavailable",
        "busy",
    }
)
"""Codes that every call may answer. Headers and body are checked also where a call takes no body."""


def _field(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_QUOTA_FIELDS: Final = {
    "RateLimit-Policy": _field("The limits that the call counts towards: `q` calls in `w` seconds."),
    "RateLimit": _field("What is left of each: `r` calls; in `t` seconds nothing is missing."),
}


def blueprint(service: Service) -> Blueprint:
    """Return the routes that describe the API."""
    routes = Blueprint("openapi", __name__)
    description = document(service.config.public_url)
    encoded = msgspec.json.encode(description)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(encoded, content_type="application/json")

    @routes.get("/docs")
    def docs() -> Response:
        page: Response = current_app.extensions["pages"].show_constant(
            "docs.html", document=description, refusals=list(refusals())
        )
        return page

    return routes


def document(public_url: str) -> dict[str, Any]:
    """Return the description of the API at this address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Calendar service: internal API",
            "version": version("calendar-service"),
            "description": "Writes an agent's video sessions into one Google calendar of their own. "
            f"JSON both ways, at most {BODY_LIMIT // 1024} KiB. A change that was answered 2xx is durable. "
            "Every answer carries `X-Request-Id`: the caller's, if it is a UUID or 8 to 32 hexadecimal digits in small "
            "letters, else a new one. Problems repeat it as `request_id`. Every answer to a key says in "
            "`RateLimit-Policy` and `RateLimit` how many calls are left (draft-ietf-httpapi-ratelimit-headers).",
        },
        "servers": [{"url": public_url}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
            "responses": {str(status): _problem(status) for status in _statuses()},
        },
    }


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


def _paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        path = paths.setdefault(_PARTS.sub(r"{\1}", call.path), {"parameters": _names(call)})
        path[call.method.lower()] = _operation(call)
    return paths


def _names(call: ApiCall[Any]) -> list[dict[str, Any]]:
    return [
        {"name": part, "in": "path", "required": True, "schema": _NAME} for part in _PARTS.findall(call.path)
    ]


def _operation(call: ApiCall[Any]) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(call.do) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": summary,
        "description": " ".join((rest, f"Keys of the role {' or '.join(sorted(call.roles))}.")).strip(),
        "parameters": list(_parameters(call.query)),
        "responses": {str(status): _success(status, shape) for status, shape in call.answers.items()}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in _refusals(call)},
    }
    if call.body is not Nothing:
        required = any(field.required for field in msgspec.structs.fields(call.body))
        operation["requestBody"] = {"required": required, "content": _json(call.body)}
    return operation


def _parameters(shape: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    for field in msgspec.structs.fields(shape):
        schema = dict(msgspec.json.schema_components([field.type], ref_template=_REFERENCE)[0][0])
        description = schema.pop("description", "")
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "description": description,
            "schema": schema,
        }


def _success(status: int, shape: type[msgspec.Struct]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "headers": dict(_QUOTA_FIELDS),
        "content": _json(shape),
    }
    if status == 202:
        answer["headers"]["Location"] = _field("Where to ask how it goes on.")
    return answer


def _json(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=shape.__name__)}}}


def _refusals(call: ApiCall[Any]) -> list[int]:
    codes = _ALWAYS | set(call.codes)
    return sorted({kind.status for error, kind in problems.KINDS.items() if error.code in codes})


def _statuses() -> list[int]:
    return sorted({kind.status for kind in problems.KINDS.values()})


def _problem(status: int) -> dict[str, Any]:
    kinds = {error.code: kind.title for error, kind in problems.KINDS.items() if kind.status == status}
    codes = "; ".join(f"`{code}`: {title}" for code, title in sorted(kinds.items()))
    schema = {"schema": {"$ref": _REFERENCE.format(name=problems.Problem.__name__)}}
    problem: dict[str, Any] = {"description": f"{codes}.", "content": {problems.MEDIA_TYPE: schema}}
    if status in {429, 503}:
        problem["headers"] = {"Retry-After": _field("After how many seconds to repeat.")}
    if status == 429:
        problem["headers"] |= _QUOTA_FIELDS
    return problem


def _schemas() -> Mapping[str, Any]:
    shapes = [
        shape for call in CALLS for shape in (call.body, *call.answers.values()) if shape is not Nothing
    ]
    unique = list(dict.fromkeys([*shapes, problems.Problem]))
    return msgspec.json.schema_components(unique, ref_template=_REFERENCE)[1]
