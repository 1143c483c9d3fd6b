"""The reviewer console, step by step."""

from tests.gallery.guest import Guest


def start(guest: Guest) -> None:
    guest.review()


def connected(guest: Guest) -> None:
    guest.review_connected()


def not_connected_yet(guest: Guest) -> None:
    guest.review("agent")


def agent(guest: Guest) -> None:
    guest.review_connected("agent")
    guest.press("/console/sessions")


def cancel(guest: Guest) -> None:
    agent(guest)
    guest.open("/console?step=cancel")
    guest.press("/console/sessions/cancel")


def pause(guest: Guest) -> None:
    guest.review_connected("pause")
    guest.press("/console/settings")
    guest.press("/pause")
    guest.open("/console")
    guest.press("/console/sessions")


def revoke_gone(guest: Guest) -> None:
    guest.review_connected("revoke")
    with guest.trouble("/token", {"invalid_grant": True}):
        guest.press("/console/check")


def keep(guest: Guest) -> None:
    guest.review_connected("keep")
    guest.press("/console/settings")
    guest.open("/disconnect")
    guest.press("/disconnect")
    guest.open("/console")


def receipt_of_mine(guest: Guest) -> None:
    keep(guest)
    guest.press("/console/settings")
    guest.press("/erase")
    with guest.page.expect_download() as download:
        guest.page.click("a[download]")
    guest.open("/console?step=receipt")
    guest.check_receipt(download.value.path().read_bytes())


def receipt_of_nobody(guest: Guest) -> None:
    guest.review("receipt")
    guest.check_receipt(b"{}")


def stored(guest: Guest) -> None:
    agent(guest)
    guest.open("/console?step=stored")


def video(guest: Guest) -> None:
    guest.open("/console/video")


def link_over(guest: Guest) -> None:
    guest.open("/reviewer/over")
