"""Refusals that are about a person, a project or a limit and not about a session (F43, F46): they pass in the end."""

import time

from faults.episode import Episode
from faults.scenarios.times import HOUR

_CAUSES = {
    "notACalendarUser": "administrator",
    "domainPolicy": "administrator",
    "CONSUMER_SUSPENDED": "operator",
    "calendarUsageLimitsExceeded": "quota_exceeded",
    "variableTermLimitExceeded": "quota_exceeded",
    "aReasonThatNobodyKnows": "operator",
}
"""The reason that the API has to give for a session while Google refuses it with a 403 of this reason."""
_LONGEST_PAUSE = 9
"""Hours after which everything is tried again that Google has refused."""
_MANY = 100
"""Sessions that wait for an account at its limit."""
_POLLS = 24
"""Quarters of a second for which a worker is given the chance to ask for an account that waits."""


def refused_for_a_while(episode: Episode) -> int:
    """Refuse every call about one calendar for one reason after another: its sessions wait, and are written later.

    The clock moves on for hours, past the leases of what the load has under way.
    """
    owner = episode.agent_beside_the_load()
    if owner is None:
        return 0
    agent, calendar = owner
    moved, removed, created = (episode.new_session() for _ in range(3))
    for session in (moved, removed):
        episode.backend.send_until_answered("put", agent, session)
    reasons = episode.rng.sample(sorted(_CAUSES), 3)
    for number, reason in enumerate(reasons):
        episode.google.clear_faults()
        episode.google.add_fault("*", f"*/calendars/{calendar}/events*", {"status": 403, "reason": reason})
        if number == 0:
            episode.backend.put(agent, moved)
            episode.backend.cancel(agent, removed)
            episode.backend.put(agent, created)
        _expect_pending(episode, agent, (moved, removed, created), reason)
    episode.google.clear_faults()
    wanted = ["scheduled", "cancelled", "scheduled"]
    statuses = episode.await_statuses(
        agent, (moved, removed, created), wanted, step=HOUR, steps=3 * _LONGEST_PAUSE
    )
    episode.journal.expect(
        "late_write", agent, expected=wanted, actual=statuses, why="Google refuses no more"
    )
    return len(reasons)


def _expect_pending(episode: Episode, agent: str, sessions: tuple[str, ...], reason: str) -> None:
    """Expect that every session goes on waiting, and that each says why within the longest pause of a retry."""
    wanted = [["pending", _CAUSES[reason]]] * len(sessions)
    for _ in range(2 * _LONGEST_PAUSE):
        actual = [list(episode.backend.status_and_reason(agent, session)) for session in sessions]
        if actual == wanted:
            break
        episode.clock.advance(HOUR)
        time.sleep(0.25)
    given_up = [status for status, _ in actual if status != "pending"]
    episode.journal.expect("lost", agent, expected=[], actual=given_up, why=f"refused: {reason}")
    episode.journal.expect("unnoticed", agent, expected=wanted, actual=actual, why=f"refused: {reason}")


def account_at_its_limit(episode: Episode) -> int:
    """Refuse one account for its own rate while many of its sessions wait: it is asked seldom, and others go on."""
    limited, other = episode.agent_beside_the_load(), episode.agent_beside_the_load()
    if limited is None or other is None:
        return 0
    account = episode.google.accounts[limited[0]]
    since = episode.google.call_count()
    fault = {"status": 403, "reason": "userRateLimitExceeded"}
    episode.google.add_fault("*", f"*/calendars/{limited[1]}/events*", fault)
    for _ in range(_MANY):
        episode.jobs.start(episode.backend.put, limited[0], episode.new_session())
    episode.jobs.wait()
    trouble = {"status": 503, "reason": "backendError"}
    episode.google.add_fault("POST", f"*/calendars/{other[1]}/events", trouble, times=3)
    sessions = [episode.new_session() for _ in range(3)]
    for session in sessions:
        episode.backend.put(other[0], session)
    # The clock stands still, so the account's pause does not end. Until a worker has written these sessions, it has had
    # its chances to try the account's too.
    episode.await_statuses(other[0], sessions, ["scheduled"] * 3, step=0, steps=_POLLS)
    until = episode.google.call_count()
    refused = [call for call in episode.google.calls()[since:until] if call["account"] == account]
    episode.measurements.record_maximum("calls of an account at its limit", len(refused))
    episode.journal.limit_calls(
        limited[0], since=since, until=until, method="calendar.events.", contains=account,
        at_most=_MANY // 2, why="an account at its limit",
    )  # fmt: skip
    statuses = episode.await_statuses(other[0], sessions, ["scheduled"] * 3, step=5, steps=60)
    episode.journal.expect(
        "late_write",
        other[0],
        expected=["scheduled"] * 3,
        actual=statuses,
        why="beside an account at its limit",
    )
    return 1
