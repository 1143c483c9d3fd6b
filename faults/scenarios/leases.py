"""Leases held too long (F16): a holder that is suspended, delayed or refused while another process goes on.

The proxy's mode `hold` keeps a request back on its way to Google until the lease of its sender is over.
"""

import time
from concurrent.futures import Future
from typing import Any

from faults.episode import Episode
from faults.scenarios.google import ONE_EVENT
from faults.scenarios.times import HOUR, RETRY
from faults.service_processes import WEBS, WORKERS

LATE_WRITE = 310
"""Seconds after which a session that was cancelled in doubt has been due for its second look."""
TWO_LEASES = 45
"""Seconds after which a lease is over, and the pause of the first retry too."""


def other_web(web: str) -> str:
    """Return the other web process."""
    return "web1" if web == "web0" else "web0"


def holder_suspended(episode: Episode) -> int:
    """Suspend a worker at Google until its lease is over, let another process write, and resume it."""
    agent, session = episode.scheduled_session()
    episode.cluster.cut_webs_from_google()
    since = episode.google.call_count()
    episode.google.add_fault("PATCH", ONE_EVENT, {"delay": 0.5}, times=2)
    episode.backend.put(agent, session)
    episode.clock.advance(RETRY)
    episode.google.await_call(since, "calendar.events.patch", contains=f"|{session}|", seconds=3)
    worker = episode.rng.choice(WORKERS)
    episode.processes.suspend(worker)
    for web in WEBS:
        episode.proxy.set(f"{web}-google", "pass")
    episode.clock.advance(TWO_LEASES)
    episode.backend.put(agent, session)
    time.sleep(0.6)
    episode.processes.resume(worker)
    return 1


def late_write(episode: Episode) -> int:
    """Hold a reschedule on its way to Google until a newer one is done; then let it arrive."""
    agent, session = episode.scheduled_session()
    web = episode.client.any_web()
    first = held_put(episode, agent, session, web)
    time.sleep(0.25)
    episode.clock.advance(TWO_LEASES)
    episode.backend.put(agent, session, web=other_web(web))
    time.sleep(0.1)
    episode.proxy.set(f"{web}-google", "release")
    first.result()
    return 1


def late_settling(episode: Episode) -> int:
    """Hold a create until a worker has done it, and reset its connection: its first holder reports a failure late."""
    return _late_create(episode, "cut")


def late_create(episode: Episode) -> int:
    """Hold a create until a worker has done it, and let it arrive: Google gets the insert twice."""
    return _late_create(episode, "release")


def late_create_after_cancel(episode: Episode) -> int:
    """Let a create arrive after the session was cancelled and looked up once more: its holder has to report it."""
    web, first = _create_held_and_cancelled(episode)
    episode.clock.advance(LATE_WRITE)
    time.sleep(0.8)  # workers look
    episode.proxy.set(f"{web}-google", "release")
    first.result()
    return 1


def late_create_of_cut_off_holder(episode: Episode) -> int:
    """Let a create arrive after the session was cancelled, while its holder can report nothing."""
    web, first = _create_held_and_cancelled(episode)
    episode.proxy.set(f"{web}-store", "refuse")
    episode.proxy.set(f"{web}-google", "orphan")
    first.result()
    time.sleep(0.3)
    return 1


def _create_held_and_cancelled(episode: Episode) -> "tuple[str, Future[Any]]":
    """Hold a create until its lease is over and another process has cancelled the session; return who holds it."""
    agent, session = episode.stable_agent(), episode.new_session()
    web = episode.client.any_web()
    refresh_token(episode, agent, web=web)
    for worker in WORKERS:
        episode.processes.suspend(worker)
    first = held_put(episode, agent, session, web)
    time.sleep(0.25)
    episode.clock.advance(TWO_LEASES)
    episode.backend.cancel(agent, session, web=other_web(web))
    for worker in WORKERS:
        episode.processes.resume(worker)
    return web, first


