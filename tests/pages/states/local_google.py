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


def week_full(visitor: PageVisitor) -> None:
    """Short events, some side by side, one over midnight, one of a whole day, and hours without any between."""
    week(visitor)
    for begins, ends, title in (
        ("2031-05-07T09:00", "2031-05-07T09:15", "Llamada breve"),
        ("2031-05-07T09:00", "2031-05-07T10:00", "Reunión del equipo"),
        ("2031-05-07T09:30", "2031-05-07T10:00", "Demo: Rosa Díaz"),
        ("2031-05-08T22:30", "2031-05-09T01:00", "Guardia"),
        ("2031-05-10", "2031-05-11", "Feriado"),
    ):
        kind, zone = ("date", "") if len(begins) == len("2031-05-10") else ("dateTime", ":00Z")
        event = {"summary": title, "start": {kind: begins + zone}, "end": {kind: ends + zone}}
        visitor.service.as_person("POST", None, event, calendar=ACCOUNT, account=ACCOUNT)
    visitor.page.reload()


def week_unfolded(visitor: PageVisitor) -> None:
    week(visitor)
    visitor.page.click(".fold >> nth=0")


def week_event_open(visitor: PageVisitor) -> None:
    week(visitor)
    visitor.page.click(".event >> nth=0")


def week_event_deleted(visitor: PageVisitor) -> None:
    week_event_open(visitor)
    visitor.page.click(":popover-open button[value=delete]")


def week_empty(visitor: PageVisitor) -> None:
    visitor.at_google("/calendar")


def permissions(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.at_google(f"/permissions?account={quote(ACCOUNT)}")


def permissions_asked(visitor: PageVisitor) -> None:
    permissions(visitor)
    visitor.page.click("button[popovertarget]")


def permissions_removed(visitor: PageVisitor) -> None:
    permissions_asked(visitor)
    visitor.page.click(":popover-open button[type=submit]")


def missing(visitor: PageVisitor) -> None:
    visitor.at_google("/no-such-page")
