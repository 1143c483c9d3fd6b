"""The primary moves, behind sentinels or in a cluster, with two replicas (F38).

Nothing here says how many copies a write needs: the service's default is on trial.
"""

import time
from typing import cast

from faults.episode import Episode
from faults.sentinels import SentinelStores
from faults.store_cluster import StoreCluster
from faults.store_server import StoreServer

CUT = 6.0
"""Seconds that a partition lasts: sentinels promote a replica after about two, and then there are two primaries."""


def planned_failover(episode: Episode) -> int:
    """Ask for a failover under load: what the former primary accepted has to be at the new one."""
    stores = _stores(episode)
    before = stores.primaries
    episode.put_at_once(4)
    episode.put_in_background(6)
    stores.begin_failover()
    for _ in range(4):
        episode.put_in_background(3)
        time.sleep(episode.rng.uniform(0.1, 0.4))
    stores.await_whole()
    episode.jobs.wait()
    return int(stores.primaries != before)


def server_killed(episode: Episode) -> int:
    """Kill one server under load: writes are accepted again within the bound."""
    stores = _stores(episode)
    episode.put_in_background(6)
    episode.rng.choice(stores.servers).kill()
    episode.put_in_background(6)
    began = time.monotonic()
    episode.backend.send_until_answered("put", episode.stable_agent(), episode.new_session())
    episode.journal.expect(
        "unanswered", "writes with one server dead", expected=True,
        actual=time.monotonic() - began <= stores.resumed, why=f"accepted again within {stores.resumed:.0f} s",
    )  # fmt: skip
    episode.jobs.wait()
    stores.await_whole()
    return 1


def partition(episode: Episode) -> int:
    """Cut the primary and one replica from the sentinels and the other replica, which becomes a primary too."""
    stores = cast(SentinelStores, episode.stores)
    former, (beside, other) = stores.primary, stores.replicas
    episode.put_at_once(4)
    episode.put_in_background(4)
    stores.cut([former, beside], clients=episode.rng.random() < 0.5)
    try:
        end = time.monotonic() + CUT
        while time.monotonic() < end:
            episode.put_in_background(2)
            time.sleep(episode.rng.uniform(0.2, 0.6))
    finally:
        stores.heal()
    were_two = _is_primary(other) and _is_primary(former)  # sentinels lead the former one back only later
    stores.await_whole()
    episode.jobs.wait()
    return int(were_two)


def _is_primary(server: StoreServer) -> bool:
    with server.client() as client:
        return bool(client.role()[0] == "master")


def _stores(episode: Episode) -> SentinelStores | StoreCluster:
    return cast(SentinelStores | StoreCluster, episode.stores)
