"""What Google's refusals prove: one table from status and reason to an error. Only reads, never acts.

Sources: the Calendar API's errors guide (https://developers.google.com/workspace/calendar/api/guides/errors), the
reasons of all of Google's APIs (https://developers.google.com/search/apis/indexing-api/v3/core-errors; the names taken
from it are recalled, not verified), google.api.ErrorReason for answers of Google's front end, and public reports for
`notACalendarUser`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from calendar_service.domain.errors import (
    AccessForbidden,
    AccessTokenExpired,
    AccountRateLimited,
    AdminBlocked,
    AlreadyDeleted,
    ChannelRefused,
    ClientRejected,
    DuplicateId,
    EventMissing,
    GoogleError,
    GoogleUnavailable,
    InsufficientScope,
    Overtaken,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
    UnknownRefusal,
    ZoneRefused,
)

LONGEST_WAIT = 3600
"""Seconds; a longer Retry-After is taken as this."""

_RATE = ("rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "concurrentLimitExceeded", "servingLimitExceeded")
_ACCOUNT_RATE = "userRateLimitExceeded"
_PUSH = ("push.webhookUrlUnauthorized", "push.webhookUrlNotHttps")
_QUOTA = (
    "quotaExceeded",
    "calendarUsageLimitsExceeded",
    "dailyLimitExceeded",
    "limitExceeded",
    "variableTermLimitExceeded",
    "variableTermExpiredDailyExceeded",
    "RESOURCE_QUOTA_EXCEEDED",
)
_ADMINISTRATOR = (
    "notACalendarUser",  # Calendar is turned off for the person
    "domainPolicy",
    "accountDeleted",
    "accountDisabled",
    "accountUnverified",
    "ACCOUNT_STATE_INVALID",
    "ORG_RESTRICTION_VIOLATION",
    "USER_BLOCKED_BY_ADMIN",
)
_PROJECT = (
    # The Calendar API is off, or the project is suspended, unpaid or unknown. It says nothing of a grant.
    "accessNotConfigured",
    "dailyLimitExceededUnreg",
    "rateLimitExceededUnreg",
    "signupRequired",
    "userRateLimitExceededUnreg",
    "BILLING_DISABLED",
    "CONSUMER_INVALID",
    "CONSUMER_SUSPENDED",
    "GCP_SUSPENDED",
    "RESOURCE_PROJECT_INVALID",
    "SECURITY_POLICY_VIOLATED",
    "SERVICE_DISABLED",
    "SERVICE_NOT_VISIBLE",
    "USER_PROJECT_DENIED",
)
_OBJECT = frozenset({"forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel"})
"""Reasons of a 403 that are about the event or calendar of the call, where no other reason stands beside them."""

BY_REASON: Mapping[tuple[int, str], type[GoogleError]] = {
    **{(status, reason): RateLimited for status in (403, 429) for reason in _RATE},
    **{(status, _ACCOUNT_RATE): AccountRateLimited for status in (403, 429)},
    **{(status, reason): QuotaExceeded for status in (403, 429) for reason in _QUOTA},
    **{(status, reason): ChannelRefused for status in (400, 401, 403) for reason in _PUSH},
    # The answer of another Google API for an account without its service; for Calendar recalled, not verified.
    (400, "failedPrecondition"): UnknownRefusal,
    (403, "insufficientPermissions"): InsufficientScope,
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"): InsufficientScope,
    **{(status, reason): AdminBlocked for status in (400, 401, 403) for reason in _ADMINISTRATOR},
    **{(status, reason): ClientRejected for status in (400, 403) for reason in _PROJECT},
    (409, "duplicate"): DuplicateId,
    (410, "deleted"): AlreadyDeleted,
    (410, "fullSyncRequired"): RequestRefused,
    (410, "updatedMinTooLongAgo"): RequestRefused,
    (412, "conditionNotMet"): Overtaken,
}
"""Reasons that say more than their status. Generic ones (`forbidden`, `notFound`) are judged by the status."""

BY_STATUS: Mapping[int, type[GoogleError]] = {
    401: AccessTokenExpired,
    403: UnknownRefusal,
    404: EventMissing,
    409: DuplicateId,  # resolved by reading, which proves what is there
    410: AlreadyDeleted,
    412: Overtaken,
    429: RateLimited,
}


def refusal(status: int, headers: Mapping[str, str], content: bytes) -> GoogleError:
    """Return the error that an answer of status 400 or more proves.

    Judges by `errors[].reason`, then by `details[].reason`, then by the status. A 403 whose reasons are not
    all known is not taken as one about this event. An answer that is not Google's JSON proves nothing,
    whatever its status: a proxy on the way may have sent it.
    """
    wait = retry_after(headers)
    error = _error_object(content)
    if status >= 500 or status == 408 or error is None:
        return GoogleUnavailable(f"Google answered {status}", ambiguous=True, retry_after=wait)
    reasons = tuple(_reasons(error))
    detail = f"Google answered {status} {name_of(*reasons)}".rstrip()
    if (status, "conflict") in ((status, reason) for reason in reasons) and status == 409:
        return GoogleUnavailable(detail, ambiguous=False, retry_after=wait)
    error_type = next(
        (BY_REASON[status, reason] for reason in reasons if (status, reason) in BY_REASON), None
    )
    if error_type is RateLimited and _is_of_account(error):
        error_type = AccountRateLimited
    if status == 400 and "time zone" in str(error.get("message")).lower():
        error_type = ZoneRefused  # its reason is the general `invalid`; the words are recalled, not verified
    if error_type is None and status == 403 and reasons and _OBJECT.issuperset(reasons):
        error_type = AccessForbidden
    return (error_type or BY_STATUS.get(status, RequestRefused))(detail, retry_after=wait)


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return Retry-After in seconds (RFC 9110, 10.2.3), at most `LONGEST_WAIT`; None if it cannot be read."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,18}", value):
        return min(int(value), LONGEST_WAIT)
    moment = _http_date(value)
    if moment is None:
        return None
    # Counted from Google's own clock where the answer names it: ours may be wrong.
    wait = (moment - (_http_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds()
    return min(int(wait), LONGEST_WAIT) if wait >= 0 else None


def json_object(content: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object in these bytes, or None if they are anything else."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def mapping(value: object) -> dict[str, Any]:
    """Return the answer if it is an object; raise `GoogleUnavailable` for anything else."""
    if not isinstance(value, dict):
        raise GoogleUnavailable("Google's answer is not the resource asked for", ambiguous=True)
    return value


def text(answer: Mapping[str, Any], name: str) -> str:
    """Return a text field; raise `GoogleUnavailable` if it is missing or empty."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise GoogleUnavailable(f"Google's answer lacks its {name}", ambiguous=True)
    return value


def name_of(*reasons: object) -> str:
    """Return the first reason that is a plain name, or ""; free text of an answer is never quoted."""
    return next((r for r in reasons if isinstance(r, str) and re.fullmatch("[A-Za-z_.]{1,64}", r)), "")


def _error_object(content: bytes) -> dict[str, Any] | None:
    error = (json_object(content) or {}).get("error")
    return error if isinstance(error, dict) else None


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    for place in ("errors", "details"):
        items = error.get(place)
        for item in items if isinstance(items, list) else ():
            reason = item.get("reason") if isinstance(item, dict) else None
            if isinstance(reason, str):
                yield reason


def _is_of_account(error: Mapping[str, Any]) -> bool:
    """Tell whether the details name a limit per user (`defaultPerMinutePerUser`): the reason is the general one."""
    details = error.get("details")
    for item in details if isinstance(details, list) else ():
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if isinstance(metadata, dict) and str(metadata.get("quota_limit")).endswith("PerUser"):
            return True
    return False


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
