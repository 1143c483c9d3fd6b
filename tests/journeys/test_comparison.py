"""Reconcile: the differences between desired state and Google as a plan, and the plan carried out."""

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.session import By
from calendar_service.journeys.sessions.reconcile import DesiredSession, Difference
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
    assert (plan.applied, plan.equal, plan.unknown_events) == (False, 0, 0)
    done = reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=True)
    assert {one.session: one.status for one in done.differences} == dict.fromkeys("abcdf", "scheduled") | {
        "e": "cancelled"
    }
    assert sorted(event["summary"] for event in service.events()) == ["a", "another title", "b", "c", "f"]
    again = reconcile.reconcile(service.agent, now, now + 60 * DAY, wanted, apply=False)
    assert (again.differences, again.equal) == ((), 5)


def test_events_of_an_erased_connection_are_counted_and_left_alone(service: TestService) -> None:
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "old", service.content(), By.AGENT, None)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.connect()
    now = service.parts.clock.now()
    plan = service.parts.sessions.reconcile.reconcile(service.agent, now, now + 60 * DAY, {}, apply=True)
    assert (plan.unknown_events, plan.differences) == (1, ())
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
