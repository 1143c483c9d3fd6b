"""Records that are in the wrong place or do not open, and counts that are wrong (F32)."""

import time

from faults.episode import Episode
from faults.scenarios.times import DAY, RETRY
from faults.service_processes import WEBS

_SHARDS = 256
_MOST_WAITING = 200_000
"""Sessions of one organization that may wait."""
_REFUSED, _REPAIRED, _ACCEPTED = 10.0, 60.0, 10.0
"""Seconds until the web processes have read the counts, a worker has corrected them, and they have read that."""
_AT_ONCE = 80
"""Changes of one agent at once, of which a web process lets only 50 through before it asks for the shared bucket."""


def moved(episode: Episode) -> int:
    """Put one agent's sealed grant into another's slot, where it must not open; put everything back afterwards."""
    source, target = episode.stable_agent(), episode.churning_agent()
    source_key, target_key = (episode.store.key(agent, "facts") for agent in (source, target))
    source_grant, target_grant = (key.replace(":facts", ":grant") for key in (source_key, target_key))
    with episode.store.client() as client:
        own, foreign = client.get(target_grant), client.get(source_grant)
        own_id = client.hget(target_key, "connection_id")
        if own is None or foreign is None:
            return 0
        foreign_id = client.hget(source_key, "connection_id")
        client.hset(target_key, "connection_id", foreign_id)
        client.set(target_grant, foreign)
        episode.backend.put(target, episode.new_session())
        client.set(target_grant, own)
        client.hset(target_key, "connection_id", own_id)
        # A worker's daily reconciliation may have added the foreign connection to the account's references.
        client.hdel(f"account-ref:{client.hget(target_key, 'account_ref')}", foreign_id)
    return 1


def unreadable(episode: Episode) -> int:
    """Replace a session's waiting content by one that does not open: other sessions pass, and a new PUT repairs it."""
    agent, session = episode.stable_agent(), episode.new_session("poison")
    episode.cluster.cut_webs_from_google()
    episode.backend.put(agent, session)
    key = episode.store.key(agent, "waiting")
    with episode.store.client() as client:
        sealed = client.hget(key, session) if key else None
        if sealed:
            client.hset(
                key, session, "cs2.data.".ljust(len(sealed), "A")
            )  # as long, so that the counts stay right
    episode.put_at_once(2)
    episode.clock.advance(RETRY)
    time.sleep(0.3)
    episode.cluster.restore()
    episode.backend.send_until_answered("put", agent, session)
    return 1


def miscounted(episode: Episode) -> int:
    """Let too many sessions be counted as waiting, as the database's own expiry of a slot leaves them.

    The organization's sessions are refused then, until the workers' next daily repair has put the count right.
    """
    agent = episode.stable_agent()
    shard = episode.rng.randrange(_SHARDS)
    episode.store.count_as_waiting(shard, _MOST_WAITING)
    is_refused = _await_status(episode, agent, {429}, _REFUSED)
    episode.clock.advance(DAY)
    episode.store.expire_checkpoint_turns()  # whoever makes the day's checkpoint repairs the counts too
    end = time.monotonic() + _REPAIRED
    while episode.store.counted_as_waiting(shard) >= _MOST_WAITING and time.monotonic() < end:
        episode.clock.advance(RETRY)
        time.sleep(0.3)
    is_accepted = _await_status(episode, agent, {200, 201, 202}, _ACCEPTED)
    episode.journal.expect(
        "miscounted", agent, expected=True, actual=is_accepted, why="accepted after the daily repair"
    )
    return int(is_refused)


def _await_status(episode: Episode, agent: str, statuses: set[int], seconds: float) -> bool:
    """Create a session after another until both web processes answer with one of these statuses."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answered = {episode.backend.put(agent, episode.new_session(), web=web).status for web in WEBS}
        if answered <= statuses:
            return True
        time.sleep(0.3)
    return False


def calls_of_a_clock_ahead(episode: Episode) -> int:
    """Let every caller's bucket of calls be empty by a clock that was a month ahead: nobody is refused for it."""
    agent, session = episode.scheduled_session()
    first, second = episode.rng.sample(WEBS, 2)
    _repeat(episode, agent, session, first)
    if not episode.store.empty_call_tokens((episode.clock.now() + 30 * DAY) * 1000):
        return 0
    refused = _repeat(episode, agent, session, second)
    episode.journal.expect(
        "unanswered", agent, expected=0, actual=refused, why="calls counted by a clock ahead"
    )
    return 1


def _repeat(episode: Episode, agent: str, session: str, web: str) -> int:
    """Send one version of a session many times at once; return how many were refused as too many."""
    version = episode.backend.next_version(agent, session)
    puts = [
        episode.jobs.start(episode.backend.put, agent, session, version=version, web=web)
        for _ in range(_AT_ONCE)
    ]
    return sum(put.result().status == 429 for put in puts)
