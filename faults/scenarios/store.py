"""Faults of the store: killed, cut off from power, out of memory, suspended, slow, unreachable, its disk full."""

import contextlib
import signal
import time
from collections.abc import Iterator

from faults.episode import Episode
from faults.service_processes import NAMES, WEBS

_RECORD_TROUBLE = "worker.record_trouble"
"""The alarm that a record does not open: the store's own trouble has another name."""


def killed(episode: Episode) -> int:
    """Kill the store under load and start it again."""
    episode.put_in_background(1)
    time.sleep(episode.rng.uniform(0, 0.05))
    episode.stores.primary.kill()
    time.sleep(episode.rng.uniform(0, 0.1))
    episode.stores.primary.start()
    return 1


def power_lost(episode: Episode) -> int:
    """Kill the store and cut its file back to what was synchronized to disk."""
    episode.put_in_background(4)
    if episode.rng.random() < 0.5:
        time.sleep(episode.rng.uniform(0, 0.06))
    else:
        _await_write(episode)
    lost = episode.stores.primary.cut_power()
    counters = episode.measurements.counters
    counters["power cuts"] += 1
    counters["power cuts that took something"] += lost > 0
    counters["bytes lost to power cuts"] += lost
    episode.stores.primary.start()
    return 1


def _await_write(episode: Episode) -> None:
    """Wait for the moment between a write and its synchronization, 0.1 s at most."""
    size, end = episode.stores.primary.append_only_size(), time.monotonic() + 0.1
    while episode.stores.primary.append_only_size() == size and time.monotonic() < end:
        pass


def out_of_memory(episode: Episode) -> int:
    """Refuse writes that need memory: a disconnect must work, and a session must be refused whole."""
    agent = episode.churning_agent()
    with episode.store.no_memory():
        episode.put_at_once(2)
        response = episode.administrator.disconnect(agent)
        episode.journal.expect(
            "unanswered", agent, expected=200, actual=response.status, why="disconnect without memory"
        )
    episode.browser.ensure_connected(agent)
    return 1


def away_while_writing(episode: Episode) -> int:
    """Take the store's memory, or the store, while a worker tries sessions again: they go on soon after it is back."""
    owner = episode.agent_beside_the_load()
    if owner is None:
        return 0
    agent, calendar = owner
    sessions = [episode.new_session() for _ in range(3)]
    episode.google.add_fault(
        "POST", f"*/calendars/{calendar}/events", {"status": 503, "reason": "backendError"}
    )
    for session in sessions:
        episode.backend.put(agent, session)
    before = episode.processes.logged(_RECORD_TROUBLE)
    outage = episode.rng.choice((_no_memory, _no_memory, _suspended, _restarted))
    with outage(episode):
        episode.google.clear_faults()
        for _ in range(3):
            episode.clock.advance(4)
            time.sleep(0.6)
    statuses = episode.await_statuses(agent, sessions, ["scheduled"] * 3, step=2, steps=40)
    episode.journal.expect(
        "late_write", agent, expected=["scheduled"] * 3, actual=statuses, why="the store is back"
    )
    after = episode.processes.logged(_RECORD_TROUBLE)
    episode.journal.expect(
        "unnoticed", agent, expected=before, actual=after, why="alarms that a record does not open"
    )
    return 1


@contextlib.contextmanager
def _no_memory(episode: Episode) -> Iterator[None]:
    with episode.store.no_memory():
        yield


@contextlib.contextmanager
def _suspended(episode: Episode) -> Iterator[None]:
    episode.stores.primary.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        episode.stores.primary.signal(signal.SIGCONT)


@contextlib.contextmanager
def _restarted(episode: Episode) -> Iterator[None]:
    episode.stores.primary.kill()
    try:
        yield
    finally:
        episode.stores.primary.start()


def suspended(episode: Episode) -> int:
    """Suspend the store for a moment, now and then for longer than any request waits."""
    episode.stores.primary.signal(signal.SIGSTOP)
    episode.put_in_background(3)
    time.sleep(episode.rng.choice((0.2, 0.4, 0.8, 5.5)))
    episode.stores.primary.signal(signal.SIGCONT)
    return 1


def slow(episode: Episode) -> int:
    """Delay every piece between one process and the store."""
    name = episode.rng.choice(("web0", "web1", "worker0"))
    episode.proxy.set(f"{name}-store", "delay", episode.rng.choice((0.05, 0.15, 0.3)))
    episode.put_at_once(2)
    return 1


def cut_off(episode: Episode) -> int:
    """Reset one process's connections to the store, or also refuse its new ones for a while."""
    name = episode.rng.choice(NAMES)
    episode.put_in_background(3, web=name if name in WEBS else None)
    time.sleep(episode.rng.uniform(0, 0.03))
    episode.proxy.set(f"{name}-store", episode.rng.choice(("cut", "refuse")))
    time.sleep(0.1)
    return 1


def answers_lost(episode: Episode) -> int:
    """Drop the store's answers to one process, or its requests too: the process never learns what was done."""
    name = episode.rng.choice(NAMES)
    episode.proxy.set(f"{name}-store", episode.rng.choice(("mute", "blackhole")))
    episode.put_in_background(3, web=name if name in WEBS else None)
    time.sleep(episode.rng.uniform(0.05, 0.3))
    episode.proxy.set(f"{name}-store", "pass")
    return 1


def disk_full(episode: Episode) -> int:
    """Let the append-only file stop growing in the middle of a write, which ends the store; then give it room."""
    store = episode.stores.primary
    store.limit_append_only_file(episode.rng.randrange(1, 2000))
    episode.put_in_background(4)
    end = time.monotonic() + 2
    while store.is_running and time.monotonic() < end:
        time.sleep(0.01)
    if store.is_running:
        store.limit_append_only_file(None)
    else:
        store.start()
    return 1
