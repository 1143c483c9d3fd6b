"""The erasure, step by step: what it refuses in which words, what its receipt says, and what it closes and asks for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from calendar_service.domain import failpoints
from calendar_service.domain.clock import DAY, HOUR, rfc3339
from calendar_service.domain.errors import Busy, NotConnected, NotFound, RetentionRequiredByLaw
from calendar_service.domain.legal_hold import Hold
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.store.tickets import Ticket
from tests.support.service import TestService

REVOKE = "/revoke"
DOWN = {"status": 503, "reason": "backendError"}


@pytest.fixture
def ended(service: TestService) -> Iterator[TestService]:
    """A test service whose one connection has ended, and of whose end the files have nothing more."""
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    yield service
    failpoints.configure({})


def hold(service: TestService, **changed: int) -> Hold:
    until = service.parts.clock.now() + 30 * DAY
    placed = replace(Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", until), **changed)
    service.parts.personal_data.holds.place(service.agent, placed)
    return placed


def ask_of_files(service: TestService) -> bool:
    """Tell whether the files are asked to be rewritten; take the request away."""
    return bool(service.parts.store.database.client.delete(keys.REWRITE))


def test_the_receipt_that_is_kept_is_the_one_that_was_handed_out_without_its_salt(ended: TestService) -> None:
    receipt = ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)
    stored = ended.parts.connection.erasure.receipt(receipt["number"])
    assert stored == {name: value for name, value in receipt.items() if name != "salt"}
    assert receipt["revocation"] == "confirmed"
    assert "rest_erased_by" not in receipt


def test_a_number_that_no_receipt_has_is_said_to_have_none(service: TestService) -> None:
    with pytest.raises(NotFound, match=r"^No receipt of this number\.$"):
        service.parts.connection.erasure.receipt("1-" + "a" * 24)


def test_while_a_teardown_holds_a_token_the_receipt_says_until_when(service: TestService) -> None:
    service.connect()
    service.google.fault(REVOKE, DOWN)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    (teardown,) = service.parts.store.slots.read(service.agent).teardowns
    receipt = service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert receipt["revocation"] == "pending"
    assert receipt["rest_erased_by"] == rfc3339(teardown.started + 7 * DAY)


def test_what_has_not_ended_is_refused_in_words_that_say_what_to_do(service: TestService) -> None:
    service.connect()
    words = r"^Nothing is kept of this agent, or the connection is not ended: disconnect first\.$"
    with pytest.raises(NotConnected, match=words):
        service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)


def test_a_hold_is_told_with_its_end(ended: TestService) -> None:
    until = hold(ended).until
    with pytest.raises(RetentionRequiredByLaw) as refusal:
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)
    assert refusal.value.detail == (
        f"A law requires that identifiers are kept until {rfc3339(until)} at most; they are erased when that ends. "
        "The connection is over, and its tokens are not kept."
    )


def test_a_hold_that_the_agent_must_not_hear_of_is_told_to_everybody_else(ended: TestService) -> None:
    hold(ended, silent_until=ended.parts.clock.now() + DAY)
    with pytest.raises(Busy, match=r"^What is kept cannot be erased just now\. Nothing was changed\.$"):
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)
    with pytest.raises(RetentionRequiredByLaw):
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.ADMINISTRATOR)
    ended.clock.advance(DAY / 1000 + 1)
    with pytest.raises(RetentionRequiredByLaw):
        ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)


def test_the_worker_is_told_why_nothing_is_erased(ended: TestService) -> None:
    due = ended.parts.connection.erasure.erase_due
    assert due(ended.agent) == "early"
    ended.clock.advance(7 * DAY / 1000 + 1)
    assert due(ended.agent) == "ok"
    assert due(ended.agent) == "not_ended"


def test_an_erasure_closes_links_and_pages_but_the_one_that_asked(ended: TestService) -> None:
    tickets, now = ended.parts.store.tickets, ended.parts.clock.now()
    own, _ = ended.browser()
    other, _ = ended.browser()
    link = tickets.issue(Ticket("acme", "agent-1", "en", "UTC", "", now + HOUR))
    ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT, own)
    assert tickets.browser(own) is not None
    assert tickets.browser(other) is None
    assert tickets.unused(link) is None


def test_an_erasure_by_an_administrator_closes_every_page(ended: TestService) -> None:
    cookie, _ = ended.browser()
    ended.parts.connection.erasure.erase_now(ended.agent, Actor.ADMINISTRATOR)
    assert ended.parts.store.tickets.browser(cookie) is None


def test_an_erasure_asks_for_the_files_to_be_rewritten_and_a_refused_one_does_not(ended: TestService) -> None:
    ask_of_files(ended)
    assert ended.parts.connection.erasure.erase_due(ended.agent) == "early"
    assert not ask_of_files(ended)
    ended.parts.connection.erasure.erase_now(ended.agent, Actor.AGENT)
    assert ask_of_files(ended)


def test_the_audit_log_names_who_erased_and_the_receipt(ended: TestService) -> None:
    receipt = ended.parts.connection.erasure.erase_now(ended.agent, Actor.ADMINISTRATOR)
    entries = [entry.facts for entry in ended.parts.audit.audit_export.reader.entries(ended.shard_of())]
    (erased,) = [facts for facts in entries if facts.get("receipt") == receipt["number"]]
    assert erased["actor"] == "administrator"
