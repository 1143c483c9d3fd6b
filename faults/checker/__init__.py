"""The checker says which promises of the service were broken in an episode, from outside.

It reads the driver's journal of requests and responses, the local Google's journal of calls and its data, and a dump
of the store with its append-only file. It imports nothing of the service, so that an error in the service's own
code cannot hide itself, and it does not know which fault was injected.

An operation whose response never came may have happened or not: both are right.

| law | is broken when |
|---|---|
| `lost` | an operation was answered 2xx, and its event is not in Google although no later operation was accepted; or a session or a connection has lost its record or its token |
| `duplicate` | one session has two events, in one calendar or in several |
| `resurrected` | after an acknowledged disconnect and before the next consent, the connection is seen alive or a PUT is accepted |
| `half_erased` | parts of an erased or ended connection are left: keys, a token, a mention in another key |
| `false_reconnect` | an agent is asked to connect again although nobody revoked the access at Google |
| `wrong_final` | what is in Google is not the last accepted version, or lies at another time |
| `wrong_answer` | what the service answers about a session (a single read, also with `read=google`, the list, the webhooks) is not what was accepted, or not what is in Google |
| `content_left` | sealed content is kept although nothing waits for Google any more |
| `unsettled` | after convergence a session is still pending, waiting or leased, or a timer is overdue |
| `late_write` | a session that waited is not written within its bound after what it waited for is over |
| `miscounted` | what is counted of waiting content, on which limits rely, is not what waits |
| `foreign_grant` | a session was written with another agent's grant |
| `foreign_event` | a copy of an event that a person's program made, which is the person's own event, is changed or deleted |
| `twin_calendar` | one agent has two dedicated calendars |
| `too_many_calls` | one expiry causes two refreshes, or a call is made for what another process holds the lease of |
| `early_erasure` | data is erased before its retention period is over, or under a legal hold |
| `late_erasure` | data is erased more than ten minutes after its retention period |
| `token_alive` | a connection has ended here, and its token is alive at Google after the teardown |
| `grant_killed` | a disconnect ended another agent's grant at Google |
| `teardown_left` | the teardown of an ended connection never ends |
| `unnoticed` | the service did not notice, or metrics, reasons or alarms do not show, what a scenario did at Google, to the store or to the workers |
| `durability` | the store is not configured to keep what it acknowledges |
| `residue` | after an erasure the calendar's id is still in the append-only file |
| `unanswered` | a request is answered 500, is cut off by SIGTERM, or is refused although it must work without memory, with other keys or in a zone that Google does not know |
| `audit_chain_broken` | `audit verify` fails at the end of an episode |
"""  # noqa: E501 - a table has one line a row

from faults.checker import grants, sessions, slots
from faults.checker.evidence import EpisodeEvidence, Violation
from faults.checker.history import LATENESS, read_histories

LAWS = (
    "lost", "duplicate", "resurrected", "half_erased", "false_reconnect", "wrong_final", "wrong_answer",
    "content_left", "unsettled", "late_write", "miscounted", "foreign_grant", "foreign_event", "twin_calendar",
    "too_many_calls", "early_erasure", "late_erasure", "token_alive", "grant_killed", "teardown_left", "unnoticed",
    "durability", "residue", "unanswered", "audit_chain_broken",
)  # fmt: skip
__all__ = ["LATENESS", "LAWS", "EpisodeEvidence", "Violation", "check"]


def check(evidence: EpisodeEvidence) -> list[Violation]:
    """Return every violation of a law in this episode."""
    histories = read_histories(evidence.lines)
    return [
        *histories.violations,
        *sessions.check_sessions(evidence, histories),
        *sessions.check_duplicates(evidence),
        *sessions.check_copies(evidence),
        *slots.check_slots(evidence, histories),
        *slots.check_counts(evidence),
        *slots.check_erasures(evidence, histories),
        *slots.check_durability(evidence),
        *grants.check_grants(evidence, histories),
        *grants.check_accounts(evidence, histories),
        *grants.check_call_limits(evidence),
    ]
