from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calendar_service.domain.errors import (
    AccessTokenExpired,
    AlreadyDeleted,
    ClientRejected,
    DuplicateId,
    EventMissing,
    GoogleUnavailable,
    InsufficientScope,
    Overtaken,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
)
from calendar_service.domain.methods import METHODS
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import (
    AccountCalendars,
    CalendarApi,
    CalendarMissing,
    Contents,
    EventAnswer,
    stamp,
)
from calendar_service.google.oauth import OAuth
from calendar_service.google.transport import Transport
from tests.adapters.google.conftest import connect
from tests.support.local_google import LocalGoogle

START = datetime(2027, 1, 12, 14, 0, tzinfo=UTC)
EVENTS = "/calendar/v3/calendars/*/events*"


def event(event_id: str = "session1", marker: str = "m1", revision: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": event_id,
        "summary": "Video session",
        "start": {"dateTime": START.isoformat(), "timeZone": "America/Santiago"},
        "end": {"dateTime": (START + timedelta(hours=1)).isoformat(), "timeZone": "America/Santiago"},
        **stamp(marker, revision, "nonce", "hash"),
        **more,
    }


def hash_of(marker: str, event_id: str) -> str:
    """Return what `event` stamps; the copy of another id has another one."""
    return "of the copied event" if event_id.startswith("double") else "hash"


def at_google(google: LocalGoogle, calendar_id: str) -> list[dict[str, Any]]:
    resource = next(one for one in google.state()["calendars"] if one["id"] == calendar_id)
    events: list[dict[str, Any]] = resource["events"]
    return events


def api_calls(google: LocalGoogle) -> list[str]:
    return [call["api_method"] for call in google.journal() if call["path"].startswith("/calendar/v3/")]


