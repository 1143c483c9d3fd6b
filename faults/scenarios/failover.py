"""Failovers to a replica (F3), and two primaries at once (F4)."""

import time

from faults.episode import Episode
from faults.scenarios.times import RETRY
from faults.service_processes import NAMES
from faults.store_server import StoreServer

ROUNDS = 4
"""Failovers in one scenario: setting up the replicas costs more than a failover."""


def stale_replica(episode: Episode) -> int:
    """Promote a replica that did not get the last writes: none of those may have been acknowledged."""
    replica = episode.stores.add_replica()
    episode.cluster.require_copies(1)
    for _ in range(ROUNDS):
        ended, doubtful = episode.churning_agent(), episode.churning_agent()
        episode.administrator.disconnect_until_acknowledged(ended, erase=episode.rng.random() < 0.5)
        episode.proxy.set("replica-store", "blackhole")
        episode.put_in_background(3)  # from here on only the primary gets the writes
        episode.jobs.start(episode.administrator.disconnect, doubtful)
        time.sleep(episode.rng.uniform(0, 0.3))
        replica = _fail_over(episode, replica)
        episode.jobs.wait()
        episode.backend.state(ended)
        episode.backend.put(ended, episode.new_session())
        episode.administrator.disconnect_until_acknowledged(doubtful)
    return ROUNDS


def _fail_over(episode: Episode, replica: StoreServer) -> StoreServer:
    """Kill the primary and promote the replica; return the new primary's replica."""
    stores = episode.stores
    stores.primary.kill()
    former = stores.promote(replica)
    stores.remove(former)
    stores.lead_clients(NAMES)
    return stores.add_replica()


def two_primaries(episode: Episode) -> int:
    """Promote a replica for half of the processes; the others use the former primary until it becomes a replica."""
    replica = episode.stores.add_replica()
    episode.cluster.require_copies(1)
    for _ in range(ROUNDS):
        ended = episode.churning_agent()
        episode.proxy.set("replica-store", "blackhole")
        former = episode.stores.promote(replica)
        episode.stores.lead_clients(("web1", "worker1"))
        newest = episode.stores.add_replica()
        _write_to_both(episode, former, ended)
        episode.stores.lead_clients(NAMES)
        former.replicate_from(episode.stores.primary.port)
        episode.stores.remove(newest)
        replica = former
        episode.administrator.disconnect_until_acknowledged(ended)
        episode.backend.state(ended)
    return ROUNDS


def _write_to_both(episode: Episode, former: StoreServer, ended: str) -> None:
    """Send requests to both primaries: what only the former one has must not be written to Google."""
    since, session = episode.google.call_count(), episode.new_session("lonely")
    with former.client() as client:
        client.ping()  # it answers, and takes writes
    lonely_agent = episode.stable_agent()
    version = episode.backend.next_version(lonely_agent, session)
    episode.jobs.start(episode.backend.put, lonely_agent, session, web="web0", version=version)
    agent, both = episode.stable_agent(), episode.new_session()
    episode.jobs.start(episode.backend.put, agent, both, web="web0")
    episode.jobs.start(episode.backend.put, agent, both, web="web1")
    episode.jobs.start(episode.administrator.disconnect, ended, "web1")
    episode.clock.advance(RETRY)
    time.sleep(episode.rng.uniform(0.3, 0.7))
    episode.jobs.wait()
    # The repetition reads at the former primary what no other server has.
    episode.backend.put(lonely_agent, session, web="web0", version=version)
    episode.journal.limit_calls(
        agent, since=since, until=episode.google.call_count(), method="calendar.events",
        contains=f"|{session}|", at_most=0, why="requested at a former primary",
    )  # fmt: skip
