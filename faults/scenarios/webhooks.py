"""Faults of the backend's webhook receiver (F13), and what it hears before an erasure (F41)."""

import time

from faults.episode import Episode


def receiver_failing(episode: Episode) -> int:
    """Let the receiver refuse webhooks or hang up: they are sent again later."""
    episode.webhooks.failure_status = episode.rng.choice((500, 503, 429, 404, 0))
    before = episode.webhooks.refused
    episode.put_at_once(2)
    end = time.monotonic() + 1.5
    while episode.webhooks.refused == before and time.monotonic() < end:
        time.sleep(0.02)
    episode.webhooks.failure_status = None
    return episode.webhooks.refused - before


def erased_while_waiting(episode: Episode) -> int:
    """Erase a connection while sessions wait: the receiver hears of each, in order, before it hears of the erasure."""
    agent = episode.new_agent()
    episode.browser.ensure_connected(agent)
    episode.administrator.pause(agent)
    sessions = [episode.new_session() for _ in range(2)]
    for session in sessions:
        episode.backend.put(agent, session)
    episode.administrator.disconnect_until_acknowledged(agent, erase=True)
    heard = [one["data"] | {"type": one["type"]} for one in list(episode.webhooks.accepted)]
    own = [one for one in heard if one.get("agent") == agent]
    failed = {one["session"] for one in own if one["type"] == "session.failed"}
    episode.journal.expect(
        "lost",
        agent,
        expected=sorted(sessions),
        actual=sorted(failed),
        why="each waiting session is told as failed",
    )
    numbers = list(dict.fromkeys(one["sequence"] for one in own))
    episode.journal.expect(
        "lost", agent, expected=sorted(numbers), actual=numbers, why="webhooks come in their order"
    )
    return 1
