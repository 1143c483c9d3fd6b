"""Erasures when something is missing: memory, workers, or a hold that ended late (F5, F23, F27). Must not judge."""

import contextlib
import re
import time

from faults.act import Act
from faults.kinds import (
    DAY,
    HOUR,
    TERM,
    end_everywhere,
    is_there,
    kind,
    place_hold,
    release_hold,
    slot_exists,
)

WORKERS = ("worker0", "worker1")


def _gone(act: Act, agent: str, why: str, seconds: float = 5.0) -> None:
    """The next sweep has to take it."""
    end = time.monotonic() + seconds
    while is_there(act, agent) and time.monotonic() < end:
        time.sleep(0.1)
    exists = slot_exists(act, agent)
    act.driver.note("expected", agent=agent, law="late_erasure", wanted=False, found=exists, why=why)


@kind("F5 erasure without memory")
def without_memory(act: Act) -> int:
    """At once or at its term: what frees memory works where there is none, and the receipt is handed out."""
    agent, at_once = act.mover(), act.chance.random() < 0.5
    if not at_once:
        end_everywhere(act, agent)
        act.town.advance(TERM - 60)
        time.sleep(0.6)
    with contextlib.closing(act.town.store.client) as client:
        client.config_set("maxmemory", "1")
        if at_once:
            answer = act.driver.disconnect(agent, erase=True)
            receipt = isinstance(answer.body, dict) and bool(answer.body.get("receipt"))
            act.driver.note(
                "expected", agent=agent, law="unanswered", wanted=True, found=receipt, why="erased without memory"
            )  # fmt: skip
        else:
            act.town.advance(61)
        _gone(act, agent, "without memory")
        wanted = client.exists("rewrite") or client.info("persistence")["aof_rewrite_in_progress"]
        act.counted["rewrites wanted without memory"] += bool(wanted)
        client.config_set("maxmemory", "0")
    return 1


@kind("F23 no worker until the last hour")
def absent_workers(act: Act) -> int:
    """No worker from the disconnect until an hour before the database's own expiry: told before, and done in time."""
    agent = act.mover()
    end_everywhere(act, agent)
    for worker in WORKERS:
        act.town.kill(worker)
    act.town.advance(TERM + 5 * 60)
    act.driver.note(
        "expected", agent=agent, law="unnoticed", wanted=True, found=_waits(act) >= 4 * 60, why="no worker"
    )  # fmt: skip
    act.town.advance(DAY - HOUR - 10 * 60)
    for worker in WORKERS:
        act.town.start(worker)
    _gone(act, agent, "workers are back", seconds=10)
    return 1


def _waits(act: Act) -> float:
    """How long the operator's metrics say that somebody has waited, in seconds."""
    answer = act.driver.call(act.driver.some_web(), "GET", "/metrics")
    found = re.search(r"^calendar_longest_wait_seconds ([0-9.e+]+)$", str(answer.body), re.MULTILINE)
    return float(found[1]) if found else -1.0


@kind("F27 hold lifted late")
def hold_lifted(act: Act) -> int:
    """A hold ends after the term, by the operator's word or by its own date: gone with the next sweep."""
    agent, by_date = act.mover(), act.chance.random() < 0.5
    end_everywhere(act, agent)
    if place_hold(act, agent, days=10 if by_date else 90) != 0:
        return 0
    act.driver.note("held", agent=agent)
    act.town.advance(TERM + act.chance.choice((60, HOUR, DAY)))
    time.sleep(0.6)
    found = slot_exists(act, agent)
    act.driver.note(
        "expected", agent=agent, law="early_erasure", wanted=True, found=found, why="under a hold"
    )
    if by_date:
        act.town.advance(3 * DAY)
        act.driver.note("released", agent=agent)
    else:
        release_hold(act, agent)
    _gone(act, agent, "the hold is over")
    return 1
