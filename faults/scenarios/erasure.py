"""Erasures at the end of the retention period or at once, while something is missing (F5, F10, F23, F28)."""

import time

from faults.checker import LATENESS
from faults.driver.backend import Operation
from faults.episode import Episode
from faults.scenarios.disconnects import disconnect_and_tear_down
from faults.scenarios.times import DAY, HOUR, RETENTION, RETRY
from faults.service_processes import WORKERS


def record_slot(episode: Episode, agent: str) -> bool:
    """Write into the journal whether the agent's slot exists, for the checker to compare with the time; return it."""
    exists = episode.store.slot_exists(agent)
    episode.journal.note("slot", agent=agent, exists=exists)
    return exists


def await_erasure(episode: Episode, agent: str) -> None:
    """Let time go by until the agent's slot is erased, or until its erasure is late."""
    for _ in range(int(LATENESS / RETRY) + 2):
        if not record_slot(episode, agent):
            return
        episode.clock.advance(RETRY)
        time.sleep(0.3)
    record_slot(episode, agent)


def await_sweep(episode: Episode) -> None:
    """Wait until the workers have done everything that is due, 15 s at most: what is erased too early is gone then."""
    end = time.monotonic() + 15
    while episode.store.overdue(episode.clock.now() * 1000) and time.monotonic() < end:
        time.sleep(0.1)


def expect_erasure(episode: Episode, agent: str, why: str, seconds: float = 5.0) -> None:
    """Wait until the worker's next sweep has erased the agent's slot, so many seconds at most."""
    end = time.monotonic() + seconds
    while episode.store.slot_exists(agent) and time.monotonic() < end:
        time.sleep(0.1)
    exists = record_slot(episode, agent)
    episode.journal.expect("late_erasure", agent, expected=False, actual=exists, why=why)


def at_term(episode: Episode) -> int:
    """Look just before and just after the term, with a worker killed, no worker before it, or no memory."""
    agent = episode.churning_agent()
    disconnect_and_tear_down(episode, agent)
    time.sleep(0.3)
    episode.clock.advance(RETENTION - 900)
    await_sweep(episode)
    record_slot(episode, agent)
    fault = episode.rng.choice(("kill", "absent", "memory"))
    if fault == "absent":
        for worker in WORKERS:
            episode.processes.kill(worker)
    episode.clock.advance(930)
    if fault == "kill":
        time.sleep(episode.rng.uniform(0.2, 0.6))
        episode.processes.restart(episode.rng.choice(WORKERS))
    elif fault == "memory":
        with episode.store.no_memory():
            time.sleep(0.6)
    episode.cluster.restore()
    await_erasure(episode, agent)
    episode.measurements.counters["erasures under clock steps"] += 1
    return 1


def without_memory(episode: Episode) -> int:
    """Erase at once or at the term while the store refuses writes that need memory."""
    agent, at_once = episode.churning_agent(), episode.rng.random() < 0.5
    if not at_once:
        disconnect_and_tear_down(episode, agent)
        episode.clock.advance(RETENTION - 60)
        time.sleep(0.6)
    with episode.store.no_memory() as client:
        if at_once:
            receipt = bool(episode.administrator.disconnect(agent, erase=True).field("receipt"))
            episode.journal.expect(
                "unanswered", agent, expected=True, actual=receipt, why="receipt of an erasure without memory"
            )
        else:
            episode.clock.advance(61)
        expect_erasure(episode, agent, "without memory")
        rewrite = client.hexists("rewrite", "since") or client.info("persistence")["aof_rewrite_in_progress"]
        episode.measurements.counters["rewrites requested without memory"] += bool(rewrite)
    return 1


def workers_absent(episode: Episode) -> int:
    """Let no worker run until an hour before the store's own expiry: metrics show it, and the erasure is in time."""
    agent = episode.churning_agent()
    disconnect_and_tear_down(episode, agent)
    for worker in WORKERS:
        episode.processes.kill(worker)
    episode.clock.advance(RETENTION + 5 * 60)
    wait = episode.backend.metric("calendar_longest_wait_seconds")
    episode.journal.expect("unnoticed", agent, expected=True, actual=wait >= 4 * 60, why="no worker")
    episode.clock.advance(DAY - HOUR - 10 * 60)
    for worker in WORKERS:
        episode.processes.start(worker)
    expect_erasure(episode, agent, "workers are back", seconds=10)
    return 1


def against_reconnect(episode: Episode) -> int:
    """Let the term end while the agent connects again; the former session is written once more."""
    agent, session = episode.churning_agent(), episode.new_session("kept")
    episode.backend.send_until_answered("put", agent, session)
    disconnect_and_tear_down(episode, agent)
    consent = episode.browser.consent(agent)
    episode.clock.advance(RETENTION + 1)
    if consent and episode.rng.random() < 0.5:
        episode.browser.come_back(agent, consent)
    else:
        episode.browser.connect(agent)
    episode.browser.ensure_connected(agent)
    operations: tuple[Operation, ...] = ("put", "put", "cancel")
    operation = episode.rng.choice(operations)
    episode.backend.send_until_answered(operation, agent, session)
    return 1


def then_reconnect(episode: Episode) -> int:
    """Erase at once and connect again: the session's former event has to be found, not doubled."""
    agent, session = episode.churning_agent(), episode.new_session("kept")
    episode.backend.send_until_answered("put", agent, session)
    episode.administrator.disconnect_until_acknowledged(agent, erase=True)
    episode.browser.ensure_connected(agent)
    episode.backend.send_until_answered("put", agent, session)
    return 1
