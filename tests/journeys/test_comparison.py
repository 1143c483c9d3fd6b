"""Reconcile: the differences between desired state and Google as a plan, and the plan carried out."""

import json

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.session import By
from calendar_service.journeys.sessions.reconcile import Comparison, DesiredSession, Difference
from calendar_service.store.audit_log import Actor
from tests.support.service import TestService


def test_a_comparison_names_every_kind_of_difference_and_repairs_it_when_asked(service: TestService) -> None:
    service.connect()
    schedule, reconcile = service.parts.sessions.schedule, service.parts.sessions.reconcile
    contents = {name: service.content(name, days=2 + number) for number, name in enumerate("abcde")}
    views = {
        name: schedule.put(service.agent, name, content, By.AGENT, 1) for name, content in contents.items()
    }
    service.as_person("DELETE", views["a"])
    moved = {"dateTime": "2031-01-01T10:00:00Z"}, {"dateTime": "2031-01-01T11:00:00Z"}
    service.as_person("PATCH", views["b"], {"start": moved[0], "end": moved[1]})
    later = contents["c"].start + HOUR
    service.as_person(
        "PATCH",
        views["c"],
        {"start": {"dateTime": rfc3339(later)}, "end": {"dateTime": rfc3339(later + HOUR)}},
    )
    wanted = {name: DesiredSession(contents[name], 2) for name in "abc"}
    wanted["d"] = DesiredSession(service.content("another title", days=5), 2)
    wanted["f"] = DesiredSession(service.content("f", days=4), 1)
    now = service.parts.clock.now()
    plan = reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False)
    kinds = {one.session: one.difference for one in plan.differences}
    assert kinds == {
        "a": "missing",
        "b": "missing",
        "c": "times",
        "d": "content",
        "e": "extra",
        "f": "missing",
    }
    assert (plan.applied, plan.equal, plan.unknown_events) == (False, 0, ())
    done = reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=True)
    assert {one.session: one.status for one in done.differences} == dict.fromkeys("abcdf", "scheduled") | {
        "e": "cancelled"
    }
    assert sorted(event["summary"] for event in service.events()) == ["a", "another title", "b", "c", "f"]
    again = reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False)
    assert (again.differences, again.equal) == ((), 5)


def test_events_of_an_erased_connection_are_listed_and_left_alone(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "old", service.content(), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.connect()
    now = service.parts.clock.now()
    plan = service.parts.sessions.reconcile.reconcile(service.agent, now, now + 60 * DAY, {}, apply=True)
    assert [(one.kind, one.removed) for one in plan.unknown_events] == [("forgotten", False)]
    assert plan.differences == ()
    assert len(service.events()) == 1
    wanted = {"old": DesiredSession(service.content(), None)}
    plan = service.parts.sessions.reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=True)
    assert plan.differences == (Difference("old", "missing", "scheduled"),)
    assert len(service.events()) == 1


def test_what_cannot_be_carried_out_is_told_and_the_rest_is_done(service: TestService) -> None:
    service.connect()
    now = service.parts.clock.now()
    over = service.content(start=now - 2 * HOUR, end=now - HOUR)
    wanted = {"a": DesiredSession(over, None), "b": DesiredSession(service.content("b"), None)}
    done = service.parts.sessions.reconcile.reconcile(
        service.agent, now - DAY, now + 60 * DAY, wanted, apply=True
    )
    assert [(one.session, one.status, one.reason) for one in done.differences] == [
        ("a", "refused", "session_over"),
        ("b", "scheduled", ""),
    ]


def compare(service: TestService, *wanted: str, **how: bool) -> Comparison:
    now = service.parts.clock.now()
    desired = {name: DesiredSession(service.content(name), None) for name in wanted}
    return service.parts.sessions.reconcile.reconcile(
        service.agent, now, now + 60 * DAY, desired, **({"apply": False} | how)
    )


def kinds(comparison: Comparison) -> list[tuple[str, bool]]:
    return sorted((one.kind, one.removed) for one in comparison.unknown_events)


