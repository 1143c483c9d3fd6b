"""The laws about grants and calls: whose token is alive, who used it, and how many calls were made."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from faults.checker.evidence import EpisodeEvidence, Line, Violation
from faults.checker.history import Histories

_SEARCHED = ("body", "account", "path", "client_id")
"""The fields of a call in which `limit_calls` looks for its text."""


def check_grants(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Compare which grants are alive here and at Google, account by account."""
    tokens = Counter(token["account"] for token in evidence.google["refresh_tokens"] if token["alive"])
    for account, agents in histories.agents_of_account.items():
        connected = [
            agent for agent in agents if evidence.slot(agent).get("facts", {}).get("grant_state") == "live"
        ]
        revoked = any(histories.agents[agent].revoked_at_google for agent in agents)
        if connected and not tokens[account] and not revoked:
            yield Violation("grant_killed", f"{account}: live here ({connected}), dead at Google")
        if not connected and tokens[account] and len(agents) == 1:
            yield Violation("token_alive", f"{account}: ended here, {tokens[account]} tokens live at Google")


def check_accounts(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Compare the account of each call that wrote a session with the session's agent."""
    for call in evidence.calls:
        body = call.get("body")
        title = body.get("summary", "") if isinstance(body, dict) else ""
        if isinstance(title, str) and title.count("|") == 2 and call.get("account"):
            agent = title.partition("|")[0]
            if call["account"] != histories.agents[agent].account:
                yield Violation("foreign_grant", f"{title} was written with the grant of {call['account']}")


def check_call_limits(evidence: EpisodeEvidence) -> Iterator[Violation]:
    """Count the calls for which a scenario has set a limit."""
    for line in evidence.lines:
        if line["line"] == "note" and line["event"] == "call_limit":
            calls = evidence.calls[line["since"] : line["until"]]
            count = sum(_counts(call, line) for call in calls)
            if count > line["at_most"]:
                yield Violation("too_many_calls", f"{line['why']}: {count} calls of {line['method']}")


def _counts(call: dict[str, Any], limit: Line) -> bool:
    return (
        (call["api_method"] or "").startswith(limit["method"])
        and limit["contains"] in json.dumps([call.get(name) for name in _SEARCHED])
        and (limit["grant_type"] or "") in json.dumps(call.get("body", ""))
    )
