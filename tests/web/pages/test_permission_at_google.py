"""What the pages promise of the permission at Google: only what this connection's account allows (RV-2, law 6)."""

from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from tests.support.evidence import shows
from tests.support.service import SECOND, TestService
from tests.web.pages.visitor import Visitor, words

COLLEAGUE = Agent("acme", "colleague")
LIST = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
DOWN = {"status": 503, "reason": "backendError"}


@shows("RV-2")
def test_the_disconnect_page_promises_what_holds_for_the_account(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    assert "We ask Google to remove the permission" in words(visitor.get("/disconnect"))
    service.connect(COLLEAGUE)
    page = words(visitor.get("/disconnect"))
    assert "Google's permission stays for that one" in page
    assert "ask Google to remove" not in page


@shows("RV-2")
def test_before_and_after_a_disconnect_an_unknown_account_is_said_to_be_asked_for_first(
    visitor: Visitor, service: TestService
) -> None:
    service.google.fault(LIST, DOWN)
    visitor.connect()
    page = words(visitor.get("/disconnect"))
    assert "We ask it for the main calendar's ID first, then to remove the permission, unless another" in page
    assert "We ask Google to remove the permission" not in page
    visitor.post("/disconnect")
    assert "We go on asking it for the main calendar's ID" in words(visitor.get("/settings"))
    service.google.clear_faults()
    service.google.fault("/revoke", DOWN)
    service.parts.connection.teardowns.run(service.agent)
    page = words(visitor.get("/settings"))
    assert "We go on asking it to remove the permission until" in page, "the account is known by now"
    service.google.clear_faults()
    service.parts.connection.teardowns.run(service.agent)
    assert "Google confirmed on" in words(visitor.get("/settings"))


def test_a_change_of_account_promises_what_holds_for_the_account_that_is_left(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    page = words(visitor.get("/settings?account=another"))
    assert "We ask Google to remove the permission on the present account" in page
    service.connect(COLLEAGUE)
    page = words(visitor.get("/settings?account=another"))
    assert "The permission on the present account stays at Google" in page
    assert "ask Google to remove" not in page


def test_a_change_from_an_unknown_account_says_that_it_is_asked_for_first(
    visitor: Visitor, service: TestService
) -> None:
    service.google.fault(LIST, DOWN)
    visitor.connect()
    service.google.clear_faults()
    page = words(visitor.get("/settings?account=another"))
    assert "Google has not told us yet which account the present one is" in page


def test_after_a_change_of_account_the_page_says_what_became_of_the_former_permission(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    service.connect(account=SECOND)
    visitor.enter()
    assert "The permission on the former account is still there" in words(visitor.get("/settings"))
    service.clock.advance(5)
    service.work()
    visitor.enter()
    assert "The permission on the former account is removed" in words(visitor.get("/settings"))
    assert service.live_tokens() == [SECOND]


def test_after_a_change_from_a_shared_account_the_page_says_that_its_permission_stays_and_why(
    visitor: Visitor, service: TestService
) -> None:
    service.connect(COLLEAGUE)
    visitor.connect()
    service.connect(account=SECOND)
    service.clock.advance(5)
    service.work()
    visitor.enter()
    page = words(visitor.get("/settings"))
    assert "The permission on the former account stays at Google, because another connection" in page
    assert "oauth2.revoke" not in service.calls()


def test_what_became_of_the_permission_before_a_disconnect_is_kept_over_the_change(
    visitor: Visitor, service: TestService
) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.connect(account=SECOND)
    visitor.enter()
    assert "The permission on the former account is removed" in words(visitor.get("/settings"))


def test_the_same_account_learned_late_leaves_no_word_of_a_former_one(service: TestService) -> None:
    service.connect()
    service.google.fault(LIST, DOWN)
    service.connect()
    assert service.facts.account.former_revocation == "pending"
    service.google.clear_faults()
    service.clock.advance(120)
    service.work(2)
    account = service.facts.account
    assert (account.moved, account.former_connection, account.former_revocation) == (False, "", "")


def test_seven_days_without_an_answer_are_told_of_the_former_permission(
    visitor: Visitor, service: TestService
) -> None:
    service.connect()
    service.google.fault("/revoke", DOWN)
    service.connect(account=SECOND)
    service.clock.advance(7 * 24 * 3600 + 60)
    service.parts.connection.teardowns.run(service.agent)
    visitor.enter()
    page = words(visitor.get("/settings"))
    assert "Google did not confirm within 7 days that the permission on the former account is removed" in page
