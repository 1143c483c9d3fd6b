"""Google's refusals: two envelopes, reasons, quotas, scopes."""

from collections.abc import Callable

import pytest

from tests.local_google.app import TWO
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.local_google.http_api import FULL, TIMES, GoogleApi, Reply
from tests.support.local_google import LocalGoogle

Access = Callable[..., GoogleApi]
SCOPE = "https://www.googleapis.com/auth/"


def bare(google: LocalGoogle, token: str | None, **headers: str) -> Reply:
    api = GoogleApi(google.api_endpoint, token)
    reply = api.call("GET", "calendars/primary", headers=headers)
    api.close()
    return reply


@fact("V", "The calendar backend's envelope has errors, code, message and no status; indented by one space")
def test_the_backends_envelope_has_no_status(api: GoogleApi) -> None:
    reply = api.call("GET", "calendars/nobody@group.calendar.google.com")
    assert set(reply.document["error"]) == {"errors", "code", "message"}
    assert reply.raw.startswith(b'{\n "error"')
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"


@fact("V2", "The front end's envelope adds status and often details; indented by two spaces")
def test_the_front_ends_envelope_has_a_status(google: LocalGoogle) -> None:
    reply = bare(google, "ya29.unknown")
    assert reply.document["error"]["status"] == "UNAUTHENTICATED"
    assert reply.raw.startswith(b'{\n  "error"')


@fact("V", "401 authError, Invalid Credentials, location header Authorization")
def test_an_unknown_token_is_invalid_credentials(google: LocalGoogle) -> None:
    reply = bare(google, "ya29.unknown")
    item = reply.document["error"]["errors"][0]
    assert (reply.status, reply.reason, item["message"]) == (401, "global/authError", "Invalid Credentials")
    assert (item["locationType"], item["location"]) == ("header", "Authorization")
    assert reply.message.startswith("Request had invalid authentication credentials.")


@fact(
    "V2", 'A 401 carries WWW-Authenticate: Bearer realm="https://accounts.google.com/", error=invalid_token'
)
def test_a_refused_token_comes_with_a_challenge(google: LocalGoogle) -> None:
    challenge = bare(google, "ya29.unknown").headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="https://accounts.google.com/", error=invalid_token'


