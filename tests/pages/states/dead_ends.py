"""Pages at which a way ends, with their ways back; and error pages."""

from calendar_service.store.audit_log import Actor
from tests.pages.visitor import PageVisitor


def link_used(visitor: PageVisitor) -> None:
    link = visitor.link()
    visitor.open(link)
    visitor.context.clear_cookies()
    visitor.open(link)


def link_used_in_a_visit(visitor: PageVisitor) -> None:
    link = visitor.link()
    visitor.open(link)
    visitor.open(link)


def another_browser(visitor: PageVisitor) -> None:
    visitor.settings()
    answer = visitor.consent()
    visitor.context.clear_cookies()
    visitor.page.goto(answer)


def answer_used(visitor: PageVisitor) -> None:
    visitor.settings()
    answer = visitor.consent()
    visitor.page.goto(answer)
    visitor.page.goto(answer)


def answer_of_another_issuer(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(iss="https://elsewhere.example")
    visitor.connected()


def closed(visitor: PageVisitor) -> None:
    visitor.open("/settings")


def stale_form(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    second = visitor.context.new_page()
    second.goto(visitor.fixture.url + visitor.link())
    second.close()
    visitor.press("/pause")


def nothing_here(visitor: PageVisitor) -> None:
    visitor.open("/nothing/here")


def erased_twice(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect()
    visitor.settings()
    visitor.service.parts.connection.erasure.erase_now(visitor.agent, Actor.AGENT)
    visitor.press("/erase")


def erasure_forbidden_by_law(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.disconnect()
    visitor.settings()
    visitor.hold()
    visitor.press("/erase")


def organization_closed(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.service.parts.operations.organizations.off_board(visitor.agent.organization)
    visitor.press("/connect")


def not_like_this(visitor: PageVisitor) -> None:
    visitor.open("/connect")


def in_a_moment(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    with visitor.database_full():
        visitor.press("/pause")


def not_understood(visitor: PageVisitor) -> None:
    visitor.open("/console")
    visitor.page.eval_on_selector("#minutes", "field => field.type = 'text'")
    visitor.page.fill("#minutes", "soon")
    visitor.press("/console/sessions")


def fault_of_ours(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.break_records()
    visitor.open("/settings")


def in_a_frame(visitor: PageVisitor) -> None:
    visitor.as_in_a_frame(visitor.link())
