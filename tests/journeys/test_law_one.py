"""At Google, a whole life touches the one calendar and nothing else of the account (law 1, SC-3, ST-4)."""

from calendar_service.domain.session import By
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.law_one import CALLS, is_call, name_of, violations
from tests.support.service import CLIENT_ID, FIRST, SECURE_URL, TestService

PRIVATE = {
    "summary": "A doctor's appointment",
    "start": {"dateTime": "2031-05-05T10:00:00Z"},
    "end": {"dateTime": "2031-05-05T11:00:00Z"},
}


def _live(service: TestService) -> None:
    service.connect()
    schedule, agent = service.parts.schedule, service.agent
    schedule.put(agent, "s1", service.content(), By.AGENT, None)
    schedule.put(agent, "s1", service.content("Moved", days=4), By.SYSTEM, None)
    schedule.put(agent, "s2", service.content("Cancelled"), By.AGENT, None)
    schedule.cancel(agent, "s2", By.AGENT, None)
    schedule.get(agent, "s1", read_google=True)
    service.parts.status_page.settings(agent)
    service.parts.status_page.leaving(agent)
    service.served_from(SECURE_URL).work(2)
    service.parts.change_detector.once(agent)
    wanted = {"s3": DesiredSession(service.content("Put right"), None)}
    service.parts.reconcile.reconcile(agent, 0, 2**42, wanted, apply=True)
    service.clock.advance(26 * 3600)
    service.work(2)
    service.parts.disconnect.disconnect(agent, Actor.AGENT, delete_calendar=True)
    service.connect()
    service.parts.disconnect.disconnect(agent, Actor.ADMINISTRATOR)


@shows("SC-3", "ST-4")
def test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may(
    service: TestService,
) -> None:
    service.as_person("POST", None, PRIVATE, calendar=FIRST)
    _live(service)
    journal = service.google.journal()
    assert list(violations(journal, [CLIENT_ID])) == []
    called = {name_of(entry) for entry in journal if is_call(entry) and entry["client_id"] == CLIENT_ID}
    # It did everything that there is; the one call besides is the browser's.
    assert called - {"oauth2.auth"} == CALLS.keys()
    assert PRIVATE["summary"] not in service.stored()


@shows("RV-3")
def test_the_closing_teardown_can_do_nothing_but_end_what_is_left_at_google(service: TestService) -> None:
    service.connect()
    service.parts.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.served_from(SECURE_URL).work(2)  # a channel is open
    before = len(service.calls())
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=2)
    service.parts.disconnect.disconnect(service.agent, Actor.AGENT, delete_calendar=True)
    for _ in range(8):
        service.parts.status_page.settings(service.agent)
        service.parts.change_detector.once(service.agent)
        service.clock.advance(3600)
        service.work(2)
    ending = {"calendar.channels.stop", "calendar.calendars.delete", "oauth2.revoke"}
    assert set(service.calls(before)) == ending
    assert service.live_tokens() == []
