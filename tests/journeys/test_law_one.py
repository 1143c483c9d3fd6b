"""At Google, a whole life touches the one calendar and nothing else of the account (law 1, SC-3, ST-4)."""

from calendar_service.domain.session import By
from calendar_service.journeys.sync import Wanted
from calendar_service.store.journal import Actor
from tests.household import CLIENT_ID, FIRST, SECURE_URL, Household
from tests.law_one import CALLS, is_call, name_of, violations
from tests.support.evidence import shows

PRIVATE = {
    "summary": "A doctor's appointment",
    "start": {"dateTime": "2031-05-05T10:00:00Z"},
    "end": {"dateTime": "2031-05-05T11:00:00Z"},
}


def _live(house: Household) -> None:
    house.connect()
    schedule, agent = house.service.schedule, house.agent
    schedule.put(agent, "s1", house.content(), By.AGENT, None)
    schedule.put(agent, "s1", house.content("Moved", days=4), By.SYSTEM, None)
    schedule.put(agent, "s2", house.content("Cancelled"), By.AGENT, None)
    schedule.cancel(agent, "s2", By.AGENT, None)
    schedule.get(agent, "s1", read_google=True)
    house.service.overview.settings(agent)
    house.service.overview.leaving(agent)
    house.served_from(SECURE_URL).work(2)
    house.service.look.once(agent)
    wanted = {"s3": Wanted(house.content("Put right"), None)}
    house.service.sync.reconcile(agent, 0, 2**42, wanted, apply=True)
    house.clock.advance(26 * 3600)
    house.work(2)
    house.service.disconnect.disconnect(agent, Actor.AGENT, delete_calendar=True)
    house.connect()
    house.service.disconnect.disconnect(agent, Actor.ADMINISTRATOR)


@shows("SC-3", "ST-4")
def test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may(
    house: Household,
) -> None:
    house.as_person("POST", None, PRIVATE, calendar=FIRST)
    _live(house)
    journal = house.google.journal()
    assert list(violations(journal, [CLIENT_ID])) == []
    called = {name_of(entry) for entry in journal if is_call(entry) and entry["client_id"] == CLIENT_ID}
    # It did everything that there is; the one call besides is the browser's.
    assert called - {"oauth2.auth"} == CALLS.keys()
    assert PRIVATE["summary"] not in house.stored()


@shows("RV-3")
def test_the_closing_errand_can_do_nothing_but_end_what_is_left_at_google(house: Household) -> None:
    house.connect()
    house.service.schedule.put(house.agent, "s1", house.content(), By.AGENT, None)
    house.served_from(SECURE_URL).work(2)  # a channel is open
    before = len(house.calls())
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=2)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT, delete_calendar=True)
    for _ in range(8):
        house.service.overview.settings(house.agent)
        house.service.look.once(house.agent)
        house.clock.advance(3600)
        house.work(2)
    ending = {"calendar.channels.stop", "calendar.calendars.delete", "oauth2.revoke"}
    assert set(house.calls(before)) == ending
    assert house.live_tokens() == []