def _late_create(episode: Episode, end: str) -> int:
    """Hold a create until its lease is over and a worker has done it; `end` is what the proxy does then."""
    agent, session = episode.stable_agent(), episode.new_session()
    web = episode.client.any_web()
    refresh_token(episode, agent, web=web)
    since = episode.google.call_count()
    first = held_put(episode, agent, session, web)
    time.sleep(0.25)
    episode.clock.advance(RETRY)
    episode.google.await_call(since, "calendar.events.insert", contains=f"|{session}|", seconds=4)
    time.sleep(0.2)
    episode.proxy.set(f"{web}-google", end)
    first.result()
    return 1


def one_at_google(episode: Episode) -> int:
    """While one process holds a session's lease, no other process may write the session."""
    agent, session = episode.stable_agent(), episode.new_session()
    web = episode.client.any_web()
    refresh_token(episode, agent)
    first = held_put(episode, agent, session, web)
    time.sleep(0.3)
    since, began = episode.google.call_count(), time.monotonic()
    episode.backend.put(agent, session, web=other_web(web))
    if time.monotonic() - began < 3 and not first.done():
        episode.journal.limit_calls(
            agent, since=since, until=episode.google.call_count(), method="calendar.events",
            contains=f"|{session}|", at_most=0, why="a session leased to another",
        )  # fmt: skip
    episode.proxy.set(f"{web}-google", "release")
    first.result()
    return 1


def held_put(episode: Episode, agent: str, session: str, web: str) -> "Future[Any]":
    """Start a PUT whose calls to Google are held."""
    episode.proxy.set(f"{web}-google", "hold")
    return episode.jobs.start(episode.backend.put, agent, session, web=web)


def refresh_token(episode: Episode, agent: str, web: str | None = None) -> None:
    """Let the agent's access token be fresh, so that the next call to Google writes the session."""
    episode.backend.send_until_answered("put", agent, episode.new_session(), web=web)


def refresh_by_many(episode: Episode) -> int:
    """Let the access token expire, and let web processes and workers need a new one at once: one refresh is right."""
    agent = episode.stable_agent()
    refresh_token(episode, agent)
    before = episode.clock.now() * 1000
    probe_due = episode.store.timer(agent, "probe")
    episode.clock.advance(HOUR)
    # A probe in the same hour refreshes once more, and so does a process that finds the lease's holder dead.
    extra = 1 if probe_due is None or probe_due <= before + (HOUR + 60) * 1000 else 0
    since = episode.google.call_count()
    for number in range(8):
        episode.jobs.start(episode.backend.put, agent, episode.new_session(), web=f"web{number % 2}")
    episode.jobs.wait()
    episode.journal.limit_calls(
        agent, since=since, until=episode.google.call_count(), method="oauth2.token",
        contains=episode.google.accounts[agent], grant_type="refresh_token", at_most=1 + extra, why="one expiry",
    )  # fmt: skip
    episode.measurements.counters["refresh races"] += 1
    return 1


def refresh_lease_lost(episode: Episode) -> int:
    """Let a refresh outlive its lease: when it fails late, it must not release the next holder's lease."""
    agent = episode.churning_agent()
    episode.clock.advance(HOUR)
    time.sleep(0.05)
    for web in WEBS:
        episode.proxy.set(f"{web}-google", "hold")
    first = episode.jobs.start(episode.backend.put, agent, episode.new_session(), web="web0")
    time.sleep(0.25)
    episode.clock.advance(RETRY)
    for worker in WORKERS:
        episode.processes.suspend(worker)
    second = episode.jobs.start(episode.backend.put, agent, episode.new_session(), web="web1")
    time.sleep(0.25)
    episode.proxy.set("web0-google", "cut")  # the first holder fails, and releases its lease
    first.result()
    since = episode.google.call_count()
    episode.jobs.start(episode.backend.put, agent, episode.new_session(), web="web0")
    time.sleep(0.5)
    until = episode.google.call_count()
    if not second.done():
        episode.journal.limit_calls(
            agent, since=since, until=until, method="oauth2.token", contains=episode.google.accounts[agent],
            grant_type="refresh_token", at_most=0, why="a refresh leased to another",
        )  # fmt: skip
    episode.proxy.set("web1-google", "release")
    for worker in WORKERS:
        episode.processes.resume(worker)
    return 1
