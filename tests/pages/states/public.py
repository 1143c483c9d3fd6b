"""The public pages."""

from tests.pages.visitor import PageVisitor


def home(visitor: PageVisitor) -> None:
    visitor.open("/")


def google_user_data(visitor: PageVisitor) -> None:
    visitor.open("/google-user-data")


def api(visitor: PageVisitor) -> None:
    visitor.open("/docs")


def receipt_of_mine(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect()
    visitor.settings()
    visitor.press("/erase")


def receipt_of_somebody(visitor: PageVisitor) -> None:
    receipt_of_mine(visitor)
    visitor.context.clear_cookies()
    visitor.page.reload()


def receipt_while_google_is_silent(visitor: PageVisitor) -> None:
    visitor.connect()
    with visitor.trouble("/revoke"):
        visitor.disconnect()
        visitor.settings()
        visitor.press("/erase")
