"""Processes that end at each named step of the service (F9).

The service names its dangerous steps by `failpoint("…")`; with `CALENDAR_FAILPOINTS=name:exit` a process ends there.
A route (`faults.scenarios.step_routes`) is what has to happen so that a process comes to a step.
"""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from faults.episode import Episode
from faults.scenarios.disconnects import disconnect_and_tear_down
from faults.scenarios.holds import expect_kept, place_hold, release_hold
from faults.scenarios.step_routes import WEB_ROUTES, WORKER_ROUTES, prepare
from faults.scenarios.times import HOUR, RETENTION
from faults.service_processes import WORKERS, ServiceProcess

EXIT_STATUS = 137
"""The exit status of a process that ended at a named step."""
_FAILPOINT = re.compile(r"""failpoint\(\s*["']([a-z_.]+)["']\s*\)""")


def step_names(package: Path) -> list[str]:
    """Return every step that the service names."""
    return sorted(
        {name for file in package.rglob("*.py") for name in _FAILPOINT.findall(file.read_text("utf-8"))}
    )


def step_scenarios(package: Path) -> dict[str, Callable[[Episode], int]]:
    """Return one scenario for each step and each kind of process that comes there."""
    scenarios: dict[str, Callable[[Episode], int]] = {}
    for step in step_names(package):
        if step in WEB_ROUTES:
            scenarios[f"F9 {step} (web)"] = partial(_end_web, step=step)
        if step.startswith("hold."):
            scenarios[f"F9 {step} (command)"] = partial(_end_command, step=step)
        if step in WORKER_ROUTES:
            scenarios[f"F9 {step} (worker)"] = partial(_end_workers, step=step)
    return scenarios


def is_step(name: str) -> bool:
    """Tell whether the scenario of this name ends a process at a named step."""
    return name.startswith("F9 ") and name.endswith(("(web)", "(worker)", "(command)"))


def _failpoint(step: str) -> dict[str, str]:
    return {"CALENDAR_FAILPOINTS": f"{step}:exit"}


def _end_web(episode: Episode, step: str) -> int:
    """Let one web process end at the step, and repeat what was requested through the other."""
    web = episode.client.any_web()
    subject = prepare(episode, step)
    episode.processes.restart(web, extra_env=_failpoint(step))
    repeat = WEB_ROUTES[step](episode, web, subject)
    exits = int(_has_ended(episode.processes.by_name[web]))
    episode.measurements.step_exits[step] += exits
    episode.processes.restart(web)
    repeat()
    return exits


def _end_workers(episode: Episode, step: str) -> int:
    """Let both workers end at the step, each once at most."""
    subject = prepare(episode, step)
    workers = [episode.processes.by_name[name] for name in WORKERS]
    for worker in workers:
        episode.processes.restart(worker.name, extra_env=_failpoint(step))
    repeat = WORKER_ROUTES[step](episode, subject)
    exits = _count_ended(workers)
    episode.measurements.step_exits[step] += exits
    episode.cluster.restore()
    repeat()
    return exits


def _end_command(episode: Episode, step: str) -> int:
    """Let the operator's command end at the step, run it again, and release the hold."""
    agent = episode.churning_agent()
    disconnect_and_tear_down(episode, agent)
    exits = int(place_hold(episode, agent, extra_env=_failpoint(step)) == EXIT_STATUS)
    episode.measurements.step_exits[step] += exits
    if place_hold(episode, agent) == 0:
        episode.journal.note("hold_placed", agent=agent)
        episode.clock.advance(RETENTION + HOUR)
        time.sleep(0.5)
        expect_kept(episode, agent)
        release_hold(episode, agent)
    return exits


def _has_ended(process: ServiceProcess, seconds: float = 1.5) -> bool:
    """Wait until the process has ended; false after so many seconds."""
    end = time.monotonic() + seconds
    while process.is_alive:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _count_ended(workers: list[ServiceProcess]) -> int:
    """Wait 2.5 s for the first to end, and a second more for the other; return how many did."""
    end, ended = time.monotonic() + 2.5, 0
    while ended < len(workers) and time.monotonic() < end:
        time.sleep(0.02)
        before, ended = ended, sum(not worker.is_alive for worker in workers)
        if ended and not before:
            end = time.monotonic() + 1.0
    return ended
