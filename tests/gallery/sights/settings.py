"""The agent's settings page in every state, and the page before a disconnect."""

from calendar_service.domain.clock import HOUR
from calendar_service.store.journal import Actor
from tests.gallery.guest import OTHER_ACCOUNT, Guest

_TALKS = ("Demo: Rosa Díaz", "Onboarding: Tomás", "Plan 2031")


def not_connected(guest: Guest) -> None:
    guest.settings()


def connected_just_now(guest: Guest) -> None:
    guest.connected()


def connected(guest: Guest) -> None:
    guest.connect()
    guest.schedule(*_TALKS)
    guest.settings()


def connected_changed_in_google(guest: Guest) -> None:
    guest.connect()
    guest.schedule(*_TALKS)
    guest.change_in_google("session-1", "session-2")
    guest.delete_in_google("session-3")
    guest.settings()


def connected_shared_just_now(guest: Guest) -> None:
    guest.shared()
    guest.connected()


def connected_shared(guest: Guest) -> None:
    guest.shared()
    guest.connect()
    guest.settings()


def connected_moved_just_now(guest: Guest) -> None:
    guest.connect()
    guest.connected(OTHER_ACCOUNT)


def connected_moved(guest: Guest) -> None:
    guest.connect()
    guest.connect(OTHER_ACCOUNT)
    guest.settings()


def connected_later(guest: Guest) -> None:
    with guest.trouble("/calendar/v3/calendars"):
        guest.connected()


def trouble_and_waiting(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*"):
        guest.schedule(*_TALKS)
        guest.settings()


def waiting_for_quota(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*", {"status": 403, "reason": "quotaExceeded"}):
        guest.schedule(_TALKS[0])
    guest.settings()


def waiting_for_the_operator(guest: Guest) -> None:
    guest.connect()
    guest.stage.clock.advance(2 * HOUR / 1000)
    with guest.trouble("/token", {"invalid_client": True}):
        guest.schedule(_TALKS[0])
    guest.settings()


def waiting_for_the_administrator(guest: Guest) -> None:
    guest.connect()
    guest.stage.clock.advance(2 * HOUR / 1000)
    guest.stage.google.switch(admin_block=True)
    guest.schedule(_TALKS[0])
    guest.settings()


def failed(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*", {"status": 400, "reason": "invalid"}):
        guest.schedule(*_TALKS[:2])
    guest.settings()


def failed_by_the_disconnect(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*"):
        guest.schedule(_TALKS[0])
    guest.disconnect()
    guest.settings()


def failed_by_the_removal(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*"):
        guest.schedule(_TALKS[0])
    guest.revoke_at_google()
    guest.settings()


def paused_just_now(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.press("/pause")


def paused_with_waiting(guest: Guest) -> None:
    guest.connect()
    guest.paused(Actor.AGENT)
    guest.schedule(*_TALKS[:2])
    guest.settings()


def paused_by_the_organization(guest: Guest) -> None:
    guest.connect()
    guest.paused(Actor.ADMINISTRATOR)
    guest.settings()


def paused_by_both(guest: Guest) -> None:
    guest.connect()
    guest.paused(Actor.AGENT, Actor.ADMINISTRATOR)
    guest.settings()


def resumed(guest: Guest) -> None:
    guest.connect()
    guest.paused(Actor.AGENT)
    guest.settings()
    guest.press("/resume")


def reconsent_required(guest: Guest) -> None:
    guest.connect()
    guest.schedule_without_permission(_TALKS[0])
    guest.settings()


def reconsent_to_a_new_policy(guest: Guest) -> None:
    guest.connect()
    guest.outgrown()
    guest.settings()


def resumed_by_the_organization(guest: Guest) -> None:
    guest.connect()
    guest.paused(Actor.ADMINISTRATOR)
    guest.resumed(Actor.ADMINISTRATOR)
    guest.settings()


def calendar_missing(guest: Guest) -> None:
    guest.connect()
    guest.schedule(*_TALKS)
    guest.delete_calendar()
    guest.schedule(_TALKS[0])
    guest.settings()


def calendar_never_made(guest: Guest) -> None:
    with guest.trouble("/calendar/v3/calendars"):
        guest.connect()
    guest.settings()


def calendar_made_again(guest: Guest) -> None:
    calendar_missing(guest)
    guest.press("/calendar", create="yes")


def calendar_not_found(guest: Guest) -> None:
    calendar_missing(guest)
    guest.press("/calendar", create="no")


def revoked(guest: Guest) -> None:
    guest.connect()
    guest.revoke_at_google()
    guest.settings()


def disconnect(guest: Guest) -> None:
    guest.connect()
    guest.schedule(*_TALKS)
    guest.settings()
    guest.open("/disconnect")


def disconnect_delete_chosen(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.open("/disconnect")
    guest.page.check("input[value=yes]")


def disconnect_shared(guest: Guest) -> None:
    guest.shared()
    guest.connect()
    guest.settings()
    guest.open("/disconnect")


def disconnect_without_calendar(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*"):
        guest.schedule(_TALKS[0])
    guest.delete_calendar()
    guest.settings()
    guest.open("/disconnect")


def disconnected(guest: Guest) -> None:
    guest.connect()
    guest.schedule(*_TALKS)
    guest.settings()
    guest.open("/disconnect")
    guest.press("/disconnect")


def disconnected_calendar_deleted(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.open("/disconnect")
    guest.page.check("input[value=yes]")
    guest.press("/disconnect")


def disconnected_calendar_not_deleted_yet(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*"):
        guest.disconnect(delete=True)
    guest.settings()


def disconnected_calendar_refused(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/calendar/v3/calendars/*", {"status": 403, "reason": "forbidden"}):
        guest.disconnect(delete=True)
    guest.settings()


def disconnected_without_googles_answer(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/revoke"):
        guest.disconnect()
    guest.settings()


def disconnected_given_up(guest: Guest) -> None:
    guest.connect()
    guest.hold()
    with guest.trouble("/revoke"):
        guest.disconnect()
        guest.later(days=7 + 1 / 8640)  # ten seconds: it is tried once more when the term is reached
    guest.settings()


def disconnected_shared(guest: Guest) -> None:
    guest.shared()
    guest.connect()
    guest.disconnect()
    guest.settings()


def disconnected_held_by_law(guest: Guest) -> None:
    guest.connect()
    guest.disconnect()
    guest.hold()
    guest.settings()


def disconnected_held_in_silence(guest: Guest) -> None:
    guest.connect()
    guest.disconnect()
    guest.hold(silent_for=5)
    guest.settings()


def disconnected_by_the_organization(guest: Guest) -> None:
    guest.connect()
    guest.disconnect(by=Actor.ADMINISTRATOR)
    guest.settings()


def off_boarded(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.house.service.organizations.off_board(guest.agent.organization)
    guest.open("/settings")


def another_account(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.open("/settings?account=another")


def trouble_with_the_administrator(guest: Guest) -> None:
    guest.connect()
    guest.stage.clock.advance(2 * HOUR / 1000)
    guest.stage.google.switch(admin_block=True)
    guest.settings()


def disconnect_with_events_of_others(guest: Guest) -> None:
    guest.connect()
    guest.write_by_hand()
    guest.settings()
    guest.open("/disconnect")
