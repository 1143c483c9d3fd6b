import json
from typing import Any

import pytest

from calendar_service.domain.errors import (
    AccessForbidden,
    AccessTokenExpired,
    AccountRateLimited,
    AdminBlocked,
    AlreadyDeleted,
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
)
from calendar_service.google.answers import LONGEST_WAIT, refusal, retry_after


def backend(status: int, *reasons: str) -> bytes:
    """The Calendar backend's envelope."""
    errors = [{"domain": "global", "reason": reason, "message": "planted"} for reason in reasons]
    return json.dumps({"error": {"errors": errors, "code": status, "message": "planted"}}).encode()


def front_end(status: int, reason: str, *legacy: str) -> bytes:
    """The front end's envelope."""
    error: dict[str, Any] = json.loads(backend(status, *legacy))["error"]
    error |= {"status": "PERMISSION_DENIED", "details": [{"@type": "ErrorInfo", "reason": reason}]}
    return json.dumps({"error": error}).encode()


def by_user(status: int, *legacy: str) -> bytes:
    """The front end's envelope where one account's own limit is reached."""
    error = json.loads(front_end(status, "RATE_LIMIT_EXCEEDED", *legacy))["error"]
    error["details"][0]["metadata"] = {"quota_limit": "defaultPerMinutePerUser", "quota_limit_value": "600"}
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "content", "fact"),
    [
        (400, backend(400, "timeRangeEmpty"), RequestRefused),
        (400, backend(400, "duplicate"), RequestRefused),
        (401, backend(401, "authError"), AccessTokenExpired),
        (401, backend(401, "required"), AccessTokenExpired),
        (401, front_end(401, "ACCESS_TOKEN_EXPIRED"), AccessTokenExpired),
        (403, backend(403, "userRateLimitExceeded"), AccountRateLimited),
        (403, by_user(403), AccountRateLimited),
        (429, by_user(429, "rateLimitExceeded"), AccountRateLimited),
        (403, by_user(403, "quotaExceeded"), QuotaExceeded),
        (403, backend(403, "rateLimitExceeded"), RateLimited),
        (429, backend(429, "rateLimitExceeded"), RateLimited),
        (429, backend(429), RateLimited),
        (403, front_end(403, "RATE_LIMIT_EXCEEDED"), RateLimited),
        (403, front_end(403, "RATE_LIMIT_EXCEEDED", "rateLimitExceeded"), RateLimited),
        (403, backend(403, "quotaExceeded"), QuotaExceeded),
        (403, backend(403, "calendarUsageLimitsExceeded"), QuotaExceeded),
        (429, backend(429, "dailyLimitExceeded"), QuotaExceeded),
        (403, backend(403, "insufficientPermissions"), InsufficientScope),
        (403, front_end(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), InsufficientScope),
        (403, front_end(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "forbidden"), InsufficientScope),
        (403, backend(403, "accessNotConfigured"), ClientRejected),
        (403, front_end(403, "SERVICE_DISABLED", "accessNotConfigured"), ClientRejected),
        (403, backend(403, "forbidden"), AccessForbidden),
        (403, backend(403, "requiredAccessLevel"), AccessForbidden),
        (403, backend(403, "forbiddenForNonOrganizer"), AccessForbidden),
        (403, backend(403), UnknownRefusal),
        (403, backend(403, "aReasonOfTomorrow"), UnknownRefusal),
        (403, backend(403, "forbidden", "aReasonOfTomorrow"), UnknownRefusal),
        (403, front_end(403, "A_REASON_OF_TOMORROW", "forbidden"), UnknownRefusal),
        (403, backend(403, "notACalendarUser"), AdminBlocked),
        (403, backend(403, "domainPolicy"), AdminBlocked),
        (400, backend(400, "domainPolicy"), AdminBlocked),
        (403, backend(403, "accountDisabled"), AdminBlocked),
        (401, front_end(401, "ACCOUNT_STATE_INVALID", "authError"), AdminBlocked),
        (401, front_end(401, "USER_BLOCKED_BY_ADMIN"), AdminBlocked),
        (403, front_end(403, "CONSUMER_SUSPENDED", "forbidden"), ClientRejected),
        (403, front_end(403, "CONSUMER_INVALID", "forbidden"), ClientRejected),
        (403, front_end(403, "BILLING_DISABLED", "forbidden"), ClientRejected),
        (400, front_end(400, "BILLING_DISABLED"), ClientRejected),
        (403, front_end(403, "GCP_SUSPENDED"), ClientRejected),
        (403, backend(403, "concurrentLimitExceeded"), RateLimited),
        (403, backend(403, "servingLimitExceeded"), RateLimited),
        (403, backend(403, "variableTermLimitExceeded"), QuotaExceeded),
        (403, front_end(403, "RESOURCE_QUOTA_EXCEEDED"), QuotaExceeded),
        (404, backend(404, "notFound"), EventMissing),
        (409, backend(409, "duplicate"), DuplicateId),
        (409, backend(409), DuplicateId),
        (410, backend(410, "deleted"), AlreadyDeleted),
        (410, backend(410, "fullSyncRequired"), RequestRefused),
        (412, backend(412, "conditionNotMet"), Overtaken),
        (418, backend(418, "teapot"), RequestRefused),
    ],
)
def test_each_refusal_is_the_fact_of_its_reason_then_of_its_status(
    status: int, content: bytes, fact: type[GoogleError]
) -> None:
    error = refusal(status, {}, content)
    assert type(error) is fact
    assert "planted" not in error.detail


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 408])
def test_trouble_at_google_may_have_carried_the_request_out(status: int) -> None:
    error = refusal(status, {"retry-after": "7"}, backend(status, "rateLimitExceeded"))
    assert isinstance(error, GoogleUnavailable)
    assert (error.ambiguous, error.retryable, error.retry_after) == (True, True, 7)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 429])
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>404. That's an error.</html>", b"[]", b'"x"', b'{"error": "x"}', b"\xff", b"[" * 100_000],
)
def test_what_is_not_googles_json_proves_nothing(status: int, content: bytes) -> None:
    error = refusal(status, {}, content)
    assert isinstance(error, GoogleUnavailable)
    assert error.ambiguous


