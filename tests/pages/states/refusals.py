"""The settings page after a callback that could not be accepted."""

from tests.pages.visitor import PageVisitor


def cancelled(visitor: PageVisitor) -> None:
    visitor.connected(allow=False)


def blocked(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.answer_with_error("admin_policy_enforced")


def policy_changed(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.page.eval_on_selector("input[name=policy]", "field => field.value = '0'")
    visitor.press("/connect")


def superseded(visitor: PageVisitor) -> None:
    visitor.settings()
    older = visitor.consent()
    visitor.begin()
    visitor.page.goto(older)


def less_than_asked(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(granted_scope="less")
    visitor.connected()


def more_than_asked(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(granted_scope="more")
    visitor.connected()


def more_than_asked_shared(visitor: PageVisitor) -> None:
    visitor.shared()
    visitor.fixture.google.switch(granted_scope="more")
    visitor.connected()


def no_refresh_token(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(refresh_token_omitted=True)
    visitor.connected()


def google_trouble(visitor: PageVisitor) -> None:
    with visitor.trouble("/token"):
        visitor.connected()


def google_error(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.answer_with_error("server_error")
