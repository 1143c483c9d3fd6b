"""The check of a journal against law 1 finds foreign calls, and only these."""

from typing import Any

import pytest

from calendar_service.domain.methods import METHODS
from tests.support.evidence import shows
from tests.support.law_one import CALLS, violations

OURS = "ours.apps.example"
EVENT = "id,etag,status,start,extendedProperties/private(csMarker,csRevision,csNonce,csEventHash)"


def call(method: str, path: str, query: str = "", **more: Any) -> dict[str, Any]:
    entry = {"seq": 7, "method": "GET", "path": f"/calendar/v3/{path}", "query": query, "client_id": OURS}
    return entry | {"api_method": method, "account": "agent-one@example.com"} | more


CALENDAR_CREATED = call("calendar.calendars.insert", "calendars", "fields=id", created_calendar="c1")


def violations_of(*journal: dict[str, Any]) -> list[str]:
    return list(violations(journal, [OURS]))


def test_what_the_service_does_is_no_violation() -> None:
    assert violations_of(
        call("oauth2.auth", "auth"),
        call("oauth2.token", "token", body={"grant_type": "authorization_code"}),
        call(
            "calendar.calendarList.list", "users/me/calendarList",
            "fields=nextPageToken,items(id,description,accessRole,primary)&showHidden=true",
        ),
        CALENDAR_CREATED,
        call("calendar.events.insert", "calendars/c1/events", f"fields={EVENT}"),
        call("calendar.events.list", "calendars/c1/events", f"fields=nextPageToken,items({EVENT})"),
        call("calendar.calendars.delete", "calendars/c1"),
        call("oauth2.revoke", "revoke"),
    ) == []  # fmt: skip


@shows("SC-3", "ST-4")
@pytest.mark.parametrize(
    ("foreign", "words"),
    [
        (call("calendar.calendars.clear", "calendars/c1/clear"), "calendars.clear is not on the list"),
        (call("calendar.freebusy.query", "freeBusy"), "freebusy.query is not on the list"),
        (call("calendar.batch", "batch"), "batch is not on the list"),
        (call("", "no/such/path"), "no/such/path is not on the list"),
        (call("oauth2.token", "token", body={"grant_type": "password"}), "password is not on the list"),
        (call("calendar.events.get", "calendars/primary/events/e", f"fields={EVENT}"), "did not make"),
        (call("calendar.calendars.delete", "calendars/agent-one%40example.com"), "did not make"),
        (call("calendar.events.get", "calendars/c1/events/e"), "more than it may"),
        (call("calendar.events.get", "calendars/c1/events/e", "fields=*"), "more than it may"),
        (
            call("calendar.events.get", "calendars/c1/events/e", f"fields={EVENT},summary"),
            "more than it may",
        ),
        (
            call("calendar.events.get", "calendars/c1/events/e", "fields=extendedProperties"),
            "more than it may",
        ),
        (
            call(
                "calendar.calendarList.list",
                "users/me/calendarList",
                "fields=items(id,summary)&showHidden=true",
            ),
            "more than it may",
        ),
        (
            call("calendar.calendarList.list", "users/me/calendarList", "fields=items(id)"),
            "hidden calendar",
        ),
    ],
)
def test_a_foreign_call_is_found(foreign: dict[str, Any], words: str) -> None:
    (violation,) = violations_of(CALENDAR_CREATED, foreign)
    assert words in violation
    assert violation.endswith("(call 7)")


def test_other_peoples_calls_and_googles_own_are_left_alone() -> None:
    assert (
        violations_of(call("calendar.acl.insert", "calendars/c1/acl", client_id="person.apps.example")) == []
    )
    assert violations_of({"direction": "out", "client_id": OURS, "seq": 1}) == []


def test_the_service_and_the_outsider_have_the_same_list() -> None:
    oauth = {"oauth.exchange", "oauth.refresh", "oauth.revoke"}
    assert {name for name in CALLS if name.startswith("calendar.")} == METHODS.keys() - oauth
    assert len(CALLS) == len(METHODS)