@fact("V2", "No token at all: 401 required, Login Required., status UNAUTHENTICATED")
def test_no_token_means_login_required(google: LocalGoogle) -> None:
    reply = bare(google, None)
    error = reply.document["error"]
    assert (reply.status, reply.reason, error["status"]) == (401, "global/required", "UNAUTHENTICATED")
    assert error["errors"][0]["message"] == "Login Required."
    assert reply.message.startswith("Request is missing required authentication credential. Expected OAuth 2")
    assert reply.message.endswith(
        "See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )


@fact("V2", "An API key that is not valid, without a token: 400 usageLimits/keyInvalid, Bad Request")
def test_an_unknown_api_key_is_refused(google: LocalGoogle) -> None:
    api = GoogleApi(google.api_endpoint, None)
    reply = api.call("GET", "calendars/primary", key="AIzaX")
    api.close()
    assert (reply.status, reply.reason, reply.message) == (400, "usageLimits/keyInvalid", "Bad Request")


@fact("V2", "403 insufficientPermissions with ACCESS_TOKEN_SCOPE_INSUFFICIENT, service and method")
def test_a_narrower_scope_is_insufficient(access: Access) -> None:
    reply = access(scope=SCOPE + "calendar.settings.readonly").events("primary")
    assert (reply.status, reply.reason) == (403, "global/insufficientPermissions")
    assert reply.message == "Request had insufficient authentication scopes."
    error = reply.document["error"]
    assert (error["status"], error["errors"][0]["message"]) == (
        "PERMISSION_DENIED",
        "Insufficient Permission",
    )
    assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert error["details"][0]["domain"] == "googleapis.com"
    expected = {"service": "calendar-json.googleapis.com", "method": "calendar.v3.Events.List"}
    assert error["details"][0]["metadata"] == expected


TABLE = {
    "calendar.app.created": {"calendars": 200, "event": 200, "list": 403, "settings": 403, "freebusy": 403},
    "calendar.events": {"calendars": 403, "event": 200, "list": 403, "settings": 403, "freebusy": 403},
    "calendar.calendars": {"calendars": 200, "event": 403, "list": 403, "settings": 403, "freebusy": 403},
    "calendar.calendarlist.readonly": {"calendars": 403, "event": 403, "list": 200, "settings": 403},
    "calendar.readonly": {"calendars": 403, "event": 403, "list": 200, "settings": 200, "freebusy": 200},
    "calendar": {"calendars": 200, "event": 200, "list": 200, "settings": 200, "freebusy": 200},
}


@fact("V", "Which scope allows which method: the table of the discovery document")
@pytest.mark.parametrize("scope", TABLE)
def test_each_scope_opens_its_methods_only(access: Access, scope: str) -> None:
    narrow = access(scope=SCOPE + scope)
    reply = narrow.call("POST", "calendars", {"summary": "x"})
    where = reply.document["id"] if reply.status == 200 else "primary"
    window = {"timeMin": "2030-01-01T00:00:00Z", "timeMax": "2030-01-02T00:00:00Z"}
    statuses = {
        "calendars": reply.status,
        "event": narrow.insert(where).status,
        "list": narrow.call("GET", "users/me/calendarList").status,
        "settings": narrow.call("GET", "users/me/settings").status,
        "freebusy": narrow.call("POST", "freeBusy", window).status,
    }
    assert {name: statuses[name] for name in TABLE[scope]} == TABLE[scope]


@fact("V2", "403 accessNotConfigured with SERVICE_DISABLED and extendedHelp when the API is off")
def test_a_disabled_api_says_so(api: GoogleApi, google: LocalGoogle) -> None:
    google.switch(api_disabled=True)
    reply = api.call("GET", "calendars/primary")
    assert (reply.status, reply.reason) == (403, "usageLimits/accessNotConfigured")
    error = reply.document["error"]
    assert error["details"][0]["reason"] == "SERVICE_DISABLED"
    assert "extendedHelp" in error["errors"][0]
    assert reply.message.startswith(
        "Google Calendar API has not been used in project project-a before or it is"
    )
    assert "calendar-json.googleapis.com/overview?project=project-a then retry." in reply.message
    assert reply.message.endswith("wait a few minutes for the action to propagate to our systems and retry.")


FORMS = {
    "403": (403, "usageLimits/rateLimitExceeded", "Rate Limit Exceeded"),
    "403_user": (403, "usageLimits/userRateLimitExceeded", "User Rate Limit Exceeded"),
    "429": (429, "usageLimits/rateLimitExceeded", "Rate Limit Exceeded"),
}


@fact("V", "Per-minute quotas answer 403 or 429 in the domain usageLimits; both mean the same")
@pytest.mark.parametrize("form", FORMS)
def test_too_many_calls_in_a_minute(api: GoogleApi, google: LocalGoogle, form: str) -> None:
    google.switch(per_minute_user=3, rate_limit_form=form)
    replies = [api.call("GET", "calendars/primary") for _ in range(4)]
    assert [reply.status for reply in replies[:3]] == [200] * 3
    assert (replies[3].status, replies[3].reason, replies[3].message) == FORMS[form]


@fact(
    "V2", "The front end's form: PERMISSION_DENIED, RATE_LIMIT_EXCEEDED, quota_limit defaultPerMinutePerUser"
)
def test_the_front_end_refuses_too_many_calls_in_its_own_form(api: GoogleApi, google: LocalGoogle) -> None:
    google.switch(per_minute_user=0, rate_limit_form="front_end")
    reply = api.call("GET", "calendars/primary")
    details = reply.document["error"]["details"][0]
    assert (reply.status, reply.document["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert details["reason"] == "RATE_LIMIT_EXCEEDED"
    assert details["metadata"]["quota_limit"] == "defaultPerMinutePerUser"
    assert details["metadata"]["quota_limit_value"] == "0"


@fact("V", "The window of a minute slides; user means the caller")
def test_the_minute_slides_and_counts_per_caller(
    api: GoogleApi, access: Access, google: LocalGoogle, clock: TestClock
) -> None:
    colleague = access(TWO)
    google.switch(per_minute_user=1)
    assert api.call("GET", "colors").status == 200
    assert api.call("GET", "colors").status == 403
    assert colleague.call("GET", "colors").status == 200
    clock.advance(61)
    assert api.call("GET", "colors").status == 200


@fact("V", "There is a limit per project too, for all of its users together")
def test_the_projects_limit_counts_all_callers(api: GoogleApi, access: Access, google: LocalGoogle) -> None:
    colleague = access(TWO)
    google.switch(per_minute_project=2)
    assert [one.call("GET", "colors").status for one in (api, colleague, api)] == [200, 200, 403]


@fact("V", "A PATCH costs three units of quota")
def test_a_patch_costs_three(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    event_id = api.insert(calendar).document["id"]
    google.switch(per_minute_user=3)
    assert api.patch(calendar, event_id, {"summary": "x"}).status == 200
    assert api.event(calendar, event_id).status == 403


@fact("V", "quotaUser has at most 40 characters")
def test_a_quota_user_is_short(api: GoogleApi) -> None:
    assert api.call("GET", "colors", quotaUser="u" * 40).status == 200
    assert api.call("GET", "colors", quotaUser="u" * 41).status == 400


REASONS = [
    (403, "userRateLimitExceeded", "usageLimits"),
    (403, "rateLimitExceeded", "usageLimits"),
    (429, "rateLimitExceeded", "usageLimits"),
    (403, "quotaExceeded", "usageLimits"),
    (403, "calendarUsageLimitsExceeded", "usageLimits"),
    (403, "dailyLimitExceeded", "usageLimits"),
    (403, "forbidden", "global"),
    (403, "requiredAccessLevel", "global"),
    (409, "conflict", "global"),
    (412, "conditionNotMet", "global"),
    (500, "backendError", "global"),
    (503, "backendError", "global"),
    (401, "authError", "global"),
    (401, "push.webhookUrlUnauthorized", "global"),
    (410, "fullSyncRequired", "calendar"),
]


@fact("V", "The catalogue of reasons: each has its domain (500 backendError, 409 conflict, 403 forbidden …)")
@pytest.mark.parametrize(("status", "reason", "domain"), REASONS)
def test_every_reason_can_be_asked_for(
    api: GoogleApi, google: LocalGoogle, status: int, reason: str, domain: str
) -> None:
    google.fault("/calendar/v3/*", {"status": status, "reason": reason})
    reply = api.call("GET", "colors")
    assert (reply.status, reply.reason) == (status, f"{domain}/{reason}")


@fact("V2", "502, 503 and 504 may be HTML pages")
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_page_may_come_instead_of_json(api: GoogleApi, google: LocalGoogle, status: int) -> None:
    google.fault("/calendar/v3/*", {"html": status}, times=1)
    reply = api.call("GET", "colors")
    assert (reply.status, reply.raw[:9]) == (status, b"<!DOCTYPE")
    assert api.call("GET", "colors").status == 200


@fact("V2", "A body that is no JSON: 400 parseError")
@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 10_000])
def test_a_broken_body_is_a_parse_error(api: GoogleApi, calendar: str, body: bytes) -> None:
    reply = api.call("POST", f"calendars/{calendar}/events", body)
    assert (reply.status, reply.reason) == (400, "global/parseError")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("POST", "calendars/primary"),
        ("GET", "calendars/primary/events/x/y/z"),
        ("DELETE", "colors"),
    ],
)
def test_unknown_methods_are_the_front_ends_404_page(api: GoogleApi, method: str, path: str) -> None:
    reply = api.call(method, path)  # [R] the page
    assert (reply.status, reply.raw[:9]) == (404, b"<!DOCTYPE")


def test_methods_that_are_not_here_say_so(api: GoogleApi) -> None:
    reply = api.call("POST", "calendars/primary/events/quickAdd", text="lunch")
    assert (reply.status, reply.reason) == (501, "global/notImplemented")


@fact("V", "A required query parameter that is missing is named")
def test_a_missing_query_parameter_is_named(api: GoogleApi, calendar: str) -> None:
    event_id = api.insert(calendar, TIMES).document["id"]
    reply = api.call("POST", f"calendars/{calendar}/events/{event_id}/move")
    item = reply.document["error"]["errors"][0]
    assert (reply.status, item["reason"], item["location"]) == (400, "required", "destination")


def test_the_full_scope_is_the_one_of_the_discovery_document() -> None:
    assert FULL == SCOPE + "calendar"