def every_kind_of_unknown_event(service: TestService) -> None:
    """Let an event stand that nobody wants, of each kind."""
    service.connect()
    schedule = service.parts.sessions.schedule
    views = {
        name: schedule.put(service.agent, name, service.content(name), By.AGENT, None)
        for name in ("kept", "forgotten", "second", "cancelled")
    }
    events = {event["summary"]: event for event in service.events()}
    calendar = service.facts.calendar.id
    own = {name: events["kept"][name] for name in ("start", "end", "extendedProperties")}
    service.as_person("POST", None, {"summary": "copy"} | own, calendar=calendar)
    schedule.cancel(service.agent, "cancelled", By.AGENT, None)
    service.as_person("PATCH", views["cancelled"], {"status": "confirmed"})
    client, key = service.parts.store.database.client, service.key("sessions")
    client.hdel(key, "forgotten")
    record = json.loads(client.hget(key, "second"))
    record["copy"] |= {"id": "another", "exists": False, "etag": ""}
    client.hset(key, "second", json.dumps(record))


def test_events_that_nobody_wants_are_listed_with_their_kind_and_left_alone(service: TestService) -> None:
    every_kind_of_unknown_event(service)
    expected = [("cancelled", False), ("copy", False), ("forgotten", False), ("second", False)]
    assert kinds(compare(service, "kept")) == expected
    assert kinds(compare(service, "kept", apply=True)) == expected
    assert len(service.events()) == 5


def test_events_that_nobody_wants_are_removed_when_asked_except_copies(service: TestService) -> None:
    every_kind_of_unknown_event(service)
    done = compare(service, "kept", remove_unknown=True)
    assert kinds(done) == [("cancelled", True), ("copy", False), ("forgotten", True), ("second", True)]
    assert sorted(event["summary"] for event in service.events()) == ["copy", "kept"]
    assert kinds(compare(service, "kept")) == [("copy", False)]


def test_an_event_outside_of_the_compared_time_is_not_removed(service: TestService) -> None:
    every_kind_of_unknown_event(service)
    now = service.parts.clock.now()
    service.parts.sessions.reconcile.reconcile(
        service.agent, now + 30 * DAY, now + 60 * DAY, {}, apply=False, remove_unknown=True
    )
    assert len(service.events()) == 5


def test_a_listed_session_that_the_store_forgot_is_not_unknown(service: TestService) -> None:
    every_kind_of_unknown_event(service)
    done = compare(service, "kept", "forgotten", apply=True, remove_unknown=True)
    assert ("forgotten", True) not in kinds(done)
    assert sorted(event["summary"] for event in service.events()) == ["copy", "forgotten", "kept"]


def test_a_session_that_comes_while_the_events_are_listed_is_not_unknown(service: TestService) -> None:
    service.connect()
    put = service.parts.sessions.schedule.put
    put(service.agent, "kept", service.content("kept"), By.AGENT, None)
    # The first list is refused, so it is asked once more; in between the session comes.
    listing = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}
    service.google.fault(listing, {"status": 401, "reason": "authError"}, times=1)
    other = service.replica().parts.sessions.schedule
    service.at_call(
        "calendar.events.list",
        lambda: other.put(service.agent, "new", service.content("new"), By.AGENT, None),
    )
    assert kinds(compare(service, "kept", remove_unknown=True)) == []
    assert sorted(event["summary"] for event in service.events()) == ["kept", "new"]


def test_an_event_that_lost_our_properties_is_another_content_and_is_mended(service: TestService) -> None:
    service.connect()
    content = service.content("a")
    view = service.parts.sessions.schedule.put(service.agent, "a", content, By.AGENT, None)
    (event,) = service.events()
    own = {name: event[name] for name in ("summary", "start", "end")}
    service.as_person("PUT", view, own)
    now, wanted = service.parts.clock.now(), {"a": DesiredSession(content, None)}
    reconcile = service.parts.sessions.reconcile.reconcile
    plan = reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False)
    assert plan.differences == (Difference("a", "content"),)
    assert (
        reconcile(service.agent, now, now + 60 * DAY, wanted, apply=True).differences[0].status == "scheduled"
    )
    assert reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False).equal == 1
    assert "csMarker" in service.events()[0]["extendedProperties"]["private"]


def test_another_time_zone_in_google_is_a_difference(service: TestService) -> None:
    service.connect()
    content = service.content("a")
    view = service.parts.sessions.schedule.put(service.agent, "a", content, By.AGENT, None)
    (event,) = service.events()
    zone = {"timeZone": "Asia/Tokyo"}
    service.as_person("PATCH", view, {"start": event["start"] | zone, "end": event["end"] | zone})
    now, wanted = service.parts.clock.now(), {"a": DesiredSession(content, None)}
    plan = service.parts.sessions.reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False)
    assert plan.differences == (Difference("a", "content"),)
