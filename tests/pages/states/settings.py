"""The agent's settings page in every state, and the page before a disconnect."""

from calendar_service.domain.clock import HOUR
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from tests.pages.visitor import OTHER_ACCOUNT, PageVisitor

_TALKS = ("Demo: Rosa Díaz", "Onboarding: Tomás", "Plan 2031")


def not_connected(visitor: PageVisitor) -> None:
    visitor.settings()


def link_of_another_agent(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.open(visitor.link(Agent("other", "luis.mora@agents.example")))


def connected_just_now(visitor: PageVisitor) -> None:
    visitor.connected()


def connected(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.settings()


def connected_changed_in_google(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.change_in_google("session-1", "session-2")
    visitor.delete_in_google("session-3")
    visitor.settings()


def connected_shared_just_now(visitor: PageVisitor) -> None:
    visitor.shared()
    visitor.connected()


def connected_shared(visitor: PageVisitor) -> None:
    visitor.shared()
    visitor.connect()
    visitor.settings()


def connected_moved_just_now(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.connected(OTHER_ACCOUNT)


def connected_moved(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.connect(OTHER_ACCOUNT)
    visitor.settings()


def connected_later(visitor: PageVisitor) -> None:
    with visitor.trouble("/calendar/v3/calendars"):
        visitor.connected()


def connected_with_too_little_just_now(visitor: PageVisitor) -> None:
    with visitor.trouble("/calendar/v3/*", {"status": 403, "reason": "insufficientPermissions"}):
        visitor.connected()


def connected_without_google_calendar(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(not_calendar_users=["*"])
    visitor.connected()


def connected_while_the_project_is_suspended(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(api_disabled=True)
    visitor.connected()


def connected_over_the_quota(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(calendar_quota=0)
    visitor.connected()


def trouble_and_waiting(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*"):
        visitor.schedule(*_TALKS)
        visitor.settings()


def waiting_for_quota(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*", {"status": 403, "reason": "quotaExceeded"}):
        visitor.schedule(_TALKS[0])
    visitor.settings()


def waiting_for_the_operator(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.fixture.clock.advance(2 * HOUR / 1000)
    with visitor.trouble("/token", {"invalid_client": True}):
        visitor.schedule(_TALKS[0])
    visitor.settings()


def waiting_for_the_administrator(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.fixture.clock.advance(2 * HOUR / 1000)
    visitor.fixture.google.switch(admin_block=True)
    visitor.schedule(_TALKS[0])
    visitor.settings()


def google_calendar_turned_off(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.fixture.google.switch(not_calendar_users=["*"])
    visitor.schedule(*_TALKS[:2])
    visitor.settings()


def project_suspended(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.fixture.google.switch(api_disabled=True)
    visitor.schedule(*_TALKS[:2])
    visitor.settings()


def failed(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*", {"status": 400, "reason": "invalid"}):
        visitor.schedule(*_TALKS[:2])
    visitor.settings()


def failed_by_the_disconnect(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*"):
        visitor.schedule(_TALKS[0])
    visitor.disconnect()
    visitor.settings()


def failed_by_the_removal(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*"):
        visitor.schedule(_TALKS[0])
    visitor.revoke_at_google()
    visitor.settings()


def paused_just_now(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.press("/pause")


def paused_with_waiting(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.AGENT)
    visitor.schedule(*_TALKS[:2])
    visitor.settings()


def paused_by_the_organization(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.ADMINISTRATOR)
    visitor.settings()


def paused_by_both(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.AGENT, Actor.ADMINISTRATOR)
    visitor.settings()


def resumed(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.AGENT)
    visitor.settings()
    visitor.press("/resume")


def resumed_under_the_organizations_pause(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.AGENT, Actor.ADMINISTRATOR)
    visitor.settings()
    visitor.press("/resume")


def reconsent_required(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule_without_permission(_TALKS[0])
    visitor.settings()


def reconsent_to_a_new_policy(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.outdated_consents()
    visitor.settings()


def resumed_by_the_organization(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.paused(Actor.ADMINISTRATOR)
    visitor.resumed(Actor.ADMINISTRATOR)
    visitor.settings()


def calendar_missing(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.delete_calendar()
    visitor.schedule(_TALKS[0])
    visitor.settings()


def calendar_never_made(visitor: PageVisitor) -> None:
    with visitor.trouble("/calendar/v3/calendars"):
        visitor.connect()
    visitor.settings()


def calendar_made_again(visitor: PageVisitor) -> None:
    calendar_missing(visitor)
    visitor.press("/calendar", create="yes")


def calendar_not_found(visitor: PageVisitor) -> None:
    calendar_missing(visitor)
    visitor.press("/calendar", create="no")


def revoked(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.revoke_at_google()
    visitor.settings()


def disconnect(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.settings()
    visitor.open("/disconnect")


def disconnect_delete_chosen(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.open("/disconnect")
    visitor.page.check("input[value=yes]")


def disconnect_shared(visitor: PageVisitor) -> None:
    visitor.shared()
    visitor.connect()
    visitor.settings()
    visitor.open("/disconnect")


def disconnect_without_calendar(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*"):
        visitor.schedule(_TALKS[0])
    visitor.delete_calendar()
    visitor.settings()
    visitor.open("/disconnect")


def disconnect_account_unknown(visitor: PageVisitor) -> None:
    with visitor.trouble("/calendar/v3/users/me/calendarList"):
        visitor.connect()
    visitor.settings()
    visitor.open("/disconnect")


def disconnected(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.settings()
    visitor.open("/disconnect")
    visitor.press("/disconnect")


def disconnected_calendar_deleted(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.open("/disconnect")
    visitor.page.check("input[value=yes]")
    visitor.press("/disconnect")


def disconnected_calendar_not_deleted_yet(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*"):
        visitor.disconnect(delete=True)
    visitor.settings()


def disconnected_calendar_refused(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/calendar/v3/calendars/*", {"status": 403, "reason": "forbidden"}):
        visitor.disconnect(delete=True)
    visitor.settings()


def disconnected_without_googles_answer(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/revoke"):
        visitor.disconnect()
    visitor.settings()


def disconnected_account_unknown(visitor: PageVisitor) -> None:
    with visitor.trouble("/calendar/v3/users/me/calendarList"):
        visitor.connect()
        visitor.settings()
        visitor.open("/disconnect")
        visitor.press("/disconnect")


def disconnected_given_up(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.hold()
    with visitor.trouble("/revoke"):
        visitor.disconnect()
        visitor.later(days=7 + 1 / 8640)  # ten seconds: it is tried once more when the term is reached
    visitor.settings()


def disconnected_shared(visitor: PageVisitor) -> None:
    visitor.shared()
    visitor.connect()
    visitor.disconnect()
    visitor.settings()


def disconnected_held_by_law(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect()
    visitor.hold()
    visitor.settings()


def disconnected_held_in_silence(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect()
    visitor.hold(silent_for=5)
    visitor.settings()


def disconnected_by_the_organization(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect(by=Actor.ADMINISTRATOR)
    visitor.settings()


def off_boarded(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.service.parts.operations.organizations.off_board(visitor.agent.organization)
    visitor.open("/settings")


def another_account(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.open("/settings?account=another")


def trouble_with_the_administrator(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.fixture.clock.advance(2 * HOUR / 1000)
    visitor.fixture.google.switch(admin_block=True)
    visitor.settings()


def disconnect_with_events_of_others(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.write_by_hand()
    visitor.settings()
    visitor.open("/disconnect")


def disconnect_with_a_copy_of_a_session(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule(*_TALKS)
    visitor.copy_in_google("session-1")
    visitor.settings()
    visitor.open("/disconnect")
