"""What everybody may open."""

from tests.gallery.guest import Guest


def home(guest: Guest) -> None:
    guest.open("/")


def google_user_data(guest: Guest) -> None:
    guest.open("/google-user-data")


def api(guest: Guest) -> None:
    guest.open("/docs")


def receipt_of_mine(guest: Guest) -> None:
    guest.connect()
    guest.disconnect()
    guest.settings()
    guest.press("/erase")


def receipt_of_somebody(guest: Guest) -> None:
    receipt_of_mine(guest)
    guest.context.clear_cookies()
    guest.page.reload()


def receipt_while_google_is_silent(guest: Guest) -> None:
    guest.connect()
    with guest.trouble("/revoke"):
        guest.disconnect()
        guest.settings()
        guest.press("/erase")
