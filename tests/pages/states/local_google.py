"""The pages of the local Google."""

from urllib.parse import quote

from tests.pages.visitor import ACCOUNT, PageVisitor


def accounts(visitor: PageVisitor) -> None:
    visitor.at_google("/")


def choose(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.page.goto(visitor.begin())


def choose_wrong_address(visitor: PageVisitor) -> None:
    choose(visitor)
    visitor.page.fill("input[name=account]", "nobody@localhost")
    visitor.page.click("button[name=add]")


def consent(visitor: PageVisitor) -> None:
    choose(visitor)
    visitor.page.click("button[name=account] >> nth=0")


def consent_in_testing(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(testing_mode=True)
    consent(visitor)


def blocked(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(admin_block=True)
    choose(visitor)


def wrong_request(visitor: PageVisitor) -> None:
    visitor.at_google("/o/oauth2/v2/auth?client_id=nobody&redirect_uri=x&response_type=code&scope=x")


def week(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.schedule("Demo: Rosa Díaz", "Planificación trimestral de las sesiones con clientes", "Plan 2031")
    visitor.at_google(f"/calendar?account={quote(ACCOUNT)}")


def week_event_open(visitor: PageVisitor) -> None:
    week(visitor)
    visitor.page.click("summary >> nth=0")


def week_event_deleted(visitor: PageVisitor) -> None:
    week_event_open(visitor)
    visitor.page.click("button[value=delete]")


def week_empty(visitor: PageVisitor) -> None:
    visitor.at_google("/calendar")


def permissions(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.at_google(f"/permissions?account={quote(ACCOUNT)}")


def permissions_removed(visitor: PageVisitor) -> None:
    permissions(visitor)
    visitor.page.click("button.danger")


def missing(visitor: PageVisitor) -> None:
    visitor.at_google("/no-such-page")
