"""Another server takes over: the kinds of faults with replicas (F3, F4). Must not judge."""

import contextlib
import time

from faults.act import Act
from faults.kinds import end_connection, kind
from faults.store import Store

ROUNDS = 4
"""Failovers one after another, each with a replica of its own: setting it up costs more than the failover."""


@kind("F3 failover to a stale replica")
def stale_replica(act: Act) -> int:
    """The primary dies while its replica does not hear from it any more, and the replica takes over."""
    replica = act.town.follower()
    act.town.wait_for_copies(1)
    for _ in range(ROUNDS):
        ended, doubtful = act.mover(), act.mover()
        end_connection(act, ended, erase=act.chance.random() < 0.5)
        act.town.link("replica-store", "blackhole")
        for _ in range(3):  # none of it may be acknowledged: only the primary has it
            act.at_once(act.driver.put, act.stayer(), act.name())
        act.at_once(act.driver.disconnect, doubtful)
        time.sleep(act.chance.uniform(0, 0.3))
        replica = _taken_over(act, replica)
        act.gather()
        act.driver.state(ended)
        act.driver.put(ended, act.name())
        end_connection(act, doubtful)
    return ROUNDS


def _taken_over(act: Act, replica: Store) -> Store:
    """Let the primary die and the replica take its place; return the new one's replica."""
    former = act.town.store
    former.kill()
    act.town.promote(replica)
    act.town.retire(former)
    act.town.lead_to(replica)
    return act.town.follower()


@kind("F4 two primaries")
def two_primaries(act: Act) -> int:
    """Half of the processes go on with the former primary; then it comes back as a replica and forgets."""
    replica = act.town.follower()
    act.town.wait_for_copies(1)
    for _ in range(ROUNDS):
        ended = act.mover()
        act.town.link("replica-store", "blackhole")
        former = act.town.promote(replica)
        act.town.lead_to(replica, "web1", "worker1")
        newest = act.town.follower()
        since, lonely = len(act.driver.calls()), act.name("lonely")
        with contextlib.closing(former.client) as client:
            client.ping()  # it is there, and takes what it is given
        asking = act.stayer()
        version = act.driver.next_version(asking, lonely)
        act.at_once(act.driver.put, asking, lonely, web="web0", version=version)
        agent, both = act.stayer(), act.name()
        act.at_once(act.driver.put, agent, both, web="web0")
        act.at_once(act.driver.put, agent, both, web="web1")
        act.at_once(act.driver.disconnect, ended, "web1")
        act.town.advance(31)
        time.sleep(act.chance.uniform(0.3, 0.7))
        act.gather()
        act.driver.put(asking, lonely, web="web0", version=version)  # it finds there what nobody else has
        act.driver.note(
            "window", agent=agent, why="asked of a former primary", since=since, until=len(act.driver.calls()),
            method="calendar.events", contains=f"|{lonely}|", grant_type=None, at_most=0,
        )  # fmt: skip
        act.town.lead_to(act.town.store)
        former.follow(act.town.store.port)
        act.town.retire(newest)
        replica = former
        end_connection(act, ended)
        act.driver.state(ended)
    return ROUNDS
