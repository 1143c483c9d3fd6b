"""Every way a connection can end, for every kind of account: is Google asked to remove the permission (RV-2, law 6)?

The table stands in `docs/rights.md`. Each of its cells is driven through the service and read in Google's journal.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.errors import AccessRevoked, ConsentRefused
from calendar_service.domain.names import Agent
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.journeys.test_commands import invoke
from tests.support.evidence import shows
from tests.support.local_google import fetch
from tests.support.service import ADMIN_KEY, CLIENTS, FIRST, TestService
from tests.support.service import SECOND as SECOND_ACCOUNT
from tests.web.pages.visitor import Visitor, words

DOCUMENT: Final = Path("docs/rights.md")
HEADING: Final = "## How a connection ends"
ACCOUNTS: Final = ("known", "unknown", "shared", "Calendar switched off")
LIST: Final = {"method": "GET", "path": "/calendar/v3/users/me/calendarList"}
COLLEAGUE: Final = Agent("globex", "colleague")
SEVEN_DAYS: Final = 7 * DAY // SECOND + 60


@dataclass
class Case:
    """One agent with an account of one kind, and what it takes to end the connection."""

    test: TestService
    account: str

    @property
    def agent(self) -> Agent:
        return self.test.agent

    def begin(self) -> None:
        """Let Google be as this kind of account has it."""
        if self.account == "unknown":
            self.test.google.fault(LIST, {"status": 503, "reason": "backendError"})
        elif self.account == "Calendar switched off":
            self.test.google.fault(LIST, {"status": 403, "reason": "notACalendarUser"})
        elif self.account == "shared":
            self.test.connect(COLLEAGUE)

    def connect(self) -> None:
        self.test.connect(self.agent)

    def end(self) -> None:
        """End the connection without waiting for Google, as a request does whose time is over."""
        self.test.parts.connection.disconnect.end(self.agent, Actor.AGENT)

    def delete(self, path: str) -> None:
        answer = (
            create_app(self.test.parts)
            .test_client()
            .delete(
                f"/v1/organizations/{self.agent.organization}{path}",
                headers={"Authorization": f"Bearer {ADMIN_KEY}"},
            )
        )
        assert answer.status_code in {200, 202}, answer.text

    def command(self, *words: str) -> None:
        result = invoke(self.test, "connections", *words, self.agent.organization, self.agent.agent, "--yes")
        assert result.exit_code == 0, result.output

    def refused(self, reason: str) -> None:
        with pytest.raises(ConsentRefused) as refusal:
            self.connect()
        assert refusal.value.reason.startswith(reason)


def agent_disconnects(case: Case) -> None:
    case.connect()
    case.test.parts.connection.disconnect.disconnect(case.agent, Actor.AGENT)


def administrator_deletes(case: Case) -> None:
    case.connect()
    case.delete(f"/agents/{case.agent.agent}/connection")


def administrator_erases(case: Case) -> None:
    case.connect()
    case.delete(f"/agents/{case.agent.agent}/connection?erase=now")


def operator_revokes(case: Case) -> None:
    case.connect()
    case.command("revoke")


def operator_erases(case: Case) -> None:
    case.connect()
    case.end()
    case.command("erase")


def organization_is_off_boarded(case: Case) -> None:
    case.connect()
    case.delete("")


def reviewers_link_ends(case: Case) -> None:
    _, link = case.test.parts.operations.reviewers.make(1)
    case.test.agent = Agent(link.organization, "tester")
    case.connect()
    case.test.parts.operations.reviewers.end(link.organization)


def agent_changes_account(case: Case) -> None:
    case.connect()
    case.test.google.clear_faults()
    case.test.connect(case.agent, SECOND_ACCOUNT)
    if case.account == "Calendar switched off":
        case.begin()


def erasure_overtakes(case: Case) -> None:
    case.connect()
    case.end()
    case.test.parts.connection.erasure.erase_now(case.agent, Actor.AGENT)


def consent_is_outdated(case: Case) -> None:
    case.connect()
    facts = case.test.facts
    case.test.parts.store.connections.consent_needed(case.agent, facts.connection_id, case.test.token_number)
    assert case.test.facts.consent.required_since
    case.test.parts.connection.disconnect.disconnect(case.agent, Actor.AGENT)


def person_removes_it(case: Case) -> None:
    case.connect()
    fetch(f"{case.test.google.url}/permissions", {"account": FIRST, "project": CLIENTS[0].project})
    with suppress(AccessRevoked):
        case.test.parts.connection.access.probe(case.agent)


def wider_permission_is_refused(case: Case) -> None:
    case.test.google.switch(granted_scope="more")
    case.refused("scope_more")
    case.test.google.switch(granted_scope=None)


def consent_is_overtaken(case: Case) -> None:
    replica = case.test.replica()
    case.test.at_call(
        "oauth.exchange", lambda: replica.parts.connection.disconnect.end(case.agent, Actor.ADMINISTRATOR)
    )
    case.refused("superseded")
    replica.close()


@dataclass(frozen=True)
class Way:
    """One way to end, and what the agent's page is about afterwards."""

    act: Callable[[Case], None]
    page: str


