"""Faults of the backend's webhook receiver (F13), and what it hears before an erasure (F41)."""

import time
from typing import Any

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


def erased_while_receiver_fails(episode: Episode) -> int:
    """Erase a connection while the receiver refuses: `connection.erased` counts what it has not heard."""
    agent = episode.new_agent()
    episode.browser.ensure_connected(agent)
    connection = _await_webhook(episode, "connection.connected", agent=agent).get("connection_id")
    if not connection:
        return 0
    episode.webhooks.failure_status = 503
    episode.administrator.pause(agent)
    for _ in range(2):
        episode.backend.put(agent, episode.new_session())
    episode.administrator.disconnect_until_acknowledged(agent, erase=True)
    episode.webhooks.failure_status = None
    erased = _await_webhook(episode, "connection.erased", connection_id=connection)
    heard = {one["sequence"] for one in _heard(episode) if one.get("connection_id") == connection}
    untold = erased.get("sequence", 0) - len(heard)
    episode.journal.expect(
        "lost",
        agent,
        expected=untold,
        actual=erased.get("untold"),
        why="webhooks that were erased untold are counted",
    )
    return int(untold > 0)


def _await_webhook(episode: Episode, kind: str, **fields: str) -> dict[str, Any]:
    """Wait for a webhook of this kind with these fields, moving the clock; empty if none comes."""
    for _ in range(60):
        for one in _heard(episode):
            if one["type"] == kind and fields.items() <= one.items():
                return one
        episode.clock.advance(5)
        time.sleep(0.2)
    return {}


def _heard(episode: Episode) -> list[dict[str, Any]]:
    return [one["data"] | {"type": one["type"]} for one in list(episode.webhooks.accepted)]


def erased_while_waiting(episode: Episode) -> int:
    """Erase a connection while sessions wait: the receiver hears of each, in order, before it hears of the erasure."""
    agent = episode.new_agent()
    episode.browser.ensure_connected(agent)
    episode.administrator.pause(agent)
    sessions = [episode.new_session() for _ in range(2)]
    for session in sessions:
        episode.backend.put(agent, session)
    episode.administrator.disconnect_until_acknowledged(agent, erase=True)
    own = [one for one in _heard(episode) if one.get("agent") == agent]
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