def test_a_calendar_is_made_in_its_time_zone_and_found_again_by_its_marker(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    resource = next(one for one in google.state()["calendars"] if one["id"] == calendar_id)
    assert (resource["summary"], resource["timeZone"]) == ("Sessions", "America/Santiago")
    assert calendar.find_ours(token, "marker-1") == AccountCalendars("agent-one@example.com", (calendar_id,))
    assert calendar.find_ours(token, "marker-2").ours == ()


def test_all_our_calendars_are_found_over_pages(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    more = [calendar.create(token, summary="S", description="marker-1", time_zone="UTC") for _ in range(3)]
    assert set(calendar.find_ours(token, "marker-1").ours) == {calendar_id, *more}


def test_a_calendar_tells_whose_it_is(calendar: CalendarApi, token: Secret, calendar_id: str) -> None:
    info = calendar.get_calendar(token, calendar_id)
    assert (info.id, info.summary, info.data_owner) == (calendar_id, "Sessions", "agent-one@example.com")


def test_a_deleted_calendar_is_missing(calendar: CalendarApi, token: Secret, calendar_id: str) -> None:
    calendar.delete_calendar(token, calendar_id)
    with pytest.raises(CalendarMissing):
        calendar.get_calendar(token, calendar_id)
    with pytest.raises(CalendarMissing):
        calendar.delete_calendar(token, calendar_id)
    with pytest.raises(EventMissing):
        calendar.insert(token, calendar_id, event())


def test_an_inserted_event_is_at_google_under_its_id_and_reads_back_the_same(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    created = calendar.insert(token, calendar_id, event(revision=7))
    [there] = at_google(google, calendar_id)
    assert (there["id"], there["summary"], there["etag"]) == ("session1", "Video session", created.etag)
    assert (created.marker, created.revision, created.status) == ("m1", 7, "confirmed")
    assert calendar.get(token, calendar_id, "session1") == created
    shown = calendar.get_with_times(token, calendar_id, "session1")
    assert (shown.etag, shown.start, shown.end) == (created.etag, START, START + timedelta(hours=1))
    assert shown.html_link


def test_an_id_is_taken_once_even_after_a_delete(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    created = calendar.insert(token, calendar_id, event())
    with pytest.raises(DuplicateId):
        calendar.insert(token, calendar_id, event())
    calendar.delete(token, calendar_id, "session1", etag=created.etag)
    with pytest.raises(DuplicateId):
        calendar.insert(token, calendar_id, event())


def test_a_patch_changes_what_it_names_and_nothing_else(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    created = calendar.insert(token, calendar_id, event(location="https://video.example/1"))
    later = {"dateTime": (START + timedelta(hours=2)).isoformat(), "timeZone": "America/Santiago"}
    changed = calendar.patch(
        token,
        calendar_id,
        "session1",
        {"end": later, "location": None, **stamp("m1", 2, "nonce", "hash")},
        etag=created.etag,
    )
    assert changed.revision == 2
    assert changed.etag != created.etag
    shown = calendar.get_with_times(token, calendar_id, "session1")
    assert (shown.start, shown.end) == (START, START + timedelta(hours=2))
    [there] = at_google(google, calendar_id)
    assert there["summary"] == "Video session"
    assert "location" not in there


def test_a_write_at_an_old_etag_changes_nothing(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    created = calendar.insert(token, calendar_id, event())
    newer = calendar.patch(token, calendar_id, "session1", stamp("m1", 2, "nonce", "hash"), etag=created.etag)
    before = at_google(google, calendar_id)
    with pytest.raises(Overtaken):
        calendar.patch(token, calendar_id, "session1", stamp("m1", 3, "nonce", "hash"), etag=created.etag)
    with pytest.raises(Overtaken):
        calendar.delete(token, calendar_id, "session1", etag=created.etag)
    assert at_google(google, calendar_id) == before
    assert calendar.get(token, calendar_id, "session1") == newer


def test_a_deleted_event_is_cancelled_and_cannot_be_deleted_again(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    created = calendar.insert(token, calendar_id, event())
    calendar.delete(token, calendar_id, "session1", etag=created.etag)
    assert calendar.get(token, calendar_id, "session1").status == "cancelled"
    with pytest.raises(AlreadyDeleted):
        calendar.delete(token, calendar_id, "session1", etag=None)


def test_a_deleted_event_can_be_revived(calendar: CalendarApi, token: Secret, calendar_id: str) -> None:
    calendar.insert(token, calendar_id, event())
    calendar.delete(token, calendar_id, "session1", etag=None)
    again = {name: value for name, value in event(revision=3).items() if name != "id"}
    revived = calendar.patch(token, calendar_id, "session1", again | {"status": "confirmed"}, etag=None)
    assert (revived.status, revived.revision) == ("confirmed", 3)


def test_an_event_that_never_was_is_missing(calendar: CalendarApi, token: Secret, calendar_id: str) -> None:
    for ask in (
        lambda: calendar.get(token, calendar_id, "session9"),
        lambda: calendar.patch(token, calendar_id, "session9", stamp("m1", 1, "nonce", "hash"), etag=None),
        lambda: calendar.delete(token, calendar_id, "session9", etag=None),
    ):
        with pytest.raises(EventMissing):
            ask()


def test_an_event_is_found_by_its_marker(calendar: CalendarApi, token: Secret, calendar_id: str) -> None:
    one = calendar.insert(token, calendar_id, event("session1", "m1"))
    two = calendar.insert(token, calendar_id, event("session2", "m2"))
    calendar.delete(token, calendar_id, "session2", etag=two.etag)
    assert calendar.list_by_marker(token, calendar_id, "m1") == (one,)
    assert calendar.list_by_marker(token, calendar_id, "m2") == ()
    [gone] = calendar.list_by_marker(token, calendar_id, "m2", show_deleted=True)
    assert (gone.id, gone.status) == ("session2", "cancelled")
    assert calendar.list_by_marker(token, calendar_id, "m3", show_deleted=True) == ()


def test_twins_of_an_undetected_collision_are_both_listed(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    google.switch(undetected_collisions=True)
    calendar.insert(token, calendar_id, event())
    calendar.insert(token, calendar_id, event())
    assert [twin.id for twin in calendar.list_by_marker(token, calendar_id, "m1")] == ["session1"] * 2


def test_events_without_our_marker_are_not_in_a_list(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    private = {name: value for name, value in event("private1").items() if name != "extendedProperties"}
    calendar.insert(token, calendar_id, private)
    ours = calendar.insert(token, calendar_id, event())
    day = timedelta(days=1)
    [listed] = calendar.list_between(token, calendar_id, START - day, START + day)
    assert (listed.id, listed.etag, listed.start) == (ours.id, ours.etag, START)
    assert calendar.list_between(token, calendar_id, START + day, START + 2 * day) == ()


def test_an_event_of_ours_that_lost_its_marker_is_read_by_its_id(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    calendar.insert(token, calendar_id, event() | {"extendedProperties": {}})
    there = calendar.get(token, calendar_id, "session1")
    assert (there.marker, there.nonce, there.event_hash, there.revision) == (None, None, None, None)
    assert there.stands
    assert calendar.get_with_times(token, calendar_id, "session1").start == START


def test_what_a_calendar_holds_is_counted_and_others_events_only_noticed(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    for number in (1, 2):
        calendar.insert(token, calendar_id, event(f"session{number}", marker=f"m{number}"))
    assert calendar.contents(token, calendar_id, START, hash_of) == Contents(coming=2, has_others=False)
    calendar.insert(token, calendar_id, event("double1", marker="m1"))
    assert calendar.contents(token, calendar_id, START, hash_of) == Contents(coming=2, has_others=True)
    calendar.delete(token, calendar_id, "double1", etag=None)
    calendar.delete(token, calendar_id, "session2", etag=None)
    theirs = event("theirs1") | {"extendedProperties": {}}
    calendar.insert(token, calendar_id, theirs)
    assert calendar.contents(token, calendar_id, START, hash_of) == Contents(coming=1, has_others=True)
    over = START + timedelta(hours=1)
    assert calendar.contents(token, calendar_id, over, hash_of) == Contents(coming=0, has_others=True)
    calendar.delete_calendar(token, calendar_id)
    with pytest.raises(CalendarMissing):
        calendar.contents(token, calendar_id, START, hash_of)


def test_a_channel_is_opened_and_stopped(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    channel = calendar.watch(
        token,
        calendar_id,
        channel_id="channel-1",
        channel_token=Secret("channel-token"),
        address="https://localhost:9/google/notifications",
    )
    assert channel.id == "channel-1"
    assert channel.expiration is not None
    calendar.stop_channel(token, channel.id, channel.resource_id)
    with pytest.raises(EventMissing):
        calendar.stop_channel(token, channel.id, channel.resource_id)


def test_another_accounts_token_opens_nothing_of_ours(
    google: LocalGoogle, oauth: OAuth, calendar: CalendarApi, calendar_id: str
) -> None:
    other = connect(google, oauth, "agent-two@example.com").access_token
    with pytest.raises(CalendarMissing):
        calendar.get_calendar(other, calendar_id)
    with pytest.raises(EventMissing):
        calendar.insert(other, calendar_id, event())


def test_a_token_google_does_not_know_is_expired(calendar: CalendarApi, calendar_id: str) -> None:
    with pytest.raises(AccessTokenExpired):
        calendar.insert(Secret("ya29.unknown"), calendar_id, event())


def test_a_narrower_scope_is_told_apart_from_other_refusals(
    google: LocalGoogle, oauth: OAuth, calendar: CalendarApi
) -> None:
    google.switch(enforced_scope="https://www.googleapis.com/auth/calendar.events")
    token = connect(google, oauth).access_token
    with pytest.raises(InsufficientScope):
        calendar.find_ours(token, "marker-1")


def test_a_project_without_the_api_is_the_operators_concern(
    google: LocalGoogle, calendar: CalendarApi, token: Secret
) -> None:
    google.switch(api_disabled=True)
    with pytest.raises(ClientRejected):
        calendar.find_ours(token, "marker-1")


@pytest.mark.parametrize("form", ["403", "403_user", "429", "front_end"])
def test_every_form_of_a_rate_limit_is_one_fact(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str, form: str
) -> None:
    google.switch(per_minute_user=1, rate_limit_form=form)
    calendar.get_calendar(token, calendar_id)
    with pytest.raises(RateLimited):
        calendar.get_calendar(token, calendar_id)


def test_a_rate_limit_hands_on_googles_wait(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    google.fault(EVENTS, {"status": 403, "reason": "rateLimitExceeded", "retry_after": 11})
    with pytest.raises(RateLimited) as fact:
        calendar.insert(token, calendar_id, event())
    assert fact.value.retry_after == 11


def test_too_many_calendars_are_a_quota(google: LocalGoogle, calendar: CalendarApi, token: Secret) -> None:
    google.switch(calendar_quota=0)
    with pytest.raises(QuotaExceeded):
        calendar.create(token, summary="S", description="d", time_zone="UTC")


def test_an_event_google_does_not_take_is_refused(
    calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    for bad in (
        {"id": "zzz"},
        {"end": None},
        {"end": event()["start"] | {"dateTime": "2020-01-01T00:00:00Z"}},
    ):
        with pytest.raises(RequestRefused):
            calendar.insert(token, calendar_id, event() | bad)


WRITES: dict[str, Callable[[CalendarApi, Secret, str, EventAnswer], object]] = {
    "insert": lambda c, t, i, _: c.insert(t, i, event("session2", "m2")),
    "patch": lambda c, t, i, created: c.patch(
        t, i, created.id, stamp("m1", 2, "nonce", "hash"), etag=created.etag
    ),
    "delete": lambda c, t, i, created: c.delete(t, i, created.id, etag=created.etag),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500, "reason": "backendError"},
        {"status": 503, "reason": "backendError"},
        {"html": 502},
        {"cut": "before_commit"},
        {"cut": "after_commit"},
    ],
)
def test_a_write_in_trouble_is_sent_once_and_may_have_been_carried_out(
    google: LocalGoogle,
    calendar: CalendarApi,
    token: Secret,
    calendar_id: str,
    trouble: dict[str, Any],
    write: str,
) -> None:
    created = calendar.insert(token, calendar_id, event())
    sent = len(api_calls(google))
    google.fault(EVENTS, trouble)
    with pytest.raises(GoogleUnavailable) as fault:
        WRITES[write](calendar, token, calendar_id, created)
    assert fault.value.ambiguous
    assert len(api_calls(google)) == sent + 1


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("trouble", [{"hang": True}, {"drip": 0.05}, {"delay": 5}])
def test_a_slow_write_ends_at_the_deadline(
    google: LocalGoogle,
    calendar: CalendarApi,
    transport: Transport,
    token: Secret,
    calendar_id: str,
    trouble: dict[str, Any],
    write: str,
) -> None:
    created = calendar.insert(token, calendar_id, event())
    google.fault(EVENTS, trouble)
    with transport.within(0.2), pytest.raises(GoogleUnavailable) as fault:
        WRITES[write](calendar, token, calendar_id, created)
    assert fault.value.ambiguous


def test_a_truncated_answer_to_an_insert_leaves_one_event(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    google.fault(EVENTS, {"truncate": True})
    with pytest.raises(GoogleUnavailable):
        calendar.insert(token, calendar_id, event())
    google.clear_faults()
    assert [one["id"] for one in at_google(google, calendar_id)] == ["session1"]
    with pytest.raises(DuplicateId):
        calendar.insert(token, calendar_id, event())


def test_an_insert_whose_answer_was_lost_is_there(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    google.fault(EVENTS, {"cut": "after_commit"}, times=1)
    with pytest.raises(GoogleUnavailable):
        calendar.insert(token, calendar_id, event())
    assert [one.id for one in calendar.list_by_marker(token, calendar_id, "m1")] == ["session1"]


def test_threads_share_one_calendar_without_mixing_answers(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str, transport: Transport
) -> None:
    def work(worker: int) -> list[bool]:
        right = []
        for turn in range(10):
            name = f"event{worker}t{turn}"
            created = calendar.insert(token, calendar_id, event(name, f"marker-{name}", turn))
            right.append((created.id, created.marker, created.revision) == (name, f"marker-{name}", turn))
        transport.close()
        return right

    with ThreadPoolExecutor(8) as pool:
        assert all(one for answers in pool.map(work, range(8)) for one in answers)
    assert len(at_google(google, calendar_id)) == 80


def test_each_operation_is_one_call_of_a_promised_method(
    google: LocalGoogle, calendar: CalendarApi, token: Secret, calendar_id: str
) -> None:
    before = len(api_calls(google))
    created = calendar.insert(token, calendar_id, event())
    created = calendar.patch(
        token, calendar_id, created.id, stamp("m1", 2, "nonce", "hash"), etag=created.etag
    )
    calendar.delete(token, calendar_id, created.id, etag=created.etag)
    assert api_calls(google)[before:] == [
        "calendar.events.insert", "calendar.events.patch", "calendar.events.delete",
    ]  # fmt: skip
    assert set(api_calls(google)) <= set(METHODS)
