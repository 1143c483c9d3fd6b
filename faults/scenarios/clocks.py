"""Clocks that jump or differ (F22)."""

import time

from faults.episode import Episode
from faults.scenarios.erasure import record_slot
from faults.scenarios.times import DAY, HOUR


def jump(episode: Episode) -> int:
    """Move all clocks together, forward or back."""
    episode.put_at_once(2)
    episode.clock.advance(episode.rng.choice((300, 600, HOUR, -240, -60)))
    episode.put_at_once(2)
    return 1


def wrong_worker(episode: Episode) -> int:
    """Let the only worker's clock be wrong by days: nothing may be erased too early."""
    agent = episode.churning_agent()
    episode.administrator.disconnect_until_acknowledged(agent)
    episode.processes.kill("worker1")
    skew = str(episode.rng.choice((31, -31, 8)) * DAY)
    episode.processes.restart("worker0", extra_env={"CALENDAR_TEST_SKEW": skew})
    episode.clock.advance(episode.rng.choice((60, DAY, 6 * DAY)))
    time.sleep(0.8)
    record_slot(episode, agent)
    episode.measurements.counters["erasures under clock steps"] += 1
    return 1


def wrong_web(episode: Episode) -> int:
    """Let one web process's clock be wrong by five minutes."""
    web = episode.client.any_web()
    skew = str(episode.rng.choice((300, -300)))
    episode.processes.restart(web, extra_env={"CALENDAR_TEST_SKEW": skew})
    episode.put_at_once(3, web=web)
    return 1
