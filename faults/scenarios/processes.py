"""Faults of the service's processes: killed at work, restarted one after another."""

import time

from faults.episode import Episode
from faults.scenarios.google import EVENTS
from faults.scenarios.times import RETRY
from faults.service_processes import WORKERS


def worker_killed(episode: Episode) -> int:
    """Kill a worker while it writes waiting sessions to Google."""
    episode.cluster.cut_webs_from_google()
    episode.put_at_once(4)
    episode.clock.advance(RETRY)
    time.sleep(episode.rng.uniform(0.3, 0.7))
    episode.processes.restart(episode.rng.choice(WORKERS))
    return 1


def web_killed(episode: Episode) -> int:
    """Kill a web process in the middle of requests."""
    web = episode.client.any_web()
    episode.put_in_background(4, web=web)
    time.sleep(episode.rng.uniform(0.005, 0.06))
    episode.processes.restart(web)
    return 1


def web_killed_after_insert(episode: Episode) -> int:
    """Kill a web process after Google has accepted the insert; in half of the rounds the backend repeats the PUT."""
    agent, session = episode.stable_agent(), episode.new_session()
    version = episode.backend.next_version(agent, session)
    faults = _kill_at_insert(episode, agent, session, version)
    if episode.rng.random() < 0.5:
        episode.backend.put(agent, session, version=version)
    return faults


def web_killed_then_cancelled(episode: Episode) -> int:
    """Cancel the session before any process has looked whether the insert succeeded."""
    agent, session = episode.stable_agent(), episode.new_session()
    version = episode.backend.next_version(agent, session)
    faults = _kill_at_insert(episode, agent, session, version)
    episode.backend.send_until_answered("cancel", agent, session)
    return faults


def web_killed_then_refused(episode: Episode) -> int:
    """Let Google refuse the worker that takes over, so that it does not learn of the insert; then cancel."""
    agent, session = episode.stable_agent(), episode.new_session()
    version = episode.backend.next_version(agent, session)
    faults = _kill_at_insert(episode, agent, session, version)
    episode.google.add_fault("*", "*/events*", {"status": 429, "reason": "rateLimitExceeded"}, times=8)
    episode.clock.advance(RETRY)
    end = time.monotonic() + 3
    while not episode.google.injected() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    episode.google.clear_faults()
    episode.backend.send_until_answered("cancel", agent, session)
    return faults


def _kill_at_insert(episode: Episode, agent: str, session: str, version: int) -> int:
    """Kill the web process that sent an insert before Google's answer arrives; return 1 if Google has the event."""
    web = episode.client.any_web()
    since = episode.google.call_count()
    episode.google.add_fault("POST", EVENTS, {"delay": 3}, times=8)
    episode.jobs.start(episode.backend.put, agent, session, web=web, version=version)
    insert = episode.google.await_call(since, "calendar.events.insert", contains=f"|{session}|")
    episode.processes.kill(web)
    episode.google.clear_faults()
    episode.processes.start(web)
    episode.jobs.wait()
    episode.measurements.counters["ambiguous inserts"] += insert is not None
    return int(insert is not None)


def rolling_restart(episode: Episode) -> int:
    """Send SIGTERM to a web process in the middle of a request, which it has to finish, and then to a worker."""
    web, agent, session = episode.client.any_web(), episode.stable_agent(), episode.new_session()
    since = episode.google.call_count()
    episode.google.add_fault("POST", EVENTS, {"delay": 0.4}, times=4)
    put = episode.jobs.start(episode.backend.put, agent, session, web=web)
    insert = episode.google.await_call(since, "calendar.events.insert", contains=f"|{session}|", seconds=3)
    episode.processes.terminate(web)
    response = put.result()
    if insert:
        episode.journal.expect(
            "unanswered", agent, expected=True, actual=response.is_accepted, why="SIGTERM during a request"
        )
    episode.processes.start(web)
    worker = episode.rng.choice(WORKERS)
    episode.processes.terminate(worker)
    episode.processes.start(worker)
    return 2
