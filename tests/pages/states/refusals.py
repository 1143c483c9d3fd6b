"""The settings page after a callback that could not be accepted."""

from tests.pages.visitor import PageVisitor


def cancelled(visitor: PageVisitor) -> None:
    visitor.connected(allow=False)


def blocked(visitor: PageVisitor) -> None:
    visitor.settings()
    visitor.answer_with_error("admin_policy_enforced")


def blocked_with_another_account(visitor: PageVisitor) -> None:
    visitor.connect()
    visitor.settings()
    visitor.open("/settings?account=another")
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


def less_than_asked_while_sessions_wait(visitor: PageVisitor) -> None:
    _agree_again_with_waiting(visitor, "less")


def more_than_asked_while_sessions_wait(visitor: PageVisitor) -> None:
    _agree_again_with_waiting(visitor, "more")


def _agree_again_with_waiting(visitor: PageVisitor, granted: str) -> None:
    visitor.connect()
    visitor.schedule_without_permission("Demo: Rosa Díaz")
    visitor.settings()
    visitor.fixture.google.switch(granted_scope=granted)
    visitor.reconnected()


def more_than_asked_not_given_back_yet(visitor: PageVisitor) -> None:
    visitor.fixture.google.switch(granted_scope="more")
    with visitor.trouble("/revoke"):
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
