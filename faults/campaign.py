"""A campaign: acts one after another, each from its own seed, judged at its end. Must not inject."""

import contextlib
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from faults import oracle
from faults.act import CONVERGENCE, Act, NotConvergedError, staged
from faults.oracle import Violation
from faults.outcome import Outcome, joined
from faults.plan import ACT, everything, next_act, owed, plan
from faults.store import CAN_CUT, ROOT, TownError

SHOWN = 40
"""Violations of one act that are printed."""


def play(
    seed: int,
    steps: Sequence[str],
    *,
    package_root: Path,
    load: int = 2,
    tell: Callable[[str, int], None] = lambda _name, _count: None,
    seconds: float = 1e9,
    keep: Path | None = None,
    patience: float = CONVERGENCE,
) -> Outcome:
    """Play one act and judge it."""
    outcome, began = Outcome(), time.monotonic()
    known = everything(package_root / "calendar_service")
    with staged(seed, package_root, load=load, keep=keep, patience=patience) as act:
        try:
            for name in steps:
                if time.monotonic() - began > seconds:
                    break
                _step(act, name, known[name], outcome, tell)
            outcome.converged.append(act.rest())
        except NotConvergedError as error:
            outcome.violations.append((seed, Violation("unsettled", f"after convergence: {error}")))
        act.town.advance(3700)
        _calm(act, outcome, seed)
        outcome.violations += [(seed, violation) for violation in oracle.judge(act.evidence())]
        outcome.counted.update(act.counted)
        outcome.reached.update(act.reached)
        outcome.longest.update(act.numbers)
        outcome.trouble += act.trouble
        for line in oracle_lines(act):
            outcome.operations[line] += 1
    outcome.seconds = time.monotonic() - began
    return outcome


def _calm(act: Act, outcome: Outcome, seed: int) -> None:
    """Look at every agent once more, an hour later: each connection still does its work."""
    try:
        for agent in sorted(act.driver.accounts):
            if act.driver.state(agent) == "connected":
                act.driver.surely("put", agent, act.name("after"), seconds=20)
        act.rest()
    except NotConvergedError as error:
        outcome.violations.append((seed, Violation("unsettled", f"an hour later: {error}")))
    found = act.town.command("audit", "verify")
    act.driver.note("expected", agent="all", law="trail_broken", wanted=0, found=found, why="audit verify")


def _step(
    act: Act, name: str, scenario: Callable[[Act], int], outcome: Outcome, tell: Callable[[str, int], None]
) -> None:
    act.driver.note("step", name=name)
    count = 0
    try:
        count = scenario(act)
    except Exception as error:
        # A scenario that could not be played injected nothing; what it did to the service is judged all the same.
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome.trouble.append(f"{name}: {error!r} ({where.name}:{where.lineno})")
    try:
        act.heal()
    except TownError:
        act.heal()  # a port that was still taken, a process that took too long: once more, then it is over
    act.town.google.switch(undetected_collisions=False)
    outcome.played[name] += 1
    outcome.injected[name] += count
    act.town.advance(act.chance.uniform(5, 40))
    tell(name, count)


def oracle_lines(act: Act) -> list[str]:
    """Return what the driver asked and how it was answered, in words to be counted."""
    found = []
    for line in act.evidence().lines:
        if line["what"] == "answer" and line["op"] in {"put", "cancel", "disconnect", "connect"}:
            status = line["status"]
            kind = (
                "accepted"
                if 200 <= status < 400
                else "refused"
                if 400 <= status < 500
                else "no answer or 5xx"
            )
            found.append(f"{line['op']} {kind}")
    return found


class Progress:
    """One line, written over and over, or now and then where no terminal is."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.faults, self.began, self.told = total, 0, 0, time.monotonic(), 0.0

    def __call__(self, name: str, count: int) -> None:
        """Take one step."""
        self.done += 1
        self.faults += count
        terminal = sys.stdout.isatty()
        elapsed = time.monotonic() - self.began
        if not terminal and elapsed - self.told < 10:
            return
        self.told = elapsed
        left = elapsed / self.done * max(0, self.total - self.done)
        counts = f"{self.done}/{self.total} scenarios, {self.faults} faults"
        line = f"{counts}, {elapsed:.0f} s, about {left:.0f} s left: {name}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)


@contextlib.contextmanager
def snapshot() -> Iterator[Path]:
    """Yield a folder with a copy of the service, so that nothing changes under a run."""
    with tempfile.TemporaryDirectory(prefix="faults-service-") as folder:
        target = Path(folder) / "calendar_service"
        shutil.copytree(ROOT / "calendar_service", target, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "templates", Path(folder) / "calendar_service_templates")
        yield Path(folder)


def run(
    seed: int,
    count: int | None,
    *,
    act_length: int = ACT,
    seconds: float = 1e9,
    only: str = "",
    keep: Path | None = None,
) -> Outcome:
    """Play acts until so many scenarios were played (None: a whole campaign); `keep` keeps their directories."""
    if not CAN_CUT:
        print("strace is missing: a power cut takes nothing away (F2 is F1). Install the package strace.")
    names = [name for name in everything() if only in name]
    with snapshot() as package_root:
        if count is None:
            return _whole(package_root, seed, names, seconds, keep)
        steps = plan(seed, count, names)
        acts = [steps[at : at + act_length] for at in range(0, count, act_length)]
        return _acts(package_root, seed, iter(acts), Progress(count), seconds, keep)


def _whole(package_root: Path, seed: int, names: Sequence[str], seconds: float, keep: Path | None) -> Outcome:
    """Play until every kind and every named step had its least number; runs that keep in one folder share that."""
    total = Outcome()
    progress = Progress(0)

    def acts() -> Iterator[list[str]]:
        number = seed
        while steps := next_act(number, so_far := joined([keep]) if keep else total, names):
            progress.total = progress.done + sum(owed(so_far, names).values())
            yield steps
            number += 1

    return _acts(package_root, seed, acts(), progress, seconds, keep, total)


def _acts(
    package_root: Path, seed: int, acts: Iterator[list[str]], progress: "Progress", seconds: float,
    keep: Path | None, total: Outcome | None = None,
) -> Outcome:  # fmt: skip
    total, began = total or Outcome(), time.monotonic()
    for number, steps in enumerate(acts, seed):
        try:
            home = keep.absolute() / f"act-{number}" if keep else None
            if home:
                home.mkdir(parents=True)
            outcome = play(
                number, steps, package_root=package_root, keep=home, tell=progress,
                seconds=seconds - (time.monotonic() - began),
            )  # fmt: skip
        except TownError as error:
            outcome = Outcome(played=Counter(steps), trouble=[f"act {number}: {error}"])
        total.add(outcome)
        if keep:
            total.save(keep / f"outcome-{seed}.json")
        for act_seed, violation in outcome.violations[:SHOWN]:
            print(f"\n  VIOLATION in act {act_seed}: {violation.law}: {violation.detail}", flush=True)
        if time.monotonic() - began > seconds:
            break
    return total
