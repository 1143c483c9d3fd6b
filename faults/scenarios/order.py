"""Operations on one session that race with each other (F30, F31): the newest has to win."""

import time

from faults.driver.backend import Operation
from faults.episode import Episode
from faults.scenarios.google import EVENTS
from faults.scenarios.leases import other_web

SLOW_STORE = 0.15
"""Seconds by which each piece from the store is late, so that what a process has read grows old before it writes."""


def cancel_against_reschedule(episode: Episode) -> int:
    """Send two operations through both web processes at once, with versions or without."""
    operations: tuple[Operation, Operation] = ("put", "cancel")
    for _ in range(2):
        agent = episode.stable_agent()
        versioned = episode.rng.random() < 0.7
        session = episode.new_session("race")
        episode.backend.put(agent, session, versioned=versioned)
        versions = [episode.backend.next_version(agent, session) for _ in range(2)]
        pairs = zip(episode.rng.sample(operations, 2), versions, ("web0", "web1"), strict=True)
        for operation, version, web in pairs:
            episode.jobs.start(
                episode.backend.send, operation, agent, session, version=version, versioned=versioned, web=web
            )  # fmt: skip
        episode.jobs.wait()
    return 2


def slow_decision(episode: Episode) -> int:
    """Let a process decide on an old record while a newer operation is accepted elsewhere."""
    agent, session = episode.scheduled_session()
    low, high = (episode.backend.next_version(agent, session) for _ in range(2))
    web = episode.client.any_web()
    episode.proxy.set(f"{web}-store", "delay", SLOW_STORE)
    older = episode.jobs.start(episode.backend.put, agent, session, version=low, web=web)
    time.sleep(0.2)
    newer = episode.rng.choice((episode.backend.put, episode.backend.cancel))
    newer(agent, session, version=high, web=other_web(web))
    older.result()
    return 1


def pause_lifted(episode: Episode) -> int:
    """Lift a pause between a process's reading, by which a session has to wait, and its write; a cancel waits too."""
    agent, session = episode.scheduled_session()
    if not episode.administrator.pause(agent).is_accepted:
        return 0
    episode.backend.cancel(agent, session)
    web = episode.client.any_web()
    episode.proxy.set(f"{web}-store", "delay", SLOW_STORE)
    put = episode.jobs.start(episode.backend.put, agent, episode.new_session(), web=web)
    time.sleep(episode.rng.uniform(0.1, 0.3))
    end = time.monotonic() + 60
    while not episode.administrator.resume(agent).is_accepted and time.monotonic() < end:
        time.sleep(0.2)
    put.result()
    return 1


def queue_behind_failing_create(episode: Episode) -> int:
    """Let a create fail while further operations on the same session queue behind it."""
    agent, session = episode.stable_agent(), episode.new_session()
    episode.google.add_fault("POST", EVENTS, {"status": 503, "reason": "backendError"}, times=3)
    for _ in range(3):
        episode.backend.put(agent, session)
    if episode.rng.random() < 0.5:
        episode.backend.cancel(agent, session)
    return max(1, episode.google.injected())
