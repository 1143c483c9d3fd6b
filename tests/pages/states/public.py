"""The public pages."""

from calendar_service.domain.clock import DAY, SECOND
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


def transparency(visitor: PageVisitor) -> None:
    """Days of each kind: the start, a hold, a gap, and something late."""
    sealer, clock = visitor.service.parts.audit.sealer, visitor.fixture.clock
    day = DAY / SECOND
    sealer.chains.clear()  # of another visitor's store
    sealer.checkpoint()
    clock.advance(day)
    visitor.connect()
    visitor.disconnect()
    visitor.hold()
    sealer.checkpoint()
    clock.advance(2 * day)
    sealer.checkpoint()
    visitor.open("/transparency")


def transparency_before_the_first_day(visitor: PageVisitor) -> None:
    visitor.open("/transparency")