WAYS: Final = {
    "the agent disconnects": Way(agent_disconnects, "disconnected"),
    "an administrator ends it (`DELETE …/connection`)": Way(administrator_deletes, "disconnected"),
    "an administrator ends and erases it (`?erase=now`)": Way(administrator_erases, "nothing"),
    "the operator ends it (`connections revoke`)": Way(operator_revokes, "disconnected"),
    "the operator erases it before Google answered (`connections erase`)": Way(operator_erases, "nothing"),
    "the organization is off-boarded": Way(organization_is_off_boarded, "disconnected"),
    "a reviewer's link ends": Way(reviewers_link_ends, "nothing"),
    "the agent changes the account": Way(agent_changes_account, "moved"),
    "the agent erases before Google answered": Way(erasure_overtakes, "nothing"),
    "the consent is outdated, and the agent disconnects": Way(consent_is_outdated, "disconnected"),
    "the person removes the permission at Google": Way(person_removes_it, "revoked"),
    "a consent with more than was asked is refused": Way(wider_permission_is_refused, "nothing"),
    "a consent was overtaken by a disconnect": Way(consent_is_overtaken, "nothing"),
}

SAYS: Final = {
    ("disconnected", "removed"): "the permission is removed",
    ("disconnected", "asked, then removed"): "the permission is removed",
    ("disconnected", "stays"): "The permission itself stays at Google, because another connection",
    ("disconnected", "removed after 7 days"): "Not connected",  # erased by then
    ("moved", "removed"): "The permission on the former account is removed",
    ("moved", "asked, then removed"): "The permission on the former account is removed",
    ("moved", "stays"): "The permission on the former account stays at Google",
    ("moved", "removed after 7 days"): "The permission on the former account is removed",
    ("revoked", "not asked"): "The permission was removed at Google",
}
"""What the agent's page says of each outcome. Where nothing is kept, it says so alone."""


def table() -> dict[tuple[str, str], str]:
    """Return the cells of the document's table."""
    section = DOCUMENT.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", section, re.M)
    ]
    assert rows[0] == ["the connection ends because", *ACCOUNTS]
    return {
        (way, account): cell
        for way, *cells in rows[2:]
        for account, cell in zip(ACCOUNTS, cells, strict=True)
    }


def outcome(case: Case, act: Callable[[Case], None]) -> str:
    """End the connection, let the worker go on, and read in Google's journal what was done about the permission."""
    test = case.test
    case.begin()
    before = len(test.google.journal())
    act(case)
    if case.account == "unknown":
        test.google.clear_faults()
    for _ in range(2):
        test.clock.advance(60)
        test.work()
    waited = bool(test.parts.store.slots.read(case.agent).teardowns)
    if waited:
        test.clock.advance(SEVEN_DAYS)
        test.work(2)
    assert not test.parts.store.slots.read(case.agent).teardowns
    calls = test.google.journal()[before:]
    if not any(call["path"] == "/revoke" for call in calls):
        return "stays" if FIRST in test.live_tokens() else "not asked"
    assert FIRST not in test.live_tokens()
    is_account_asked = any(
        "fields=nextPageToken%2Citems%28id%2Cprimary%29" in call.get("query", "") for call in calls
    )
    if waited:
        return "removed after 7 days"
    return "asked, then removed" if is_account_asked else "removed"


def test_the_table_names_every_way_and_no_other() -> None:
    assert {way for way, _ in table()} == set(WAYS)


@shows("RV-2")
@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("way", WAYS)
def test_the_permission_at_google_ends_as_the_table_says(
    visitor: Visitor, service: TestService, way: str, account: str
) -> None:
    result = outcome(Case(service, account), WAYS[way].act)
    assert result == table()[way, account]
    sentence = SAYS.get((WAYS[way].page, result), "Not connected")
    assert sentence in words(visitor.enter())
