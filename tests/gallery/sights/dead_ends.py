"""Ways that end, and what leads back from there; and pages for what went wrong."""

from calendar_service.store.journal import Actor
from tests.gallery.guest import Guest


def link_used(guest: Guest) -> None:
    link = guest.link()
    guest.open(link)
    guest.context.clear_cookies()
    guest.open(link)


def link_used_in_a_visit(guest: Guest) -> None:
    link = guest.link()
    guest.open(link)
    guest.open(link)


def another_browser(guest: Guest) -> None:
    guest.settings()
    answer = guest.consent()
    guest.context.clear_cookies()
    guest.page.goto(answer)


def answer_used(guest: Guest) -> None:
    guest.settings()
    answer = guest.consent()
    guest.page.goto(answer)
    guest.page.goto(answer)


def answer_of_another_issuer(guest: Guest) -> None:
    guest.stage.google.switch(iss="https://elsewhere.example")
    guest.connected()


def closed(guest: Guest) -> None:
    guest.open("/settings")


def stale_form(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    second = guest.context.new_page()
    second.goto(guest.stage.url + guest.link())
    second.close()
    guest.press("/pause")


def nothing_here(guest: Guest) -> None:
    guest.open("/nothing/here")


def erased_twice(guest: Guest) -> None:
    guest.connect()
    guest.disconnect()
    guest.settings()
    guest.house.service.erasure.erase_now(guest.agent, Actor.AGENT)
    guest.press("/erase")


def erasure_forbidden_by_law(guest: Guest) -> None:
    guest.connect()
    guest.disconnect()
    guest.settings()
    guest.hold()
    guest.press("/erase")


def organization_closed(guest: Guest) -> None:
    guest.settings()
    guest.house.service.organizations.off_board(guest.agent.organization)
    guest.press("/connect")


def not_like_this(guest: Guest) -> None:
    guest.open("/connect")


def in_a_moment(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    with guest.database_full():
        guest.press("/pause")


def not_understood(guest: Guest) -> None:
    guest.open("/console")
    guest.page.eval_on_selector("#minutes", "field => field.type = 'text'")
    guest.page.fill("#minutes", "soon")
    guest.press("/console/sessions")


def fault_of_ours(guest: Guest) -> None:
    guest.connect()
    guest.settings()
    guest.break_records()
    guest.open("/settings")


def in_a_frame(guest: Guest) -> None:
    guest.as_in_a_frame(guest.link())
