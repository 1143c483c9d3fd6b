"""Google's refusals: the backend's envelope, the front end's envelope, and the front end's HTML page.

Sources: Google's page on Calendar API errors, and answers seen in public issues (docs/local-google.md, "Errors").
Must not decide when to refuse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from local_google.protocol.messages import JSON, Response

SERVICE = "calendar-json.googleapis.com"


@dataclass
class ApiError(Exception):
    """One refusal; ``more`` adds entries to its list of errors.

    ``status_name`` or ``details`` make it the front end's envelope, else it is the backend's.
    """

    status: int
    reason: str
    message: str
    domain: str = "global"
    location_type: str | None = None
    location: str | None = None
    item_message: str | None = None
    more: "Sequence[ApiError]" = ()
    status_name: str | None = None
    details: Sequence[Mapping[str, Any]] = ()
    extended_help: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def item(self) -> dict[str, Any]:
        """The entry in the list of errors."""
        item: dict[str, Any] = {"domain": self.domain, "reason": self.reason}
        item["message"] = self.item_message or self.message
        if self.location_type:
            item |= {"locationType": self.location_type, "location": self.location}
        if self.extended_help:
            item["extendedHelp"] = self.extended_help
        return item

    def document(self) -> dict[str, Any]:
        """The body, before it is written out."""
        items = [self.item(), *(other.item() for other in self.more)]
        if not (self.status_name or self.details):
            return {"error": {"errors": items, "code": self.status, "message": self.message}}
        error: dict[str, Any] = {"code": self.status, "message": self.message, "errors": items}
        if self.status_name:
            error["status"] = self.status_name
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}

    def answer(self) -> Response:
        """Backend errors are indented by one space, the front end's by two."""
        indent = 2 if self.status_name or self.details else 1
        body = msgspec.json.format(msgspec.json.encode(self.document()), indent=indent)
        return Response(self.status, body, JSON, tuple(self.headers.items()))


# Domain and message of each reason: used for faults that give status and reason only.
MESSAGES: Mapping[str, tuple[str, str]] = {
    "accessNotConfigured": ("usageLimits", "Google Calendar API has not been used in this project before."),
    "authError": ("global", "Invalid Credentials"),
    "backendError": ("global", "Backend Error"),
    "badRequest": ("global", "Bad Request"),
    "calendarUsageLimitsExceeded": ("usageLimits", "Calendar usage limits exceeded."),
    "conditionNotMet": ("global", "Precondition Failed"),
    "conflict": ("global", "Conflict"),
    "dailyLimitExceeded": ("usageLimits", "Daily Limit Exceeded"),
    "deleted": ("global", "Resource has been deleted"),
    "duplicate": ("global", "The requested identifier already exists."),
    "forbidden": ("global", "Forbidden"),
    "forbiddenForNonOrganizer": (
        "calendar",
        "Shared properties can only be changed by the organizer of the event.",
    ),
    "fullSyncRequired": ("calendar", "Sync token is no longer valid, a full sync is required."),
    "insufficientPermissions": ("global", "Insufficient Permission"),
    "notACalendarUser": ("calendar", "The user must be signed up for Google Calendar."),
    "notFound": ("global", "Not Found"),
    "push.webhookUrlUnauthorized": ("global", "Unauthorized WebHook callback channel"),
    "quotaExceeded": ("usageLimits", "Calendar usage limits exceeded."),
    "rateLimitExceeded": ("usageLimits", "Rate Limit Exceeded"),
    "required": ("global", "Login Required."),
    "requiredAccessLevel": ("global", "You need to have writer access to this calendar."),
    "userRateLimitExceeded": ("usageLimits", "User Rate Limit Exceeded"),
}


def by_reason(status: int, reason: str) -> ApiError:
    """The refusal that Google would give for this status and reason."""
    known = {
        (401, "authError"): unauthenticated,
        (412, "conditionNotMet"): precondition_failed,
        (400, "timeRangeEmpty"): time_range_empty,
        (403, "notACalendarUser"): not_a_calendar_user,
    }
    if (status, reason) in known:
        return known[status, reason]()
    if reason == "insufficientPermissions" and status == 403:
        return scope_insufficient("calendar.v3.Events.List", ())
    if reason == "accessNotConfigured" and status == 403:
        return api_disabled("project")
    domain, message = MESSAGES.get(reason, ("global", reason))
    return ApiError(status, reason, message, domain)


