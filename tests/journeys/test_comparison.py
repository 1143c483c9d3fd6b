"""The comparison of what is wanted with what Google has: a plan, and a plan carried out."""

from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.session import By
from calendar_service.journeys.sync import Difference, Wanted
from calendar_service.store.journal import Actor
from tests.household import Household


def test_a_comparison_names_every_kind_of_difference_and_repairs_it_when_asked(house: Household) -> None:
    house.connect()
    schedule, sync = house.service.schedule, house.service.sync
    contents = {name: house.content(name, days=2 + number) for number, name in enumerate("abcde")}
    views = {
        name: schedule.put(house.agent, name, content, By.AGENT, 1) for name, content in contents.items()
    }
    house.as_person("DELETE", views["a"])
    moved = {"dateTime": "2031-01-01T10:00:00Z"}, {"dateTime": "2031-01-01T11:00:00Z"}
    house.as_person("PATCH", views["b"], {"start": moved[0], "end": moved[1]})
    later = contents["c"].start + HOUR
    house.as_person(
        "PATCH",
        views["c"],
        {"start": {"dateTime": rfc3339(later)}, "end": {"dateTime": rfc3339(later + HOUR)}},
    )
    wanted = {name: Wanted(contents[name], 2) for name in "abc"}
    wanted["d"] = Wanted(house.content("another title", days=5), 2)
    wanted["f"] = Wanted(house.content("f", days=4), 1)
    now = house.service.clock.now()
    plan = sync.reconcile(house.agent, now, now + 60 * DAY, wanted, apply=False)
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
    done = sync.reconcile(house.agent, now, now + 60 * DAY, wanted, apply=True)
    assert {one.session: one.status for one in done.differences} == dict.fromkeys("abcdf", "scheduled") | {
        "e": "cancelled"
    }
    assert sorted(event["summary"] for event in house.events()) == ["a", "another title", "b", "c", "f"]
    again = sync.reconcile(house.agent, now, now + 60 * DAY, wanted, apply=False)
    assert (again.differences, again.equal) == ((), 5)


def test_events_of_an_erased_connection_are_counted_and_left_alone(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "old", house.content(), By.AGENT, None)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.erasure.erase_now(house.agent, Actor.AGENT)
    house.connect()
    now = house.service.clock.now()
    plan = house.service.sync.reconcile(house.agent, now, now + 60 * DAY, {}, apply=True)
    assert (plan.unknown_events, plan.differences) == (1, ())
    assert len(house.events()) == 1
    wanted = {"old": Wanted(house.content(), None)}
    plan = house.service.sync.reconcile(house.agent, now, now + 60 * DAY, wanted, apply=True)
    assert plan.differences == (Difference("old", "missing", "scheduled"),)
    assert len(house.events()) == 1


def test_what_cannot_be_carried_out_is_told_and_the_rest_is_done(house: Household) -> None:
    house.connect()
    now = house.service.clock.now()
    over = house.content(start=now - 2 * HOUR, end=now - HOUR)
    wanted = {"a": Wanted(over, None), "b": Wanted(house.content("b"), None)}
    done = house.service.sync.reconcile(house.agent, now - DAY, now + 60 * DAY, wanted, apply=True)
    assert [(one.session, one.status, one.reason) for one in done.differences] == [
        ("a", "refused", "session_over"),
        ("b", "scheduled", ""),
    ]