@pytest.mark.parametrize(
    "error",
    [
        {"errors": 7, "details": "x"},
        {"errors": [7, None, {"reason": 7}], "details": [[], {"reason": {}}]},
        {"errors": [{"message": "Rate Limit Exceeded"}]},
        {},
    ],
)
def test_an_odd_envelope_falls_back_to_the_status(error: dict[str, Any]) -> None:
    outcome = refusal(403, {}, json.dumps({"error": error}).encode())
    assert type(outcome) is UnknownRefusal


@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "notACalendarUser"])
def test_a_known_reason_counts_before_an_unknown_one(reason: str) -> None:
    assert type(refusal(403, {}, backend(403, "aReasonOfTomorrow", reason))) is not UnknownRefusal


def test_a_conflict_was_not_carried_out_and_may_be_repeated() -> None:
    error = refusal(409, {}, backend(409, "conflict"))
    assert isinstance(error, GoogleUnavailable)
    assert not error.ambiguous


def test_a_rate_limit_says_when_to_come_back() -> None:
    assert refusal(403, {"retry-after": "17"}, backend(403, "rateLimitExceeded")).retry_after == 17


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("1000000000", LONGEST_WAIT),
        ("9" * 5000, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 09:00:00 GMT", None),
        ("Sun, 22 Nov 2099 10:00:00 GMT", LONGEST_WAIT),
        ("Sun, 99 Nov 2026 10:00:00 GMT", None),
        ("Sun, 22 Nov 99999 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_against_googles_clock_and_capped(value: str, seconds: int | None) -> None:
    headers = {"retry-after": value, "date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date_is_read_against_our_clock_when_google_shows_none() -> None:
    assert retry_after({"retry-after": "Sun, 22 Nov 2099 10:00:00 GMT"}) == LONGEST_WAIT
    assert retry_after({"retry-after": "Sun, 22 Nov 2009 10:00:00 GMT", "date": "never"}) is None
    assert retry_after({}) is None
