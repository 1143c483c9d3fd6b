"""Errors as HTTP answers: the one table of statuses (RFC 9457)."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException

from calendar_service.domain.errors import (
    AccessRevoked,
    Busy,
    Forbidden,
    GoogleError,
    GoogleRefused,
    InvalidRequest,
    LinkOver,
    NotConnected,
    NotFound,
    OrganizationClosed,
    RetentionRequiredByLaw,
    ServiceError,
    SessionOver,
    StaleVersion,
    StoreUnavailable,
    TooManyRequests,
    Unauthenticated,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 5
"""Seconds, if the error names none."""


class Misshapen(InvalidRequest):
    """The request does not have the form that the call takes."""


class TooLarge(ServiceError):
    """The body is longer than any call takes."""

    code = "too_large"


class UnsupportedMediaType(ServiceError):
    """The body is not plain JSON."""

    code = "unsupported_media_type"


class MethodNotAllowed(ServiceError):
    """The path exists but does not take this method."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This place takes {allowed}.")
        self.allowed = allowed


class Internal(ServiceError):
    """A fault of this service. The log has the details, the answer has not."""

    def __init__(self) -> None:
        super().__init__("Something went wrong here that should not. The request id names it in the log.")


def too_large() -> TooLarge:
    """Return the refusal of a body over the limit."""
    return TooLarge("The body is longer than 64 KiB.")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """How one class of errors is answered."""

    status: int
    title: str


KINDS: Final[dict[type[ServiceError], ProblemKind]] = {
    Misshapen: ProblemKind(400, "The request does not have the form that this call takes"),
    InvalidRequest: ProblemKind(422, "The request cannot be meant like this"),
    Unauthenticated: ProblemKind(401, "No valid key"),
    Forbidden: ProblemKind(403, "This key may not do this"),
    NotFound: ProblemKind(404, "Nothing here"),
    MethodNotAllowed: ProblemKind(405, "Not with this method"),
    NotConnected: ProblemKind(409, "The agent's calendar is not connected"),
    StaleVersion: ProblemKind(409, "A newer version was accepted before"),
    OrganizationClosed: ProblemKind(409, "The organization was off-boarded"),
    RetentionRequiredByLaw: ProblemKind(409, "A law requires that this is kept for now"),
    LinkOver: ProblemKind(410, "The link is over"),
    TooLarge: ProblemKind(413, "The body is too large"),
    UnsupportedMediaType: ProblemKind(415, "The body is not plain JSON"),
    SessionOver: ProblemKind(422, "The session is over"),
    GoogleRefused: ProblemKind(422, "Google refused the change for good; the session is failed"),
    TooManyRequests: ProblemKind(429, "Too many requests"),
    StoreUnavailable: ProblemKind(503, "The database does not do its work"),
    Busy: ProblemKind(503, "Too much is under way"),
    ServiceError: ProblemKind(500, "A fault of this service"),
}
"""Every error with which a call can be answered. A subclass is answered like its nearest ancestor here."""

CODES: Final = sorted({error.code for error in KINDS})

_NOTHING: Final = "There is nothing here, or nothing that this key may know of."
"""The detail of every 404, so that a key cannot tell a foreign organization from an empty one."""


class Problem(msgspec.Struct, kw_only=True):
    """The body of every answer that is not a success (RFC 9457). `code` is stable; texts are for people."""

    type: Annotated[
        str,
        msgspec.Meta(description="Where the code is described.", extra_json_schema={"format": "uri"}),
    ]
    title: str
    status: int
    detail: str
    code: Annotated[str, msgspec.Meta(extra_json_schema={"enum": CODES})]
    retryable: Annotated[
        bool,
        msgspec.Meta(
            description="True: the same request may succeed later. False: it has to be changed first."
        ),
    ]
    request_id: Annotated[
        str,
        msgspec.Meta(
            description="The answer's `X-Request-Id`, by which the log names this request: the caller's own, if that "
            "has its form."
        ),
    ]
    field: (
        Annotated[str, msgspec.Meta(description="The member, parameter or header that is meant.")]
        | msgspec.UnsetType
    ) = msgspec.UNSET


def kind_of(error: ServiceError) -> ProblemKind:
    """Return how this error is answered."""
    return next(KINDS[ancestor] for ancestor in type(error).__mro__ if ancestor in KINDS)


def shown_error(error: Exception) -> ServiceError:
    """Return the error that the caller is shown; an unexpected one becomes `Internal`.

    Errors of Google become `NotConnected` or `Busy`. The connection's state has the details.
    """
    if isinstance(error, AccessRevoked):
        return NotConnected("Google says that the permission is gone; a person has to connect again.")
    if isinstance(error, GoogleError):
        return Busy("Google did not do what was asked just now.", retry_after=error.retry_after)
    if isinstance(error, ServiceError) and kind_of(error) is not KINDS[ServiceError]:
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    return Internal()


def _of_http(error: HTTPException) -> ServiceError:
    status = error.code or 500
    if status == 404:
        return NotFound(_NOTHING)
    if status == 405:
        allowed = error.get_response().headers.get("Allow", "")
        return MethodNotAllowed(allowed)
    if status == 413:
        return too_large()
    return Misshapen("The request could not be read.") if status < 500 else Internal()


def response(error: ServiceError, docs: str, request_id: str) -> Response:
    """Return the answer to a caller of the API; `docs` is the address of the readable description."""
    kind = kind_of(error)
    problem = Problem(
        type=f"{docs}#{error.code}",
        title=kind.title,
        status=kind.status,
        detail=_NOTHING if kind.status == 404 else error.detail,
        code=error.code,
        retryable=error.retryable,
        request_id=request_id,
        field=error.field or msgspec.UNSET,
    )
    if kind.status == 404:
        problem.field = msgspec.UNSET
    return Response(msgspec.json.encode(problem), kind.status, headers(error), content_type=MEDIA_TYPE)


def headers(error: ServiceError) -> dict[str, str]:
    """Return the headers that go with this error, on a page as in the API."""
    status = kind_of(error).status
    fields: dict[str, Any] = {"Cache-Control": "no-store"}
    if status == 401:
        fields["WWW-Authenticate"] = 'Bearer realm="calendar_service"'
    if status in {429, 503}:
        fields["Retry-After"] = str(error.retry_after or RETRY_AFTER)
    if isinstance(error, MethodNotAllowed):
        fields["Allow"] = error.allowed
    return fields
