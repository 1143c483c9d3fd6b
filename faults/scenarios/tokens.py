"""Faults of tokens: refreshes that fail, and access that the person revokes at Google (F17, F18)."""

import time

from faults.episode import Episode
from faults.scenarios.times import HOUR, RETRY


def refresh_answer_lost(episode: Episode) -> int:
    """Lose the answer to a refresh, or the request."""
    episode.clock.advance(HOUR)
    fault = {"cut": episode.rng.choice(("after_commit", "before_commit"))}
    episode.google.add_fault("POST", "/token", fault, times=2)
    episode.put_at_once(3)
    return episode.google.injected()


def token_endpoint_failing(episode: Episode) -> int:
    """Let refreshes fail in every way that does not prove a revocation: the grant has to stay."""
    episode.clock.advance(HOUR)
    fault = episode.rng.choice(
        (
            {"status": 500}, {"status": 503, "retry_after": 2}, {"html": 502}, {"html": 200}, {"invalid_client": True},
            {"status": 400, "reason": "invalid_request"}, {"status": 403, "reason": "org_internal"}, {"truncate": True},
            {"status": 500, "reason": "invalid_grant"}, {"status": 400, "reason": "admin_policy_enforced"},
        )
    )  # fmt: skip
    episode.google.add_fault("POST", "/token", fault, times=3)
    episode.put_at_once(3)
    return episode.google.injected()


def revoked_at_google(episode: Episode) -> int:
    """The person revokes the access; the service notices it by use or by its daily probe."""
    agent = episode.churning_agent()
    if not episode.google.revoke_access(agent):
        return 0
    if episode.rng.random() < 0.5:
        episode.clock.advance(HOUR)
        episode.backend.put(agent, episode.new_session())
    else:
        episode.clock.advance(25 * HOUR)
    _expect_revoked(episode, agent)
    episode.browser.ensure_connected(agent)
    episode.backend.send_until_answered("put", agent, episode.new_session())
    return 1


def revoked_while_paused(episode: Episode) -> int:
    """The person revokes the access of a paused connection, which only the daily probe can notice."""
    agent = episode.churning_agent()
    if not episode.administrator.pause(agent).is_accepted or not episode.google.revoke_access(agent):
        return 0
    episode.clock.advance(25 * HOUR)
    _expect_revoked(episode, agent)
    episode.browser.ensure_connected(agent)
    return 1


def _expect_revoked(episode: Episode, agent: str) -> None:
    """Wait until the service says that the access is revoked, 10 s at most."""

    def wait() -> None:
        episode.clock.advance(RETRY)
        time.sleep(0.2)

    state = episode.backend.await_state(agent, {"connected", "paused"}, 10, wait)
    episode.journal.expect(
        "unnoticed", agent, expected="revoked", actual=state or "revoked", why="revoked at Google"
    )
