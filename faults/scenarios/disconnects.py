"""Ends of connections: revocations that fail, accounts of two agents, consents that run beside (F19 to F21, F29)."""

import time

from faults.episode import Episode
from faults.scenarios.times import HOUR, RETRY


def disconnect_and_tear_down(episode: Episode, agent: str) -> None:
    """Disconnect, and wait up to 10 s until no connection has a teardown left.

    A scenario that then lets a week go by needs this: after a week nobody tries to revoke any more.
    """
    episode.administrator.disconnect_until_acknowledged(agent)
    end = time.monotonic() + 10
    while episode.store.has_teardowns() and time.monotonic() < end:
        episode.clock.advance(RETRY)
        time.sleep(0.3)


def revocation_fails(episode: Episode) -> int:
    """Let the revocation fail at Google: the disconnect has to hold here at once."""
    agent = episode.churning_agent()
    fault = episode.rng.choice(
        ({"status": 500}, {"status": 400, "reason": "invalid_request"}, {"cut": "before_commit"},
         {"cut": "after_commit"}, {"html": 200}, {"status": 503, "retry_after": 60})
    )  # fmt: skip
    episode.google.add_fault("POST", "/revoke", fault, times=2)
    episode.administrator.disconnect_until_acknowledged(agent)
    episode.backend.state(agent)
    episode.backend.put(agent, episode.new_session())
    faults = episode.google.injected()
    episode.clock.advance(10)
    return faults


def reconnect_before_revocation(episode: Episode) -> int:
    """Connect the same account again while the revocation is on its way."""
    agent = episode.churning_agent()
    fault = episode.rng.choice(({"delay": 1.0}, {"cut": "before_commit"}, {"delay": 0.3}))
    episode.google.add_fault("POST", "/revoke", fault, times=2)
    disconnect = episode.jobs.start(episode.administrator.disconnect_until_acknowledged, agent)
    time.sleep(episode.rng.uniform(0, 0.2))
    episode.backend.state(agent)
    episode.browser.connect(agent)
    disconnect.result()
    faults = max(1, episode.google.injected())
    episode.browser.ensure_connected(agent)
    episode.backend.send_until_answered("put", agent, episode.new_session())
    episode.clock.advance(65)
    return faults


def shared_account(episode: Episode) -> int:
    """Disconnect one of two agents with the same Google account: the other's grant has to stay."""
    agents = ("pair-0", "pair-1")
    for agent in agents:
        episode.google.accounts[agent] = "pair@faults.test"
        episode.browser.ensure_connected(agent)
    leaving, staying = episode.rng.sample(agents, 2)
    episode.administrator.disconnect_until_acknowledged(leaving, erase=episode.rng.random() < 0.3)
    episode.clock.advance(HOUR)
    response = episode.backend.put(staying, episode.new_session())
    episode.journal.expect(
        "grant_killed", staying, expected=True, actual=response.status in {0, 200, 201, 202, 503},
        why="the other agent left",
    )  # fmt: skip
    episode.backend.state(staying)
    episode.browser.ensure_connected(leaving)
    return 1


def two_disconnects(episode: Episode) -> int:
    """Disconnect through both web processes at once, in half of the rounds with an erasure."""
    agent = episode.churning_agent()
    episode.jobs.start(episode.administrator.disconnect, agent, "web0")
    erase = episode.rng.random() < 0.5
    episode.jobs.start(episode.administrator.disconnect, agent, "web1", erase=erase)
    episode.jobs.wait()
    episode.administrator.disconnect_until_acknowledged(agent)
    return 1


def callback_after_disconnect(episode: Episode) -> int:
    """End the connection between a consent at Google and its callback, which must have no effect."""
    agent = episode.churning_agent()
    consent = episode.browser.consent(agent)
    # A revocation that succeeds ends the consent's code too, and Google would refuse it before the service can.
    if episode.rng.random() < 0.7:
        episode.google.add_fault("POST", "/revoke", {"status": 503}, times=1)
    episode.administrator.disconnect_until_acknowledged(agent, erase=episode.rng.random() < 0.3)
    if consent:
        episode.browser.open_callback(episode.client.any_web(), consent)
    episode.backend.state(agent)
    episode.backend.put(agent, episode.new_session())
    return 1


def disconnect_during_connect(episode: Episode) -> int:
    """Send callback and disconnect at once: either may come last, and nothing may be half done."""
    agent = episode.churning_agent()
    consent = episode.browser.consent(agent)
    if consent:
        episode.jobs.start(episode.browser.come_back, agent, consent)
    time.sleep(episode.rng.uniform(0, 0.1))
    episode.jobs.start(episode.administrator.disconnect, agent)
    episode.jobs.wait()
    episode.administrator.disconnect_until_acknowledged(agent)
    episode.backend.state(agent)
    return 1
