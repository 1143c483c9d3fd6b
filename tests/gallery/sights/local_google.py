"""The pages of the local Google."""

from urllib.parse import quote

from tests.gallery.guest import ACCOUNT, Guest


def accounts(guest: Guest) -> None:
    guest.at_google("/")


def choose(guest: Guest) -> None:
    guest.settings()
    guest.page.goto(guest.begin())


def choose_wrong_address(guest: Guest) -> None:
    choose(guest)
    guest.page.fill("input[name=account]", "nobody@localhost")
    guest.page.click("button[name=add]")


def consent(guest: Guest) -> None:
    choose(guest)
    guest.page.click("button[name=account] >> nth=0")


def consent_in_testing(guest: Guest) -> None:
    guest.stage.google.switch(testing_mode=True)
    consent(guest)


def blocked(guest: Guest) -> None:
    guest.stage.google.switch(admin_block=True)
    choose(guest)


def wrong_request(guest: Guest) -> None:
    guest.at_google("/o/oauth2/v2/auth?client_id=nobody&redirect_uri=x&response_type=code&scope=x")


def week(guest: Guest) -> None:
    guest.connect()
    guest.schedule("Demo: Rosa Díaz", "Planificación trimestral de las sesiones con clientes", "Plan 2031")
    guest.at_google(f"/calendar?account={quote(ACCOUNT)}")


def week_event_open(guest: Guest) -> None:
    week(guest)
    guest.page.click("summary >> nth=0")


def week_event_deleted(guest: Guest) -> None:
    week_event_open(guest)
    guest.page.click("button[value=delete]")


def week_empty(guest: Guest) -> None:
    guest.at_google("/calendar")


def permissions(guest: Guest) -> None:
    guest.connect()
    guest.at_google(f"/permissions?account={quote(ACCOUNT)}")


def permissions_removed(guest: Guest) -> None:
    permissions(guest)
    guest.page.click("button.danger")


def missing(guest: Guest) -> None:
    guest.at_google("/no-such-page")