def invalid(message: str, *, parameter: str | None = None, reason: str = "invalid") -> ApiError:
    """A value that Google does not accept; ``parameter`` names it, if it stood in the query."""
    return ApiError(400, reason, message, "global", "parameter" if parameter else None, parameter)


def required(message: str) -> ApiError:
    """A missing value that is required."""
    return ApiError(400, "required", message)


def several(refusals: Sequence[ApiError]) -> ApiError:
    """One refusal with the entries of all; its message is the first one's."""
    refusals[0].more = refusals[1:]
    return refusals[0]


def time_range_empty() -> ApiError:
    """The end is not after the start."""
    message = "The specified time range is empty."
    return ApiError(400, "timeRangeEmpty", message, "calendar", "parameter", "timeMax")


def not_a_calendar_user() -> ApiError:
    """Calendar is off for this account."""
    message = "The user must be signed up for Google Calendar."  # [R] the text
    return ApiError(403, "notACalendarUser", message, "calendar")


def absent(what: str) -> ApiError:
    """What Google has and the local Google has not."""
    return ApiError(501, "notImplemented", f"The local Google does not have {what}.")


def not_found() -> ApiError:
    """The resource does not exist, or this account may not see it."""
    return ApiError(404, "notFound", "Not Found")


def deleted() -> ApiError:
    """The resource was deleted before."""
    return ApiError(410, "deleted", "Resource has been deleted")


def duplicate() -> ApiError:
    """The identifier is taken, also by an event that was deleted."""
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def precondition_failed() -> ApiError:
    """The resource has changed since the ETag was read."""
    return ApiError(
        412, "conditionNotMet", "Precondition Failed", location_type="header", location="If-Match"
    )


def forbidden(message: str = "Forbidden") -> ApiError:
    """The caller may see the resource, and may not do this."""
    return ApiError(403, "forbidden", message)


SEE = " See https://developers.google.com/identity/sign-in/web/devconsole-project."


def login_required() -> ApiError:
    """No token came with the call."""
    return ApiError(
        401,
        "required",
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential." + SEE,
        item_message="Login Required.",
        status_name="UNAUTHENTICATED",
        location_type="header",
        location="Authorization",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
    )


def key_invalid() -> ApiError:
    """An API key came instead of a token. There are no keys here, so none is valid."""
    return ApiError(400, "keyInvalid", "Bad Request", "usageLimits")


def unauthenticated() -> ApiError:
    """The token is unknown, expired or revoked."""
    return ApiError(
        401,
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential." + SEE,
        item_message="Invalid Credentials",
        location_type="header",
        location="Authorization",
        status_name="UNAUTHENTICATED",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error=invalid_token'},
    )


def error_info(reason: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The entry that the front end adds for machines."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": dict(metadata),
    }


def scope_insufficient(method: str, scopes: Sequence[str]) -> ApiError:
    """The token is good, but its scopes do not allow this method."""
    challenge = (
        f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{" ".join(scopes)}"'
    )
    return ApiError(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        item_message="Insufficient Permission",
        status_name="PERMISSION_DENIED",
        details=(error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", {"service": SERVICE, "method": method}),),
        headers={"WWW-Authenticate": challenge},
    )


def api_disabled(project: str) -> ApiError:
    """The Calendar API is not enabled in the project."""
    page = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={project}"
    message = (
        f"Google Calendar API has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"{page} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    return ApiError(
        403,
        "accessNotConfigured",
        message,
        "usageLimits",
        status_name="PERMISSION_DENIED",
        details=(error_info("SERVICE_DISABLED", {"service": SERVICE, "consumer": f"projects/{project}"}),),
        extended_help="https://console.developers.google.com",
    )


NOT_FOUND_PAGE = (
    b"<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n"
    b"<p><b>404.</b> <ins>That\xe2\x80\x99s an error.</ins>\n"
    b"<p>The requested URL was not found on this server. <ins>That\xe2\x80\x99s all we know.</ins>\n"
)


def html_page(status: int) -> Response:
    """The page of Google's front end, sent instead of JSON when the backend does not answer or the path is unknown."""
    text = f"<!DOCTYPE html>\n<html lang=en>\n<title>Error {status} (Server Error)!!1</title>\n<p>{status}.\n"
    body = NOT_FOUND_PAGE if status == 404 else text.encode()
    return Response(status, body, "text/html; charset=UTF-8")
