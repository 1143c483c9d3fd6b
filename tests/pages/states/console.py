"""The stand-in agent console."""

from tests.pages.visitor import PageVisitor


def empty(visitor: PageVisitor) -> None:
    visitor.open("/console")


def accepted(visitor: PageVisitor) -> None:
    visitor.choose_agent()
    visitor.connect_from_console()
    visitor.book("s-1", "Demo: Rosa Díaz")


def moving(visitor: PageVisitor) -> None:
    accepted(visitor)
    visitor.page.click("a[href^='/console?session=']")


def cancelled(visitor: PageVisitor) -> None:
    accepted(visitor)
    visitor.press("/console/sessions/cancel")


def refused(visitor: PageVisitor) -> None:
    visitor.choose_agent()
    visitor.book("s-1", "Demo: Rosa Díaz")


def not_understood(visitor: PageVisitor) -> None:
    accepted(visitor)
    visitor.page.fill("#start", "2001-01-01T10:00")
    visitor.book("s-2", "Demo: Rosa Díaz")
