"""The reviewer console, step by step."""

from tests.gallery.guest import Guest


def _arrive(guest: Guest) -> None:
    secret, _ = guest.house.service.reviewers.make(60)
    guest.open(f"/reviewer/{secret}")


def _connected(guest: Guest) -> None:
    _arrive(guest)
    guest.press("/console/begin")
    guest.connect_from_console()


def _at(guest: Guest, step: str) -> None:
    guest.open(f"/console?step={step}")


def start(guest: Guest) -> None:
    _arrive(guest)


def connect(guest: Guest) -> None:
    _arrive(guest)
    guest.press("/console/begin")


def connected(guest: Guest) -> None:
    _connected(guest)


def not_connected_yet(guest: Guest) -> None:
    _arrive(guest)
    _at(guest, "agent")


def agent(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "agent")
    guest.press("/console/sessions")


def system(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "system")
    guest.press("/console/sessions")


def reschedule(guest: Guest) -> None:
    agent(guest)
    _at(guest, "reschedule")
    guest.press("/console/sessions")


def cancel(guest: Guest) -> None:
    system(guest)
    _at(guest, "cancel")
    guest.press("/console/sessions/cancel")


def nothing_to_cancel(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "cancel")
    guest.press("/console/sessions/cancel")


def calendar(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "calendar")


def pause(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "pause")
    guest.press("/console/settings")
    guest.press("/pause")
    guest.open("/console")
    guest.press("/console/sessions")


def revoke_stands(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "revoke")
    guest.press("/console/check")


def revoke_gone(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "revoke")
    with guest.trouble("/token", {"invalid_grant": True}):
        guest.press("/console/check")


def revoke_unknown(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "revoke")
    with guest.trouble("/token"):
        guest.press("/console/check")


def revoke_no_permission(guest: Guest) -> None:
    _arrive(guest)
    _at(guest, "revoke")
    guest.press("/console/check")


def keep(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "keep")
    guest.press("/console/settings")
    guest.open("/disconnect")
    guest.press("/disconnect")
    guest.open("/console")


def reconnect(guest: Guest) -> None:
    keep(guest)
    _at(guest, "reconnect")
    guest.connect_from_console()


def delete(guest: Guest) -> None:
    _connected(guest)
    _at(guest, "delete")
    guest.press("/console/settings")
    guest.open("/disconnect")
    guest.page.check("input[name=delete_calendar][value=yes]")
    guest.press("/disconnect")
    guest.open("/console")


def erase(guest: Guest) -> None:
    keep(guest)
    _at(guest, "erase")


def receipt_of_mine(guest: Guest) -> None:
    erase(guest)
    guest.press("/console/settings")
    guest.press("/erase")
    with guest.page.expect_download() as download:
        guest.page.click("a[download]")
    _at(guest, "receipt")
    guest.page.set_input_files("#receipt", download.value.path())
    guest.press("/console/verify")


def receipt_of_nobody(guest: Guest) -> None:
    _arrive(guest)
    _at(guest, "receipt")
    guest.page.set_input_files(
        "#receipt", {"name": "r.json", "mimeType": "application/json", "buffer": b"{}"}
    )
    guest.press("/console/verify")


def stored(guest: Guest) -> None:
    agent(guest)
    _at(guest, "stored")


def nothing_stored(guest: Guest) -> None:
    _arrive(guest)
    _at(guest, "stored")


def begun_anew(guest: Guest) -> None:
    _connected(guest)
    guest.press("/console/reset")


def video(guest: Guest) -> None:
    guest.open("/console/video")


def link_over(guest: Guest) -> None:
    guest.open("/reviewer/over")
