"""Legal holds against erasures (F26, F27), by the operator's commands."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from faults.driver.backend import ORGANIZATION
from faults.episode import Episode
from faults.scenarios.disconnects import disconnect_and_tear_down
from faults.scenarios.erasure import await_erasure, expect_erasure, record_slot
from faults.scenarios.times import DAY, HOUR, RETENTION


def place_hold(
    episode: Episode, agent: str, *, days: int = 90, extra_env: Mapping[str, str] | None = None
) -> int:
    """Place a legal hold; return the command's exit status."""
    until = datetime.fromtimestamp(episode.clock.now() + days * DAY, UTC).strftime("%Y-%m-%d")
    fields = {
        "placed-by": "One",
        "approved-by": "Another",
        "authority": "A court",
        "reason": "A case",
        "until": until,
    }
    options = [word for name, value in fields.items() for word in (f"--{name}", value)]
    return episode.processes.command(
        "hold", "place", ORGANIZATION, agent, *options, "--replace", extra_env=extra_env
    )


def release_hold(episode: Episode, agent: str) -> None:
    """Release the hold; from here on the erasure is due."""
    if episode.processes.command("hold", "release", ORGANIZATION, agent) == 0:
        episode.journal.note("hold_released", agent=agent)


def expect_kept(episode: Episode, agent: str) -> None:
    """Expect that the agent's slot exists because of the hold."""
    exists = record_slot(episode, agent)
    episode.journal.expect("early_erasure", agent, expected=True, actual=exists, why="under a hold")


def against_erasure(episode: Episode) -> int:
    """Place a hold while the term ends: all data stays, or the hold is refused; after its release all data goes."""
    agent = episode.churning_agent()
    disconnect_and_tear_down(episode, agent)
    time.sleep(0.2)
    episode.clock.advance(RETENTION - 4)
    command = episode.jobs.start(place_hold, episode, agent)
    time.sleep(episode.rng.uniform(0, 0.3))
    episode.clock.advance(5)
    is_held = command.result() == 0
    if is_held:
        episode.journal.note("hold_placed", agent=agent)
    episode.clock.advance(episode.rng.choice((60, DAY)))
    time.sleep(0.6)
    if is_held:
        expect_kept(episode, agent)
        release_hold(episode, agent)
        await_erasure(episode, agent)
    else:
        record_slot(episode, agent)
    return 1


def lifted_late(episode: Episode) -> int:
    """End a hold after the term, by a command or by its own date: the worker's next sweep erases."""
    agent, by_date = episode.churning_agent(), episode.rng.random() < 0.5
    disconnect_and_tear_down(episode, agent)
    if place_hold(episode, agent, days=10 if by_date else 90) != 0:
        return 0
    episode.journal.note("hold_placed", agent=agent)
    episode.clock.advance(RETENTION + episode.rng.choice((60, HOUR, DAY)))
    time.sleep(0.6)
    expect_kept(episode, agent)
    if by_date:
        episode.clock.advance(3 * DAY)
        episode.journal.note("hold_released", agent=agent)
    else:
        release_hold(episode, agent)
    expect_erasure(episode, agent, "the hold is over")
    return 1
