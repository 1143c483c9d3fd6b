"""Each agent's history as the driver's journal tells it, and the laws that can be judged line by line.

A connection may be ended or broken on purpose. A session's operations count for the checker only from the first
moment at which the connection was seen `connected` after that (`AgentHistory.whole_since`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from faults.checker.evidence import Line, Violation

DAY = 86_400.0
RETENTION = 7 * DAY
"""Seconds from a disconnect to the erasure."""
LATENESS = 600.0
"""Seconds after which an erasure is late: one sweep of the worker and its retry."""
ENDED_STATES = {"disconnected", "not_connected", "revoked"}
DISCONNECTS = {"disconnect", "/disconnect"}
"""Operations that end a connection: the API's and the settings page's."""


@dataclass
class AgentHistory:
    """What has happened to one agent's connection. Line numbers are those of the journal, 0 = never."""

    account: str = ""
    ended_at: int = 0
    """The line at which an end was acknowledged since the last consent."""
    whole_since: int = 0
    """The line at which the connection was seen connected after everything that may have broken it."""
    broken_at: int = 0
    """The line at which it may have been broken."""
    revoked_at_google: bool = False
    """Whether the person revoked the access at Google."""
    erased: bool = False
    held: bool = False
    """Whether a legal hold forbids the erasure."""
    consent_requested: int = 0
    """The line of the last consent's callback."""
    end_requested_time: float = 0.0
    """The test clock's time at which an end was first requested."""
    end_acknowledged_time: float = 0.0
    """The test clock's time at which an end was acknowledged."""

    @property
    def is_erased_for_good(self) -> bool:
        """Whether the agent was erased and has not connected since."""
        return self.erased and not self.whole_since


@dataclass
class Histories:
    """The histories of all agents, and the violations seen on the way."""

    agents: dict[str, AgentHistory] = field(default_factory=lambda: defaultdict(AgentHistory))
    agents_of_account: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    violations: list[Violation] = field(default_factory=list)

    def report(self, law: str, detail: str) -> None:
        """Add a violation."""
        self.violations.append(Violation(law, detail))


def read_histories(lines: Sequence[Line]) -> Histories:
    """Read the driver's journal from its first line to its last."""
    histories = Histories()
    for line in lines:
        if line.get("account"):
            histories.agents_of_account[line["account"]].add(line["agent"])
    for line in lines:
        history = histories.agents[line["agent"]] if line.get("agent") else AgentHistory()
        _READERS[line["line"]](line, history, histories)
    return histories


def _time(line: Line) -> float:
    """Return the test clock's time of a line."""
    return float(line["at"] + line["offset"])


def _read_request(line: Line, history: AgentHistory, _: Histories) -> None:
    if line["op"] == "connect":
        history.account = line["account"]
        history.ended_at, history.erased, history.consent_requested = 0, False, line["number"]
    elif line["op"] in DISCONNECTS | {"/erase"}:
        history.broken_at, history.whole_since = line["number"], 0
        history.end_requested_time = history.end_requested_time or _time(line)


def _read_response(line: Line, history: AgentHistory, histories: Histories) -> None:
    if line["op"] in {"put", "cancel"}:
        _read_session_response(line, history, histories)
        return
    # A disconnect that was requested before a consent's callback ran beside it: either may have come last.
    is_newest = line["request"] > history.consent_requested
    if line["op"] in DISCONNECTS and line["status"] in {200, 303} and is_newest:
        history.ended_at = line["number"]
        history.end_acknowledged_time = _time(line)
        history.erased = history.erased or line.get("receipt", False)


def _read_session_response(line: Line, history: AgentHistory, histories: Histories) -> None:
    name = f"{line['agent']}|{line['session']} v{line['version']}"
    accepted = 200 <= line["status"] < 300
    if accepted and line["op"] == "put" and history.ended_at and line["request"] > history.ended_at:
        histories.report("resurrected", f"{name} accepted after the end (line {line['number']})")
    if line["status"] == 500:
        histories.report("unanswered", f"{name} answered 500 (line {line['number']})")


def _read_state(line: Line, history: AgentHistory, histories: Histories) -> None:
    state, number = line["state"], line["number"]
    if history.ended_at and state not in ENDED_STATES:
        histories.report("resurrected", f"{line['agent']} is {state} after its end (line {number})")
    if state in {"revoked", "reconsent_required"} and not history.revoked_at_google:
        histories.report("false_reconnect", f"{line['agent']} is {state} (line {number})")
    revocation_open = history.revoked_at_google and history.consent_requested < history.broken_at
    if state == "connected" and not history.ended_at and not history.whole_since and not revocation_open:
        history.whole_since = number
        history.revoked_at_google, history.end_requested_time = False, 0.0


def _read_note(line: Line, history: AgentHistory, histories: Histories) -> None:
    match line["event"]:
        case "revoked_at_google":
            # A revocation at Google ends every grant of the account, whoever holds it.
            for agent in histories.agents_of_account.get(history.account, {line["agent"]}):
                other = histories.agents[agent]
                other.revoked_at_google, other.broken_at, other.whole_since = True, line["number"], 0
        case "hold_placed":
            history.held = True
        case "hold_released":  # an erasure that is due by then goes with the worker's next sweep
            history.held = False
            history.end_acknowledged_time = max(_time(line) - RETENTION, history.end_acknowledged_time)
        case "calendar_deleted":
            history.broken_at, history.whole_since = line["number"], 0
        case "slot":
            _read_slot(line, history, histories)
        case "expectation" if line["actual"] != line["expected"]:
            detail = f"{line['agent']}: {line['actual']} instead of {line['expected']}"
            histories.report(line["law"], f"{detail}, {line['why']} (line {line['number']})")


def _read_slot(line: Line, history: AgentHistory, histories: Histories) -> None:
    """A scenario looked whether the agent's slot exists."""
    now = _time(line)
    earliest = history.end_requested_time + RETENTION
    latest = history.end_acknowledged_time + RETENTION
    if not line["exists"] and now < earliest and not history.erased:
        histories.report("early_erasure", f"{line['agent']}: {earliest - now:.0f} s early")
    if line["exists"] and not history.held and now > latest + LATENESS:
        histories.report("late_erasure", f"{line['agent']}: {now - latest:.0f} s late")
    if not line["exists"]:
        history.erased = True


_READERS: dict[str, Callable[[Line, AgentHistory, Histories], None]] = {
    "request": _read_request,
    "response": _read_response,
    "state": _read_state,
    "note": _read_note,
}
