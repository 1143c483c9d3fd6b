"""The stand-in agent console."""

from tests.gallery.guest import Guest


def empty(guest: Guest) -> None:
    guest.open("/console")


def accepted(guest: Guest) -> None:
    guest.sit_down()
    guest.connect_from_console()
    guest.book("session-1", "Demo: Rosa Díaz")


def moving(guest: Guest) -> None:
    accepted(guest)
    guest.page.click("a[href^='/console?session=']")


def cancelled(guest: Guest) -> None:
    accepted(guest)
    guest.press("/console/sessions/cancel")


def refused(guest: Guest) -> None:
    guest.sit_down()
    guest.book("session-1", "Demo: Rosa Díaz")
