"""Sealed records that are in the wrong place or do not open (F32)."""

import time

from faults.episode import Episode
from faults.scenarios.times import RETRY


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
        if key and client.hexists(key, session):
            client.hset(key, session, "cs2.data." + "AAAA" * 16)
    episode.put_at_once(2)
    episode.clock.advance(RETRY)
    time.sleep(0.3)
    episode.cluster.restore()
    episode.backend.send_until_answered("put", agent, session)
    return 1
